import copy

import pytest
import torch
from torch import nn

from imgen.losses.penalties import gradient_penalty, history_penalty


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_penalty_of_a_linear_critic(slope: float, target: float) -> None:
    torch.manual_seed(0)
    weight = torch.randn(192).double()
    weight *= slope / weight.norm()
    real, fake = torch.randn(2, 7, 3, 8, 8).double()

    def critic(x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ weight

    assert gradient_penalty(critic, real, fake, target).item() == pytest.approx((slope - target) ** 2, abs=1e-12)
    one_sided = gradient_penalty(critic, real, fake, target, one_sided=True).item()
    assert one_sided == pytest.approx(max(slope - target, 0) ** 2, abs=1e-12)


def test_a_distance_has_slope_1() -> None:
    real, fake = torch.randn(2, 50, 4).double()
    assert gradient_penalty(lambda x: (x - 9).norm(dim=1), real, fake).item() == pytest.approx(0, abs=1e-12)


def test_points_lie_between_each_pair() -> None:
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.zeros(500, 2, 3, 3), torch.ones(500, 2, 3, 3)
    gradient_penalty(critic, real, fake)
    (points,) = seen
    assert torch.equal(points, points[:, :1, :1, :1].expand_as(points))  # one share a sample
    shares = points[:, 0, 0, 0]
    assert 0 <= shares.min() < 0.02
    assert 0.98 < shares.max() <= 1
    assert shares.mean().item() == pytest.approx(0.5, abs=0.05)


def test_each_sample_counts_1_in_n() -> None:
    x = torch.ones(5, 3).double()
    steep = torch.tensor([1.0, 1, 1, 1, 4]).double()
    penalty = gradient_penalty(lambda points: steep * points[:, 0], x, x)
    assert penalty.item() == pytest.approx(9 / 5)


def test_its_own_gradient_is_finite_and_reaches_the_critic_alone() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    fake = torch.randn(6, 4, requires_grad=True)
    penalty = gradient_penalty(critic, torch.randn(6, 4), fake)
    grads = torch.autograd.grad(penalty, [*critic.parameters(), fake], allow_unused=True)
    assert grads[-1] is None
    assert grads[0] is not None
    assert grads[0].isfinite().all()
    assert grads[0].any()


def test_a_critic_without_slope_gives_numbers() -> None:
    weight = torch.zeros(4, requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weight, torch.randn(6, 4), torch.randn(6, 4))
    (grad,) = torch.autograd.grad(penalty, weight)
    assert penalty.item() == 1
    assert grad.isfinite().all()


def test_history_pulls_only_once_the_generator_has_moved() -> None:
    torch.manual_seed(0)
    new, code = nn.Linear(4, 6), torch.randn(9, 4)
    old = copy.deepcopy(new)
    (grad,) = torch.autograd.grad(history_penalty(new(code), old(code)), new.weight)
    assert not grad.any()
    with torch.no_grad():
        new.weight.add_(0.1)
    penalty = history_penalty(new(code), old(code))
    grads = torch.autograd.grad(penalty, [new.weight, old.weight], allow_unused=True)
    assert grads[0] is not None
    assert grads[0].abs().max() > 1e-3
    assert grads[1] is None
