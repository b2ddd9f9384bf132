"""A discriminator that wins is p / (p + q), and its value is 2 JSD(p, q) - 2 log 2.

Goodfellow et al. 2014, arXiv:1406.2661, proposition 1 and theorem 1. Once on a grid, where the logit is a parabola
(that is what log p - log q of two Gaussians is) and L-BFGS finds its best one; once as in training, with a dense
network that sees samples only, judged on 100,000 fresh ones.
"""

import math

import torch
from measure import Found, main, minimise
from torch.distributions import Normal

from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import jensen_shannon
from imgen.networks.mlp import MLPDiscriminator

PAIRS = {
    "N(0,1), N(2,1)": (Normal(0.0, 1.0), Normal(2.0, 1.0)),
    "N(0,1), N(1,1)": (Normal(0.0, 1.0), Normal(1.0, 1.0)),
    "N(0,1), N(0,2)": (Normal(0.0, 1.0), Normal(0.0, 2.0)),
    "N(0,1) twice": (Normal(0.0, 1.0), Normal(0.0, 1.0)),
}


def run(arm: str, seed: int) -> Found:
    del seed
    real, fake = PAIRS[arm]
    x = torch.linspace(-12, 14, 2001, dtype=torch.float64)
    cell = float(x[1] - x[0])
    p, q = real.log_prob(x).exp(), fake.log_prob(x).exp()

    powers = torch.stack([torch.ones_like(x), x, x.square()])
    weights = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def on_grid() -> torch.Tensor:
        optimizer.zero_grad()
        logit = weights @ powers
        loss: torch.Tensor = ((p * NON_SATURATING.real(logit) + q * NON_SATURATING.fake(logit)) * cell).sum()
        loss.backward()
        return loss

    optimizer.step(on_grid)

    network = MLPDiscriminator(MLPDiscriminator.Config(1, width=32, depth=2))
    minimise(
        network,
        lambda: NON_SATURATING.discriminator(
            network(real.sample((256, 1))).logits, network(fake.sample((256, 1))).logits
        ),
        1000,
        torch.optim.Adam(network.parameters(), 2e-3, fused=True),
    )
    with torch.no_grad():
        value = -NON_SATURATING.discriminator(
            network(real.sample((100_000, 1))).logits, network(fake.sample((100_000, 1))).logits
        )
        seen = (x > -3) & (x < 5)
        logit = network(x[seen, None].float()).logits[:, 0]
    best, fitted = p / (p + q), (weights.detach() @ powers).sigmoid()
    return {
        "2 JSD - 2 log 2": float(2 * jensen_shannon(p, q, cell)) - 2 * math.log(2),
        "value on the grid": -float(on_grid().detach()),
        "error of D on the grid": float((fitted - best).abs().max()),
        "value, trained on samples": float(value),
        "mean error of D on -3..5, trained on samples": float((logit.sigmoid() - best[seen]).abs().mean()),
    }


if __name__ == "__main__":
    main(run, list(PAIRS))
