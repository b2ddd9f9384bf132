import pytest
import torch

from imgen.networks.pull_push import pull_push
from tests.imgen.networks.holes import hole


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_pull_push_goes_on_with_a_plain_colour(value: float) -> None:
    image = torch.full((1, 3, 128, 128), value)
    mask = torch.ones(1, 1, 128, 128)
    mask[..., :8, :8] = 0  # all that is known is one corner
    assert torch.allclose(pull_push(image * (1 - mask), mask), image, atol=0.02)


def test_pull_push_stays_within_the_colours_around() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 64) * 0.5 + 0.25
    filled = pull_push(image, hole(64, 64))
    assert image.min() - 1e-3 <= filled.min()
    assert filled.max() <= image.max() + 1e-3


def test_pull_push_follows_a_ramp_across_the_hole() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    mask = hole(64, 64)
    filled = pull_push(ramp, mask)
    inside = filled[0, 0, 24, 16:32]
    assert (inside.diff() > 0).all()
    assert (filled - ramp).abs().max() < 0.12


def test_an_image_without_any_known_pixel_becomes_grey() -> None:
    filled = pull_push(torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32))
    assert torch.allclose(filled, torch.full_like(filled, 0.5), atol=1e-3)


@torch.no_grad()
def test_what_is_known_counts_no_farther_than_the_reaches() -> None:
    """And nearly as far: one known place amid 640 unknown ones, the coarsest level of places of 8."""
    image, mask = torch.zeros(1, 3, 640, 16), torch.ones(1, 1, 640, 16)
    mask[..., 320, 8] = 0
    dark = (pull_push(image, mask, 3, (1, 2, 4))[0, 0] < 0.49).any(1).nonzero().flatten() - 320
    assert 8 * (1 + 2 + 4) < max(-int(dark.min()), int(dark.max())) <= 8 * (1 + 2 + 4 + 2)


@torch.no_grad()
def test_what_is_hardly_known_hardly_counts() -> None:
    """So that a fill changes smoothly with a map that is."""
    image = torch.tensor([0.2, 0.8]).repeat_interleave(32).expand(1, 3, 64, 64)
    fills = []
    for known in (0.0, 1e-5, 0.01):
        mask = torch.ones(1, 1, 64, 64)
        mask[..., 32:, :] = 0
        mask[..., :32, :] -= known
        fills.append(pull_push(image, mask))
    assert 0 < (fills[1] - fills[0]).abs().max() < 0.05 < (fills[2] - fills[0]).abs().max()


@torch.no_grad()
def test_where_networks_are_in_half_precision_it_is_not() -> None:
    """And any number of channels are filled alike: the square of a colour, too, as variances need it."""
    image = torch.rand(1, 6, 64, 64)
    filled = pull_push(image, hole(64, 64))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(pull_push(image, hole(64, 64)), filled)
    assert torch.equal(filled[:, 3:], pull_push(image[:, 3:], hole(64, 64)))
