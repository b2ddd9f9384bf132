"""Copying patches: exact where it can be, from the right side, the same in any arithmetic."""

import pytest
import torch
from torch import Tensor

from imgen.networks.exemplar import exemplar_fill


def hole(height: int, width: int, top: int, left: int, side: int) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top : top + side, left : left + side] = 1
    return mask


def test_a_pattern_that_repeats_is_continued_exactly() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 8, 8).repeat(1, 1, 16, 16)
    mask = hole(128, 128, 45, 50, 37)
    filled, _ = exemplar_fill(image * (1 - mask), mask)
    assert torch.allclose(filled, image, atol=1e-6)


def test_outside_the_hole_nothing_changes() -> None:
    torch.manual_seed(0)
    image, mask = torch.rand(2, 3, 96, 64), hole(96, 64, 20, 0, 30).expand(2, -1, -1, -1)
    filled, trust = exemplar_fill(image, mask)
    assert torch.equal(filled * (1 - mask), image * (1 - mask))
    assert trust.shape == mask.shape


def test_a_hole_is_filled_from_what_is_like_its_rim() -> None:
    torch.manual_seed(0)
    image = 0.3 * torch.rand(1, 3, 128, 128)
    image[..., 64:] += 0.7
    mask = hole(128, 128, 48, 16, 24)
    filled, _ = exemplar_fill(image, mask)
    inside = filled[mask.expand_as(filled) > 0]
    assert inside.max() <= 0.3
    assert inside.std() > 0.03  # texture, not its mean


@pytest.mark.parametrize("side", [24, 48, 60])  # of the last no patch is wholly known
def test_values_in_the_hole_do_not_matter(side: int) -> None:
    torch.manual_seed(0)
    image, mask = torch.rand(1, 3, 64, 64), hole(64, 64, 2, 2, side)
    assert torch.equal(exemplar_fill(image, mask)[0], exemplar_fill(torch.where(mask > 0, 0.5, image), mask)[0])


def test_every_arithmetic_chooses_the_same_patches() -> None:
    torch.manual_seed(0)
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 20, 20), (160, 160), mode="bicubic").clamp(0, 1)
    mask = hole(160, 160, 40, 50, 64)
    single, double = exemplar_fill(image, mask), exemplar_fill(image.double(), mask.double())
    assert torch.allclose(single[0].double(), double[0], atol=1e-6)
    assert torch.equal(single[1].double(), double[1])


@pytest.mark.parametrize("size", [(16, 16), (16, 80), (48, 32)])
def test_small_pictures_and_wholly_unknown_ones_have_a_result(size: tuple[int, int]) -> None:
    filled, _ = exemplar_fill(torch.rand(1, 3, *size), torch.ones(1, 1, *size))
    assert filled.shape == (1, 3, *size)
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_half_precision_around_it_changes_nothing() -> None:
    torch.manual_seed(0)
    image, mask = torch.rand(1, 3, 64, 96), hole(64, 96, 20, 30, 24)
    expected = exemplar_fill(image, mask)
    with torch.autocast("cpu", torch.bfloat16):
        made = exemplar_fill(image, mask)
    for a, b in zip(made, expected, strict=True):
        assert torch.equal(a, b)
