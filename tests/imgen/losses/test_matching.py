from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from imgen.losses.matching import feature_l1, feature_l2, mean_match, mean_match_unbiased, normalised_l2, pair_l2

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


def test_matching_means_draws_samples_together_and_its_unbiased_estimate_does_not() -> None:
    """b of N(0, 1), a = mu + s * noise: E = (mu^2 + (1 + s^2) / N) / 2 of the plain distance, mu^2 / 2 of the other."""
    torch.manual_seed(0)
    noise, b = torch.randn(2, 4, 100_000, dtype=torch.float64)
    mu, s = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.5, 2.0))
    for distance, value, slopes in ((mean_match, 0.75, (0.5, 0.5)), (mean_match_unbiased, 0.125, (0.5, 0))):
        # Each column is a batch of its own, and the distance of all columns the sum of theirs.
        mean = distance(mu + s * noise, b) / noise.shape[1]
        assert mean.item() == pytest.approx(value, abs=0.01)
        found = torch.stack(torch.autograd.grad(mean, (mu, s)))
        torch.testing.assert_close(found, torch.tensor(slopes).to(found), atol=0.02, rtol=0)
