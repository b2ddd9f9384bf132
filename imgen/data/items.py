"""Sets of images with a number each, and the batches that are made of them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgen.data.augment import Augment, Change
from imgen.data.batch import Batch, signed
from imgen.data.order import order, share
from imgen.networks.scale import Shape

Numbers = NDArray[np.int64]


class Items(Protocol):
    """Images by number, all of one size."""

    @property
    def shape(self) -> Shape:
        """Of one image."""

    @property
    def labels(self) -> Numbers:
        """For each image a place in ``classes``, -1 where it is not known."""

    @property
    def classes(self) -> Sequence[str]:
        """What the labels stand for."""

    def __len__(self) -> int:
        """How many there are."""

    def pixels(self, numbers: Numbers) -> tuple[Tensor, Numbers]:
        """N x C x H x W uint8, and whose they are: an image that cannot be read gives way to the one after it."""


class Batches:
    """A source (``imgen.data.batch.Source``) that goes through a set in shuffled epochs.

    Args:
        items: the set.
        batch: data in a step, of all processes together.
        seed: of the order and of the augmentations; 0 or more.
        augment: keys of ``imgen.data.augment.CHANGES`` or functions of one's own.
        rank: of this process. Its share of the order is that of one process alone; its augmentations are its own.
        world: how many processes there are.

    Raises:
        UsageError: the batch cannot be shared equally, or there is no such augmentation.
    """

    def __init__(
        self,
        items: Items,
        batch: int,
        *,
        seed: int = 0,
        augment: Sequence[str | Change] = (),
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.items, self.shape, self.length = items, items.shape, len(items)
        self._size, self._seed, self._rank, self._rows = batch, seed, rank, share(batch, rank, world)
        self._augment = Augment(augment, items.shape.size)

    def batch(self, index: int) -> Batch:
        """The batch of that number."""
        first = index * self._size
        numbers = order(self._seed, self.length, first + self._rows.start, first + self._rows.stop)
        pixels, numbers = self.items.pixels(numbers)
        image = signed(self._augment(pixels, (self._seed, index, self._rank)))
        return Batch(image, torch.from_numpy(self.items.labels[numbers]), torch.from_numpy(numbers))
