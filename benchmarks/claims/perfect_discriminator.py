"""However long a generator has been trained, a fresh discriminator tells its samples from data almost perfectly.

Arjovsky & Bottou 2017, arXiv:1701.04862, fig. 1 and 2 (after 1, 10 and 25 epochs). DCGAN on clothes of 16 x 16 pixels;
at three moments its averaged generator is frozen, a new discriminator is trained against it for 400 steps, and judged
on 2000 samples and 2000 images that neither has seen. The Jensen-Shannon divergence is estimated from its loss L there
as (2 log 2 - L) / 2, which is at most the divergence: log 2 = 0.693 would say that nothing is shared.
"""

import copy
import math

import torch
from measure import CPU, Found, main, minimise, train
from vision import real_images, sampled

from imgen.data.open import open_data
from imgen.engines.dcgan import DCGAN
from imgen.engines.engine import Engine
from imgen.losses.adversarial import NON_SATURATING
from imgen.networks.default import discriminator
from imgen.training.loader import Loader
from imgen.training.players import Players

MOMENTS = (300, 1500, 3000)


def run(arm: str, seed: int, train_images: str, test_images: str) -> Found:
    del arm
    source = open_data([train_images], 16, batch=64, seed=seed)
    unseen = real_images(test_images, 16, 2000) * 2 - 1
    found: Found = {}

    def look(step: int, average: Engine, players: Players) -> None:
        del players
        if step in MOMENTS:
            generator = copy.deepcopy(average)
            fresh = discriminator(source.shape, width=16)
            batches = Loader(source, 100_000, 0, CPU)
            minimise(
                fresh,
                lambda: NON_SATURATING.discriminator(
                    fresh(next(batches).image).logits, fresh(generator.sample(64) * 2 - 1).logits
                ),
                400,
                torch.optim.Adam(fresh.parameters(), 2e-4, (0.5, 0.999), fused=True),
            )
            with torch.no_grad():
                real, fake = fresh(unseen).logits, fresh(sampled(generator, 2000) * 2 - 1).logits
            right = torch.cat([real > 0, fake < 0]).float().mean()
            divergence = (2 * math.log(2) - float(NON_SATURATING.discriminator(real, fake))) / 2
            found.update({f"right, step {step}": float(right), f"JSD, step {step}": divergence})

    train(DCGAN.build(source.shape, DCGAN.Config(width=8)), source, MOMENTS[-1], each=look)
    return found


if __name__ == "__main__":
    main(run, ["dcgan"], train_images="idx file to train on", test_images="idx file to judge on")
