"""What the training loop costs: steps a second against the plainest loop in torch with the same networks.

    python benchmarks/training_speed.py [--device cuda] [--rounds 20] [--batch 64] [--channels-last]

DCGAN and VAE at 64 x 64 pixels. The plain loop has optimisers, losses and updates and nothing else: no moving
average, no log, no guard, no checkpoints. With --channels-last its networks and images lie in memory as those of
the training loop do, which is most of what that gains on a processor. Both take the same ready batches. Rounds of a
few steps of the one and of the other take turns, so that a machine with other work slows both alike; the figure is
the median of the ratios of neighbours. On a machine with very much other work, go by processor time
(OMP_NUM_THREADS=1).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.dcgan import DCGAN
from imgen.engines.vae import VAE
from imgen.losses.divergence import kl_standard_normal
from imgen.networks.gaussian import gaussian
from imgen.networks.scale import Shape
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer

SHAPE = Shape(64)
Clocks = tuple[float, float]  # of the wall, of the processor


class Ready:
    """Four batches that lie in memory, over and over."""

    def __init__(self, batch: int) -> None:
        numbers = torch.arange(batch)
        self.batches = [Batch(torch.rand(batch, 3, 64, 64) * 2 - 1, numbers % 1, numbers) for _ in range(4)]

    def batch(self, index: int) -> Batch:
        """One of them."""
        return self.batches[index % 4]


def plain_dcgan(source: Ready, device: str, memory: torch.memory_format) -> Iterator[None]:
    engine = DCGAN.build(SHAPE, DCGAN.Config()).to(device, memory_format=memory)  # type: ignore[call-overload]
    generator, discriminator = engine.generator, engine.discriminator
    optimizer_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
    step = 0
    while True:
        real = source.batch(step).image.to(device, memory_format=memory)
        with torch.no_grad():
            fake = generator(torch.randn(len(real), 100, device=device))
        loss = F.softplus(-discriminator(real).logits).mean() + F.softplus(discriminator(fake).logits).mean()
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()
        discriminator.requires_grad_(False)
        loss = F.softplus(-discriminator(generator(torch.randn(len(real), 100, device=device))).logits).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        discriminator.requires_grad_(True)
        step += 1
        yield


def plain_vae(source: Ready, device: str, memory: torch.memory_format) -> Iterator[None]:
    engine = VAE.build(SHAPE, VAE.Config(likelihood="fixed")).to(device, memory_format=memory)  # type: ignore[call-overload]
    encoder, decoder = engine.encoder, engine.decoder
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    step = 0
    while True:
        image = source.batch(step).image.to(device, memory_format=memory)
        posterior = gaussian(encoder(image))
        error = (decoder(posterior.sample()) - image).square().sum() / (2 * len(image))
        loss = error + kl_standard_normal(*posterior).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        yield


class InTurn:
    """A source that lets the plain loop run, and looks at the clocks, whenever a round of the other is over."""

    def __init__(self, source: Ready, plain: Iterator[None], steps: int, device: str) -> None:
        self.source, self.plain, self.steps, self.device = source, plain, steps, torch.device(device).type
        self.wait: Callable[[], object] = torch.cuda.synchronize if self.device == "cuda" else int
        self.rounds: list[tuple[Clocks, Clocks]] = []  # seconds: ours, plain
        self.began: Clocks = (0.0, 0.0)

    def batch(self, index: int) -> Batch:
        """Ready batch ``index``."""
        if index % self.steps == 0:
            ended = self._now()
            with torch.autocast(self.device, enabled=False):  # batches are asked for within that of the loop
                for _ in range(self.steps):
                    next(self.plain)
            again = self._now()
            if index:
                self.rounds.append((_between(self.began, ended), _between(ended, again)))
            self.began = again
        return self.source.batch(index)

    def _now(self) -> Clocks:
        self.wait()
        return time.perf_counter(), time.process_time()


def _between(start: Clocks, end: Clocks) -> Clocks:
    return end[0] - start[0], end[1] - start[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2, help="of a round; 50 on a GPU")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels-last", action="store_true", help="in the plain loop, too")
    arguments = parser.parse_args()
    device, steps = arguments.device, arguments.steps
    source = Ready(arguments.batch)
    memory = torch.channels_last if arguments.channels_last else torch.contiguous_format
    for name, engine, plain in (
        ("dcgan", DCGAN.build(SHAPE, DCGAN.Config()), plain_dcgan),
        ("vae", VAE.build(SHAPE, VAE.Config(likelihood="fixed")), plain_vae),
    ):
        turns = InTurn(source, plain(source, device, memory), steps, device)
        config = TrainConfig(steps=(arguments.rounds + 1) * steps + 1, save_every=10**9, picture_every=10**9)
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(engine, turns, config, Path(folder), device=device)
            trainer.run()
            began = time.perf_counter()
            trainer.save()
            save = time.perf_counter() - began
        rounds = turns.rounds[1:]  # the first one warms up
        pace, bare = (steps / statistics.median(both[i][0] for both in rounds) for i in (0, 1))
        wall, processor = (statistics.median(ours[i] / plain[i] for ours, plain in rounds) - 1 for i in (0, 1))
        print(
            f"{name}, {SHAPE.size} px, batch {arguments.batch}, {device}: {pace:.2f} steps/s, plain {bare:.2f}; "
            f"overhead {wall:+.1%} by the clock, {processor:+.1%} by processor time; a checkpoint takes {save:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
