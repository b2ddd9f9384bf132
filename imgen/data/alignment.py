"""How far apart two pictures of one scene are."""

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCKS = 3  # along each side; of their shifts the median counts, for some will lie behind the largest drops
_SMALLEST = 64  # pixels, of a block's side


def offset(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """In pixels: by the phase correlation of blocks, which neither exposure nor most dirt disturbs.

    Reference: Kuglin & Hines 1975, "The phase correlation image alignment method". Looked at block by block, a
    picture that is turned or magnified is apart from the other, too. Pictures of two scenes are so by chance: far.

    Args:
        one: H x W x 3, RGB.
        other: the same shape.
    """
    planes = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (one, other)]
    count = int(np.clip(min(one.shape[:2]) // _SMALLEST, 1, _BLOCKS))
    found = []
    for rows in np.array_split(np.arange(one.shape[0]), count):
        for columns in np.array_split(np.arange(one.shape[1]), count):
            window = cv2.createHanningWindow((len(columns), len(rows)), cv2.CV_32F)
            block = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            (right, down), _ = cv2.phaseCorrelate(planes[0][block], planes[1][block], window)
            found.append(np.hypot(right, down))
    return float(np.median(found))
