from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from imgen.losses.matching import feature_l1, feature_l2, mean_match, normalised_l2, pair_l2

Loss = Callable[[list[Tensor], list[Tensor]], Tensor]


@pytest.mark.parametrize(("loss", "power"), [(feature_l1, 1), (feature_l2, 2)])
def test_matching_is_a_mean_over_levels_that_moves_the_result_only(loss: Loss, power: int) -> None:
    a, b = torch.rand(1, 2, 3, 3, requires_grad=True), torch.rand(1, 2, 3, 3, requires_grad=True)
    distance = loss([a, 2 * a], [b, 2 * b])
    assert distance.item() == pytest.approx(((a - b).abs().pow(power).mean() * (1 + 2**power) / 2).item(), rel=1e-5)
    grads = torch.autograd.grad(distance, (a, b), allow_unused=True)
    assert grads[0] is not None
    assert grads[1] is None


def test_normalised_l2_bounds() -> None:
    a = torch.rand(2, 5, 3, 3) + 0.1
    assert normalised_l2([a], [a]).item() == 0
    assert normalised_l2([a], [3 * a]).item() == pytest.approx(0, abs=1e-6)  # length does not matter
    assert normalised_l2([a], [-a]).item() == pytest.approx(4, rel=1e-4)


def test_pairs_are_compared_one_by_one_and_means_are_not() -> None:
    a = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    assert pair_l2(a, a.flip(0)).item() == pytest.approx((4 + 4) / 4)
    assert mean_match(a, a.flip(0)).item() == 0
    shift = torch.tensor([3.0, 4.0])
    assert pair_l2(a, a + shift).item() == pytest.approx(12.5)
    assert mean_match(a, a + shift).item() == pytest.approx(12.5)
    assert mean_match(a, torch.cat([a, a]) + shift).item() == pytest.approx(12.5)  # batches may differ in size


def test_pairs_are_summed_over_values_and_averaged_over_data() -> None:
    assert pair_l2(torch.zeros(5, 3, 4, 4), torch.full((5, 3, 4, 4), 2.0)).item() == 48 * 4 / 2
