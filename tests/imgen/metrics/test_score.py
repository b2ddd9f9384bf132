import numpy as np
import pytest

from imgen.errors import UsageError
from imgen.metrics import score


def test_goes_from_one_to_the_number_of_classes() -> None:
    assert score(np.full((50, 5), 0.2)) == pytest.approx((1, 0))
    assert score(np.tile(np.eye(5), (10, 1))) == pytest.approx((5, 0))
    assert score(np.tile(np.eye(5)[0], (50, 1))) == pytest.approx((1, 0))


def test_agrees_with_the_formula() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), 30)
    marginal = p.mean(0)
    divergence = np.mean([sum(row * np.log(row / marginal)) for row in p])
    assert score(p, splits=1) == pytest.approx((np.exp(divergence), 0))


def test_refuses_fewer_images_than_parts() -> None:
    with pytest.raises(UsageError, match="9 images are too few"):
        score(np.full((9, 2), 0.5))
