"""Take raindrops off a photo of any size, and leave every other pixel as it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ModelError, UsageError
from imgen.image import file
from imgen.image.tensor import to_pixels
from imgen.runtime import Model
from imgen.runtime.model import Array
from imgen_apps import tiling
from imgen_apps.attention import SPREAD, Map, blend, certain, write_maps
from imgen_apps.pipeline import GREY, Image, Pipeline, Pixels, edit
from imgen_apps.resampling import resampled
from imgen_apps.rows import Rows
from imgen_apps.transparency import opaque, planes

VIEW = 1080
"""Short side of the largest photo that is looked at as it is: how large a drop is goes with the view."""

TILE = 1536  # at that view an image is one tile; only a panorama has more
_SLAB_ROWS = 64  # that are worked on at once, at the size of the photo


class Removed(NamedTuple):
    """What became of an image."""

    changed: bool
    found: Map  # where it is 0 no pixel has changed


class RaindropRemoval(Pipeline):
    """Remove raindrops from a photo that was taken through a wet window or lens.

    >>> derain = RaindropRemoval(imgen.load_model("derain-base"))  # doctest: +SKIP
    >>> derain("photo.jpg", attention="drops.png")  # doctest: +SKIP
    'photo-derained.jpg'

    Args:
        model: of task "derain".
        tile: side, in pixels of the view, of what the network works on at once (and looks beyond); None or 0: so
            large that most photos are one tile.

    Raises:
        ModelError: the model was made for another task, or does not say where the drops are.
        UsageError: a tile that is mostly margin.
    """

    task = "derain"

    def __init__(self, model: Model, *, tile: int | None = None):
        super().__init__(model)
        if len(model.spec.outputs) != 2:
            raise ModelError(f"{model.spec.name} does not say where the drops are; choose another model")
        tiling.check_tile(tile)
        self.tile = tile or TILE

    def __call__(
        self,
        image: Image,
        *,
        strength: float = 1.0,
        everywhere: bool = False,
        attention: str | Path | None = None,
        output: str | Path | None = None,
    ) -> Image:
        """Remove the drops from an image.

        Args:
            image: a path, the bytes of a file, a PIL image or an array; see ``imgen_apps.pipeline.edit``.
            strength: 0 changes nothing, 1 replaces drops in full.
            everywhere: let the network change pixels that it takes for clear, too.
            attention: a file to write where the drops were found, as a grey picture; replaced if it exists.
            output: of an image given by its path, the file to write instead of ``<name>-derained``.

        Returns:
            The same kind as ``image``; equal to it, to the bit, where the attention is 0.

        Raises:
            ImageError: the image cannot be read, a result cannot be written, or memory does not suffice.
            UsageError: arguments of the wrong kind or outside their range.
            ModelError: the network gave no numbers.
        """
        check_strength(strength)
        if attention is not None:
            file.format_for(Path(attention), None, "PNG")

        def change(frames: list[Pixels]) -> bool:
            done = [self.remove(frame, strength=strength, everywhere=everywhere) for frame in frames]
            if attention is not None:
                write_maps([each.found for each in done], Path(attention))
            return any(each.changed for each in done)

        return edit(image, change, name_suffix="-derained", output=output)

    def remove(self, pixels: Pixels, *, strength: float = 1.0, everywhere: bool = False) -> Removed:
        """Remove the drops from an image in place; beside it, memory is used for a few bands of rows.

        A photo larger than ``VIEW`` is looked at reduced, and the change is carried back: what shines through a
        thin veil keeps its full detail, and what a drop hides is as sharp as the view.

        Args:
            pixels: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1. Alpha
                stays as it is.
            strength: as in a call.
            everywhere: as in a call.

        Raises:
            ImageError: too little memory.
            UsageError: ``strength`` is out of its range.
            ModelError: the network gave no numbers.
        """
        check_strength(strength)
        height, width = pixels.shape[:2]
        colours = opaque(pixels)
        original, seen, made = planes(colours), resampled(_view(colours), (height, width)), self._made(colours)
        found, changed = np.empty((height, width), np.uint8), False
        # All three are read downwards at one pace, so that nothing is read that was written already.
        for top in range(0, height, _SLAB_ROWS):
            rows = slice(top, min(top + _SLAB_ROWS, height))
            before, small, after = (part.read(rows.start, rows.stop)[0] for part in (original, seen, made))
            drop = certain(after[3])
            found[rows] = np.ceil(drop * 255)
            weight = strength * (np.ones_like(drop) if everywhere else blend(drop))
            if weight.any():
                changed = True
                detail = before - small
                result = before + weight * (after[:3] - small - drop**2 * detail)
                _write(result, pixels[rows], weight > 0)
        return Removed(changed, found)

    def _made(self, colours: Pixels) -> Rows:
        """What the network makes, and its attention as a fourth channel, at the size of the image."""
        view = _view(colours)
        _, _, height, width = view.shape
        made = Rows(tiling.bands(self.model, view, tile=self.tile), (1, 4, height, width))
        return resampled(Rows(_spread(made), made.shape), (colours.shape[0], colours.shape[1]))


def _view(colours: Pixels) -> Rows:
    """An image as the network looks at it: reduced to ``VIEW`` where its short side is longer."""
    height, width = colours.shape[:2]
    factor = min(1.0, VIEW / min(height, width))
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    return resampled(planes(colours), size).map(lambda values: values.clip(0, 1))


def _spread(made: Rows) -> Iterator[Array]:
    """The same with its attention, the last channel, wider by ``SPREAD`` pixels."""
    height, around = made.shape[2], np.ones((2 * SPREAD + 1, 2 * SPREAD + 1), np.uint8)
    for top in range(0, height, _SLAB_ROWS):
        bottom, first = min(top + _SLAB_ROWS, height), max(0, top - SPREAD)
        values = made.read(first, min(bottom + SPREAD, height))
        wider = cv2.dilate(values[0, 3], around)[None, None]
        yield np.concatenate([values[:, :3], wider], axis=1)[:, :, top - first : bottom - first]


def _write(result: Array, pixels: Pixels, where: NDArray[np.bool_]) -> None:
    """Write colours, 3 x h x W in 0..1, into some of the pixels, h x W x C."""
    grey = pixels.shape[2] < 3
    colours = np.tensordot(GREY, result, 1)[None] if grey else result
    np.copyto(pixels[..., : len(colours)], to_pixels(colours[None], pixels.dtype), where=where[..., None])


def check_strength(strength: float) -> None:
    """Refuse what is no strength.

    Raises:
        UsageError: not within 0..1.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"strength is {strength:g}, but it must be from 0 (change nothing) to 1 (replace in full)")
