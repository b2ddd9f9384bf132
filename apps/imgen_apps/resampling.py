"""Resample images that come in bands as if they were whole.

With a cubic kernel (Keys 1981, a = -1/2) that is widened by the factor where it shrinks, so that nothing aliases:
what Pillow's ``resize`` computes with BICUBIC, in floats.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from imgen.image.tensor import Size
from imgen.runtime.model import Array
from imgen_apps.rows import Rows

_BLOCK = 64  # rows or columns of the result that are computed together, by one product of matrices


def bands(image: Rows, size: Size) -> Iterator[Array]:
    """An image at another size.

    Args:
        image: N x C x H x W.
        size: height and width of the result.

    Yields:
        N x C x h x width, float32, together ``height`` rows; edges overshoot a little, as with any cubic kernel.
    """
    across = list(_blocks(image.shape[3], size[1]))
    for start, weights in _blocks(image.shape[2], size[0]):
        rows = weights @ image.read(start, start + weights.shape[1])
        parts = [rows[..., left : left + factors.shape[1]] @ factors.T for left, factors in across]
        yield np.concatenate(parts, axis=3)


def resampled(image: Rows, size: Size) -> Rows:
    """The same as rows; the image itself where it has that size."""
    if image.shape[2:] == size:
        return image
    return Rows(bands(image, size), (*image.shape[:2], *size))


def _blocks(length: int, wanted: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """For each block of the result, where in the image it begins and what it takes of each pixel from there on.

    The blocks are the same however an image is cut into bands, and with them every rounding.
    """
    ratio = length / wanted
    reach = 2 * max(ratio, 1.0)
    for first in range(0, wanted, _BLOCK):
        centres = (np.arange(first, min(first + _BLOCK, wanted)) + 0.5) * ratio
        start, stop = max(0, int(centres[0] - reach)), min(length, int(centres[-1] + reach) + 1)
        weights = _cubic((np.arange(start, stop) + 0.5 - centres[:, None]) * (2 / reach))
        yield start, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel, which is 0 from a distance of 2 on."""
    d = np.abs(distance)
    near, far = (1.5 * d - 2.5) * d * d + 1, ((2.5 - 0.5 * d) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))
