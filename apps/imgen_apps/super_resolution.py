"""Upscale photos by any factor: 8 and 16 bits, grey, with alpha, of any size, in bounded memory."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np

from imgen.errors import ModelError, UsageError
from imgen.image.tensor import Size, to_pixels
from imgen.runtime import Model, load, load_blend
from imgen.runtime.model import Array
from imgen_apps import tiling
from imgen_apps.pipeline import GREY, Image, Pipeline, Pixels, edit
from imgen_apps.resampling import resampled
from imgen_apps.rows import Rows
from imgen_apps.sizes import SCALE, Enlargement
from imgen_apps.transparency import clamped, divided, multiplied, planes

_SLAB_ROWS = 64  # that are converted at once
_BAND_BYTES = 1 << 25  # that are given on at once, to be compressed while the next are computed


class SuperResolution(Pipeline):
    """Make images larger, with the detail that a network knows.

    >>> upscale = SuperResolution(imgen.load_model("upscale-x4"))  # doctest: +SKIP
    >>> upscale("photo.jpg", scale=3.5)  # doctest: +SKIP
    'photo-x3.5.jpg'

    Args:
        model: of task "upscale".
        tile: side, in pixels, of what the network works on at once (and looks a little beyond); None or 0: by the
            device and its free memory.

    Raises:
        ModelError: the model was made for another task, or does not enlarge.
        UsageError: a tile that is mostly margin.
    """

    task = "upscale"

    def __init__(self, model: Model, *, tile: int | None = None):
        super().__init__(model)
        if model.spec.scale < 2:
            raise ModelError(f"{model.spec.name} says that it enlarges {model.spec.scale} times; choose another model")
        tiling.check_tile(tile)
        self.tile = tile or None

    def __call__(
        self,
        image: Image,
        *,
        scale: float | None = None,
        target: str | None = None,
        output: str | Path | None = None,
    ) -> Image:
        """Upscale an image.

        Args:
            image: a path, the bytes of a file, a PIL image or an array; see ``imgen_apps.pipeline.edit``.
            scale: output pixels per input pixel, each way; see ``imgen_apps.sizes.Enlargement``.
            target: instead of a scale, the size: "4000x", "x3000" or "4000x3000" to fit into.
            output: of an image given by its path, the file to write instead of ``<name>-x4``.

        Returns:
            The same kind as ``image``, with its channels and its depth, at the new size.

        Raises:
            ImageError: the image cannot be read, the result cannot be written, or does not fit into memory.
            UsageError: arguments of the wrong kind or outside their range.
            ModelError: the network gave no numbers.
        """
        return enlarge(image, lambda _: self, Enlargement(scale, target), output=output)

    def upscale(self, frame: Pixels, size: Size | None = None) -> Pixels:
        """The whole result at once; as ``bands`` otherwise."""
        height, width = self._size(frame, size)
        result = np.empty((height, width, frame.shape[2]), frame.dtype)
        top = 0
        for band in self.bands(frame, (height, width)):
            result[top : top + len(band)] = band
            top += len(band)
        return result

    def bands(self, frame: Pixels, size: Size | None = None) -> Iterator[Pixels]:
        """Upscale an image band by band; memory is used for a few bands, not for the result.

        Args:
            frame: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1.
            size: height and width of the result; by default ``model.spec.scale`` times as large.

        Yields:
            h x width x C of the type of ``frame``, together ``height`` rows, top to bottom.

        Raises:
            ImageError: too little memory.
            ModelError: the network gave no numbers.
        """
        target = self._size(frame, size)
        rows = self._planes(frame, target)
        finished: list[Pixels] = []
        for top in range(0, target[0], _SLAB_ROWS):
            bottom = min(top + _SLAB_ROWS, target[0])
            finished.append(_pixels(rows.read(top, bottom), frame, target, top))
            if sum(slab.nbytes for slab in finished) >= _BAND_BYTES or bottom == target[0]:
                yield np.concatenate(finished)
                finished = []

    def _planes(self, frame: Pixels, size: Size) -> Rows:
        """A frame at its new size: through the network as often as it takes, then resampled to the size."""
        rows, scale = planes(frame), self.model.spec.scale
        for step in count():
            height, width = rows.shape[2:]
            if height >= size[0] and width >= size[1]:
                break
            if step:  # the network is shown no more than it needs, so that it has the last word
                needed = min(height, -(-size[0] // scale)), min(width, -(-size[1] // scale))
                rows = resampled(rows, needed).map(lambda values: np.clip(values, 0, 1))
            larger = (*rows.shape[:2], rows.shape[2] * scale, rows.shape[3] * scale)
            rows = Rows(tiling.bands(self.model, rows, tile=self.tile), larger)
        if rows.shape[0] == 2 and rows.shape[2:] != size:
            return resampled(rows.map(multiplied), size).map(divided)
        return resampled(rows, size)

    def _size(self, frame: Pixels, size: Size | None) -> Size:
        scale = self.model.spec.scale
        return size or (frame.shape[0] * scale, frame.shape[1] * scale)


def _pixels(made: Array, frame: Pixels, size: Size, top: int) -> Pixels:
    """Rows of the result from ``top`` on, with the channels and the type of the frame."""
    channels = frame.shape[2]
    parts = [made[:1] if channels > 2 else _grey(made[:1])]
    if channels in (2, 4):
        alpha = _grey(made[-1:]) if len(made) == 2 else np.ones_like(made[:, :1])
        if len(made) == 2 and (size[0] > frame.shape[0] or size[1] > frame.shape[1]):
            alpha[0, 0] = clamped(alpha[0, 0], frame, size, top)
        parts.append(alpha)
    return to_pixels(np.concatenate(parts, axis=1), frame.dtype)


def _grey(planes: Array) -> Array:
    return np.tensordot(planes, GREY, (1, 0))[:, None]


def enlarge(
    image: Image,
    pipeline_for: Callable[[float], SuperResolution],
    enlargement: Enlargement,
    *,
    output: str | Path | None = None,
) -> Image:
    """Upscale an image of any kind, each of its frames by the pipeline that suits its scale.

    Args:
        image: as in ``imgen_apps.pipeline.edit``.
        pipeline_for: see ``pipelines``.
        enlargement: how large it becomes.
        output: of an image given by its path, the file to write instead of ``<name>-x4``.

    Raises:
        ImgenError: as a ``SuperResolution`` that is called.
    """

    def change(frames: list[Pixels]) -> bool:
        for index, frame in enumerate(frames):
            height, width = frame.shape[:2]
            pipeline = pipeline_for(enlargement.factor(height, width))
            frames[index] = pipeline.upscale(frame, enlargement.size(height, width))
        return True

    return edit(image, change, name_suffix=enlargement.suffix, output=output, size=enlargement.size)


def pipelines(
    model: str | Path | None = None,
    fidelity: float = 0.0,
    *,
    device: str = "auto",
    threads: int | None = None,
    tile: int | None = None,
) -> Callable[[float], SuperResolution]:
    """What gives the pipeline for a scale; each model is opened when it is first needed, and kept.

    Args:
        model: name or file, for all scales, instead of the built-in models.
        fidelity: of the built-in models, see ``names_for``; in between, the weights of two are mixed.
        device: as in ``imgen.runtime.load``.
        threads: as in ``imgen.runtime.load``.
        tile: as in ``SuperResolution``.

    Raises:
        UsageError: a fidelity outside 0..1; from what is returned, also a tile that is too small.
        ModelError: from what is returned: a model that is missing, corrupt, or for another task.
        DeviceError: from what is returned: the device is not available.
    """
    names_for(SCALE, fidelity)

    @cache
    def opened(*names: str | Path) -> SuperResolution:
        if len(names) == 1:
            return SuperResolution(load(names[0], device=device, threads=threads), tile=tile)
        first, second = names
        return SuperResolution(load_blend(first, second, fidelity, device=device, threads=threads), tile=tile)

    return lambda scale: opened(model) if model is not None else opened(*names_for(scale, fidelity))


def names_for(scale: float, fidelity: float) -> tuple[str, ...]:
    """The built-in model for a scale, or the two that are mixed: that for photos, then that for fidelity.

    Args:
        scale: output pixels per input pixel, each way.
        fidelity: 0 cleans and invents the detail that a photo would have, 1 keeps to what is in the image.

    Raises:
        UsageError: a fidelity outside 0..1.
    """
    if not 0 <= fidelity <= 1:
        raise UsageError(f"fidelity is {fidelity:g}, but it must be from 0 (invent detail) to 1 (keep to the image)")
    if fidelity == 1 and 2 < scale <= 3:
        return ("upscale-x3",)
    factor = "x2" if scale <= 2 else "x4"
    names = (f"upscale-photo-{factor}", f"upscale-{factor}")
    return names[:1] if fidelity == 0 else names[1:] if fidelity == 1 else names
