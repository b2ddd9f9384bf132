"""One way to write a network as a graph, and what all ways share: sizes, free axes, pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import UsageError
from imgen.spec import Spec

Size = tuple[int, ...]
"""Batch, and where they are free, height and width."""

# Sizes to compare at, in multiples: odd ones, flat ones, none of them traced.
_SIZES = ((1, 5, 3), (3, 3, 7), (1, 9, 2), (2, 13, 11))

_STEP = 5  # pixels to take for a multiple of 1, at which the sizes above would be nothing but border
_LARGE = 32  # pixels; a multiple from which on those sizes are more than it takes to tell a difference
_FEW = ((1, 2, 3), (3, 3, 2), (1, 2, 4), (2, 3, 3))


@dataclass(frozen=True)
class Form:
    """One way to write a network."""

    module: nn.Module  # takes the tensors that ``inputs`` makes and gives one, or a tuple of several
    names: tuple[str, ...]  # of those
    inputs: Callable[..., tuple[Tensor, ...]]  # of a size
    free: Sequence[dict[int, Any]]  # for each input, its free axes
    traced: Size
    compared: Sequence[Size]
    tolerance: float  # of the largest difference from torch


def core_sizes(multiple: int) -> tuple[Size, list[Size]]:
    """Where to trace a network that takes sides of this multiple, and where to compare it."""
    step, few = _STEP if multiple == 1 else multiple, multiple >= _LARGE
    compared: list[Size] = [(count, high * step, wide * step) for count, high, wide in (_FEW if few else _SIZES)]
    return (2, 4 * step, 3 * step) if few else (2, 8 * step, 6 * step), compared


def embed_sizes(multiple: int) -> tuple[Size, list[Size]]:
    """The same for a graph that takes any size: off the grid by some pixels."""
    traced, compared = core_sizes(multiple)
    if multiple == 1:
        traced, compared = (2, 8, 6), list(_SIZES)
    return traced, [(count, max(1, high - 3), wide + 5) for count, high, wide in compared]


def fixed(form: Form, spec: Spec, graph: str, size: tuple[int, int]) -> Form:
    """The same for one height and width, and a batch of 1.

    Raises:
        UsageError: the graph does not take this size.
    """
    wide = f"{size[0]}x{size[1]}"
    one: Size = (1, *size)
    if len(form.traced) == 1:  # nothing but the batch was free
        if size != (spec.size, spec.size):
            known = f"images of {spec.size}x{spec.size}" if spec.size else "points"
            raise UsageError(f"{spec.name!r} is for {known} only, not {wide}; leave --size out or ask for that")
        one = (1,)
    elif graph == "core" and any(side % spec.multiple for side in size):
        raise UsageError(f"{spec.name!r} takes sides divisible by {spec.multiple}, not {wide}; take embed, or others")
    return replace(form, free=[{} for _ in form.free], traced=one, compared=[one])


def free_axis(name: str, largest: int = 16384) -> Any:
    """An axis of any length."""
    return torch.export.Dim(name, min=1, max=largest)


def picture(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Smooth colours, and a hole that also touches an edge."""
    generator = torch.Generator().manual_seed(height * 7919 + width)
    coarse = torch.rand(batch, 3, 4, 4, generator=generator)
    image = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)
    mask = torch.zeros(batch, 1, height, width)
    mask[..., height // 4 : height // 2 + 1, : width // 2 + 1] = 1
    return image, mask


def levels(values: Tensor) -> Tensor:
    """N x 3 x H x W in about 0..1 to uint8, N x H x W x 3."""
    return (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
