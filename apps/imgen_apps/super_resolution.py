"""Upscale photos by any factor: 8 and 16 bits, grey, with alpha, of any size, in bounded memory."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from imgen.errors import UsageError
from imgen.image.tensor import Size, to_nchw, to_pixels
from imgen.runtime import Model, load, load_blend
from imgen.runtime.model import Array
from imgen_apps import resampling, tiling
from imgen_apps.pipeline import Image, Pipeline, Pixels, edit
from imgen_apps.rows import Rows
from imgen_apps.sizes import SCALE, Enlargement

_SLAB_ROWS = 64  # that are converted at once
_BAND_BYTES = 1 << 25  # that are given on at once, to be compressed while the next are computed
_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow and OpenCV


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
        ModelError: the model was made for another task.
        UsageError: a tile that is mostly margin.
    """

    task = "upscale"

    def __init__(self, model: Model, *, tile: int | None = None):
        super().__init__(model)
        if tile and tile < tiling.SMALLEST:
            raise UsageError(f"tile is {tile}, but must be at least {tiling.SMALLEST} pixels, or 0 for automatic")
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
        enlargement = Enlargement(scale, target)

        def change(frames: list[Pixels]) -> bool:
            frames[:] = [self.upscale(frame, enlargement.size(*frame.shape[:2])) for frame in frames]
            return True

        return edit(image, change, name_suffix=f"-{target}" if target else f"-x{scale or SCALE:g}", output=output)

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
        rows = self._planes(frame, self._size(frame, size))
        height = rows.shape[2]
        finished: list[Pixels] = []
        for top in range(0, height, _SLAB_ROWS):
            finished.append(_pixels(rows.read(top, min(top + _SLAB_ROWS, height)), frame))
            if sum(slab.nbytes for slab in finished) > _BAND_BYTES:
                yield np.concatenate(finished)
                finished = []
        if finished:
            yield np.concatenate(finished)

    def _planes(self, frame: Pixels, size: Size) -> Rows:
        """Through the network as often as it takes, and to the size from there."""
        rows, scale = _source(frame), self.model.spec.scale
        for step in count():
            height, width = rows.shape[2:]
            if height >= size[0] and width >= size[1]:
                break
            if step:  # the network is shown no more than it needs, so that it has the last word
                rows = _resampled(rows, (min(height, -(-size[0] // scale)), min(width, -(-size[1] // scale))))
            larger = (*rows.shape[:2], rows.shape[2] * scale, rows.shape[3] * scale)
            rows = Rows(tiling.bands(self.model, rows, tile=self.tile), larger)
        return _resampled(rows, size)

    def _size(self, frame: Pixels, size: Size | None) -> Size:
        scale = self.model.spec.scale
        return size or (frame.shape[0] * scale, frame.shape[1] * scale)


def _source(frame: Pixels) -> Rows:
    """A frame as the network takes it, N x 3 x H x W: its colours and, where there is transparency, its alpha."""
    height, width, channels = frame.shape

    def bands() -> Iterator[Array]:
        for top in range(0, height, _SLAB_ROWS):
            rows = to_nchw(frame[top : top + _SLAB_ROWS])
            planes = rows if channels > 2 else rows[:, :1].repeat(3, 1)
            yield planes[:, :3]

    return Rows(bands(), (1, 3, height, width))


def _resampled(rows: Rows, size: Size) -> Rows:
    if rows.shape[2:] == size:
        return rows
    bands = (np.clip(band, 0, 1) for band in resampling.bands(rows, size))
    return Rows(bands, (*rows.shape[:2], *size))


def _pixels(planes: Array, frame: Pixels) -> Pixels:
    """Some rows of the result, as the frame holds pixels."""
    if frame.shape[2] < 3:
        planes = np.tensordot(_GREY, planes, (0, 1))[:, None]
    return to_pixels(planes, frame.dtype)


def names_for(scale: float | None = None, fidelity: float = 0.0) -> tuple[str, ...]:
    """The built-in model for a scale, or the two that are blended, photo first.

    Args:
        scale: output pixels per input pixel; by default 4.
        fidelity: 0 invents the detail that a photo would have, 1 keeps to what is in the image.

    Raises:
        UsageError: a fidelity outside 0..1.
    """
    if not 0 <= fidelity <= 1:
        raise UsageError(f"fidelity is {fidelity:g}, but it must be from 0 (invent detail) to 1 (keep to the image)")
    wanted = scale or SCALE
    if fidelity == 1:
        return ("upscale-x2" if wanted <= 2 else "upscale-x3" if wanted <= 3 else "upscale-x4",)
    factor = "x2" if wanted <= 2 else "x4"
    photo = f"upscale-photo-{factor}"
    return (photo, f"upscale-{factor}") if fidelity else (photo,)


def model_for(
    scale: float | None = None, fidelity: float = 0.0, *, device: str = "auto", threads: int | None = None
) -> Model:
    """The built-in model for a scale, ready to run.

    Args:
        scale: as in ``names_for``.
        fidelity: as in ``names_for``; in between, a mixture of the weights of both.
        device: as in ``imgen.runtime.load``.
        threads: as in ``imgen.runtime.load``.

    Raises:
        UsageError: a fidelity outside 0..1.
        ModelError: a file is missing or corrupt.
        DeviceError: the device is not available.
    """
    first, *second = names_for(scale, fidelity)
    if not second:
        return load(first, device=device, threads=threads)
    return load_blend(first, second[0], fidelity, device=device, threads=threads)
