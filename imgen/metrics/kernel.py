"""Kernel distance between two sets: the squared maximum mean discrepancy of their features.

Reference: Binkowski et al. 2018, "Demystifying MMD GANs", arXiv:1801.01401, sec. 4 (there KID, with the
features of Inception). Unbiased, so small sets and sets of different sizes can be compared.
"""

import numpy as np

from imgen.metrics.frechet import Features, check_features

_ROWS = 1024  # of the kernel's matrix at once


def kernel_distance(a: Features, b: Features) -> float:
    """The unbiased estimate with the kernel ``(x y / D + 1)^3``; around 0, and perhaps below, for equal sets.

    Over all pairs at once; the paper's mean over random subsets has the same expectation and a larger variance.

    Args:
        a: N x D.
        b: M x D; the two may be exchanged.

    Raises:
        UsageError: fewer than two rows, or features of different sizes.
    """
    check_features(a, b, least=2)
    return _mean_within(a) + _mean_within(b) - 2 * _sum(a, b) / (len(a) * len(b))


def _mean_within(x: Features) -> float:
    """Mean over the pairs of different rows."""
    own = ((np.square(x, dtype=np.float64).sum(1) / x.shape[1] + 1) ** 3).sum()
    return float((_sum(x, x) - own) / (len(x) * (len(x) - 1)))


def _sum(a: Features, b: Features) -> float:
    b = b.astype(np.float64)
    blocks = (a[start : start + _ROWS].astype(np.float64) for start in range(0, len(a), _ROWS))
    return float(sum(((block @ b.T / a.shape[1] + 1) ** 3).sum() for block in blocks))
