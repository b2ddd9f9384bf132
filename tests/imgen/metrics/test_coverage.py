import sys

import numpy as np
import pytest

from imgen.errors import UsageError
from imgen.metrics.coverage import coverage


def radius(x: np.ndarray, i: int, neighbours: int) -> float:
    return float(np.sort(np.linalg.norm(x - x[i], axis=1))[neighbours])


def by_the_formulas(made: np.ndarray, real: np.ndarray) -> list[float]:
    def within(point: np.ndarray, x: np.ndarray, neighbours: int) -> list[bool]:
        return [bool(np.linalg.norm(point - x[i]) <= radius(x, i, neighbours)) for i in range(len(x))]

    precision = np.mean([any(within(point, real, 3)) for point in made])
    recall = np.mean([any(within(point, made, 3)) for point in real])
    density = np.mean([sum(within(point, real, 5)) / 5 for point in made])
    covered = np.mean([min(np.linalg.norm(made - real[i], axis=1)) <= radius(real, i, 5) for i in range(len(real))])
    return [float(precision), float(recall), float(density), float(covered)]


@pytest.mark.parametrize("rows", [4, 1024])
def test_agrees_with_the_formulas(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["imgen.metrics.coverage"], "_ROWS", rows)
    random = np.random.default_rng(0)
    made, real = random.normal(0.5, 0.7, size=(18, 2)), random.normal(size=(23, 2))
    assert list(coverage(made, real)) == pytest.approx(by_the_formulas(made, real))


def test_tells_few_modes_from_poor_images() -> None:
    random = np.random.default_rng(0)
    real = random.normal(size=(400, 2)) + np.repeat([[0, 0], [50, 0]], 200, axis=0)
    one_mode = coverage(random.normal(size=(400, 2)), real)
    assert one_mode.precision > 0.9
    assert one_mode.recall == pytest.approx(0.5, abs=0.05)
    assert one_mode.coverage == pytest.approx(0.5, abs=0.05)
    scattered = coverage(random.uniform(-10, 60, (400, 2)), real)
    assert scattered.precision < 0.3
    assert scattered.density < 0.3
    assert scattered.recall > 0.9


def test_refuses_sets_too_small_for_the_neighbours() -> None:
    with pytest.raises(UsageError, match="each set needs 6"):
        coverage(np.zeros((5, 2)), np.zeros((9, 2)))
