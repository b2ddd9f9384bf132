"""Peak signal-to-noise ratio."""

import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError


def psnr(
    image: NDArray[np.generic], reference: NDArray[np.generic], *, peak: float, where: NDArray[np.generic] | None = None
) -> float:
    """Peak signal-to-noise ratio in decibels, ``10 log10(peak^2 / mean squared error)``; infinite for equal images.

    Args:
        image: H x W or H x W x C, any real type.
        reference: of the same shape.
        peak: the largest possible value: 255 for uint8, 65535 for uint16, 1 for floats in 0..1.
        where: H x W; only pixels that are not zero here count (inside a hole, say). Default: all of them.

    Raises:
        ImageError: the shapes differ, or ``where`` selects nothing.

    >>> psnr(np.zeros((2, 2)), np.ones((2, 2)), peak=10)
    20.0
    """
    check_same_shape(image, reference, where)
    difference = image.astype(np.float64) - reference.astype(np.float64)
    if where is not None:
        difference = difference[where != 0]
    error = np.mean(np.square(difference))
    return float(10 * np.log10(peak**2 / error)) if error > 0 else float("inf")


def check_same_shape(
    image: NDArray[np.generic], reference: NDArray[np.generic], where: NDArray[np.generic] | None
) -> None:
    """Refuse images that cannot be compared pixel by pixel.

    Raises:
        ImageError: the shapes differ, the images are empty, or ``where`` selects nothing.
    """
    if image.shape != reference.shape:
        raise ImageError(f"images of {image.shape} and {reference.shape} cannot be compared; resize one of them")
    if where is not None and where.shape != image.shape[:2]:
        raise ImageError(f"a mask of {where.shape} does not fit an image of {image.shape}; resize the mask")
    if image.size == 0 or (where is not None and not np.any(where)):
        raise ImageError("there are no pixels to compare; the image or the mask is empty")
