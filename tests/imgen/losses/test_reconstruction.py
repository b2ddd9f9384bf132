import math

import pytest
import torch

from imgen.losses.reconstruction import (
    gradient_difference,
    log_l2,
    masked_l1,
    multiscale,
    signed_l1,
    total_variation,
    visible_l2,
)

RAMP = torch.arange(8.0).expand(2, 3, 8, 8)


def test_masked_l1_counts_the_hole_alone() -> None:
    result, target = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0, :2] = 1
    target[..., 0, 0] = 0.5
    assert masked_l1(result, target, mask).item() == pytest.approx(0.75)
    assert masked_l1(result, target, torch.zeros(1, 1, 4, 4)).item() == 0


def test_signed_l1_is_that_of_images_in_minus_1_to_1() -> None:
    a, b = torch.rand(2, 2, 3, 4, 4)
    assert signed_l1(a, b).item() == pytest.approx((2 * a - 1 - (2 * b - 1)).abs().mean().item())


def test_several_sizes_are_compared_with_averages_over_areas() -> None:
    target = torch.rand(2, 3, 8, 12)
    halved, quartered = (target.reshape(2, 3, 8 // n, n, 12 // n, n).mean((3, 5)) for n in (2, 4))
    sizes, weights = (quartered, halved, target), (0.6, 0.8, 1.0)
    assert multiscale(sizes, target, weights).item() == pytest.approx(0, abs=1e-6)
    for i, weight in enumerate(weights):
        shifted = [size + 0.5 * (i == j) for j, size in enumerate(sizes)]
        assert multiscale(shifted, target, weights).item() == pytest.approx(weight * 0.25, rel=1e-5)


def test_the_logarithm_of_the_error_is_psnr_whatever_its_size_down_to_a_floor() -> None:
    target = torch.rand(2, 3, 8, 8)
    result = target + torch.tensor([0.1, 0.001])[:, None, None, None]
    decibels = -10 / math.log(10) * log_l2(result, target, floor=0).item()
    assert decibels == pytest.approx((20 + 60) / 2, rel=1e-4)
    assert log_l2(target, target).item() == pytest.approx(math.log(1e-5))
    assert multiscale([result], target, [0.5], log_l2) == 0.5 * log_l2(result, target)


def test_what_shows_on_a_plain_wall_is_lost_among_stripes() -> None:
    plain = torch.full((1, 3, 32, 32), 0.5)
    stripes = plain + 0.2 * torch.tensor([1.0, -1.0]).repeat(16)  # of standard deviation .2
    assert visible_l2(plain, plain).item() == 0
    assert visible_l2(plain + 0.1, plain, floor=0.05).item() == pytest.approx(0.1**2 / 0.05**2, rel=1e-4)
    assert visible_l2(stripes + 0.1, stripes, side=31, floor=0.05).item() == pytest.approx(
        0.1**2 / (0.2**2 + 0.05**2), rel=0.01
    )
    assert visible_l2(stripes, stripes + 0.3).item() == pytest.approx(
        visible_l2(stripes, stripes - 0.3).item(), rel=1e-4
    )


def test_gradient_difference() -> None:
    image = torch.rand(2, 3, 8, 8).double()
    assert gradient_difference(image, image + 0.3).item() == pytest.approx(0, abs=1e-12)
    assert gradient_difference(RAMP, 2.5 * RAMP).item() == pytest.approx(1.5)
    assert gradient_difference(RAMP, -RAMP).item() == 0  # blind to the sign
    assert gradient_difference(RAMP, 2.5 * RAMP, power=2).item() == pytest.approx(2.25)
    assert gradient_difference(RAMP.mT, 2.5 * RAMP.mT).item() == pytest.approx(1.5)


def test_total_variation() -> None:
    assert total_variation(torch.full((2, 3, 8, 8), 0.7)).item() == 0
    assert total_variation(0.5 * RAMP).item() == pytest.approx(0.5)
    assert total_variation(RAMP + RAMP.mT).item() == pytest.approx(2)


def test_means_do_not_grow_with_the_picture() -> None:
    assert gradient_difference(RAMP[..., :4, :4], 2 * RAMP[..., :4, :4]).item() == pytest.approx(
        gradient_difference(RAMP, 2 * RAMP).item()
    )
