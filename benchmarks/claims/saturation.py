"""Against a discriminator that has won, log(1 - D) gives a generator no gradient, -log D does.

Goodfellow et al. 2014, arXiv:1406.2661, sec. 3. Data around 4, a generator around 0, a discriminator that was trained
on the two until it was sure; then 200 steps of the generator alone, by plain gradient descent (rate 0.01) and by Adam
(rate 2e-4), which divides by the size of the gradient.
"""

import torch
from measure import Found, main, minimise

from imgen.losses.adversarial import MINIMAX, NON_SATURATING
from imgen.networks.mlp import MLP, MLPDiscriminator

ARMS = {
    "minimax, descent": (MINIMAX, lambda p: torch.optim.SGD(p, 0.01)),
    "-log D, descent": (NON_SATURATING, lambda p: torch.optim.SGD(p, 0.01)),
    "minimax, Adam": (MINIMAX, lambda p: torch.optim.Adam(p, 2e-4, (0.5, 0.999))),
    "-log D, Adam": (NON_SATURATING, lambda p: torch.optim.Adam(p, 2e-4, (0.5, 0.999))),
}


def run(arm: str, seed: int) -> Found:
    del seed
    loss, optimizer = ARMS[arm]
    logit = torch.tensor(-5.0, requires_grad=True)
    (slope,) = torch.autograd.grad(loss.made(logit), logit)

    generator = MLP(MLP.Config(1, 1, width=64, depth=2))
    discriminator = MLPDiscriminator(MLPDiscriminator.Config(1, width=64, depth=2))

    def made(n: int = 256) -> torch.Tensor:
        return generator(torch.randn(n, 1))

    minimise(
        discriminator,
        lambda: NON_SATURATING.discriminator(
            discriminator(4 + 0.2 * torch.randn(256, 1)).logits, discriminator(made().detach()).logits
        ),
        500,
        torch.optim.Adam(discriminator.parameters(), 2e-3, fused=True),
    )
    with torch.no_grad():
        before, sure = made(10_000).mean(), discriminator(made(10_000)).logits.mean()
    gradient = torch.autograd.grad(loss.generator(discriminator(made()).logits), list(generator.parameters()))
    minimise(
        generator,
        lambda: loss.generator(discriminator(made()).logits),
        200,
        optimizer(generator.parameters()),
    )
    with torch.no_grad():
        after = made(10_000).mean()
    return {
        "slope at logit -5": float(slope),
        "mean logit of fakes": float(sure),
        "norm of the first gradient": float(torch.cat([g.flatten() for g in gradient]).norm()),
        "way of the mean (4 to go)": float(after - before),
    }


if __name__ == "__main__":
    main(run, list(ARMS))
