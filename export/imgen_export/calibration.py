"""Photographs as a network takes them, beside what it is to give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.data.degrade import bicubic
from imgen.data.drops import drops
from imgen.data.masks import mixed
from imgen.data.photos import Crops, decode, find_photos
from imgen.errors import UsageError
from imgen.image.tensor import to_nchw, to_pixels
from imgen.metrics import psnr
from imgen.spec import Spec

LEARNT, HELD = 16, 8
"""Photographs that ranges are found on, and those that the loss is measured on."""
LEAST = 6
"""Photographs in all, of which a third is held out."""
_REDUCTION = (1.0, 3.0)  # how much smaller photographs are made
_SIDE = {"upscale": 128}  # pixels of what a network is given
_USUAL = 256

Pixels = NDArray[np.uint8]
Mask = NDArray[np.float32]


class Task(NamedTuple):
    """What a network was given, and where its answer counts."""

    given: Pixels
    hole: Mask | None = None


class Example(NamedTuple):
    """One photograph."""

    feed: dict[str, NDArray[Any]]  # by the names of the graph's inputs
    truth: Pixels
    hole: Mask | None
    border: int

    def score(self, result: NDArray[Any]) -> float:
        """PSNR, in decibels, of what a graph gives: of core or of embed."""
        made = result[0] if result.dtype == np.uint8 else to_pixels(result)
        return psnr(made, self.truth, peak=255, where=self.hole, border=self.border)


def _shrunk(truth: Pixels, scale: int, _: np.random.Generator) -> Task:
    return Task(bicubic(truth, scale))


def _with_hole(truth: Pixels, _: int, rng: np.random.Generator) -> Task:
    return Task(truth, mixed(rng, *truth.shape[:2]))


def _behind_drops(truth: Pixels, _: int, rng: np.random.Generator) -> Task:
    return Task(drops(truth, rng).image)


TASKS: dict[str, Callable[[Pixels, int, np.random.Generator], Task]] = {
    "upscale": _shrunk,
    "inpaint": _with_hole,
    "derain": _behind_drops,
}
"""What makes of a photograph and a scale what is to become that photograph again."""


def examples(spec: Spec, folder: Path, size: tuple[int, int] | None) -> tuple[list[Example], list[Example]]:
    """Photographs to find ranges on, and others to measure on; the same ones each time.

    Args:
        spec: of a task in ``TASKS``; its graph says what the network takes.
        folder: of photographs, its own folders included.
        size: height and width that the network takes; None takes a usual one.

    Raises:
        UsageError: no such folder, or fewer than ``LEAST`` photographs that can be read.
    """
    side = _SIDE.get(spec.task, _USUAL)
    height, width = size or [-(-side // spec.multiple) * spec.multiple] * 2
    paths = list(find_photos([folder]))
    rng = np.random.default_rng(0)
    found: list[Example] = []
    for place in rng.permutation(len(paths)):
        image = decode(paths[place])
        if image is not None and len(found) < LEARNT + HELD:
            found.append(_example(spec, image, height * spec.scale, width * spec.scale, rng))
    if len(found) < LEAST:
        raise UsageError(f"{folder} holds {len(found)} photographs that can be read; int8 takes {LEAST} or more")
    held = len(found) // 3
    return found[held:], found[:held]


def _example(spec: Spec, image: Pixels, height: int, width: int, rng: np.random.Generator) -> Example:
    square = Crops([image]).draw(rng, max(height, width), _REDUCTION).of(image)
    truth = np.ascontiguousarray(square[:height, :width])
    given, hole = TASKS[spec.task](truth, spec.scale, rng)
    feed: dict[str, NDArray[Any]] = {"image": given[None] if spec.graph == "embed" else to_nchw(given)}
    if hole is not None:
        feed["mask"] = (hole[None] * 255).astype(np.uint8) if spec.graph == "embed" else to_nchw(hole)
    return Example(feed, truth, hole, spec.scale if spec.scale > 1 else 0)
