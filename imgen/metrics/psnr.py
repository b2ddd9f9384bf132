"""Peak signal-to-noise ratio."""

import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError

Values = NDArray[np.float64]


def psnr(
    image: NDArray[np.generic],
    reference: NDArray[np.generic],
    *,
    peak: float,
    where: NDArray[np.generic] | None = None,
    border: int = 0,
) -> float:
    """Peak signal-to-noise ratio in decibels, ``10 log10(peak^2 / mean squared error)``; infinite for equal images.

    Args:
        image: H x W or H x W x C, any real type.
        reference: of the same shape.
        peak: the largest possible value: 255 for uint8, 65535 for uint16, 1 for floats in 0..1.
        where: H x W; only pixels that are not zero here count (inside a hole, say). Default: all of them.
        border: pixels along every edge that do not count; the scale, where upscalers are compared.

    Raises:
        ImageError: the shapes differ, or ``where`` and ``border`` leave nothing.

    >>> psnr(np.zeros((2, 2)), np.ones((2, 2)), peak=10)
    20.0
    """
    x, y, where = comparable(image, reference, where, border)
    difference = x - y
    if where is not None:
        difference = difference[where != 0]
    error = np.mean(np.square(difference))
    return float(10 * np.log10(peak**2 / error)) if error > 0 else float("inf")


def comparable(
    image: NDArray[np.generic], reference: NDArray[np.generic], where: NDArray[np.generic] | None, border: int
) -> tuple[Values, Values, NDArray[np.generic] | None]:
    """The two images and the mask without their border, the images in double precision.

    Raises:
        ImageError: the shapes differ, or ``where`` and ``border`` leave nothing.
    """
    if image.shape != reference.shape:
        raise ImageError(f"images of {image.shape} and {reference.shape} cannot be compared; resize one of them")
    if where is not None and where.shape != image.shape[:2]:
        raise ImageError(f"a mask of {where.shape} does not fit an image of {image.shape}; resize the mask")
    inside = tuple(slice(border, max(length - border, 0)) for length in image.shape[:2])
    image, reference, where = image[inside], reference[inside], None if where is None else where[inside]
    if image.size == 0 or (where is not None and not np.any(where)):
        raise ImageError("there are no pixels to compare; the image or the mask is empty, or all of it is border")
    return image.astype(np.float64), reference.astype(np.float64), where
