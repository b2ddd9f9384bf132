"""What CycleGAN's training costs: steps a second against the usual loop in plain torch with the same networks.

    python benchmarks/cyclegan_speed.py [--device cuda] [--rounds 10] [--size 128] [--width 64] [--blocks 6]

The plain loop is that of the paper's authors, written again from the paper: both translations and both ways back, the
identity images by passes of their own, one backward pass for the generators, then the discriminators on images from
pools that are lists; no moving average, no log, no checkpoints. Its networks have the layers and numbers of imgen's,
lie in memory as torch makes them, and normalise by torch's instance norm. Both take the same ready images. Rounds of
a few steps of the one and of the other take turns, so that a machine with other work slows both alike; the
figures are medians. The plain loop is of full precision always. On a machine with very much other work, go by
processor time (OMP_NUM_THREADS=1).
"""

import argparse
import random
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from training_speed import InTurn

from imgen.engines.cyclegan import CycleGAN, CycleGANConfig, Domains
from imgen.networks.network import Network
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.translation_resnet import TranslationResNet
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer


class Ready:
    """Four batches that lie in memory, over and over."""

    def __init__(self, batch: int, size: int) -> None:
        self.batches = [Domains(*torch.rand(2, batch, 3, size, size)) for _ in range(4)]

    def batch(self, index: int) -> Domains:
        """One of them."""
        return self.batches[index % 4]


def networks(width: int, blocks: int) -> tuple[Network, Network, Network, Network]:
    """Both generators and both judges."""
    generator, judge = TranslationResNet.Config(width=width, blocks=blocks), replace(PIX2PIX, width=width)
    return TranslationResNet(generator), TranslationResNet(generator), PatchGAN(judge), PatchGAN(judge)


class ListPool:
    """Images that were made earlier."""

    def __init__(self, size: int = 50) -> None:
        self.size, self.images = size, list[Tensor]()

    def query(self, made: Tensor) -> Tensor:
        """Each image, or an old one in its place."""
        given = []
        for image in made.detach().unsqueeze(1):
            if len(self.images) < self.size:
                self.images.append(image)
                given.append(image)
            elif random.random() < 0.5:
                number = random.randrange(self.size)
                given.append(self.images[number].clone())
                self.images[number] = image
            else:
                given.append(image)
        return torch.cat(given)


def plain(source: Ready, device: str, width: int, blocks: int) -> Iterator[None]:
    # In evaluation mode instance norm and convolutions are torch's own; nothing else differs.
    g, f, judge_x, judge_y = (network.to(device).eval() for network in networks(width, blocks))
    optimizer_g = torch.optim.Adam([*g.parameters(), *f.parameters()], 2e-4, (0.5, 0.999))
    optimizer_d = torch.optim.Adam([*judge_x.parameters(), *judge_y.parameters()], 2e-4, (0.5, 0.999))
    pool_x, pool_y = ListPool(), ListPool()
    step = 0
    while True:
        x, y = (image.to(device) for image in source.batch(step))
        made_y = g(x)
        again_x = f(made_y)
        made_x = f(y)
        again_y = g(made_x)
        for judge in (judge_x, judge_y):
            judge.requires_grad_(False)
        optimizer_g.zero_grad()
        loss = 20 * (F.l1_loss(again_x, x) + F.l1_loss(again_y, y))
        loss = loss + 10 * (F.l1_loss(g(y), y) + F.l1_loss(f(x), x))
        for judge, made in ((judge_x, made_x), (judge_y, made_y)):
            logits = judge(2 * made - 1).logits
            loss = loss + F.mse_loss(logits, torch.ones_like(logits))
        loss.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        for judge, real, made, pool in ((judge_x, x, made_x, pool_x), (judge_y, y, made_y, pool_y)):
            judge.requires_grad_(True)
            told, fooled = judge(2 * real - 1).logits, judge(2 * pool.query(made) - 1).logits
            wrong = F.mse_loss(told, torch.ones_like(told)) + F.mse_loss(fooled, torch.zeros_like(fooled))
            (wrong / 2).backward()
        optimizer_d.step()
        step += 1
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1, help="of a round; 50 on a GPU")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument(
        "--width", type=int, default=16, help="16 and 4 blocks as the built-in models; the paper has 64 and 6"
    )
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--precision", default="fp32", help="of imgen's: bf16 where the processor has it")
    arguments = parser.parse_args()
    device, steps, sizes = arguments.device, arguments.steps, (arguments.width, arguments.blocks)
    source = Ready(arguments.batch, arguments.size)
    turns = InTurn(source, plain(source, device, *sizes), steps, device)
    config = TrainConfig(
        steps=(arguments.rounds + 1) * steps + 1,
        precision=arguments.precision,
        save_every=10**9,
        picture_every=10**9,
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = CycleGAN(*networks(*sizes), CycleGANConfig())
        Trainer(engine, turns, config, Path(folder), device=device).run()
    rounds = turns.rounds[1:]  # the first one warms up
    pace, bare = (steps / statistics.median(both[i][0] for both in rounds) for i in (0, 1))
    wall, processor = (statistics.median(plain_[i] / ours[i] for ours, plain_ in rounds) for i in (0, 1))
    print(
        f"CycleGAN, {arguments.size} px, batch {arguments.batch}, width {arguments.width}, {device}: {pace:.2f} steps/s"
        f", plain {bare:.2f}; {wall:.2f} times as fast by the clock, {processor:.2f} times by processor time",
        flush=True,
    )


if __name__ == "__main__":
    main()
