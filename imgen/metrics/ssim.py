"""Structural similarity.

Reference: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity",
doi:10.1109/TIP.2003.819861, eq. 13, with the 11 x 11 Gaussian window of section III.C.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError
from imgen.metrics.psnr import Values, comparable

WINDOW, SIGMA = 11, 1.5  # section III.C
K1, K2 = 0.01, 0.03  # section III.C


def ssim(
    image: NDArray[np.generic],
    reference: NDArray[np.generic],
    *,
    peak: float,
    where: NDArray[np.generic] | None = None,
    border: int = 0,
) -> float:
    """Mean structural similarity, -1..1 and 1 for equal images.

    Each channel is compared on its own and the channels are averaged. Only windows that lie wholly
    inside the image count.

    Args:
        image: H x W or H x W x C, at least 11 pixels each way, any real type.
        reference: of the same shape.
        peak: the largest possible value: 255 for uint8, 65535 for uint16, 1 for floats in 0..1.
        where: H x W; only windows centred on pixels that are not zero here count. Default: all of them.
        border: pixels along every edge that are cut off first; the scale, where upscalers are compared.

    Raises:
        ImageError: the shapes differ, the image is smaller than a window, or ``where`` selects nothing.
    """
    x, y, where = comparable(image, reference, where, border)
    if min(x.shape[:2]) < WINDOW:
        raise ImageError(f"an image of {x.shape} is too small to compare; SSIM needs {WINDOW} pixels each way")
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    )
    centres = _inside(np.ones(x.shape[:2], bool) if where is None else where != 0)
    if not centres.any():
        raise ImageError(f"the mask selects only pixels within {WINDOW // 2} of the border, where SSIM has no window")
    return float(_inside(similarity)[centres].mean())


def _blur(values: Values) -> Values:
    return np.asarray(cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA), np.float64).reshape(values.shape)


def _inside(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Without the border whose windows would reach outside the image."""
    edge = WINDOW // 2
    return values[edge:-edge, edge:-edge]
