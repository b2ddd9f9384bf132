import copy
from collections import Counter
from itertools import repeat
from typing import Any

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.dcgan import DCGAN
from imgen.engines.engine import Engine
from imgen.engines.gan import GAN
from imgen.engines.lsgan import LSGAN
from imgen.errors import UnknownNameError, UsageError
from imgen.losses.adversarial import MINIMAX, NON_SATURATING
from imgen.losses.penalties import history_penalty
from imgen.networks.mlp import MLP, MLPDiscriminator
from imgen.networks.scale import Shape

LINE = Shape(0, 1)


def batch(data: Tensor) -> Batch:
    return Batch(data, torch.zeros(len(data)), torch.arange(len(data)))


def first_losses(engine: Engine, data: Tensor, t: int = 0, seed: int = 0) -> list[tuple[str, float]]:
    """The losses of a step in which nobody moves."""
    torch.manual_seed(seed)
    return [(name, loss.item()) for name, loss in engine.step(repeat(batch(data)), t)]  # type: ignore[union-attr, misc]


def build(kind: type[GAN] = GAN, shape: Shape = LINE, **changes: Any) -> GAN:
    torch.manual_seed(0)
    return kind.build(shape, kind.Config(**{"code": 2, "width": 4, **changes}))


def shifted(shift: float) -> MLP:
    """A generator of one value: the code plus a number."""
    generator = MLP(MLP.Config(1, 1, width=2, depth=1))
    with torch.no_grad():
        generator.hidden.layers[0][0].weight.copy_(torch.tensor([[1.0], [-1.0]]))  # relu(z) and relu(-z)
        generator.hidden.layers[0][0].bias.zero_()
        generator.last.weight.copy_(torch.tensor([[1.0, -1.0]]))
        generator.last.bias.fill_(shift)
    return generator


def test_the_discriminator_learns_the_ratio_of_densities() -> None:
    """Data N(0, 1), fakes N(2, 1): D(x) = p / (p + q) = sigmoid(2 - 2 x)."""
    torch.manual_seed(0)
    gan = GAN(shifted(2), MLPDiscriminator(MLPDiscriminator.Config(1, width=32, depth=2)), GAN.Config(code=1))
    optimizer = torch.optim.Adam(gan.discriminator.parameters(), 1e-2)
    steps = 400
    for t in range(steps):
        name, loss = next(gan.step(iter([batch(torch.randn(512, 1))]), 0))  # type: ignore[misc]
        assert name == "discriminator"
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - t / steps)
        optimizer.step()
    x = torch.linspace(-3, 5, 81)[:, None]
    error = (gan.discriminator(x).logits.sigmoid() - torch.sigmoid(2 - 2 * x)).abs()
    assert error.mean() < 0.03


@pytest.mark.parametrize("loss", ["non-saturating", "minimax"])
def test_a_generator_finds_a_gaussian(train, loss: str) -> None:  # type: ignore[no-untyped-def]
    gan = build(code=1, loss=loss, learning_rate=2e-3)
    train(gan, lambda: 3 + 0.5 * torch.randn(64, 1), 700)
    samples = gan.sample(2000)
    assert samples.mean().item() == pytest.approx(3, abs=0.2)
    assert 0.2 < samples.std() < 1


def test_minimax_stands_still_where_the_discriminator_is_sure() -> None:
    """Far apart on a line, the generator's mean moves by -log D and hardly by log(1 - D)."""
    moved = {}
    for loss in ("non-saturating", "minimax"):
        torch.manual_seed(0)
        discriminator = MLPDiscriminator(MLPDiscriminator.Config(1, width=16, depth=1))
        gan = GAN(shifted(0), discriminator, GAN.Config(code=1, loss=loss))
        sure = torch.optim.Adam(discriminator.parameters(), 1e-2)
        real, fake = 8 + torch.randn(256, 1), torch.randn(256, 1)
        for _ in range(300):
            sure.zero_grad()
            MINIMAX.discriminator(discriminator(real).logits, discriminator(fake).logits).backward()
            sure.step()
        slow = torch.optim.SGD(gan.generator.parameters(), 1e-3)
        for _ in range(200):
            _, (name, value) = gan.step(iter([batch(real)]), 0)  # type: ignore[misc]
            assert name == "generator"
            slow.zero_grad()
            value.backward()
            slow.step()
        moved[loss] = gan.sample(5000).mean().item()
    assert moved["non-saturating"] > 0.2
    assert moved["non-saturating"] > 10 * abs(moved["minimax"])


@pytest.mark.parametrize(("critic", "generator"), [(1, 1), (5, 1), (2, 3)])
def test_the_number_of_updates(train, critic: int, generator: int) -> None:  # type: ignore[no-untyped-def]
    drawn = []

    def draw() -> Tensor:
        drawn.append(1)
        return torch.randn(4, 1)

    gan = build(discriminator_steps=critic, generator_steps=generator)
    names = Counter(name for name, _ in first_losses(gan, torch.randn(4, 1)))
    assert names == {"discriminator": critic, "generator": generator}
    train(gan, draw, 3)
    assert len(drawn) == 3 * critic


def test_the_losses_are_those_of_the_paper() -> None:
    gan, real = build(), torch.randn(16, 1)
    torch.manual_seed(0)
    for_discriminator, for_generator = gan.prior(16), gan.prior(16)
    scores = [gan.discriminator(x).logits for x in (real, gan.generator(for_discriminator))]
    assert first_losses(gan, real) == [
        ("discriminator", NON_SATURATING.discriminator(*scores).item()),
        ("generator", NON_SATURATING.generator(gan.discriminator(gan.generator(for_generator)).logits).item()),
    ]


def test_stabilisers_that_are_off_change_nothing() -> None:
    data = torch.randn(16, 1)
    plain = first_losses(build(), data)
    assert first_losses(build(smooth=1.0, flip=0.0, noise=0.0, history=0.0, noise_steps=3), data) == plain
    noisy = build(noise=0.5, flip=0.1, noise_steps=100)
    assert first_losses(noisy, data, t=100) == plain
    for t in (0, 99):
        assert first_losses(noisy, data, t) != plain


def test_noise_falls_linearly_for_real_and_fake_and_both_players() -> None:
    gan, seen = build(noise=0.5, noise_steps=100), []
    gan.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    with torch.no_grad():
        gan.generator.last.weight.zero_()
        gan.generator.last.bias.zero_()
    for t, sigma in ((0, 0.5), (50, 0.25), (100, 0)):
        seen.clear()
        first_losses(gan, torch.zeros(20_000, 1), t)
        assert len(seen) == 3
        for x in seen:
            assert x.std().item() == pytest.approx(sigma, rel=0.03)


def test_one_sided_smoothing() -> None:
    """With D = 1/2 everywhere no label matters; a sure discriminator pays for it on real data only."""
    for bias, extra in ((0.0, 0.0), (5.0, 0.1 * 5.0)):
        gan = build()
        with torch.no_grad():
            gan.discriminator.score.weight.zero_()
            gan.discriminator.score.bias.fill_(bias)
        plain = first_losses(gan, torch.randn(8, 1))[0][1]
        smooth = GAN(gan.generator, gan.discriminator, GAN.Config(code=2, smooth=0.9))
        assert first_losses(smooth, torch.randn(8, 1))[0][1] == pytest.approx(plain + extra, abs=1e-6)


def test_history_needs_something_to_compare_with() -> None:
    with pytest.raises(UsageError, match="generator_steps to 2 or more, or history_every to 1"):
        GAN.Config(history=5.0)


@pytest.mark.parametrize(
    ("schedule", "behind"),  # how many updates the old generator is behind the new one, update by update
    [
        ({"generator_steps": 3}, [0, 1, 2, 0, 1, 2]),
        ({"history_every": 1}, [0, 1, 1, 1, 1]),
        ({"history_every": 3}, [0, 1, 2, 3, 1, 2, 3]),
        ({"generator_steps": 2, "history_every": 1}, [0, 1, 2, 3, 2, 3]),
    ],
)
def test_history_compares_with_an_earlier_generator(
    schedule: dict[str, int], behind: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    gan, pairs = build(history=5.0, **schedule), []

    def spy(new: Tensor, old: Tensor) -> Tensor:
        pairs.append((new.detach(), old))
        return history_penalty(new, old)

    monkeypatch.setattr("imgen.engines.gan.history_penalty", spy)
    optimizer = torch.optim.SGD(gan.generator.parameters(), 0.1)
    versions, t = [copy.deepcopy(gan.generator)], 0
    while len(pairs) < len(behind):
        codes = torch.randn(16, 2)
        monkeypatch.setattr(gan, "prior", lambda _, codes=codes: codes)
        for name, loss in gan.step(repeat(batch(torch.randn(16, 1))), t):  # type: ignore[misc]
            if name == "generator":
                new, old = pairs[-1]
                update = len(pairs) - 1
                assert torch.equal(new, versions[update](codes))
                assert torch.equal(old, versions[update - behind[update]](codes))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                versions.append(copy.deepcopy(gan.generator))
        t += 1


def test_a_heavy_history_holds_the_generator(train) -> None:  # type: ignore[no-untyped-def]
    moved = []
    for weight in (0.0, 1e6):
        gan = build(history=weight, generator_steps=5)
        code = gan.prior(64)
        before = gan.decode(code)
        train(gan, lambda: 3 + torch.randn(64, 1), 20)
        moved.append((gan.decode(code) - before).abs().mean().item())
    assert moved[1] < 0.3 * moved[0]


@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("kind", [GAN, DCGAN, LSGAN])
def test_samples_are_images(kind: type[GAN], size: int) -> None:
    gan = build(kind, Shape(size, 1)).eval()
    images = gan.sample(3)
    assert images.shape == (3, 1, size, size)
    assert images.min() >= 0
    assert images.max() <= 1
    assert gan.decode(gan.prior(3)).shape == images.shape


def test_dcgan_is_the_gan_with_batch_norm_and_lsgan_has_other_losses() -> None:
    def norms(gan: GAN) -> int:
        return sum(isinstance(module, torch.nn.BatchNorm2d) for module in gan.modules())

    shape = Shape(16, 1)
    assert norms(build(GAN, shape)) == 0
    assert norms(build(DCGAN, shape)) > 0
    assert norms(build(LSGAN, shape)) == norms(build(DCGAN, shape))
    data = torch.randn(16, 1)
    lsgan = build(LSGAN)
    torch.manual_seed(0)
    fake = lsgan.generator(lsgan.prior(16))
    wanted = (lsgan.discriminator(data).logits - 1).square().mean() + lsgan.discriminator(fake).logits.square().mean()
    assert first_losses(lsgan, data)[0][1] == pytest.approx(wanted.item())


def test_the_generator_can_draw_an_image() -> None:
    torch.manual_seed(0)
    generator = build(DCGAN, Shape(8, 1), width=16, code=4).generator
    target = (torch.rand(1, 1, 8, 8) * 1.6 - 0.8).expand(8, -1, -1, -1)
    optimizer, code = torch.optim.Adam(generator.parameters(), 1e-2), torch.randn(8, 4)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (generator(code) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.01


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no loss is called 'hing'; did you mean 'hinge'"):
        build(loss="hing")


@pytest.mark.parametrize("name", ["discriminator_steps", "generator_steps"])
def test_a_player_that_never_plays_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        GAN.Config(**{name: 0})
