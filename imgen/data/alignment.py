"""How far apart two pictures of one scene are."""

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCKS = 3  # along each side
_SMALLEST = 32  # pixels, of a block's side


def offset(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """In pixels, by the phase correlation of blocks: no exposure disturbs it, and dirt only where it covers nearly all.

    Reference: Kuglin & Hines 1975, "The phase correlation image alignment method". Looked at block by block, a
    picture that is turned or magnified is apart from the other, too. The result is the median of the blocks' shifts,
    weighted by how alike the two are after it; of pictures that have nothing in common it is large by chance.

    Args:
        one: H x W x 3, RGB.
        other: the same shape.
    """
    planes = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (one, other)]
    count = int(np.clip(min(one.shape[:2]) // _SMALLEST, 1, _BLOCKS))
    shifts, likeness = [], []
    for rows in np.array_split(np.arange(one.shape[0]), count):
        for columns in np.array_split(np.arange(one.shape[1]), count):
            window = cv2.createHanningWindow((len(columns), len(rows)), cv2.CV_32F)
            block = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            (right, down), alike = cv2.phaseCorrelate(planes[0][block], planes[1][block], window)
            shifts.append(np.hypot(right, down))
            likeness.append(max(alike, 1e-9))
    order = np.argsort(shifts)
    half = np.searchsorted(np.cumsum(np.array(likeness)[order]), sum(likeness) / 2)
    return float(shifts[order[half]])
