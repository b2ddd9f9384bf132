from collections.abc import Mapping
from dataclasses import replace
from itertools import repeat

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.aegan import AEGAN
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.vae import VAE
from imgen.engines.wae import WAEGAN
from imgen.errors import UsageError
from imgen.losses.divergence import inverse_multiquadratics, mmd
from imgen.networks.scale import Shape

IMAGES = Shape(8, 3)
TWO_STAGE = AEGAN.Config(code=4, width=4, autoencoder_steps=2)
JOINT = replace(TWO_STAGE, joint=True)
GAME = [["code_discriminator", "image_discriminator"], ["mapper"]]


def build(config: AEGAN.Config = TWO_STAGE) -> AEGAN:
    torch.manual_seed(0)
    return AEGAN.build(IMAGES, config)


def batch(n: int = 16) -> Batch:
    image = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return Batch(image, torch.full((n,), -1), torch.arange(n))


def updates(engine: AEGAN, t: int) -> list[Mapping[str, Tensor]]:
    return [u if isinstance(u, Mapping) else dict([u]) for u in engine.step(repeat(batch()), t)]


def parts(engine: AEGAN) -> dict[str, list[Tensor]]:
    return {
        "encoder": list(engine.encoder.parameters()),
        "decoder": list(engine.generator.decoder.parameters()),
        "mapper": list(engine.generator.mapper.parameters()),
        "code_discriminator": list(engine.code_discriminator.parameters()),
        "image_discriminator": list(engine.image_discriminator.parameters()),
    }


@pytest.mark.parametrize(
    ("config", "first", "second"),
    [
        (TWO_STAGE, [["autoencoder"]], GAME),
        (JOINT, [["autoencoder"], *GAME], [["autoencoder"], *GAME]),
        (replace(TWO_STAGE, train_decoder=True), [["autoencoder"]], [["autoencoder"], *GAME]),
    ],
    ids=["two stages", "joint", "decoder trained on"],
)
def test_the_order_of_events(config: AEGAN.Config, first: list[list[str]], second: list[list[str]]) -> None:
    engine = build(config)
    assert [list(u) for u in updates(engine, 1)] == first
    assert [list(u) for u in updates(engine, 2)] == second


@pytest.mark.parametrize("config", [TWO_STAGE, JOINT], ids=["two stages", "joint"])
def test_nothing_but_the_image_pulls_at_the_codes(config: AEGAN.Config) -> None:
    """The auto-encoder's loss and gradients are those of a plain one."""
    engine = build(config)
    (_, loss) = next(engine.step(repeat(batch()), 0))  # type: ignore[misc]
    plain = Autoencoder(engine.encoder, engine.generator.decoder, Autoencoder.Config())
    ((_, expected),) = plain.step(repeat(batch()), 0)  # type: ignore[misc]
    assert torch.equal(loss, expected)
    own = parts(engine)
    learnt = own["encoder"] + own["decoder"]
    for a, b in zip(torch.autograd.grad(loss, learnt), torch.autograd.grad(expected, learnt), strict=True):
        assert torch.equal(a, b)


def test_the_frozen_auto_encoder_stays_as_it_is(train) -> None:  # type: ignore[no-untyped-def]
    engine = build()
    train(engine, batch, 2)
    halves = (engine.encoder, engine.generator.decoder)
    before = [value.clone() for half in halves for value in half.state_dict().values()]
    mapper = [value.clone() for value in parts(engine)["mapper"]]
    engine.config = replace(engine.config, autoencoder_steps=0)
    train(engine, batch, 3)
    after = [value for half in halves for value in half.state_dict().values()]  # batch statistics, too
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(mapper, parts(engine)["mapper"], strict=True) if a.ndim == 2)


def test_the_mapper_is_guided_by_both_discriminators_through_the_decoder() -> None:
    for changes, reached in [({"image_weight": 0.0}, False), ({"code_weight": 0.0}, True)]:
        engine = build(replace(TWO_STAGE, **changes))  # type: ignore[arg-type]
        (loss,) = updates(engine, 2)[1].values()
        weights = parts(engine)
        by_mapper = torch.autograd.grad(loss, weights["mapper"], retain_graph=True)
        assert all(g.abs().sum() > 0 for g in by_mapper)
        by_decoder = torch.autograd.grad(loss, weights["decoder"], allow_unused=True)
        assert any(g is not None and bool(g.abs().sum() > 0) for g in by_decoder) == reached


def test_the_adversary_of_a_trained_decoder_leaves_mapper_and_encoder_alone() -> None:
    engine, plain = build(replace(TWO_STAGE, train_decoder=True)), build()
    (loss,), (error,) = updates(engine, 2)[0].values(), updates(plain, 0)[0].values()
    own, others = parts(engine), parts(plain)
    assert all(g is None for g in torch.autograd.grad(loss, own["mapper"], retain_graph=True, allow_unused=True))
    encoder, expected = (
        torch.autograd.grad(loss, own["encoder"], retain_graph=True),
        torch.autograd.grad(error, others["encoder"], retain_graph=True),
    )
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(encoder, expected, strict=True))
    decoder, expected = torch.autograd.grad(loss, own["decoder"]), torch.autograd.grad(error, others["decoder"])
    assert not all(torch.allclose(a, b, atol=1e-6) for a, b in zip(decoder, expected, strict=True))


def test_the_discriminator_of_codes_sees_them_standardised() -> None:
    engine = build(replace(TWO_STAGE, autoencoder_steps=0))
    seen: list[Tensor] = []
    engine.code_discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    with torch.no_grad():
        engine.encoder.out.weight.mul_(1000)
    updates(engine, 0)
    real = seen[0]
    torch.testing.assert_close(real.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(real.std(0, correction=0), torch.ones(4), atol=1e-3, rtol=0)


def ring(n: int = 256) -> Tensor:
    """Eight clusters on a circle."""
    angle = torch.randint(8, (n,)) * torch.pi / 4
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(n, 2)


def test_the_mapper_learns_the_distribution_of_the_codes(train) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    config = AEGAN.Config(code=2, width=8, autoencoder_steps=150, adversarial_rate=1e-3, learning_rate=3e-3)
    engine = AEGAN.build(Shape(0, 2), config)
    train(engine, ring, 600)
    data = ring(1000)
    with torch.no_grad():
        codes = engine.generator.standardiser(engine.encoder(data))
        made = engine.generator.mapper(torch.randn(1000, 2))
    kernels = inverse_multiquadratics(2, scales=(0.01, 0.05, 0.2))  # narrow enough to see single clusters
    normal = torch.randn(1000, 2)  # of the codes' mean and deviations
    assert mmd(made, codes, kernels) < 0.2 * mmd(normal, codes, kernels)
    drawn = engine.sample(1000)
    assert drawn.shape == (1000, 2)
    assert mmd(drawn / 2, data / 2, kernels) < 0.2 * mmd(normal, data / 2, kernels)
    assert (engine.reconstruct(data) - data).square().mean() < 0.01


def test_interpolation_begins_and_ends_at_the_images_it_was_given() -> None:
    """Images that the mapper can make are found by search: Dec(G1(z*)) gives back its targets."""
    torch.manual_seed(0)
    engine = AEGAN.build(Shape(0, 6), AEGAN.Config(code=2, width=4, search_steps=300)).eval()
    targets = engine.sample(4)
    found = engine.decode(engine.encode(targets))
    torch.testing.assert_close(found, targets, atol=0.01, rtol=0)
    between = engine.interpolate(targets[:2], targets[2:], 5)
    assert between.shape == (2, 5, 6)
    torch.testing.assert_close(between[:, 0], targets[:2], atol=0.01, rtol=0)
    torch.testing.assert_close(between[:, -1], targets[2:], atol=0.01, rtol=0)


def test_a_run_that_ends_before_the_mapper_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="waits until step 2"):
        build().check(2)
    build().check(3)
    build(JOINT).check(1)


@pytest.mark.parametrize("shape", [IMAGES, Shape(32, 1), Shape(0, 5)], ids=str)
def test_the_arms_of_a_comparison_have_the_same_auto_encoder(shape: Shape) -> None:
    """AEGAN, WAE-GAN, VAE: equal configs of encoder and decoder but for the encoder's second output."""
    aegan = AEGAN.build(shape, AEGAN.Config(code=6, width=4))
    wae = WAEGAN.build(shape, WAEGAN.Config(code=6, width=4))
    vae = VAE.build(shape, VAE.Config(code=6, width=4))
    assert aegan.generator.decoder.config == wae.decoder.config == vae.decoder.config
    assert aegan.encoder.config == wae.encoder.config == replace(vae.encoder.config, outputs=6)
    assert vae.encoder.config.outputs == 12
