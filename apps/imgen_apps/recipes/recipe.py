"""What every recipe is: the numbers that decide a network's training, and how a run of it begins."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from imgen import weights
from imgen.engines.engine import Engine
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.loader import Source
from imgen.training.loop import Trainer

GENERATOR = "generator."
"""Before the names of the generator's tensors in an engine's state."""

Models = dict[str, tuple[Network, Spec]]
"""The name of a file to the network in it and its contract."""


@dataclass(frozen=True)
class Recipe(ABC):
    """Everything that decides the result, apart from the photographs."""

    train: TrainConfig

    USE: ClassVar[str]
    """The command that uses what was trained, but for the file, with which it ends."""

    @abstractmethod
    def with_batch(self, batch: int) -> Self:
        """The same with another number of images a step.

        Raises:
            UsageError: this recipe cannot have that many.
        """

    def with_teacher(self, teacher: Path) -> Self:
        """The same, learning from a larger network, a model file.

        Raises:
            UsageError: this recipe learns from photographs alone.
        """
        raise UsageError(f"{teacher} cannot teach this recipe, which learns from photographs alone; leave it out")

    def with_pairs(self, dirty: Path, clean: Path) -> Self:
        """The same, learning from two folders of photographs instead of what is simulated.

        Raises:
            UsageError: this recipe learns from single photographs.
        """
        raise UsageError(f"{dirty} and {clean} are pairs, but this recipe learns from single photographs; give --data")

    def with_size(self, size: int) -> Self:
        """The same, learning from squares of another size, in pixels.

        Raises:
            UsageError: this recipe has sizes of its own, or a network that cannot take that one.
        """
        raise UsageError(f"--size {size} is not for this recipe, which has sizes of its own; leave it out")

    def with_direction(self, direction: str) -> Self:
        """The same, from domain A to domain B, "AtoB", or back, "BtoA".

        Raises:
            UsageError: this recipe has but one direction, or there is no such one.
        """
        raise UsageError(f"--direction {direction} is not for this recipe, which has but one; leave it out")

    def with_labels(self, labels: str) -> Self:
        """The same for label maps of other classes: how many there are, or a file that lists them.

        Raises:
            UsageError: this recipe takes no label maps, or these are no classes.
        """
        raise UsageError(f"--labels {labels} is not for this recipe, which takes no label maps; leave it out")

    def fitted(self, data: Sequence[Path]) -> Self:  # noqa: ARG002 (few networks depend on the data)
        """The same for what is in some folders, where the networks depend on that.

        Raises:
            UsageError: it cannot be learnt from.
        """
        return self

    @abstractmethod
    def source(self, data: Sequence[Path]) -> Source:
        """Batches of what is in some folders of photographs."""

    @abstractmethod
    def engine(self, device: str) -> Engine:
        """The networks, untrained, and what they minimise."""

    @abstractmethod
    def begin(self, engine: Engine, start: Path) -> None:
        """Take over the weights of another run's folder or of a model file.

        Raises:
            ModelError: it is missing, or holds another network.
        """

    def shown(self, source: Source) -> Any:
        """The batch that the picture of a run is of."""
        return source.batch(0)

    @abstractmethod
    def picture(self, engine: Engine, batch: Any) -> Tensor | None:
        """What an engine makes of a batch, beside what it should be: C x H x W in 0..1; None: it makes no pictures."""

    @abstractmethod
    def spec(self, network: Network) -> Spec:
        """The contract of the model file of a trained network."""

    def models(self, engine: Engine, source: Source) -> Models:  # noqa: ARG002 (some look at what they learnt from)
        """What a run is for: its files, named without their suffix; the first is ``model``."""
        return {"model": (engine.product, self.spec(engine.product))}

    def trainer(self, data: Sequence[Path], folder: Path, device: str = "cpu", start: Path | None = None) -> Trainer:
        """The whole of it, ready to ``run()`` or ``resume()``.

        Args:
            data: folders of photographs.
            folder: of the run.
            device: as torch names it.
            start: what to begin with: the folder of another run, or a model file.

        Raises:
            ImgenError: no photographs, too few steps, or a start that is missing or of another network.
        """
        torch.manual_seed(self.train.seed)
        engine = self.fitted(data).engine(device)
        engine.check(self.train.steps)
        if start is not None:
            self.begin(engine, start)
        source = self.source(data)  # last: it may take minutes
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(asdict(self), indent=2) + "\n")
        picture = partial(self.picture, batch=self.shown(source))
        return Trainer(engine, source, self.train, folder, device=device, picture=picture)


def check_size(size: int, multiple: int, smallest: int) -> None:
    """Refuse squares that networks cannot take.

    Raises:
        UsageError: a size in pixels is no multiple, or less than the smallest.
    """
    if size % multiple or size < smallest:
        what = f"multiples of {multiple} pixels, {smallest} at least"
        raise UsageError(f"the size is {size}; the networks of this recipe take {what}")


def unit(images: Sequence[np.ndarray]) -> Tensor:
    """Images H x W x 3 of uint8 as one tensor, N x 3 x H x W in 0..1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def generator_of(start: Path, prefix: str = GENERATOR) -> dict[str, Tensor]:
    """The tensors of a run's averaged generator, or of a model file, by name; ``prefix`` is its own in the engine.

    Raises:
        ModelError: there are none.
    """
    if not start.is_dir():
        return weights.load(start).state_dict()
    state = checkpoint.load(start)["average"]
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
