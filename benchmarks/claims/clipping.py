"""Clipping drives a critic's weights to the two ends of the interval, a gradient penalty does not.

Gulrajani et al. 2017, arXiv:1704.00028, sec. 3 and fig. 1: the data are eight Gaussians on a ring, the fakes the same
with unit noise, and the critic alone is trained. "At the ends": beyond 0.95 of the largest weight.
"""

import torch
from measure import Found, main, minimise

from imgen.data.open import open_data
from imgen.losses.adversarial import WASSERSTEIN
from imgen.losses.penalties import gradient_penalty
from imgen.networks.mlp import MLPDiscriminator

ARMS = {"clipped at 0.01": 0.01, "clipped at 0.1": 0.1, "penalty": 0.0}


def run(arm: str, seed: int) -> Found:
    clip, source = ARMS[arm], open_data(["toy:ring"], batch=128, seed=seed)
    critic, number = MLPDiscriminator(MLPDiscriminator.Config(2, width=64, depth=3)), 0

    def loss() -> torch.Tensor:
        nonlocal number
        real = source.batch(number).image
        number += 1
        fake = real[torch.randperm(len(real))] + torch.randn_like(real)
        if clip:
            with torch.no_grad():
                for parameter in critic.parameters():
                    parameter.clamp_(-clip, clip)
        value = WASSERSTEIN.discriminator(critic(real).logits, critic(fake).logits)
        return value if clip else value + 10 * gradient_penalty(lambda x: critic(x).logits, real, fake)

    # The rates of the two papers, tenfold: the critic is alone, and 1500 steps are few.
    rms = torch.optim.RMSprop(critic.parameters(), 5e-4)
    adam = torch.optim.Adam(critic.parameters(), 1e-3, (0.5, 0.9), fused=True)
    minimise(critic, loss, 1500, rms if clip else adam)
    if clip:
        loss()  # clips after the last step
    weights = torch.cat([parameter.detach().flatten() for parameter in critic.parameters() if parameter.ndim == 2])
    return {
        "share of weights at the ends": float((weights.abs() > 0.95 * weights.abs().max()).float().mean()),
        "largest weight": float(weights.abs().max()),
    }


if __name__ == "__main__":
    main(run, list(ARMS))
