"""What an engine trains on: batches by number."""

from typing import NamedTuple, Protocol

from torch import Tensor

from imgen.networks.scale import Shape


class Batch(NamedTuple):
    """Some data of a set, with what is known of each."""

    image: Tensor  # N x C x H x W in -1..1, or N x D points
    label: Tensor  # N int64; -1 where it is not known
    index: Tensor  # type: ignore[assignment]  # N int64: which datum of the set this is, or of the run if drawn


class Source(Protocol):
    """Batches by number: a pure function, so a run goes on where it stopped by the number alone."""

    @property
    def shape(self) -> Shape:
        """Of one datum."""

    @property
    def length(self) -> int | None:
        """How many data the set has; None where they are drawn without end."""

    def batch(self, index: int) -> Batch:
        """The batch of that number, counted from 0, on the CPU: this process's share where there are several."""


def signed(pixels: Tensor) -> Tensor:
    """Pixels 0..255 (uint8) as float32 in -1..1.

    >>> import torch
    >>> signed(torch.tensor([0, 255], dtype=torch.uint8))
    tensor([-1.,  1.])
    """
    return pixels.float() / 127.5 - 1
