from itertools import repeat

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.aae import AAE
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Engine
from imgen.engines.wae import WAEGAN, WAEMMD, moment_mismatch
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import inverse_multiquadratics, mmd
from imgen.networks.scale import Shape

PLANE = Shape(0, 2)


def crescent(n: int = 128) -> Tensor:
    """A bent cloud, off the centre."""
    z = torch.randn(n, 2)
    return torch.stack([z[:, 0] + 0.5, 0.5 * z[:, 1] + 0.5 * z[:, 0].square()], 1)


def from_prior(codes: Tensor) -> float:
    kernels = inverse_multiquadratics(2)
    return float(mmd(codes, torch.randn(len(codes), 2), kernels))


ENGINES: list[tuple[type[Engine], dict[str, float], int]] = [
    (AAE, {"learning_rate": 1e-3, "adversarial_rate": 1e-3}, 800),
    (WAEGAN, {"learning_rate": 3e-4, "adversarial_rate": 3e-3, "moment_steps": 100}, 600),
    (WAEMMD, {"learning_rate": 2e-3}, 500),
]


@pytest.mark.parametrize(("kind", "changes", "steps"), ENGINES, ids=lambda value: getattr(value, "__name__", None))
def test_the_codes_become_those_of_the_prior(train, kind: type[Engine], changes: dict[str, float], steps: int) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    engine = kind.build(PLANE, kind.Config(code=2, width=8, **changes))  # type: ignore[call-arg]
    train(engine, crescent, steps)
    plain = Autoencoder.build(PLANE, Autoencoder.Config(code=2, width=8))
    train(plain, crescent, 200)
    data = crescent(2000)
    codes = engine.encode(data)
    torch.testing.assert_close(codes.mean(0), torch.zeros(2), atol=0.15, rtol=0)
    torch.testing.assert_close(torch.cov(codes.T), torch.eye(2), atol=0.2, rtol=0)
    assert from_prior(codes) < 0.1 * from_prior(plain.encode(data))
    assert (engine.reconstruct(data) - data).square().mean() < 0.1 * data.var()


def losses(engine: Engine, image: Tensor, t: int = 0) -> dict[str, Tensor]:
    data = Batch(image, torch.zeros(len(image)), torch.arange(len(image)))
    return dict(engine.step(repeat(data), t))  # type: ignore[arg-type]


def test_the_adversarial_phase_is_a_gan_whose_data_are_draws_from_the_prior() -> None:
    """The losses of a GAN with (x, G, z) replaced by (z, E, x)."""
    torch.manual_seed(0)
    engine, data = AAE.build(PLANE, AAE.Config(code=3, width=2)), crescent(16)
    torch.manual_seed(1)
    found = losses(engine, data)
    torch.manual_seed(1)
    real = engine.discriminator(torch.randn(16, 3)).logits
    fake = engine.discriminator(engine.encoder(data)).logits
    torch.testing.assert_close(found["discriminator"], NON_SATURATING.discriminator(real, fake))
    torch.testing.assert_close(found["encoder"], NON_SATURATING.generator(fake))


def test_the_regularisation_phase_moves_the_encoder_alone() -> None:
    engine = AAE.build(PLANE, AAE.Config(code=2, width=2))
    found = losses(engine, crescent(8))
    encoder, decoder = list(engine.encoder.parameters()), list(engine.decoder.parameters())
    gradients = torch.autograd.grad(found["encoder"], encoder + decoder, allow_unused=True)
    assert all(g is not None for g in gradients[: len(encoder)])
    assert all(g is None for g in gradients[len(encoder) :])


def test_the_known_density_of_the_prior_is_part_of_the_score(train) -> None:  # type: ignore[no-untyped-def]
    """At the optimum log p(z) - log q(z): the network itself is left with - log q(z), but for a constant."""
    torch.manual_seed(0)
    engine = WAEGAN.build(PLANE, WAEGAN.Config(code=1, width=8))
    mean, deviation = 0.8, 0.6
    optimizer = torch.optim.Adam(engine.discriminator.parameters(), 2e-3)
    for _ in range(600):
        real, fake = torch.randn(512, 1), mean + deviation * torch.randn(512, 1)
        loss = NON_SATURATING.discriminator(engine.score(real), engine.score(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    z = torch.linspace(-0.5, 2, 26)[:, None]
    with torch.no_grad():
        own, total = engine.discriminator(z).logits, engine.score(z)
    minus_log_q = ((z - mean) / deviation).square() / 2
    difference = own - minus_log_q
    assert (difference - difference.mean()).abs().max() < 0.3
    log_ratio = torch.distributions.Normal(0.0, 1.0).log_prob(z) - torch.distributions.Normal(mean, deviation).log_prob(
        z
    )
    assert (total - log_ratio).abs().max() < 0.3


def test_moments_that_are_equal_mismatch_by_nothing() -> None:
    torch.manual_seed(0)
    code = torch.randn(50, 3)
    code -= code.mean(0)
    factor = torch.linalg.cholesky(torch.cov(code.T))
    white = torch.linalg.solve_triangular(factor, code.T, upper=False).T
    assert moment_mismatch(white).item() == pytest.approx(0, abs=1e-10)
    assert moment_mismatch(white + 2).item() == pytest.approx(4, rel=1e-4)
    assert moment_mismatch(white * 2).item() == pytest.approx(3 * 3**2 / 9, rel=1e-4)  # 4 - 1 on the diagonal


def test_moments_come_first() -> None:
    torch.manual_seed(0)
    engine = WAEGAN.build(PLANE, WAEGAN.Config(code=2, width=2, moment_steps=3))
    assert [list(losses(engine, crescent(8), t)) for t in (2, 3)] == [["autoencoder"], ["discriminator", "autoencoder"]]


@pytest.mark.parametrize("kind", [WAEGAN, WAEMMD])
def test_the_objective_is_reconstruction_and_divergence(kind: type[Engine]) -> None:
    torch.manual_seed(0)
    config = kind.Config(code=2, width=2, reconstruction=0.3, divergence=7.0)  # type: ignore[call-arg]
    engine = kind.build(PLANE, config)
    loss = losses(engine, crescent(16), t=1000)["autoencoder"]
    terms = engine.terms()
    assert loss.item() == pytest.approx(0.3 * terms["reconstruction"] + 7 * terms["divergence"], rel=1e-5)
