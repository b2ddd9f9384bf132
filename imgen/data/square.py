"""Any picture as a square of 8-bit pixels: the one way by which images reach training and measuring."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgen.image.file import read
from imgen.image.pixels import Pixels, luminance_over_black, to_8bit

RULE = "centre square, bicubic with antialiasing"
"""What ``square`` does to an image, in words for a protocol."""


def read_square(path: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """The first frame of a file, upright, as ``square`` makes it.

    Raises:
        ImageError: missing, unreadable or damaged.
    """
    return square(read(path).pixels, size, channels)


def square(pixels: Pixels, size: int, channels: int) -> NDArray[np.uint8]:
    """The central square of an image, resized: C x size x size.

    What is transparent becomes white. The filter is bicubic and widened when it shrinks, since one that is
    not changes what a feature network sees (Parmar et al. 2022, arXiv:2104.11222, sec. 3).

    Args:
        pixels: H x W x C, 8 or 16 bits, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
        size: side of the result.
        channels: 1 takes the luminance (ITU-R BT.601), 3 repeats grey.
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = over_white(to_8bit(pixels[top : top + side, left : left + side]))
    if channels == 1:
        image = luminance_over_black(image)[..., None]
    elif image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    if side != size:
        resized = Image.fromarray(image.squeeze(2) if channels == 1 else image).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        image = np.asarray(resized).reshape(size, size, channels)
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def over_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H x W x C without its alpha, if it has one: what is transparent becomes white."""
    if pixels.shape[2] not in {2, 4}:
        return pixels
    alpha = pixels[..., -1:].astype(np.float32) / 255
    return np.rint(255 + (pixels[..., :-1] - np.float32(255)) * alpha).astype(np.uint8)
