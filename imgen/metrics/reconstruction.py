"""How close images are to those that they should be, pair by pair."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from imgen.errors import UsageError
from imgen.metrics.psnr import psnr
from imgen.metrics.ssim import WINDOW, ssim


def reconstruction(pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> dict[str, float]:
    """Means over pairs: ``mse`` and ``mae`` on the scale 0..1, ``psnr`` in decibels, ``ssim`` -1..1.

    A pair of equal images has no finite psnr: the mean is infinite then. Images below 11 pixels have no ssim: then
    it is left out.

    Args:
        pairs: of H x W x C images, the two of a pair of one shape.

    Raises:
        UsageError: there are no pairs.
        ImageError: a pair differs in shape.
    """
    found: list[dict[str, float]] = []
    for image, original in pairs:
        values = {"psnr": psnr(image, original, peak=255)}  # which refuses different shapes
        if min(image.shape[:2]) >= WINDOW:
            values["ssim"] = ssim(image, original, peak=255)
        difference = (image.astype(np.float64) - original) / 255
        found.append({"mse": float((difference**2).mean()), "mae": float(abs(difference).mean()), **values})
    if not found:
        raise UsageError("there are no pairs of images to compare")
    return {name: float(np.mean([each[name] for each in found])) for name in found[0] if all(name in e for e in found)}
