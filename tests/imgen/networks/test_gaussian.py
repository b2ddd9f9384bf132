import pytest
import torch

from imgen.networks.gaussian import Gaussian, gaussian


def test_halves_and_limits() -> None:
    code = gaussian(torch.tensor([[1.0, 2.0, -99.0, 99.0]]))
    assert code.mu.tolist() == [[1, 2]]
    assert code.logvar.tolist() == [[-30, 20]]
    assert gaussian(torch.zeros(2, 6, 4, 4)).mu.shape == (2, 3, 4, 4)
    assert gaussian(torch.zeros(2, 6).bfloat16()).logvar.dtype == torch.float32


def test_samples_have_the_moments() -> None:
    torch.manual_seed(0)
    z = Gaussian(torch.full((100_000,), 2.0), torch.full((100_000,), -1.0)).sample()
    assert z.mean().item() == pytest.approx(2, abs=0.01)
    assert z.var().item() == pytest.approx(0.367879, rel=0.02)


def test_gradient_of_a_sample() -> None:
    mu, logvar = torch.zeros(5, requires_grad=True), torch.full((5,), 0.7, requires_grad=True)
    z = Gaussian(mu, logvar).sample()
    to_mu, to_logvar = torch.autograd.grad(z.sum(), (mu, logvar))
    assert torch.equal(to_mu, torch.ones(5))
    assert torch.allclose(to_logvar, z.detach() / 2)  # sigma * epsilon / 2
