"""Frechet distance between two sets, as Gaussians of their features.

Reference: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
Equilibrium", arXiv:1706.08500, eq. 6. It is called FID only when the features are those of its Inception
network; numbers of different features cannot be compared.
"""

import numpy as np
from numpy.typing import NDArray

from imgen.errors import UsageError

Features = NDArray[np.floating]
"""N x D: a row for each image."""


def frechet(a: Features, b: Features) -> float:
    """The distance between the Gaussians fitted to two sets; 0 for equal ones, growing without limit.

    It is biased upwards for few images, strongly below about D of them: compare figures of equal numbers only.

    Args:
        a: N x D.
        b: M x D; the two may be exchanged.

    Raises:
        UsageError: fewer than two rows, or features of different sizes.
    """
    check_features(a, b, least=2)
    covariances = [np.atleast_2d(np.cov(x.astype(np.float64), rowvar=False)) for x in (a, b)]
    return frechet_of_gaussians(a.mean(0, np.float64), covariances[0], b.mean(0, np.float64), covariances[1])


def frechet_of_gaussians(
    mean_a: NDArray[np.float64],
    covariance_a: NDArray[np.float64],
    mean_b: NDArray[np.float64],
    covariance_b: NDArray[np.float64],
) -> float:
    """Equation 6: ``|m_a - m_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2))``; means of D, covariances of D x D.

    >>> one, other = np.diag([1.0, 4.0]), np.diag([4.0, 9.0])
    >>> round(frechet_of_gaussians(np.zeros(2), one, np.array([1.0, 2.0]), other), 6)
    7.0
    """
    # C_a C_b has the eigenvalues of the symmetric C_a^(1/2) C_b C_a^(1/2), whose root needs no complex numbers.
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ covariance_b @ root).clip(0)).sum()
    distance = np.sum((mean_a - mean_b) ** 2) + np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    return max(float(distance), 0.0)


def check_features(a: Features, b: Features, *, least: int) -> None:
    """Refuse what cannot be compared.

    Raises:
        UsageError: a set has fewer than ``least`` rows, or the rows differ in length.
    """
    if min(len(a), len(b)) < least:
        raise UsageError(f"{len(a)} and {len(b)} images are too few to compare; each set needs {least}")
    if a.shape[1:] != b.shape[1:]:
        raise UsageError(f"features of {a.shape[1]} and {b.shape[1]} values; describe both sets with one network")
