import pytest
import torch

from imgen.engines.latent_map import along, between
from imgen.errors import UsageError


def test_a_square_keeps_its_corners_and_the_distribution_of_normal_codes() -> None:
    torch.manual_seed(0)
    corners = torch.randn(4, 20_000)
    codes = between(corners, 5)
    assert codes.shape == (25, 20_000)
    for place, corner in zip((0, 4, 20, 24), corners, strict=True):
        assert torch.allclose(codes[place], corner, atol=1e-6)
    assert torch.allclose(codes.std(1), torch.ones(25), atol=0.03)


def test_axes_change_two_values_by_the_quantiles_of_the_prior() -> None:
    torch.manual_seed(0)
    drawn = torch.rand(100_000, 4) * 2 - 1
    codes = along(drawn, 3, 1, 3).reshape(3, 3, 4)
    across, down = codes[..., 3], codes[..., 1]
    assert torch.allclose(across, torch.tensor([-0.95, 0.0, 0.95]).expand(3, 3), atol=0.02)
    assert torch.allclose(down, torch.tensor([-0.95, 0.0, 0.95])[:, None].expand(3, 3), atol=0.02)
    assert torch.equal(codes[..., [0, 2]], drawn[0, [0, 2]].expand(3, 3, 2))


@pytest.mark.parametrize(("across", "down"), [(1, 1), (0, 4), (-1, 2)])
def test_axes_that_are_not_there_are_refused(across: int, down: int) -> None:
    with pytest.raises(UsageError, match="two different numbers from 0 to 3"):
        along(torch.randn(8, 4), across, down, 3)
