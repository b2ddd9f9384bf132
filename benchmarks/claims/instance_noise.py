"""Noise on the discriminator's input gives a generator a gradient where there was none; it must decay.

Sønderby et al. 2017, arXiv:1610.04490; Arjovsky & Bottou 2017, arXiv:1701.04862, sec. 3. The first arms are exact: the
Jensen-Shannon divergence of two points at a distance of 1, convolved with noise, and its slope in that distance. The
others train a GAN on eight Gaussians of deviation 0.02 on a ring (neighbours are 1.5 apart) without noise, with noise
of 0.5, and with noise that falls from 0.5 to nothing over the first half of the steps.
"""

import numpy as np
import torch
from measure import Found, main, train
from torch.distributions import Normal

from imgen.data.open import open_data
from imgen.data.toys import MIXTURES
from imgen.engines.gan import GAN
from imgen.losses.divergence import jensen_shannon
from imgen.metrics import modes

STEPS = 2500
EXACT = {"exact, noise 0.1": 0.1, "exact, noise 0.5": 0.5, "exact, noise 1": 1.0}
RING: dict[str, dict[str, float | int]] = {
    "none": {},
    "constant": {"noise": 0.5, "noise_steps": 10**9},
    "decaying": {"noise": 0.5, "noise_steps": STEPS // 2},
}


def two_points(noise: float) -> Found:
    # No farther than where the densities are above 0: there the slope of p log p has no value.
    x = torch.linspace(-9 * noise, 1 + 9 * noise, 8001, dtype=torch.float64)
    distance = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    p, q = (Normal(centre, noise).log_prob(x).exp() for centre in (torch.zeros(()), distance))
    divergence = jensen_shannon(p, q, float(x[1] - x[0]))
    divergence.backward()
    return {"JSD": float(divergence.detach()), "its slope": float(distance.grad)}


def run(arm: str, seed: int) -> Found:
    if arm in EXACT:
        return two_points(EXACT[arm])
    source, ring = open_data(["toy:ring"], batch=128, seed=seed), MIXTURES["ring"]
    engine = GAN.build(source.shape, GAN.Config(code=2, width=16, learning_rate=5e-4, **RING[arm]))
    samples = train(engine, source, STEPS).sample(5000).numpy()
    near = np.linalg.norm(samples[:, None] - np.array(ring.centres), axis=2).min(1)
    loose, strict = modes(samples, ring.centres, 0.1), modes(samples, ring.centres, ring.deviation)
    return {
        "modes with 1 % of the samples within 0.3": float((loose.counts >= 50).sum()),
        "share within 0.3 of a mode": loose.high_quality,
        "share within 3 deviations (0.06)": strict.high_quality,
        "median distance from a mode": float(np.median(near)),
    }


if __name__ == "__main__":
    main(run, [*EXACT, *RING])
