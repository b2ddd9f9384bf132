"""A two-player toy for the loop, and batches for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from imgen.engines.engine import Engine, Player, Updates
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer


class Numbers(NamedTuple):
    x: Tensor


class Source:
    """Batches of ``size`` rows, of which this process gets its share."""

    def __init__(self, size: int = 8, rank: int = 0, world: int = 1) -> None:
        self.size, self.rank, self.world = size, rank, world

    def batch(self, index: int) -> Numbers:
        rows = range(index * self.size, (index + 1) * self.size)
        mine = rows[self.rank * self.size // self.world : (self.rank + 1) * self.size // self.world]
        return Numbers(torch.stack([torch.randn(2, generator=torch.Generator().manual_seed(row)) for row in mine]))


class Duel(Engine):
    """Uses torch's random state unless it is ``quiet``, and draws a second batch now and then."""

    @dataclass(frozen=True)
    class Config:
        together: bool = False
        quiet: bool = False
        width: int = 2

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        self.generator, self.critic = (
            nn.Linear(2, 2),
            nn.Sequential(nn.Linear(2, config.width), nn.Linear(config.width, 1)),
        )
        self.register_buffer("seen", torch.zeros(2))

    def players(self) -> dict[str, Player]:
        return {"generator": Player(self.generator, 1e-2), "critic": Player(self.critic, 1e-2, optimizer="rmsprop")}

    @property
    def product(self) -> Any:
        return self.generator

    def code(self, like: Tensor) -> Tensor:
        return like.square() if self.config.quiet else torch.randn_like(like)

    def step(self, batches: Iterator[Numbers], t: int) -> Updates:
        real = next(batches).x
        self.seen += real.detach().mean(0)
        if t % 3 == 0:
            real = real + next(batches).x
        fake = self.generator(self.code(real))
        critic = self.critic(fake).tanh().mean() - self.critic(real).tanh().mean()
        if self.config.together:
            yield {"critic": critic, "generator": -self.critic(fake).mean()}
            return
        yield "critic", critic
        yield "generator", -self.critic(self.generator(self.code(real))).mean()


@pytest.fixture
def duel() -> type[Duel]:
    return Duel


@pytest.fixture
def source() -> type[Source]:
    return Source


@pytest.fixture
def trainer() -> Callable[..., Trainer]:
    """A trainer of the toy: ``trainer(folder, steps, clip=1.0, engine=Duel.Config(together=True))``."""

    def make(folder: Path, steps: int, engine: Any = Duel.Config(), source: Any = None, **config: Any) -> Trainer:
        torch.manual_seed(0)
        plan = TrainConfig(**{"steps": steps, "log_every": 2, "save_every": 1000, **config})
        return Trainer(Duel(engine), source or Source(), plan, folder)

    return make
