import numpy as np
import pytest
import torch

from imgen.errors import UsageError
from imgen.metrics.frechet import frechet, frechet_of_gaussians

RANDOM = np.random.default_rng(0)


def test_the_known_distance_of_two_diagonal_gaussians() -> None:
    one, other = np.diag([1.0, 4.0]), np.diag([4.0, 9.0])
    assert frechet_of_gaussians(np.zeros(2), one, np.array([1.0, 2.0]), other) == pytest.approx(7, abs=1e-12)


def test_agrees_with_the_eigenvalues_of_the_product() -> None:
    """trace (A B)^(1/2) is the sum of the roots of the eigenvalues of A B, here by a solver for any matrix."""
    factors = RANDOM.normal(size=(2, 6, 6))
    a, b = (torch.from_numpy(factor @ factor.T) for factor in factors)
    mean = RANDOM.normal(size=6)
    overlap = torch.linalg.eigvals(a @ b).real.sqrt().sum()
    expected = float((mean**2).sum() + a.trace() + b.trace() - 2 * overlap)
    assert frechet_of_gaussians(np.zeros(6), a.numpy(), mean, b.numpy()) == pytest.approx(expected, rel=1e-9)


def test_is_zero_for_equal_sets_and_the_squared_shift_for_shifted_ones() -> None:
    x = RANDOM.normal(size=(50, 4)).astype(np.float32)
    assert frechet(x, x[::-1]) == pytest.approx(0, abs=1e-6)
    assert frechet(x, x + np.float32([3, 0, 0, 0])) == pytest.approx(9, rel=1e-5)


def test_may_be_singular() -> None:
    x = RANDOM.normal(size=(5, 20))
    assert frechet(x, x + 1) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "message"), [((1, 3), (5, 3), "1 and 5 images are too few"), ((5, 3), (5, 4), "3 and 4 values")]
)
def test_refuses_what_cannot_be_compared(a: tuple[int, int], b: tuple[int, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        frechet(np.zeros(a), np.zeros(b))
