import torch
from torch import Tensor, nn

from imgen.engines.latent import optimise_latent


def start(n: int) -> Tensor:
    return torch.randn(n, 2)


def test_the_code_of_a_decoded_code_is_found() -> None:
    torch.manual_seed(0)
    decode = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 12))
    wanted = decode(torch.randn(5, 2)).detach()
    found = optimise_latent(decode, wanted, start, steps=300)
    assert found.shape == (5, 2)
    assert not found.requires_grad
    torch.testing.assert_close(decode(found), wanted, atol=0.02, rtol=0)


def test_the_networks_are_left_alone() -> None:
    decode = nn.Linear(2, 3)
    with torch.no_grad():  # as inference code calls it
        optimise_latent(decode, torch.zeros(1, 3), start, steps=2)
    assert decode.weight.grad is None


def test_the_best_of_several_starts_wins() -> None:
    """Two valleys: (z - 3)^2 and, deeper, z = -3; starts alternate between them."""

    def decode(code: Tensor) -> Tensor:
        return torch.where(code > 0, (code - 3).abs() + 1, code + 3)

    def starts(n: int) -> Tensor:
        return torch.tensor([2.0, -2.0])[torch.arange(n) % 2][:, None]

    target = torch.zeros(1, 1)
    stuck = optimise_latent(decode, target, starts, steps=200, restarts=1)
    free = optimise_latent(decode, target, starts, steps=200, restarts=2)
    torch.testing.assert_close(stuck, torch.full((1, 1), 3.0), atol=0.05, rtol=0)
    torch.testing.assert_close(free, torch.full((1, 1), -3.0), atol=0.05, rtol=0)


def test_the_best_code_on_the_way_is_kept() -> None:
    """A rate so large that Adam leaves the start, which was right."""
    code = optimise_latent(lambda z: z, torch.zeros(1, 2), lambda n: torch.zeros(n, 2), steps=3, learning_rate=10)
    torch.testing.assert_close(code, torch.zeros(1, 2))
