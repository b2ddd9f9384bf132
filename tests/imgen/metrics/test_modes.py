import numpy as np

from imgen.metrics import active_units, modes

CENTRES = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)]


def test_counts_modes_and_high_quality_samples() -> None:
    samples = np.array([[0.2, 0.2], [0, 0.299], [0, 0.31], [10.1, 0], [5, 5]])
    found = modes(samples, CENTRES, 0.1)
    assert found.covered == 2
    assert found.high_quality == 3 / 5
    assert found.counts.tolist() == [2, 1, 0]


def test_a_perfect_generator_has_them_all() -> None:
    random = np.random.default_rng(0)
    samples = np.array(CENTRES)[random.integers(0, 3, 5000)] + random.normal(0, 0.1, (5000, 2))
    found = modes(samples, CENTRES, 0.1)
    assert found.covered == 3
    assert abs(found.high_quality - (1 - np.exp(-4.5))) < 0.005  # within 3 deviations, in two dimensions


def test_units_that_vary_with_the_image_are_active() -> None:
    means = np.random.default_rng(0).normal(size=(1000, 3)) * [1, 0.2, 0.05]  # variances 1, 0.04, 0.0025
    assert active_units(means) == 2
