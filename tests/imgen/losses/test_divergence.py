import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from imgen.errors import UsageError
from imgen.losses.divergence import (
    inverse_multiquadratics,
    jensen_shannon,
    kl_normals,
    kl_standard_normal,
    mmd,
    mutual_information_bound,
    wasserstein_1d,
)

GRID = torch.linspace(-14, 16, 15_001, dtype=torch.float64)
CELL = float(GRID[1] - GRID[0])


def density(mean: float, deviation: float) -> torch.Tensor:
    return Normal(torch.tensor(mean).double(), deviation).log_prob(GRID).exp()


@pytest.mark.parametrize(
    ("mu", "logvar", "wanted"),
    [(0, 0, 0), (1, 0, 0.5), (0, 1, 0.359141), (0, math.log(4), 0.806853), (2, -1, 2.183940)],
)
def test_kl_of_one_value(mu: float, logvar: float, wanted: float) -> None:
    m, v = torch.tensor([[mu, 0.0]]).double(), torch.tensor([[logvar, 0.0]]).double()
    reference = kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_standard_normal(m, v), reference, atol=1e-12)
    assert kl_standard_normal(m, v).item() == pytest.approx(wanted, abs=1e-6)


def test_the_penalty_with_the_log_variance_as_its_exponent_is_twice_the_kl() -> None:
    """exp(s) - (1 + s) + m^2, as some lectures write it, is beta = 2; at s = 0.5, m = 0 it is 0.148721."""
    m, s = torch.randn(2, 50, 1, dtype=torch.float64)
    assert torch.allclose((s.exp() - (1 + s) + m**2)[:, 0], 2 * kl_standard_normal(m, s), atol=1e-12)
    assert 2 * kl_standard_normal(torch.zeros(1, 1), torch.full((1, 1), 0.5)).item() == pytest.approx(
        0.148721, abs=1e-6
    )
    assert kl_standard_normal(torch.zeros(1, 1), torch.full((1, 1), 1.0)).item() == pytest.approx(0.359141, abs=1e-6)


def test_kl_of_two_normals() -> None:
    a, b, c, d = torch.randn(4, 6, 3, 2, dtype=torch.float64)
    reference = kl_divergence(Normal(a, (b / 2).exp()), Normal(c, (d / 2).exp())).sum((1, 2))
    assert torch.allclose(kl_normals(a, b, c, d), reference, atol=1e-12)
    assert torch.allclose(kl_normals(a, b, torch.zeros_like(a), torch.zeros_like(a)), kl_standard_normal(a, b))


@pytest.mark.parametrize(
    ("p", "q", "wanted"),
    [
        ((0, 1), (2, 1), 0.336831),
        ((0, 1), (0, 1), 0),
        ((0, 1), (1, 1), 0.111421),
        ((0, 1), (0, 2), 0.092733),
        # two points at 0 and theta under instance noise: what was log 2 and flat becomes finite and sloped
        ((0, 0.1), (1, 0.1), 0.693146),
        ((0, 0.5), (1, 0.5), 0.336831),
    ],
)
def test_jensen_shannon_of_normals(p: tuple[float, float], q: tuple[float, float], wanted: float) -> None:
    assert jensen_shannon(density(*p), density(*q), CELL).item() == pytest.approx(wanted, abs=1e-6)


def test_jensen_shannon_of_disjoint_sets_is_log_2() -> None:
    a, b = ((GRID > 0) & (GRID < 1)).double(), ((GRID > 2) & (GRID < 3)).double()
    a, b = a / (a.sum() * CELL), b / (b.sum() * CELL)
    assert jensen_shannon(a, b, CELL).item() == pytest.approx(math.log(2), abs=1e-9)
    assert jensen_shannon(torch.tensor([1.0, 0]), torch.tensor([0, 1.0])).item() == pytest.approx(math.log(2))


def test_wasserstein_of_shifted_and_scaled_samples() -> None:
    x = torch.randn(500, dtype=torch.float64)
    assert wasserstein_1d(x, x[torch.randperm(500)] + 1.5).item() == pytest.approx(1.5, abs=1e-12)
    assert wasserstein_1d(x, 3 * x).item() == pytest.approx(2 * x.abs().mean().item(), abs=1e-12)


class TestMMD:
    ONE = inverse_multiquadratics(8, scales=(1,))

    def test_kernel(self) -> None:
        (kernel,) = self.ONE
        assert kernel(torch.tensor([0.0, 16.0])).tolist() == [1, 0.5]  # C = 2 d
        assert len(inverse_multiquadratics(8)) == 7

    def test_equal_laws(self) -> None:
        torch.manual_seed(0)
        values = [mmd(torch.randn(512, 8), torch.randn(512, 8), self.ONE) for _ in range(10)]
        assert torch.stack(values).mean().item() == pytest.approx(0, abs=2e-3)

    def test_a_shift_of_1_in_every_dimension(self) -> None:
        torch.manual_seed(0)
        assert mmd(torch.randn(512, 8), torch.randn(512, 8) + 1, self.ONE).item() == pytest.approx(0.20, abs=0.02)

    def test_against_the_definition(self) -> None:
        torch.manual_seed(0)
        x, y = torch.randn(5, 2).double(), torch.randn(3, 2).double()
        kernels = inverse_multiquadratics(2, scales=(0.5, 2))

        def k(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return torch.stack([kernel((a - b).square().sum()) for kernel in kernels]).sum()

        within = sum(k(x[i], x[j]) for i in range(5) for j in range(5) if i != j) / 20
        within = within + sum(k(y[i], y[j]) for i in range(3) for j in range(3) if i != j) / 6
        across = sum(k(a, b) for a in x for b in y) / 15
        assert torch.allclose(mmd(x, y, kernels), within - 2 * across)

    def test_under_autocast_it_keeps_its_digits(self) -> None:
        torch.manual_seed(0)
        x, y = torch.randn(256, 8).bfloat16(), torch.randn(256, 8).bfloat16()
        with torch.autocast("cpu", torch.bfloat16):
            value = mmd(x, y, self.ONE)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(mmd(x.double(), y.double(), self.ONE).item(), abs=1e-5)

    def test_its_gradient_is_finite_at_equal_samples(self) -> None:
        x = torch.zeros(4, 8, requires_grad=True)
        (grad,) = torch.autograd.grad(mmd(x, torch.ones(4, 8), self.ONE), x)
        assert (grad < 0).all()  # towards the others

    def test_one_sample_is_refused(self) -> None:
        with pytest.raises(UsageError, match="got 1 and 4"):
            mmd(torch.zeros(1, 8), torch.zeros(4, 8), self.ONE)


def test_information_bound() -> None:
    code = torch.arange(10).repeat(20)
    perfect = torch.full((200, 10), -1e3).scatter(1, code[:, None], 0.0)
    assert mutual_information_bound(perfect, code).item() == pytest.approx(2.302585, abs=1e-6)
    assert mutual_information_bound(torch.zeros(200, 10), code).item() == pytest.approx(0, abs=1e-6)


def test_the_bound_is_below_the_information_and_reached_by_the_posterior() -> None:
    """Two equally likely codes, sent through a channel that flips one in four."""
    code = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    seen = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
    information = math.log(2) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)

    def bound(q: float) -> float:
        table = torch.tensor([[q, 1 - q], [1 - q, q]]).log()
        return mutual_information_bound(table[seen], code).item()

    assert bound(0.75) == pytest.approx(information, abs=1e-6)
    assert max(bound(q) for q in (0.5, 0.6, 0.9, 0.99)) < information
