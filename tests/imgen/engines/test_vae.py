import math
from dataclasses import replace
from itertools import pairwise, repeat

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, MultivariateNormal, Normal

from imgen.data.batch import Batch
from imgen.engines.conditional_vae import ConditionalVAE
from imgen.engines.vae import FLOOR, LIKELIHOODS, VAE
from imgen.errors import UnknownNameError, UsageError
from imgen.losses.divergence import kl_normals, kl_standard_normal
from imgen.networks.network import Network
from imgen.networks.scale import Shape

IMAGES = Shape(8, 1, classes=3)


def batch(image: Tensor, label: Tensor | None = None) -> Batch:
    label = torch.full((len(image),), -1) if label is None else label
    return Batch(image, label, torch.arange(len(image)))


def images(n: int = 4) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1


def tiny(**changes: object) -> VAE:
    torch.manual_seed(0)
    return VAE.build(IMAGES, VAE.Config(**{"code": 4, "width": 4, **changes})).eval()  # type: ignore[arg-type]


class Fixed(Network):
    """An affine map with given numbers, as encoder (mean, log-variance) or decoder."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return x @ self.weight.T + self.bias


def linear_gaussian(shift: float = 0.0) -> tuple[VAE, Tensor, Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """x = W z + noise, W with orthogonal columns, so that the posterior is a diagonal Gaussian.

    Returns a VAE with the exact posterior (its mean moved by ``shift``), a datum, log p of it, and the
    two posteriors (mu, logvar, exact mu, exact logvar).
    """
    torch.manual_seed(0)
    variance = 0.3
    weight = torch.linalg.qr(torch.randn(5, 2)).Q * torch.tensor([1.5, 0.7])
    x = torch.randn(5)
    precision = weight.square().sum(0) / variance + 1
    gain = weight.T / variance / precision[:, None]
    logvar = -precision.log()
    encoder = Fixed(torch.cat([gain, torch.zeros(2, 5)]), torch.cat([torch.full((2,), shift), logvar]))
    engine = VAE(encoder, Fixed(weight, torch.zeros(5)), VAE.Config(code=2, likelihood="fixed", sigma=variance**0.5))
    evidence = MultivariateNormal(torch.zeros(5), weight @ weight.T + variance * torch.eye(5)).log_prob(x)
    mean = gain @ x
    return engine, x, evidence, (mean + shift, logvar, mean, logvar)


def loss_of(engine: VAE, image: Tensor, t: int = 0) -> Tensor:
    ((name, loss),) = engine.step(repeat(batch(image)), t)  # type: ignore[misc]
    assert name == "autoencoder"
    return loss.detach()


def test_the_bound_is_the_likelihood_at_the_exact_posterior() -> None:
    engine, x, evidence, _ = linear_gaussian()
    assert loss_of(engine, x.expand(200_000, 5)).item() == pytest.approx(-evidence.item(), abs=0.02)


def test_elsewhere_the_gap_is_the_divergence_from_the_posterior() -> None:
    engine, x, evidence, (mu, logvar, exact_mu, exact_logvar) = linear_gaussian(shift=0.5)
    gap = kl_normals(mu[None], logvar[None], exact_mu[None], exact_logvar[None]).item()
    assert gap > 0.3
    assert loss_of(engine, x.expand(200_000, 5)).item() == pytest.approx(-evidence.item() + gap, abs=0.02)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_error_is_a_negative_log_likelihood(name: str) -> None:
    engine, image = tiny(likelihood=name, sigma=0.5), images()
    code = torch.randn(4, 4)
    if name == "bernoulli":
        image = image.sign()
        density = Bernoulli(engine.decoder(code)).log_prob((image + 1) / 2)
    else:
        mean = engine.decoder(code)
        deviation = {
            "fixed": torch.tensor(0.5),
            "shared": (mean - image).square().mean().sqrt(),
            "learned": (engine.spread(code) / 2).exp() if engine.spread else torch.tensor(0.0),
        }[name]
        density = Normal(mean, deviation).log_prob(image)
    torch.testing.assert_close(engine.error(code, image), -density.sum() / 4)


def test_the_shared_deviation_is_the_likeliest() -> None:
    engine, image, code = tiny(), images(), torch.randn(4, 4)
    best = engine.error(code, image)
    mean = engine.decoder(code)
    deviation = (mean - image).square().mean().sqrt()
    for factor in (0.9, 0.99, 1.01, 1.1):
        assert best < -Normal(mean, factor * deviation).log_prob(image).sum() / 4


def test_deviations_stop_at_the_rounding_of_pixels() -> None:
    engine = tiny()
    code = torch.randn(4, 4)
    itself = engine.decoder(code).detach()
    expected = 32 * (FLOOR + math.log(2 * math.pi))  # half of 64 values
    assert engine.error(code, itself).item() == pytest.approx(expected, rel=1e-5)


def test_a_fixed_deviation_is_a_weight_on_the_divergence() -> None:
    """|x - y|^2 + beta KL is, times 1 / (2 sigma^2), the bound with sigma^2 = beta / 2."""
    engine, image = tiny(likelihood="fixed", sigma=math.sqrt(0.2 / 2)), images()
    torch.manual_seed(1)
    loss = loss_of(engine, image)
    torch.manual_seed(1)
    posterior = engine.posterior(image)
    squares = (engine.decoder(posterior.sample()) - image).square().sum() / 4
    weighted = (squares + 0.2 * kl_standard_normal(*posterior).mean()) / 0.2
    constant = 64 / 2 * math.log(2 * math.pi * 0.1)
    torch.testing.assert_close(loss, (weighted + constant).detach())


def test_beta_and_its_warm_up() -> None:
    assert [tiny(beta=4.0).beta(t) for t in (0, 9)] == [4, 4]
    assert [tiny(beta=4.0, warm_up=4).beta(t) for t in range(6)] == [1, 2, 3, 4, 4, 4]
    losses, data = [], torch.randn(8, 6) * 20
    for beta in (0.0, 1.0, 3.0):
        torch.manual_seed(0)
        engine = VAE.build(Shape(0, 6), VAE.Config(code=4, width=4, beta=beta))
        losses.append(loss_of(engine, data).item())
    divergence = engine.terms()["divergence"]
    assert divergence > 1
    assert [loss - losses[0] for loss in losses] == pytest.approx([0, divergence, 3 * divergence], rel=1e-4)


def test_without_the_divergence_the_deviation_shrinks(train) -> None:  # type: ignore[no-untyped-def]
    """With beta = 0 noise on the code only costs: the optimum is the plain auto-encoder."""
    engine, x, _, _ = linear_gaussian()
    engine.config = replace(engine.config, beta=0.0)
    engine.decoder.requires_grad_(False)  # it could as well learn to ignore the code
    logvars = [engine.posterior(x[None]).logvar.mean().item()]
    for _ in range(5):
        train(engine, lambda: x.expand(32, 5), 40)
        logvars.append(engine.posterior(x[None]).logvar.mean().item())
    assert all(after < before - 0.02 for before, after in pairwise(logvars))


def test_the_bound_gets_better_and_samples_like_the_data(train) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    spread = torch.tensor([[2.0, 0.0], [1.5, 0.5]])
    engine = VAE.build(Shape(0, 2), VAE.Config(code=2, width=8, learning_rate=3e-3))
    history = train(engine, lambda: torch.randn(128, 2) @ spread.T + 1, 400)
    losses = torch.tensor([step["autoencoder"] for step in history])
    entropy = 0.5 * torch.logdet(2 * math.pi * math.e * spread @ spread.T)
    assert losses[-100:].mean() < losses[:20].mean() - 0.5
    assert losses[-100:].mean() > entropy - 0.1  # no bound is below the entropy of the data
    drawn = engine.sample(4000)
    torch.testing.assert_close(drawn.mean(0), torch.ones(2), atol=0.3, rtol=0)
    assert torch.cov(drawn.T)[0, 1] > 1.5  # 3 in the data


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_images_come_in_their_range(name: str) -> None:
    engine = tiny(likelihood=name)
    assert engine.product.range == ("unit" if name == "bernoulli" else "signed")
    for image in (engine.sample(3), engine.reconstruct(images(3))):
        assert image.shape == (3, 1, 8, 8)
        assert 0 <= image.min() <= image.max() <= 1


def test_encoding_gives_the_mean_of_the_posterior() -> None:
    engine, image = tiny(), images()
    torch.testing.assert_close(engine.encode(image), engine.encoder(image)[:, :4])


def test_an_unknown_likelihood_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'shared'"):
        VAE.Config(likelihood="share")


def test_points_are_not_black_and_white() -> None:
    with pytest.raises(UsageError, match="bernoulli is for images"):
        VAE.build(Shape(0, 2), VAE.Config(likelihood="bernoulli"))


def test_the_conditional_one_needs_labels() -> None:
    with pytest.raises(UsageError, match="needs labelled data"):
        ConditionalVAE.build(Shape(8, 1), VAE.Config())


def test_the_label_says_what_the_code_does_not(train) -> None:  # type: ignore[no-untyped-def]
    """Three clusters with their labels: samples of a label lie in its cluster."""
    torch.manual_seed(0)
    centres = torch.tensor([[4.0, 0.0], [-4.0, 0.0], [0.0, 4.0]])

    def draw() -> Batch:
        label = torch.randint(3, (64,))
        return batch(centres[label] + 0.3 * torch.randn(64, 2), label)

    engine = ConditionalVAE.build(Shape(0, 2, 3), VAE.Config(code=2, width=8, learning_rate=3e-3))
    train(engine, draw, 300)
    label = torch.arange(300) % 3
    drawn = engine.sample(300, label)
    assert (torch.cdist(drawn, centres).argmin(1) == label).float().mean() > 0.98
    assert torch.cdist(engine.sample(300), centres).argmin(1).bincount(minlength=3).min() > 50
    moved = engine.decode(engine.encode(drawn, label), (label + 1) % 3)
    assert (torch.cdist(moved, centres).argmin(1) == (label + 1) % 3).float().mean() > 0.98
    with pytest.raises(UsageError, match="give it a label"):
        engine.reconstruct(drawn)
