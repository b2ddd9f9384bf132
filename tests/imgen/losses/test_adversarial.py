"""The two-player losses against what is known of their optima."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.losses.adversarial import (
    HINGE,
    LEAST_SQUARES,
    MINIMAX,
    NON_SATURATING,
    WASSERSTEIN,
    Adversarial,
    k_plus_one_discriminator,
    least_squares,
    real_logit,
    swap,
)
from imgen.losses.divergence import jensen_shannon

LOG2 = math.log(2)
ALL = {
    "minimax": MINIMAX,
    "non-saturating": NON_SATURATING,
    "least squares": LEAST_SQUARES,
    "wasserstein": WASSERSTEIN,
    "hinge": HINGE,
}
GRID = torch.linspace(-14, 16, 3001, dtype=torch.float64)
CELL = float(GRID[1] - GRID[0])


def normal(mean: float, deviation: float = 1.0) -> Tensor:
    return torch.exp(-0.5 * ((GRID - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))


P, Q = normal(0), normal(2)


def expected(loss: Adversarial, logit: Tensor, p: Tensor = P, q: Tensor = Q) -> Tensor:
    """The discriminator's loss with expectations over the grid instead of means over samples."""
    return (p * loss.real(logit) + q * loss.fake(logit)).sum() * CELL


@pytest.mark.parametrize("loss", ALL.values(), ids=ALL)
class TestEveryPair:
    def test_it_is_the_mean_of_its_terms(self, loss: Adversarial) -> None:
        real, fake = torch.randn(4, 1), torch.randn(6, 1)
        assert torch.allclose(loss.discriminator(real, fake), loss.real(real).mean() + loss.fake(fake).mean())
        assert torch.allclose(loss.generator(fake), loss.made(fake).mean())

    def test_lists_of_logits_are_summed(self, loss: Adversarial) -> None:
        real, fake = ([torch.randn(3, 1), torch.randn(3, 1, 2, 2)] for _ in range(2))
        assert torch.allclose(
            loss.discriminator(real, fake), sum(loss.discriminator(r, f) for r, f in zip(real, fake, strict=True))
        )
        assert torch.allclose(loss.generator(fake), sum(loss.generator(f) for f in fake))

    def test_kinds_of_fakes_are_weighted(self, loss: Adversarial) -> None:
        real, made, mismatched = torch.randn(3, 5, 1)
        both = loss.discriminator(real, made, mismatched, weights=(0.75, 0.25))
        assert torch.allclose(
            both, loss.real(real).mean() + 0.75 * loss.fake(made).mean() + 0.25 * loss.fake(mismatched).mean()
        )
        assert torch.allclose(
            loss.discriminator(real, made, mismatched),
            loss.discriminator(real, made, mismatched, weights=(1, 1)),
        )
        with pytest.raises(ValueError, match="zip"):
            loss.discriminator(real, made, weights=(1, 1))

    def test_labels_mix_the_terms(self, loss: Adversarial) -> None:
        real, fake = torch.randn(4, 1, 3, 3), torch.randn(4, 1, 3, 3)
        plain = loss.discriminator(real, fake)
        assert torch.equal(loss.discriminator(real, fake, labels=(torch.ones(4), torch.zeros(4))), plain)
        assert torch.allclose(loss.discriminator(fake, real, labels=(0.0, 1.0)), plain)
        flipped = loss.discriminator(real, fake, labels=(torch.tensor([0.0, 1, 1, 1]), 0.0))
        wanted = loss.fake(real[:1]).sum() + loss.real(real[1:]).sum() + loss.fake(fake).sum()
        assert torch.allclose(flipped, wanted / 36)


def test_halved_precision_does_not_reach_the_loss() -> None:
    logits = torch.randn(64, 1).bfloat16()
    assert WASSERSTEIN.discriminator(logits, logits + 1).dtype == torch.float32


def test_symmetries() -> None:
    real, fake = torch.randn(2, 7)
    assert torch.equal(MINIMAX.generator(fake), -MINIMAX.fake(fake).mean())
    assert torch.equal(MINIMAX.discriminator(real, fake), NON_SATURATING.discriminator(real, fake))
    assert torch.equal(WASSERSTEIN.generator(fake), -WASSERSTEIN.fake(fake).mean())
    assert torch.allclose(swap(real, fake), (F.softplus(real) + F.softplus(-fake)).mean())


def test_the_optimal_discriminator_is_a_sigmoid_and_its_value_the_divergence() -> None:
    """D* = p / (p + q), and V(D*) = 2 JSD - 2 log 2: Goodfellow et al. 2014, arXiv:1406.2661, prop. 1, theorem 1."""
    best = 2 - 2 * GRID  # log p / q of N(0, 1) and N(2, 1)
    value = -expected(MINIMAX, best)
    assert value.item() == pytest.approx(2 * jensen_shannon(P, Q, CELL).item() - 2 * LOG2, abs=1e-9)
    assert value.item() == pytest.approx(-0.712633, abs=1e-6)
    logit = best.clone().requires_grad_()
    (grad,) = torch.autograd.grad(expected(MINIMAX, logit), logit)
    assert grad.abs().max() < 1e-12


def test_a_linear_discriminator_learns_it() -> None:
    def loss(line: Tensor) -> Tensor:
        return expected(MINIMAX, line[0] * GRID + line[1])

    line = torch.zeros(2, dtype=torch.float64)
    for _ in range(12):  # Newton's method: the loss is convex
        slope = torch.autograd.functional.jacobian(loss, line)
        line = line - torch.linalg.solve(torch.autograd.functional.hessian(loss, line), slope)
    assert line.tolist() == pytest.approx([-2, 2], abs=1e-9)


def test_values_at_the_extremes() -> None:
    assert -expected(MINIMAX, torch.zeros_like(GRID), P, P).item() == pytest.approx(-1.386294, abs=1e-6)
    sure = torch.full((4,), 50.0)
    assert MINIMAX.discriminator(sure, -sure).item() == pytest.approx(0, abs=1e-9)  # disjoint: V = 0


def test_gradients_where_the_discriminator_is_sure() -> None:
    logit = torch.tensor([-5.0], dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(loss.generator(logit), logit)[0].item() for loss in (MINIMAX, NON_SATURATING)]
    assert slopes == pytest.approx([-0.006693, -0.993307], abs=1e-6)


NEAR = GRID.abs() < 6  # elsewhere p and q are too small to pull
SHARE = (P / (P + Q))[NEAR]


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ((0.9, 0.1), 0.9 * SHARE + 0.1 * (1 - SHARE)),  # labels flipped with a chance of 0.1
        ((0.9, 0.0), 0.9 * SHARE),  # one-sided smoothing
        ((0.9, 0.2), 0.9 * SHARE + 0.2 * (1 - SHARE)),  # smoothed fakes: drawn to q, hence one side only
    ],
)
def test_optimum_under_other_labels(labels: tuple[float, float], wanted: Tensor) -> None:
    for share, best in zip(SHARE[::60], wanted[::60], strict=True):
        logit = torch.logit(best).requires_grad_()
        odds = ((1 - share) / share).item()
        (grad,) = torch.autograd.grad(NON_SATURATING.discriminator(logit, logit, weights=[odds], labels=labels), logit)
        assert abs(grad) * share < 1e-12


def test_optimum_of_least_squares() -> None:
    """D* = (b p + a q) / (p + q): Mao et al. 2017, arXiv:1611.04076, eq. 5."""
    for loss, wanted in ((LEAST_SQUARES, SHARE), (least_squares(-1, 1, 0), 2 * SHARE - 1)):
        score = wanted.clone().requires_grad_()
        terms = SHARE * loss.real(score) + (1 - SHARE) * loss.fake(score)
        (grad,) = torch.autograd.grad(terms.sum(), score)
        assert grad.abs().max() < 1e-12
        assert loss.made(score.new_tensor(loss is LEAST_SQUARES)).item() == 0  # c = 1 and c = 0


def test_hinge() -> None:
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 1.0])
    assert HINGE.discriminator(real, fake).item() == pytest.approx((0 + 1) / 2 + (0 + 2) / 2)
    assert HINGE.generator(fake).item() == pytest.approx(0.5)
    real, fake = torch.full((4,), 1.5, requires_grad=True), torch.full((4,), -1.5, requires_grad=True)
    grads = torch.autograd.grad(HINGE.discriminator(real, fake), (real, fake))
    assert not any(grad.any() for grad in grads)  # at the optimum


@pytest.mark.parametrize("theta", [0.1, 0.7, 2.0])
def test_wasserstein_of_two_segments(theta: float) -> None:
    """Arjovsky et al. 2017, arXiv:1701.07875, example 1: the cost of a coupling and the best critic's value agree."""
    y = torch.rand(600, dtype=torch.float64)
    real, fake = torch.stack([torch.zeros(600), y], 1), torch.stack([torch.full((600,), theta), y], 1)
    cost = (real - fake).norm(dim=1).mean()
    dual = -WASSERSTEIN.discriminator(-real[:, 0], -fake[:, 0])  # the critic -x is 1-Lipschitz
    assert cost.item() == pytest.approx(theta, rel=1e-6)
    assert dual.item() == pytest.approx(theta, rel=1e-6)


def test_k_plus_one() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(5, 10, dtype=torch.float64), torch.randn(7, 10, dtype=torch.float64)
    whole = F.softmax(F.pad(real, (0, 1)), 1)  # with the logit 0 of class K + 1
    total = real.exp().sum(1)
    assert torch.allclose(1 - whole[:, -1], total / (total + 1), atol=1e-12)
    assert torch.allclose(real_logit(real).sigmoid(), 1 - whole[:, -1], atol=1e-12)
    assert torch.allclose(NON_SATURATING.real(real_logit(real)), -(1 - whole[:, -1]).log(), atol=1e-12)
    # as the code of the paper's authors writes it
    a, b = real.logsumexp(1), fake.logsumexp(1)
    code = -0.5 * a.mean() + 0.5 * F.softplus(a).mean() + 0.5 * F.softplus(b).mean()
    assert torch.allclose(k_plus_one_discriminator(real, fake), code, atol=1e-12)
    # shifting all logits changes real or fake, not the class
    assert (k_plus_one_discriminator(real + 1, fake + 1) - code).abs() > 0.1


def test_what_a_generator_near_its_past_converges_to() -> None:
    """The minimum of -E log D* + KL(q || q0) is p q0 / (p + q0): repeated, q halves its distance to p each time."""
    p, q = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64), torch.tensor([0.1, 0.1, 0.8], dtype=torch.float64)
    errors = []
    for _ in range(16):
        errors.append((q - p).abs().sum().item())
        best = p * q / (p + q)
        best = best / best.sum()
        parameters = best.log().requires_grad_()
        new = parameters.softmax(0)
        objective = (new * (NON_SATURATING.made((p / q).log()) + (new / q).log())).sum()
        (grad,) = torch.autograd.grad(objective, parameters)
        assert grad.abs().max() < 1e-12
        q = best
    assert [errors[k] for k in (0, 1, 5, 10)] == pytest.approx([1.4, 0.513196, 0.024731, 0.000761], abs=1e-6)
    assert errors[15] / errors[14] == pytest.approx(0.5, abs=1e-4)


OVERLAP = torch.tensor([[0.30, 0.15, 0.05, 0.0], [0.0, 0.05, 0.15, 0.30]], dtype=torch.float64)
DISJOINT = torch.tensor([[0.4, 0.1, 0.0, 0.0], [0.0, 0.0, 0.1, 0.4]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("joint", "deranged", "row"),
    [
        (DISJOINT, False, [0.4, 0.1, 0, 0]),
        (DISJOINT, True, [0.4, 0.1, 0, 0]),
        (OVERLAP, False, [0.35, 0.15, 0, 0]),
        (OVERLAP, True, [0.366667, 0.133333, 0, 0]),
    ],
)
def test_what_mismatched_pairs_do_to_the_optimum(joint: Tensor, deranged: bool, row: list[float]) -> None:
    """Half generated, half mismatched fakes: the generator ends at (2 kappa p - p_mismatched)+, not at p."""
    prior = joint.sum(1, keepdim=True)
    mismatched = prior * ((joint / prior).flip(0) if deranged else joint.sum(0, keepdim=True))

    def value(made: Tensor) -> Tensor:
        """The generator's objective against the best discriminator, by the project's own loss."""
        fakes = (made + mismatched) / 2
        logit = (joint.clamp(min=1e-12) / fakes.clamp(min=1e-12)).log()
        return -(joint * MINIMAX.real(logit) + fakes * MINIMAX.fake(logit)).sum()

    best = torch.tensor([row, row[::-1]], dtype=torch.float64)
    assert value(best).item() == pytest.approx(
        (2 * jensen_shannon(joint, (best + mismatched) / 2) - 2 * LOG2).item(), abs=1e-6
    )
    torch.manual_seed(0)
    for _ in range(200):  # the value is convex: no other conditional distribution near or far is better
        other = torch.distributions.Dirichlet(torch.full((4,), 0.3, dtype=torch.float64)).sample((2,)) * prior
        for step in (1.0, 0.1, 0.01):
            assert value(torch.lerp(best, other, step)) >= value(best) - 1e-9
