"""Arrays of pixels: their type, their orientation, their colours."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""H x W x C, RGB order, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA."""


def as_stored(upright: Pixels, orientation: int) -> Pixels:
    """A view of an upright image in the order in which a file of that EXIF orientation (1..8) stores it."""
    columns = -1 if orientation in {2, 3, 6, 7} else 1
    rows = -1 if orientation in {3, 4, 7, 8} else 1
    view = upright[::rows, ::columns]
    return view.swapaxes(0, 1) if orientation > 4 else view


def has_alpha(pixels: Pixels) -> bool:
    """Whether any pixel is less than opaque."""
    return pixels.shape[2] in {2, 4} and bool(pixels[..., -1].min() < np.iinfo(pixels.dtype).max)


def without_alpha(pixels: Pixels) -> Pixels:
    """The colours alone."""
    return pixels[..., :-1] if pixels.shape[2] in {2, 4} else pixels


def all_or_nothing(pixels: Pixels) -> Pixels:
    """Each pixel opaque or fully transparent, whichever is nearer."""
    if pixels.shape[2] not in {2, 4}:
        return pixels
    full = np.iinfo(pixels.dtype).max
    hard = pixels.copy()
    hard[..., -1] = np.where(pixels[..., -1] > full // 2, full, 0)
    return hard


def to_rgba(pixels: Pixels) -> Pixels:
    """Any number of channels as RGBA, opaque where there was no alpha."""
    colour = without_alpha(pixels)
    rgba = np.full((*pixels.shape[:2], 4), np.iinfo(pixels.dtype).max, pixels.dtype)
    rgba[..., :3] = colour
    if pixels.shape[2] in {2, 4}:
        rgba[..., 3] = pixels[..., -1]
    return rgba


def to_8bit(pixels: Pixels) -> NDArray[np.uint8]:
    """Rounded to 8 bits where there are 16."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def luminance_over_black(pixels: Pixels) -> NDArray[np.uint8]:
    """H x W, 0..255: luminance by ITU-R BT.601, times alpha where there is one."""
    height, width, channels = pixels.shape
    if channels == 1:
        return to_8bit(pixels[..., 0])
    weights = np.array([0.299, 0.587, 0.114] if channels > 2 else [1], np.float32)
    colours = len(weights)
    full = np.iinfo(pixels.dtype).max
    luminance = np.empty((height, width), np.uint8)
    for top in range(0, height, 256):  # not at once: the floats would be four times the image
        strip = pixels[top : top + 256].astype(np.float32) / full
        light = strip[..., :colours] @ weights
        luminance[top : top + 256] = np.rint(255 * (light * strip[..., -1] if channels > colours else light))
    return luminance


def packed(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """H x W 8-bit colours as one number each, 0 for all that is fully transparent."""
    rgba = np.ascontiguousarray(to_rgba(pixels))
    rgba[rgba[..., 3] == 0] = 0
    return rgba.view(np.uint32)[..., 0]


def unpacked(numbers: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Undoes ``packed``: N numbers as N x 4."""
    return numbers[:, None].view(np.uint8)


def colours_of(pixels: Pixels) -> NDArray[np.uint32]:
    """The different colours of an 8-bit image, packed, sorted."""
    return np.unique(packed(to_8bit(pixels)))
