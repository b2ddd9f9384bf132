"""Images of any size through a network, in tiles, with no seam and in bounded memory.

The network sees each tile with as much around it as it can look at (the radius of its receptive field), so a pixel
of the result does not depend on where tiles begin: with onnxruntime on the CPU it is, to the bit, that of the whole
image at once. Nothing is feathered, and nothing beyond the border is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imgen.errors import ImageError, ModelError, UsageError
from imgen.image.tensor import pad_to_multiple
from imgen.runtime import Model
from imgen.runtime.memory import available
from imgen.runtime.model import Array
from imgen_apps.rows import Rows

SMALLEST = 32  # pixels; what is smaller is mostly margin
_TILE, _CUDA_TILE = 384, 512
_CUDA_WINDOWS = 4  # at once
_MARGIN = 32  # pixels around a tile of a network that would look at the whole image
# Of a window, for networks with 64 features at the size of the result; the built-in ones take an eighth of it.
_BYTES_PER_PIXEL = 8192
_BAND_BYTES = 1 << 28  # of a band of the result, as floats


def check_tile(tile: int | None) -> None:
    """Refuse a tile that is mostly margin; None and 0 stand for automatic.

    Raises:
        UsageError: less than ``SMALLEST`` pixels.
    """
    if tile and tile < SMALLEST:
        raise UsageError(f"tile is {tile}, but must be at least {SMALLEST} pixels, or 0 for automatic")


def bands(model: Model, image: Rows, *, tile: int | None = None) -> Iterator[Array]:
    """Run a network over an image; the result comes in bands, top to bottom.

    Args:
        model: whose only input is the image.
        image: N x 3 x H x W in 0..1, of any size.
        tile: side, in pixels, of what is kept of a window, at least ``SMALLEST``; less where memory does not
            suffice. By default what suits the device and its free memory.

    Yields:
        N x C x h x (scale * W), float32, about 0..1; together scale * H rows. C is 3, or more of several outputs.

    Raises:
        ImageError: too little memory, be it because the network has to look at the whole image at once.
        ModelError: the network gave no numbers.
    """
    _, _, height, width = image.shape
    whole = model.spec.receptive_field == "global" and tile is None
    side = _tile_for(model) if tile is None else tile
    if whole and not _fits(height * width):
        raise _too_large(model, height, width)
    done = 0
    while done < height:
        rows, columns = cut(model, height, width, None if whole else side)
        row = rows.window_from(done)
        try:
            band = _band(model, image.read(row.start, min(row.stop, height)), row, columns.windows())
        except MemoryError as error:
            if whole or side <= SMALLEST:
                raise _too_large(model, height, width) from error
            side = max(SMALLEST, side // 2)
        else:
            yield band
            del band  # not to hold two while the next is made
            done = row.end


@dataclass(frozen=True)
class Window:
    """What the network sees along one axis, and the part of it that is kept."""

    start: int
    stop: int  # beyond the image where its length is not the multiple that the network needs
    begin: int
    end: int


@dataclass(frozen=True)
class Axis:
    """The rows or the columns of an image, to be covered by windows of one length."""

    length: int
    window: int
    margin: int  # at both ends of a window, but not at those of the image
    padded: int  # length as a multiple of what the network needs, as are all the others

    @classmethod
    def cut(cls, length: int, core: int, radius: int, multiple: int) -> "Axis":
        """As few windows as keep at most ``core`` each, and none of them longer than it has to be."""
        margin, padded = _up(radius, multiple), _up(length, multiple)
        count = max(1, -(-(padded - 2 * margin) // _up(core, multiple)))
        return cls(length, _up(-(-(padded + 2 * margin * (count - 1)) // count), multiple), margin, padded)

    def window_from(self, begin: int) -> Window:
        """The window that keeps what begins there; the last one is shorter by what rounding left."""
        start = max(0, begin - self.margin)
        stop = min(start + self.window, self.padded)
        return Window(start, stop, begin, self.length if stop == self.padded else stop - self.margin)

    def windows(self) -> list[Window]:
        """All of them, the last one shifted inside so that they can go through the network together."""
        found = [self.window_from(0)]
        while found[-1].end < self.length:
            found.append(self.window_from(found[-1].end))
        last = found[-1]
        return [*found[:-1], Window(last.stop - self.window, last.stop, last.begin, last.end)]


def cut(model: Model, height: int, width: int, side: int | None) -> tuple[Axis, Axis]:
    """The rows and the columns of an image, in tiles of a side, or of its area where an image is very wide.

    None stands for the whole image at once.
    """
    spec = model.spec
    if side is None:
        return Axis.cut(height, height, 0, spec.multiple), Axis.cut(width, width, 0, spec.multiple)
    radius = spec.radius if spec.receptive_field == "finite" else _MARGIN
    high = min(side, max(SMALLEST, _BAND_BYTES // (12 * spec.scale**2 * width)))
    wide = side * side // high
    return Axis.cut(height, high, radius, spec.multiple), Axis.cut(width, wide, radius, spec.multiple)


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _band(model: Model, image: Array, row: Window, columns: list[Window]) -> Array:
    """What is kept of a row of windows; ``image`` is what they see of the image's rows."""
    scale, multiple = model.spec.scale, model.spec.multiple
    count = image.shape[0]
    size = (row.end - row.begin) * scale, columns[-1].end * scale
    kept = slice((row.begin - row.start) * scale, (row.end - row.start) * scale)
    windows = [(index, column) for column in columns for index in range(count)]
    together = _CUDA_WINDOWS if model.device.startswith("cuda") and model.spec.receptive_field == "finite" else 1
    for first in range(0, len(windows), together):
        group = windows[first : first + together]
        seen = [image[index : index + 1, :, :, column.start : column.stop] for index, column in group]
        result = model(np.concatenate([pad_to_multiple(part, multiple)[0] for part in seen]))
        if not np.isfinite(result).all():
            raise ModelError(f"{model.spec.name} gave values that are no numbers; try --device cpu or another model")
        if not first:
            band = np.empty((count, result.shape[1], *size), np.float32)
        for (index, column), part in zip(group, result, strict=True):
            inside = slice((column.begin - column.start) * scale, (column.end - column.start) * scale)
            band[index, :, :, column.begin * scale : column.end * scale] = part[:, kept, inside]
    return band


def _tile_for(model: Model) -> int:
    """The tile that suits a device; on the CPU a smaller one where little memory is free."""
    if model.device.startswith("cuda"):
        return _CUDA_TILE
    side = _TILE
    while side > SMALLEST and not _fits(2 * side * side):
        side = max(SMALLEST, side // 2)
    return side


def _fits(pixels: int) -> bool:
    """Whether a network can probably work on so many pixels at once."""
    free = available()
    return free is None or pixels * _BYTES_PER_PIXEL <= free


def _too_large(model: Model, height: int, width: int) -> ImageError:
    reason = f"not even tiles of {SMALLEST} pixels fit into memory; close other programs"
    if model.spec.receptive_field == "global":
        reason = "the network looks at all of it at once, for which memory does not suffice; give --tile 256"
    return ImageError(f"{width} x {height} pixels are too many for {model.spec.name}: {reason}")
