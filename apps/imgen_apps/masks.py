"""What to fill: a mask from anything a caller may have, as large as its image."""

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image

from imgen.errors import ImageError, UsageError
from imgen.image import file
from imgen_apps.holes import Box, Mask

MaskLike = str | Path | bytes | PIL.Image.Image | npt.NDArray[Any]
ALPHA = "alpha"  # in place of a mask: fill what the image itself leaves transparent

BLOCK = 1024
MOST = 0.6  # a mask that covers more is probably the wrong way round


def masks_for(
    frames: Sequence[npt.NDArray[Any]],
    mask: MaskLike,
    *,
    invert: bool = False,
    grow: int = 0,
    max_pixels: int = file.DEFAULT_MAX_PIXELS,
) -> list[Mask]:
    """The mask of each frame of an image: H x W, 255 = fill, 0 = keep.

    Warns (``warnings.warn``) of a mask that has another size, is empty, or covers nearly all.

    Args:
        frames: H x W x C each. With "alpha" they are made opaque: their alpha was the mask.
        mask: white (over one half) = fill; a file of any mode, a PIL image, an array of numbers or
            booleans, or "alpha": fill what is not fully opaque. It is resized when its size differs.
        invert: fill what is not marked instead.
        grow: make it wider by this many pixels on each side.
        max_pixels: refuse a mask file with more.

    Raises:
        ImageError: the mask cannot be read or covers the whole image; "alpha" for an image without.
        UsageError: the mask is of no kind listed above, or ``grow`` is negative.
    """
    if grow < 0:
        raise UsageError(f"grow is {grow}, but a mask can only be made wider; give 0 or more pixels")
    if isinstance(mask, str) and mask == ALPHA:
        return [_finished(_take_alpha(frame), invert, grow) for frame in frames]
    marked = _binary(mask, max_pixels)
    sizes = {(frame.shape[0], frame.shape[1]) for frame in frames}  # the pages of a TIFF may differ
    fitted = {size: _finished(_resized(marked, size), invert, grow) for size in sizes}
    return [fitted[frame.shape[0], frame.shape[1]] for frame in frames]


def _finished(mask: Mask, invert: bool, grow: int) -> Mask:
    """The right way round, as wide as wanted, and worth using."""
    if invert:
        mask = np.bitwise_not(mask)
    if grow:
        mask = _grown(mask, grow)
    share = np.count_nonzero(mask) / mask.size
    if share == 1:
        raise ImageError("the mask covers the whole image, nothing is left to fill it from; is it inverted?")
    if share > MOST:
        _warn(f"the mask covers {share:.0%} of the image; is it inverted?")
    if share == 0:
        _warn("the mask is empty, the image stays as it is")
    return mask


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=4)


def _take_alpha(pixels: npt.NDArray[Any]) -> Mask:
    """Where the image is not opaque; it is from now on."""
    if pixels.shape[2] not in (2, 4):
        raise ImageError("the image has no alpha channel to take the mask from; give a mask file")
    alpha = pixels[..., -1]
    full = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1
    mask = _as_mask(alpha < full)
    alpha[:] = full
    return mask


def _binary(mask: MaskLike, max_pixels: int) -> Mask:
    """255 where the mask marks."""
    if isinstance(mask, np.ndarray):
        return _from_array(mask)
    if isinstance(mask, PIL.Image.Image):
        stream = BytesIO()  # one way to read every mode: as a file
        mask.save(stream, "TIFF")
        mask = stream.getvalue()
    if not isinstance(mask, str | Path | bytes):
        raise UsageError(f"a mask is a path, bytes, a PIL image, an array or 'alpha', not {type(mask).__name__}")
    return _as_mask(file.read_mask(mask, max_pixels=max_pixels) > 127)


def _from_array(mask: npt.NDArray[Any]) -> Mask:
    if mask.ndim == 3 and mask.shape[2] in (1, 3):
        mask = mask.max(axis=2)
    if mask.ndim != 2 or not mask.size:
        raise UsageError(f"a mask array is H x W, H x W x 1 or H x W x 3, not {' x '.join(map(str, mask.shape))}")
    if mask.dtype.kind == "f":
        return _as_mask(mask > 0.5)
    if mask.dtype.kind not in "bui":
        raise UsageError(f"a mask array holds booleans, integers or floats in 0..1, not {mask.dtype}")
    # An integer mask of zeros and ones is meant as booleans, whatever its type could hold.
    ones = mask.dtype.kind == "b" or mask.max() <= 1
    return _as_mask(mask > (0 if ones else np.iinfo(mask.dtype).max // 2))


def _as_mask(marked: npt.NDArray[np.bool_]) -> Mask:
    """True as 255; takes over the memory of its argument."""
    values = marked.view(np.uint8)
    return np.multiply(values, 255, out=values)


def _resized(mask: Mask, size: tuple[int, int]) -> Mask:
    """At the size of an image, height first; where it shrinks, a pixel that is marked in part is marked."""
    if mask.shape == size:
        return mask
    height, width = size
    _warn(f"the mask is {mask.shape[1]} x {mask.shape[0]}, the image {width} x {height}; the mask is resized")
    if width < mask.shape[1] or height < mask.shape[0]:
        return _as_mask(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 0)
    return _as_mask(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 127)


def _grown(mask: Mask, radius: int) -> Mask:
    """Wider by ``radius``, with round corners; block by block, for the distances are floats."""
    height, width = mask.shape
    grown = mask.copy()
    for block in Box(0, 0, height, width).blocks(BLOCK):
        around = block.grow(radius, height, width)
        near = mask[around.window]
        if near.any():
            distance = cv2.distanceTransform(np.bitwise_not(near), cv2.DIST_L2, 5)
            top, left = block.top - around.top, block.left - around.left
            inner = distance[top : top + block.height, left : left + block.width]
            grown[block.window][inner <= radius] = 255
    return grown
