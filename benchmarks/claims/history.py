"""Holding a generator to its own recent past (the history regulariser) keeps a GAN stable.

Su 2018, arXiv:1807.05936. First the theory behind it, exactly: with the best discriminator and the divergence from the
last generator q as penalty, one step takes q to a multiple of p q / (p + q). Then its author's experiment in small:
DCGAN with two steps of the generator on the same codes, with weight 0 and with his 5, on digits of 16 x 16 pixels;
judged four times on the way by the Frechet distance of 1000 samples with a classifier of the digits.
"""

import torch
from measure import Found, main, train
from vision import JUDGE, distance, sampled

from imgen.data.open import open_data
from imgen.engines.dcgan import DCGAN
from imgen.engines.engine import Engine
from imgen.training.players import Players

ARMS = ("exact", "weight 0", "weight 5")


def exact() -> Found:
    """From anywhere to the data, halving the distance in every step."""
    p = torch.rand(10, dtype=torch.float64).softmax(0)
    q = (5 * torch.rand(10, dtype=torch.float64)).softmax(0)
    apart = [float((q - p).abs().sum())]
    for _ in range(20):
        q = p * q / (p + q)
        q = q / q.sum()
        apart.append(float((q - p).abs().sum()))
    return {"q from p, at first": apart[0], "after 20 steps": apart[-1], "rate of the last step": apart[-1] / apart[-2]}


def run(arm: str, seed: int, data: str, judge: str, steps: int) -> Found:
    if arm == "exact":
        return exact()
    source = open_data([data], 16, batch=64, seed=seed)
    found: Found = {}

    def look(step: int, average: Engine, players: Players) -> None:
        del players
        if step % (steps // 4) == 0:
            apart = distance(sampled(average, 1000), judge, data, 16)
            found.update({f"{name}, step {step}": value for name, value in apart.items()})

    config = DCGAN.Config(width=16, generator_steps=2, history=float(arm.removeprefix("weight ")))
    train(DCGAN.build(source.shape, config), source, steps, each=look)
    return found


if __name__ == "__main__":
    main(run, ARMS, data="folder of the digits (idx files)", judge=JUDGE, steps=(1600, "length of each run"))
