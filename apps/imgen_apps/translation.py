"""Translate photos and label maps of any size into images of another kind: summer to winter, labels to a street."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.data.label_maps import Palette
from imgen.errors import ImageError, ModelError, UsageError
from imgen.image.tensor import Size, to_pixels
from imgen.runtime import Model
from imgen.runtime.memory import available
from imgen.runtime.model import Array
from imgen.spec import Spec
from imgen_apps import detail, normalising, tiling
from imgen_apps.light import mixed
from imgen_apps.pipeline import Image, Pipeline, Pixels, edit
from imgen_apps.resampling import resampled
from imgen_apps.rows import Rows
from imgen_apps.transparency import opaque
from imgen_apps.views import Photo, Scene, Styles, View

BUDGET = 1_250_000_000
"""Bytes that a network may take to look at an image at once."""

_BYTES = 32  # a pixel and channel at full size: measured are 24 to 29 for the residual generators
_WIDTH = 64  # channels at full size of a network that does not say
_FAR = 4  # radii to the side of a window, below which tiles are mostly margin
_SLAB_ROWS = 64  # that are converted at once

How = Literal["whole", "tiles", "reduced"]


class Translated(NamedTuple):
    """What became of an image."""

    pixels: Pixels
    how: How
    seen: Size  # as which the network saw it


class Translation(Pipeline):
    """Translate images by a network that was trained to, at their own size.

    >>> translate = Translation(imgen.load_model("apple2orange"))  # doctest: +SKIP
    >>> translate("photo.jpg", strength=0.8)  # doctest: +SKIP
    'photo-translated.jpg'

    What fits into ``BUDGET`` is translated whole. Larger photos go through in tiles, by one set of statistics for all
    of them, where statistics are all that the network sees of the whole image. Otherwise they are reduced first,
    and what was made is enlarged with the photo's own detail.

    Args:
        model: of task "translate".

    Raises:
        ModelError: the model was made for another task, or for label maps of which it does not say the classes.
    """

    task = "translate"

    def __init__(self, model: Model):
        super().__init__(model)
        self.palette = palette_of(model.spec)

    @property
    def draws(self) -> bool:
        """Whether the network makes several results of one image."""
        return bool(self.model.spec.noise or self.model.spec.styles)

    def __call__(
        self,
        image: Image,
        *,
        strength: float = 1.0,
        size: int | None = None,
        style: int = 0,
        output: str | Path | None = None,
    ) -> Image:
        """Translate an image.

        Args:
            image: a path, the bytes of a file, a PIL image or an array; see ``imgen_apps.pipeline.edit``. For a network
                that takes label maps: the classes as grey values or as the colours of its palette.
            strength: 0 changes nothing, 1 translates in full; between them light is mixed.
            size: long side at which the network sees larger images, such as that of its training.
            style: which of the results, of a network that makes several of one image.
            output: of an image given by its path, the file to write instead of ``<name>-translated``.

        Returns:
            The same kind as ``image``, of its size and depth; in colour, and with the alpha that it had.

        Raises:
            ImageError: the image cannot be read, the result not be written, or a label map has other classes.
            UsageError: arguments of the wrong kind, outside their range, or not for this network.
            ModelError: the network gave no numbers.
        """
        self.check(strength=strength, size=size, style=style)

        def change(frames: list[Pixels]) -> bool:
            if strength:
                done = (self.translate(frame, strength=strength, size=size, style=style) for frame in frames)
                frames[:] = [each.pixels for each in done]
            return bool(strength)

        return edit(image, change, name_suffix="-translated", output=output)

    def check(self, *, strength: float, size: int | None, style: int) -> None:
        """Refuse what no image can be translated by.

        Raises:
            UsageError: out of range, or not for this network.
        """
        name = self.model.spec.name
        if not 0 <= strength <= 1:
            raise UsageError(
                f"strength is {strength:g}, but it must be from 0 (change nothing) to 1 (translate in full)"
            )
        if strength != 1 and self.palette is not None:
            raise UsageError(f"strength is {strength:g}, but photos do not mix with the label maps that {name} takes")
        if size is not None and size < least_side(self.model.spec):
            raise UsageError(f"size is {size}, but {name} sees at least {least_side(self.model.spec)} pixels each way")
        if style < 0:
            raise UsageError(f"style is {style}, but styles are counted from 0")
        if style and not self.draws:
            raise UsageError(f"{name} makes one result of an image; leave styles out")

    def translate(
        self,
        pixels: Pixels,
        *,
        strength: float = 1.0,
        size: int | None = None,
        style: int = 0,
        things: NDArray[np.integer] | None = None,
    ) -> Translated:
        """Translate an image given as an array, which stays as it is.

        Args:
            pixels: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1.
            strength: as in a call.
            size: as in a call.
            style: as in a call.
            things: of a label map the number of the thing at every pixel, H x W; by default each class is one.

        Returns:
            H x W x 3, or x 4 where there was alpha, of the same type (of a label map uint8).

        Raises:
            ImageError: too little memory, or a label map has other classes.
            UsageError: out of range, or not for this network.
            ModelError: the network gave no numbers.
        """
        self.check(strength=strength, size=size, style=style)
        view = self._view(pixels, style, things)
        try:
            made, how, seen = self._made(view, size, style)
            return Translated(self._written(made, pixels, strength), how, seen)
        except MemoryError as error:
            raise _too_large(self.model, view.size) from error

    def _view(self, pixels: Pixels, style: int, things: NDArray[np.integer] | None) -> View:
        spec = self.model.spec
        if self.palette is None:
            return Photo(opaque(pixels))
        if pixels.dtype.kind == "f":
            raise UsageError(f"{spec.name} takes label maps, whose numbers or colours are whole; give uint8 or uint16")
        labels = self.palette.numbers(pixels)
        if spec.boundaries and things is None:
            things = labels
        styles = Styles([np.array(choices, np.float32) for choices in spec.styles], style) if spec.styles else None
        return Scene(labels, len(self.palette), things if spec.boundaries else None, styles)

    def _made(self, view: View, size: int | None, style: int) -> tuple[Rows, How, Size]:
        """The result, 1 x 3 x H x W in about 0..1, and how it comes about."""
        spec, most = self.model.spec, self._most()
        wanted = view.size if size is None else _within(view.size, size / max(view.size))
        if spec.receptive_field == "global" or spec.noise or most < (_FAR * spec.radius) ** 2:
            wanted = _within(wanted, (most / (wanted[0] * wanted[1])) ** 0.5)
        seen = view if wanted == view.size else view.reduced(wanted)
        fits = wanted[0] * wanted[1] <= most
        made = Rows(iter([self._at_once(seen, style)]), (1, 3, *wanted)) if fits else self._tiles(seen, most)
        if seen is view:
            return made, "whole" if fits else "tiles", wanted
        if self.palette is not None:
            return resampled(made, view.size), "reduced", wanted
        return detail.enlarged(made.read(0, wanted[0]), seen.whole(), view.rows()), "reduced", wanted

    def _tiles(self, view: View, most: int) -> Rows:
        model, radius = self.model, self.model.spec.radius
        if model.spec.receptive_field == "normalised":
            model = normalising.Given(model, normalising.statistics_of(model, view, most))
        side = max(tiling.SMALLEST, int(most**0.5) - 2 * radius)
        return Rows(tiling.bands(model, view.rows(), tile=side), (1, 3, *view.size))

    def _at_once(self, view: View, style: int) -> Array:
        """What the network makes of an image that fits into memory, 1 x 3 x H x W."""
        spec, (height, width) = self.model.spec, view.size
        least = least_side(spec)
        high, wide = (max(least, -(-side // spec.multiple) * spec.multiple) for side in view.size)
        image = np.pad(view.whole(), ((0, 0), (0, 0), (0, high - height), (0, wide - width)), mode="symmetric")
        inputs = [image, _noise(spec.noise, (high, wide), style)] if spec.noise else [image]
        made = self.model(*inputs)[:, :, :height, :width]
        if not np.isfinite(made).all():
            raise ModelError(f"{spec.name} gave values that are no numbers; try --device cpu or another model")
        return made

    def _most(self) -> int:
        """How many pixels the network may look at at once."""
        free = available()
        budget = BUDGET if free is None else min(BUDGET, free // 2)
        return max(tiling.SMALLEST**2, budget // (_BYTES * int(self.model.spec.config.get("width", _WIDTH))))

    def _written(self, made: Rows, pixels: Pixels, strength: float) -> Pixels:
        """The result as pixels, with the alpha and the type of what it was made from."""
        height, width, channels = pixels.shape
        translucent = channels in (2, 4) and self.palette is None
        kind = pixels.dtype if self.palette is None else np.uint8
        result = np.empty((height, width, 3 + translucent), kind)
        before = Photo(opaque(pixels)) if strength < 1 else None
        for top in range(0, height, _SLAB_ROWS):
            rows = slice(top, min(top + _SLAB_ROWS, height))
            after = made.read(rows.start, rows.stop).clip(0, 1)
            if before is not None:
                after = mixed(before.part(rows, slice(None)), after, strength)
            result[rows, :, :3] = to_pixels(after, kind)
        if translucent:
            result[..., 3] = pixels[..., -1]
        return result


def palette_of(spec: Spec) -> Palette | None:
    """The classes of the label maps that a network takes; None of one that takes photos.

    Raises:
        ModelError: it does not say which.
    """
    if "labels" not in spec.inputs:
        return None
    if not spec.palette:
        raise ModelError(f"{spec.name} takes label maps of unknown classes; imgen models import --labels says which")
    return Palette.of(spec.palette, spec.name)


def least_side(spec: Spec) -> int:
    """How many pixels each way a network must see: those that normalise reflect borders, which must be there."""
    return 2 * spec.multiple if spec.receptive_field == "normalised" else spec.multiple


def _noise(about: Mapping[str, float], size: Size, style: int) -> Array:
    """What dropout multiplies by: 0 or 1 / (1 - dropout), in the numbers that a network says it takes."""
    kept, stride = 1 - about["dropout"], int(about["stride"])
    shape = (1, int(about["channels"]), size[0] // stride, size[1] // stride)
    return ((np.random.default_rng(style).random(shape) < kept) / kept).astype(np.float32)


def _within(size: Size, factor: float) -> Size:
    """A size made smaller by a factor; not larger."""
    height, width = (max(1, int(side * min(1.0, factor) + 0.5)) for side in size)
    return height, width


def _too_large(model: Model, size: Size) -> ImageError:
    return ImageError(
        f"{size[1]} x {size[0]} pixels are too many for {model.spec.name}: memory does not suffice; close other "
        "programs, or give --size 1024"
    )
