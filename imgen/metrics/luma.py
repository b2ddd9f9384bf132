"""The luminance on which upscalers are compared."""

import numpy as np
from numpy.typing import NDArray

WEIGHTS = (65.481, 128.553, 24.966)  # of red, green, blue


def luma(image: NDArray[np.generic], *, peak: float) -> NDArray[np.float64]:
    """Y of ITU-R BT.601 in studio range, as MATLAB's ``rgb2ycbcr`` gives it, not rounded: 16 to 235 of 255.

    That is the convention of the field since Timofte et al. 2014 (A+): error is 219/255 of that in full range,
    so PSNR comes out 1.32 dB higher.

    Args:
        image: H x W x 3, RGB, any real type.
        peak: the largest possible value: 255 for uint8, 65535 for uint16, 1 for floats in 0..1.

    Returns:
        H x W, 16/255 to 235/255 of the peak.
    """
    return np.asarray((image @ np.array(WEIGHTS) + 16 * peak) / 255)
