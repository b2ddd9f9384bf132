"""Fidelity and variety apart: how much of one set lies within another, by nearest neighbours of features."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.metrics.frechet import Features, check_features

_ROWS = 1024  # of the matrix of distances at once


class Coverage(NamedTuple):
    """Shares, 0..1; the density alone may be above 1."""

    precision: float  # made images within the real set
    recall: float  # real images within the made set
    density: float  # real neighbourhoods a made image lies in, of those expected
    coverage: float  # real images with a made one in their neighbourhood


def coverage(made: Features, real: Features) -> Coverage:
    """Precision and recall, density and coverage.

    The first two after Kynkaanniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2, with 3 neighbours; the others,
    which single outliers do not sway, after Naeem et al. 2020, arXiv:2002.09797, eq. 3 and 4, with 5.

    Args:
        made: N x D.
        real: M x D.

    Raises:
        UsageError: fewer than six rows, or features of different sizes.
    """
    check_features(made, real, least=6)
    a, b = made.astype(np.float64), real.astype(np.float64)
    made_radii, real_radii = _radii(a, (3,)), _radii(b, (3, 5))
    precise, dense = np.empty(len(a), bool), np.empty(len(a))
    recalled, covered = np.zeros(len(b), bool), np.zeros(len(b), bool)
    for rows, distances in _distances(a, b):
        precise[rows] = (distances <= real_radii[0]).any(1)
        dense[rows] = (distances <= real_radii[1]).sum(1) / 5
        recalled |= (distances <= made_radii[0][rows, None]).any(0)
        covered |= (distances <= real_radii[1]).any(0)
    return Coverage(float(precise.mean()), float(recalled.mean()), float(dense.mean()), float(covered.mean()))


def _radii(x: NDArray[np.float64], neighbours: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Squared distances of each row to its first, second, ... neighbour (it is its own number 0)."""
    found = np.concatenate([np.partition(d, neighbours, axis=1)[:, list(neighbours)] for _, d in _distances(x, x)])
    return list(found.T)


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Squared distances of some rows of the one to all of the other, block by block."""
    lengths = (b**2).sum(1)
    for start in range(0, len(a), _ROWS):
        block = a[start : start + _ROWS]
        distances = (block**2).sum(1)[:, None] + lengths - 2 * block @ b.T
        yield slice(start, start + len(block)), distances.clip(0)
