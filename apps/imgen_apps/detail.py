"""What was made of a reduced photo, enlarged with the detail that the photo has and its reduction has not.

Where the result follows the photo, brighter or darker where it is, the photo's finest detail is added in the same
proportion; where the two have nothing to do with each other, none is. The proportion is the slope of the local linear
model of the guided filter: He et al. 2010, "Guided Image Filtering", doi:10.1007/978-3-642-15549-9_1, eq. 5.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from imgen.runtime.model import Array
from imgen_apps.pipeline import GREY
from imgen_apps.resampling import resampled
from imgen_apps.rows import Rows

_REACH = 8  # pixels of the reduced photo around each that its linear model is fitted to
_NOISE = 1e-3  # variance of brightness up to which the photo has nothing to follow: eq. 5's epsilon
_STEEPEST = 2.0  # detail is never made more than this much stronger
_SLAB_ROWS = 64  # that are worked on at once


def enlarged(made: Array, seen: Array, photo: Rows) -> Rows:
    """The result at the size of the photo.

    Args:
        made: of the reduced photo, 1 x 3 x h x w.
        seen: the reduced photo, 1 x 3 x h x w.
        photo: 1 x 3 x H x W.

    Returns:
        1 x 3 x H x W, about 0..1.
    """
    grey = np.tensordot(seen, GREY, (1, 0))[:, None]
    small = np.concatenate([made, _slopes(made[0], grey[0, 0])[None], grey], axis=1)
    _, _, height, width = photo.shape
    large = resampled(Rows(iter([small]), (1, 7, *made.shape[2:])), (height, width))

    def bands() -> Iterator[Array]:
        for top in range(0, height, _SLAB_ROWS):
            rows = top, min(top + _SLAB_ROWS, height)
            result, slope, coarse = np.split(large.read(*rows), (3, 6), axis=1)
            fine = np.tensordot(photo.read(*rows), GREY, (1, 0))[:, None]
            yield result + slope * (fine - coarse)

    return Rows(bands(), photo.shape)


def _slopes(made: Array, grey: Array) -> Array:
    """How much each channel of the result, 3 x h x w, rises with the brightness of the photo, h x w."""

    def mean(values: Array) -> Array:
        return np.asarray(cv2.blur(values, (2 * _REACH + 1, 2 * _REACH + 1), borderType=cv2.BORDER_REFLECT), np.float32)

    average = mean(grey)
    variance = mean(grey * grey) - average * average
    slopes = [(mean(grey * channel) - average * mean(channel)) / (variance + _NOISE) for channel in made]
    return np.stack(slopes).clip(-_STEEPEST, _STEEPEST)
