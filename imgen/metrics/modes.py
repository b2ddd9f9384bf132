"""How much of a mixture of Gaussians a generator of points has found."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Modes(NamedTuple):
    """What became of the centres of a mixture."""

    covered: int  # centres with at least one high-quality sample
    high_quality: float  # share of the samples within three deviations of a centre, 0..1
    counts: NDArray[np.int64]  # high-quality samples of each centre


def modes(samples: NDArray[np.floating], centres: ArrayLike, deviation: float) -> Modes:
    """Modes covered and share of high-quality samples, as in Lin et al. 2018 (PacGAN), arXiv:1712.04086, sec. 4.1.

    Args:
        samples: N x D.
        centres: K x D.
        deviation: of every Gaussian, in each direction.
    """
    distances = np.linalg.norm(samples[:, None].astype(np.float64) - np.asarray(centres, np.float64), axis=2)
    nearest, good = distances.argmin(1), distances.min(1) <= 3 * deviation
    counts = np.bincount(nearest[good], minlength=distances.shape[1])
    return Modes(int((counts > 0).sum()), float(good.mean()), counts)
