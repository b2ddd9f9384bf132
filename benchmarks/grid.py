"""Train WGAN-GP on 25 Gaussians in the plane and count the modes it found, for several seeds.

    python benchmarks/grid.py --seeds 3

The same run from the command line: imgen train wgan-gp --data toy:grid --batch 64 --steps 7000
--set width=16 --set code=2 --set penalty=0.1 --set learning_rate=0.002 --set train.decay=1
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from imgen.data.toys import MIXTURES
from imgen.metrics.modes import Modes, modes
from imgen.training import run
from imgen.training.config import TrainConfig

SETTINGS = {"width": 16, "code": 2, "penalty": 0.1, "learning_rate": 2e-3}
STEPS, BATCH, SAMPLES = 7000, 64, 10_000


def measure(folder: Path, seed: int = 0, steps: int = STEPS) -> Modes:
    """Train one run into ``folder`` and look at samples of its averaged generator."""
    # The rate falls from the first step on: fine detail needs small steps, whole modes large ones.
    train = TrainConfig(steps=steps, decay=1.0, seed=seed, log_every=500, save_every=steps, picture_every=steps)
    data = {"names": ["toy:grid"], "batch": BATCH, "seed": seed}
    trainer = run.create(folder, engine="wgan-gp", data=data, settings=SETTINGS, train=train)
    trainer.run()
    torch.manual_seed(seed)
    samples = trainer.average.engine.sample(SAMPLES).numpy()
    return modes(samples, MIXTURES["grid"].centres, MIXTURES["grid"].deviation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # matrices this small are slower on more
    for seed in range(arguments.seeds):
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder), seed, arguments.steps)
        spent = time.process_time() - began
        print(
            f"seed {seed}: {found.covered} of 25 modes, {found.high_quality:.1%} of {SAMPLES} samples within three "
            f"deviations of one, {spent:.0f} s of one core"
        )


if __name__ == "__main__":
    main()
