import numpy as np
import pytest

from imgen.metrics import kernel, kernel_distance


def by_the_formula(a: np.ndarray, b: np.ndarray) -> float:
    def mean(x: np.ndarray, y: np.ndarray, skip: bool) -> float:
        pairs = [(i, j) for i in range(len(x)) for j in range(len(y)) if not (skip and i == j)]
        return float(np.mean([(x[i] @ y[j] / x.shape[1] + 1) ** 3 for i, j in pairs]))

    return mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)


def test_agrees_with_the_formula_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(7, 3)), random.normal(1, 2, size=(5, 3))
    assert kernel_distance(a, b) == pytest.approx(by_the_formula(a, b))
    monkeypatch.setattr(kernel, "_ROWS", 2)
    assert kernel_distance(a, b) == pytest.approx(by_the_formula(a, b))


def test_is_unbiased() -> None:
    """Sets of one distribution are 0 apart on average, however small; a biased estimate would be far above."""
    random = np.random.default_rng(0)
    found = [kernel_distance(*random.normal(size=(2, 10, 4))) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / 2000**0.5)
    assert kernel_distance(random.normal(size=(200, 4)), random.normal(2, 1, size=(100, 4))) > 1
