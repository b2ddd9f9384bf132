"""What the recipes of image-to-image translation share: squares of places, drawn by seed and number."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from imgen import weights
from imgen.data.aligned import Aligned, Files, Layer, read_photo
from imgen.data.label_maps import Palette, one_hot
from imgen.data.order import order
from imgen.engines.engine import Engine
from imgen.errors import UsageError
from imgen.networks.patchgan import PatchGAN
from imgen.networks.pix2pixhd import MultiscaleDiscriminator
from imgen.training import checkpoint
from imgen.training.loader import Source
from imgen_apps.recipes.recipe import Recipe, check_size, unit

SHOWN = 4
"""Places in the picture of a run."""
DIRECTIONS = ("AtoB", "BtoA")
"""From which domain to which."""


@dataclass(frozen=True)
class TranslationRecipe(Recipe):
    """Squares of images of a size; the jitter of the paper is the difference of the two numbers."""

    size: int = 256  # of the squares, in pixels
    resize: int = 286  # to which the shorter side of the images they are cut from is brought
    batch: int = 1

    USE: ClassVar[str] = "imgen translate image.png --model"

    def with_batch(self, batch: int) -> Self:
        """Any number."""
        return replace(self, batch=batch)

    def with_size(self, size: int) -> Self:
        """Squares of another size, of images that are larger in proportion."""
        check_size(size, self.multiple, self.smallest)
        return replace(self, size=size, resize=round(size * self.resize / self.size))

    @property
    @abstractmethod
    def multiple(self) -> int:
        """What sizes must be multiples of."""

    @property
    @abstractmethod
    def smallest(self) -> int:
        """What sizes must be at least, for the judge to say something of them."""

    def begin(self, engine: Engine, start: Path) -> None:
        """Of a run all networks, of a model file the one that is in it."""
        into, theirs = (
            (engine, checkpoint.load(start)["networks"])
            if start.is_dir()
            else (engine.product, weights.load(start).state_dict())
        )
        checkpoint.check_fit(into.state_dict(), theirs, start)
        into.load_state_dict(theirs)

    def shown(self, source: Source) -> Any:
        """The first places."""
        batches = [source.batch(index) for index in range(-(-SHOWN // self.batch))]
        return type(batches[0])(*(torch.cat(parts)[:SHOWN] for parts in zip(*batches, strict=True)))

    def squares(self, places: Aligned, index: int, rng: np.random.Generator) -> list[tuple[Layer, ...]]:
        """Those of batch ``index``: places in shuffled epochs, of each a random square, half of them mirrored."""
        first = index * self.batch
        numbers = order(self.train.seed, len(places), first, first + self.batch)
        return [places.crop(int(number), rng, self.size) for number in numbers]


def photo_alone(files: Files) -> tuple[Layer, ...]:
    """Of a place that is one photograph."""
    return (read_photo(files[0]),)


def planes(maps: Sequence[Layer], palette: Palette) -> Tensor:
    """Label maps, H x W, as one tensor, N x classes x H x W of 0 and 1."""
    return torch.from_numpy(np.stack([one_hot(numbers, len(palette)) for numbers in maps]))


def painted(labels: Tensor, palette: Palette) -> Tensor:
    """What ``planes`` gave, in colours: N x 3 x H x W in 0..1."""
    return unit(list(palette.painted(labels.argmax(1).numpy())))


def rows(*columns: Tensor) -> Tensor:
    """Columns of images, N x 3 x H x W each, side by side: 3 x H' x W'."""
    from torchvision.utils import make_grid

    images = torch.stack([column.cpu() for column in columns], 1).flatten(0, 1)
    return make_grid(images.clamp(0, 1), nrow=len(columns))


def smallest(critic: PatchGAN.Config | MultiscaleDiscriminator.Config) -> int:
    """Height and width of the images that a judge can take, in pixels."""
    with torch.device("meta"):  # a shape has no need of weights
        return (PatchGAN(critic) if isinstance(critic, PatchGAN.Config) else MultiscaleDiscriminator(critic)).smallest


def check_direction(direction: str) -> str:
    """The direction, if it is one.

    Raises:
        UsageError: it is none of ``DIRECTIONS``.
    """
    if direction not in DIRECTIONS:
        raise UsageError(f"the direction is {direction}; it is one of {' and '.join(DIRECTIONS)}")
    return direction
