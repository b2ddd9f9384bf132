import math

import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, Normal

from imgen.losses.divergence import kl_normals, kl_standard_normal
from imgen.losses.likelihood import bernoulli, gaussian


def test_bernoulli() -> None:
    logits, x = torch.randn(4, 3, 2, 2).double(), torch.randint(0, 2, (4, 3, 2, 2)).double()
    assert torch.allclose(bernoulli(logits, x), -Bernoulli(logits=logits).log_prob(x).sum() / 4)


@pytest.mark.parametrize("logvar", [0.0, -1.3, torch.tensor(0.4), torch.linspace(-1, 1, 48).reshape(4, 3, 2, 2)])
def test_gaussian(logvar: float | torch.Tensor) -> None:
    mean, x = torch.randn(2, 4, 3, 2, 2)
    deviation = (torch.as_tensor(logvar) / 2).exp().expand_as(x)
    assert torch.allclose(gaussian(mean, x, logvar), -Normal(mean, deviation).log_prob(x).sum() / 4, rtol=1e-5)


def test_the_best_shared_variance_is_the_mean_squared_error() -> None:
    mean, x = torch.randn(2, 4, 3, 2, 2).double()
    logvar = (x - mean).square().mean().log().requires_grad_()
    (grad,) = torch.autograd.grad(gaussian(mean, x, logvar), logvar)
    assert grad.abs() < 1e-12


def test_a_fixed_variance_weighs_the_kl() -> None:
    """|x - mean|^2 + w KL is proportional to the bound with variance w / 2: their gradients point one way."""
    mean, x = torch.randn(4, 6).double().requires_grad_(), torch.randn(4, 6).double()
    for w in (0.1, 1.0, 5.0):
        (likelihood,) = torch.autograd.grad(gaussian(mean, x, math.log(w / 2)), mean)
        (squares,) = torch.autograd.grad((x - mean).square().sum() / 4, mean)
        assert torch.allclose(w * likelihood, squares)


def test_sums_grow_with_the_picture() -> None:
    small, large = torch.rand(2, 3, 1, 1).expand(-1, -1, 8, 8), torch.rand(2, 3, 1, 1).expand(-1, -1, 16, 16)
    large = small[..., :1, :1].expand(-1, -1, 16, 16)
    for loss in (bernoulli, gaussian):
        assert loss(large, large).item() == pytest.approx(4 * loss(small, small).item(), rel=1e-5)


def test_the_bound_of_a_linear_gaussian_model() -> None:
    """With the exact posterior the ELBO is log p(x); with another it is less by the KL between the two."""
    torch.manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(5, 2).double())
    weight, noise, x = basis * torch.tensor([1.5, 0.7]).double(), 0.3, torch.randn(5).double()
    # columns at right angles make the posterior's covariance diagonal, as the code of a VAE has it
    precision = weight.square().sum(0) + noise
    mu, logvar = weight.T @ x / precision, (noise / precision).log()
    evidence = MultivariateNormal(torch.zeros(5).double(), weight @ weight.T + noise * torch.eye(5)).log_prob(x)

    def bound(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
        # these four points have the mean and the variance of the normal, all that a squared error asks for
        spread = math.sqrt(2) * (logvar / 2).exp().diag()
        z = torch.cat([mu + spread, mu - spread])
        return -gaussian(z @ weight.T, x.expand(4, 5), math.log(noise)) - kl_standard_normal(mu[None], logvar[None])[0]

    assert torch.allclose(bound(mu, logvar), evidence, atol=1e-10)
    other_mu, other_logvar = mu + 0.3, logvar - 0.5
    gap = kl_normals(other_mu[None], other_logvar[None], mu[None], logvar[None])[0]
    assert gap > 0.1
    assert torch.allclose(bound(other_mu, other_logvar), evidence - gap, atol=1e-10)
