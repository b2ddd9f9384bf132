"""What the measurements of claims share: train an engine, run arms and seeds, print means and deviations.

The scripts beside this one each measure one published claim, or some that share a set-up:

    OMP_NUM_THREADS=1 python benchmarks/claims/NAME.py [--seeds 3] [--processes 2] [--threads 1] [--json FILE]
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor, nn

from imgen.data.batch import Source
from imgen.engines.engine import Engine
from imgen.training.comparison import summarise, table
from imgen.training.config import TrainConfig
from imgen.training.ema import MovingAverage
from imgen.training.loader import Loader
from imgen.training.players import Players

CPU = torch.device("cpu")
Found = dict[str, float]


def train(
    engine: Engine, source: Source, steps: int, *, each: Callable[[int, Engine, Players], None] | None = None
) -> Engine:
    """The averaged engine after so many steps of the project's own loop, without its folder.

    Args:
        engine: what to train.
        source: of the batches.
        steps: how many.
        each: called after every step with the steps done, the averaged engine and the players.
    """
    players, average = Players(engine.train(), TrainConfig(steps=steps), CPU), MovingAverage(engine, 0.999)
    batches = Loader(source, 0, 0, CPU)
    for t in range(steps):
        players.step(batches, t)
        average.update(t)
        if each is not None:
            each(t + 1, average.engine, players)
    return average.engine


def minimise(network: nn.Module, loss: Callable[[], Tensor], steps: int, optimizer: torch.optim.Optimizer) -> None:
    """Plain descent on one loss, for a network that plays against nothing."""
    network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    network.eval()


def main(run: Callable[..., Found], arms: Sequence[str], **options: str | tuple[int, str]) -> None:
    """Run every arm with every seed, and print the table and the figures of the single runs.

    Args:
        run: takes an arm, a seed and the options, and gives what it measured.
        arms: by name.
        options: further options of the command line: name to help of a text that must be given, or to the default of
            a number and its help.
    """
    about = inspect.getdoc(inspect.getmodule(run)) or ""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there instead of printing them")
    for name, text in options.items():
        if isinstance(text, str):
            parser.add_argument(f"--{name.replace('_', '-')}", required=True, help=text)
        else:
            parser.add_argument(f"--{name}", type=int, metavar="N", default=text[0], help=text[1])
    given = vars(parser.parse_args())
    seeds, processes, threads, file = (given.pop(name) for name in ("seeds", "processes", "threads", "json"))
    todo = [(arm, seed) for seed in range(seeds) for arm in arms]
    once = partial(_seeded, run, given)
    if processes == 1:
        torch.set_num_threads(threads)
        results = [once(each) for each in todo]
    else:  # fresh ones: forked processes would share the state of torch's threads
        with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (threads,)) as pool:
            results = list(pool.map(once, todo))
    found = {arm: [result for each, result in zip(todo, results, strict=True) if each[0] == arm] for arm in arms}
    print(table({arm: summarise(values) for arm, values in found.items()}))
    text = json.dumps({"claim": about.splitlines()[0], "runs": found}, indent=None if file is None else 2)
    if file is None:
        print(text)
    else:
        file.write_text(text + "\n")


def _seeded(run: Callable[..., Found], options: dict[str, object], todo: tuple[str, int]) -> Found:
    arm, seed = todo
    torch.manual_seed(seed)
    found = run(arm, seed, **options)
    print(f"{arm}, seed {seed}: {found}", file=sys.stderr, flush=True)
    return found
