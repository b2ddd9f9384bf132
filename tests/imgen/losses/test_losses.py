import pytest
import torch

from imgen.losses.adversarial import HINGE
from imgen.losses.matching import feature_l1, normalised_l2
from imgen.losses.reconstruction import masked_l1


def test_hinge_values() -> None:
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 1.0])
    assert HINGE.discriminator(real, fake).item() == pytest.approx((0 + 1) / 2 + (0 + 2) / 2)
    assert HINGE.generator(fake).item() == pytest.approx(0.5)


def test_hinge_optimum_sends_no_gradient() -> None:
    real, fake = torch.full((4,), 1.5, requires_grad=True), torch.full((4,), -1.5, requires_grad=True)
    grads = torch.autograd.grad(HINGE.discriminator(real, fake), (real, fake))
    assert all(not g.any() for g in grads)


def test_masked_l1_counts_the_hole_alone() -> None:
    result, target = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0, :2] = 1
    target[..., 0, 0] = 0.5
    assert masked_l1(result, target, mask).item() == pytest.approx(0.75)
    assert masked_l1(result, target, torch.zeros(1, 1, 4, 4)).item() == 0


def test_feature_l1_moves_the_result_only() -> None:
    a, b = torch.rand(1, 2, 3, 3, requires_grad=True), torch.rand(1, 2, 3, 3, requires_grad=True)
    loss = feature_l1([a, 2 * a], [b, 2 * b])
    assert loss.item() == pytest.approx(((a - b).abs().mean() * 1.5).item(), rel=1e-5)
    grads = torch.autograd.grad(loss, (a, b), allow_unused=True)
    assert grads[0] is not None
    assert grads[1] is None


def test_normalised_l2_bounds() -> None:
    a = torch.rand(2, 5, 3, 3) + 0.1
    assert normalised_l2([a], [a]).item() == 0
    assert normalised_l2([a], [3 * a]).item() == pytest.approx(0, abs=1e-6)  # length does not matter
    assert normalised_l2([a], [-a]).item() == pytest.approx(4, rel=1e-4)
