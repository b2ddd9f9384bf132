"""Of two parallel segments at a distance t, W1 is t and the Jensen-Shannon divergence is log 2 unless t is 0.

Arjovsky et al. 2017, arXiv:1701.07875, example 1; and what networks that see samples make of it: a critic whose
weights are clipped (RMSProp, arXiv:1701.07875), one with a gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028),
a discriminator, whose loss L is an estimate (2 log 2 - L) / 2 of the divergence.
"""

import math

import numpy as np
import torch
from measure import Found, main, minimise

from imgen.losses.adversarial import NON_SATURATING, WASSERSTEIN
from imgen.losses.divergence import wasserstein_1d
from imgen.losses.penalties import gradient_penalty
from imgen.networks.mlp import MLPDiscriminator

ARMS = ("exact W1", "critic, clipped at 0.1", "critic, penalty", "discriminator")
DISTANCES = (0.1, 0.3, 1.0, 2.0, 3.0)


def segment(n: int, distance: float) -> torch.Tensor:
    return torch.stack([torch.full((n,), distance), torch.rand(n)], 1)


def estimate(arm: str, distance: float) -> float:
    if arm == "exact W1":  # the coupling moves every point along the first axis
        return float(wasserstein_1d(segment(1000, 0)[:, 0], segment(1000, distance)[:, 0]))
    network = MLPDiscriminator(MLPDiscriminator.Config(2, width=32, depth=2))
    game = NON_SATURATING if arm == "discriminator" else WASSERSTEIN

    def loss(n: int = 128) -> torch.Tensor:
        real, fake = segment(n, 0), segment(n, distance)
        if "clipped" in arm:
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.clamp_(-0.1, 0.1)
        value = game.discriminator(network(real).logits, network(fake).logits)
        if "penalty" in arm:
            value = value + 10 * gradient_penalty(lambda x: network(x).logits, real, fake)
        return value

    rms = torch.optim.RMSprop(network.parameters(), 1e-3)
    minimise(
        network,
        loss,
        500,
        rms if "clipped" in arm else torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.9), fused=True),
    )
    with torch.no_grad():
        real, fake = (network(segment(10_000, d)).logits for d in (0, distance))
        value = float(game.discriminator(real, fake))
    return (2 * math.log(2) - value) / 2 if game is NON_SATURATING else -value


def run(arm: str, seed: int) -> Found:
    del seed
    found = [estimate(arm, distance) for distance in DISTANCES]
    correlation = {} if arm == "discriminator" else {"correlation with t": float(np.corrcoef(DISTANCES, found)[0, 1])}
    return {f"t = {t}": value for t, value in zip(DISTANCES, found, strict=True)} | correlation


if __name__ == "__main__":
    main(run, ARMS)
