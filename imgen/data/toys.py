"""Sets that are drawn and never end: mixtures of Gaussians, whose truth is known, and coloured shapes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imgen.data.batch import Batch
from imgen.data.order import share
from imgen.networks.scale import Shape

Draw = Callable[[np.random.Generator, int], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""From a generator and a number N: N x D points or N x C x H x W images in -1..1, and the class of each."""

SHAPES = ("disc", "square", "triangle")


@dataclass(frozen=True)
class Mixture:
    """Gaussians of one deviation and equal weights; the class of a point is that of its centre."""

    centres: tuple[tuple[float, ...], ...]  # K points in D dimensions
    deviation: float  # in every direction

    @property
    def shape(self) -> Shape:
        """A point of D values, of K classes."""
        return Shape(0, len(self.centres[0]), len(self.centres))

    def __call__(self, random: np.random.Generator, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """N x D points and the number of the centre of each."""
        labels = random.integers(0, len(self.centres), count)
        noise = random.standard_normal((count, len(self.centres[0])))
        return (np.array(self.centres)[labels] + self.deviation * noise).astype(np.float32), labels


def _on_ring(count: int, radius: float) -> tuple[tuple[float, ...], ...]:
    angles = 2 * np.pi * np.arange(count) / count
    return tuple((float(radius * np.cos(angle)), float(radius * np.sin(angle))) for angle in angles)


MIXTURES = {
    # Metz et al. 2017, arXiv:1611.02163, sec. 3.1
    "ring": Mixture(_on_ring(8, radius=2), deviation=0.02),
    # Lin et al. 2018, arXiv:1712.04086, sec. 4.1
    "grid": Mixture(tuple((float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)), deviation=0.05),
    "gaussian": Mixture(((3.0,),), deviation=0.5),
    "two-gaussians": Mixture(((-2.0,), (2.0,)), deviation=0.5),
}
"""Name to mixture."""


@dataclass(frozen=True)
class DrawnShapes:
    """A disc, a square or a triangle of any colour, place and size on a ground of another colour."""

    size: int
    channels: int = 3

    @property
    def shape(self) -> Shape:
        """An image, of one class for each of ``SHAPES``."""
        return Shape(self.size, self.channels, len(SHAPES))

    def __call__(self, random: np.random.Generator, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """N x C x H x W in -1..1 and the place of each in ``SHAPES``."""
        labels = random.integers(0, len(SHAPES), count)
        radius = random.uniform(0.15, 0.35, (count, 1, 1))
        x0, y0 = random.uniform(radius, 1 - radius, (2, count, 1, 1))
        axis = (np.arange(self.size) + 0.5) / self.size
        x, y = axis[None, None, :] - x0, axis[None, :, None] - y0
        # Signed distances from the outline, positive inside: half a pixel on either side of it is blended.
        disc = radius - np.hypot(x, y)
        box = 0.9 * radius - np.maximum(abs(x), abs(y))
        triangle = np.minimum(0.5 * radius - y, 0.5 * radius + 0.5 * y - 0.75**0.5 * abs(x))
        distance = np.choose(labels[:, None, None], np.broadcast_arrays(disc, box, triangle))
        cover = np.clip(0.5 + distance * self.size, 0, 1)[:, None]
        ground = random.uniform(-1, 1, (count, self.channels, 1, 1))
        # Brighter or darker than the ground by a quarter of the range at least, so that all shapes show.
        paint = (ground + random.uniform(0.5, 1.5, ground.shape) + 1) % 2 - 1
        return (ground + (paint - ground) * cover).astype(np.float32), labels


class Drawn:
    """A source (``imgen.data.batch.Source``) whose data are drawn anew for each batch.

    Args:
        draw: a mixture, drawn shapes, or anything alike.
        batch: data in a step, of all processes together.
        seed: 0 or more.
        rank: of this process, which makes the whole batch and takes its share.
        world: how many processes there are.

    Raises:
        UsageError: the batch cannot be shared equally.
    """

    length: int | None = None

    def __init__(
        self, draw: Mixture | DrawnShapes, batch: int, *, seed: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        self.shape, self._draw = draw.shape, draw
        self._size, self._seed, self._rows = batch, seed, share(batch, rank, world)

    def batch(self, index: int) -> Batch:
        """The batch of that number."""
        data, labels = self._draw(np.random.default_rng([self._seed, index]), self._size)
        numbers = np.arange(index * self._size, (index + 1) * self._size)
        return Batch(*(torch.from_numpy(np.ascontiguousarray(part[self._rows])) for part in (data, labels, numbers)))
