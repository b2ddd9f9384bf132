"""A VAE covers all modes and blurs between them, a GAN is sharp and drops some.

Goodfellow 2016, arXiv:1701.00160, sec. 3.2.5 and 5.1.1, on the reading that likelihood covers and the adversarial game
picks. Eight Gaussians on a ring and twenty-five on a grid; the same dense networks for all, and the same number of
steps of the generator. A mode counts as found when a fifth of its share of 5000 samples lies within 0.3 of its centre
(neighbours are 1.5 apart on the ring, 2 on the grid); "between" is what lies within 0.3 of none. The mixture fitted by
EM is the yardstick.
"""

import numpy as np
import torch
from measure import Found, main, train

from imgen.data.open import open_data
from imgen.data.toys import MIXTURES
from imgen.engines import ENGINES, gmm
from imgen.metrics import modes

STEPS = 2000
SETTINGS: dict[str, dict[str, object]] = {
    "vae": {},
    "gan": {"learning_rate": 5e-4},
    "gan, minimax": {"learning_rate": 5e-4, "loss": "minimax"},
    "wgan": {"learning_rate": 5e-4, "clip": 0.1},
    "wgan-gp": {"learning_rate": 5e-4, "penalty": 0.1},
}
ARMS = [f"{method}, {toy}" for toy in ("ring", "grid") for method in ("mixture", *SETTINGS)]


def run(arm: str, seed: int) -> Found:
    method, toy = arm.rsplit(", ", 1)
    source, mixture = open_data([f"toy:{toy}"], batch=128, seed=seed), MIXTURES[toy]
    if method == "mixture":
        data = torch.cat([source.batch(number).image for number in range(32)])
        samples = gmm.fit(data, len(mixture.centres), "spherical").mixture.sample(5000).numpy()
    else:
        kind = ENGINES[method.split(",")[0]]
        engine = kind.build(source.shape, kind.Config(code=2, width=16, **SETTINGS[method]))
        samples = train(engine, source, STEPS).sample(5000).numpy()
    near = np.linalg.norm(samples[:, None] - np.array(mixture.centres), axis=2).min(1)
    loose = modes(samples, mixture.centres, 0.1)
    return {
        "modes found": float((loose.counts >= 1000 / len(mixture.centres)).sum()),
        "share between": 1 - loose.high_quality,
        "share within 3 deviations": modes(samples, mixture.centres, mixture.deviation).high_quality,
        "median distance from a mode": float(np.median(near)),
    }


if __name__ == "__main__":
    main(run, ARMS)
