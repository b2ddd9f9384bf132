"""Pixels as files hold them (H x W x C integers) and as networks take them (N x C x H x W floats, 0..1)."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Size = tuple[int, int]
"""Height, width."""


def to_nchw(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """H x W x C or H x W pixels as 1 x C x H x W float32 in 0..1; floats are taken to be in 0..1 already.

    >>> to_nchw(np.full((2, 3, 1), 255, np.uint8)).shape
    (1, 1, 2, 3)
    """
    planes = pixels[None, None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)[None]
    array: NDArray[np.float32] = np.ascontiguousarray(planes, dtype=np.float32)
    if np.issubdtype(pixels.dtype, np.integer):
        array = array / np.float32(np.iinfo(pixels.dtype).max)
    return array


def to_pixels(array: NDArray[np.floating], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
    """1 x C x H x W in 0..1 as H x W x C of ``dtype``: clipped, and rounded if that is an integer type.

    >>> to_pixels(np.full((1, 1, 1, 1), 0.5, np.float32)).item()
    128
    """
    clipped = np.clip(array[0].transpose(1, 2, 0), 0, 1)
    if np.issubdtype(np.dtype(dtype), np.integer):
        clipped = np.rint(clipped * np.float32(np.iinfo(dtype).max))
    return np.ascontiguousarray(clipped, dtype=dtype)


def pad_to_multiple(array: NDArray[np.float32], multiple: int) -> tuple[NDArray[np.float32], Size]:
    """N x C x H x W mirrored at its bottom and right until both sides divide by ``multiple``; and its size before."""
    height, width = array.shape[2:]
    margins = ((0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple))
    return np.pad(array, margins, mode="symmetric"), (height, width)


def crop(array: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """The top left corner of N x C x H x W: what undoes ``pad_to_multiple``, given the size it returned."""
    return array[:, :, : size[0], : size[1]]
