import math
from itertools import permutations, repeat

import pytest
import torch

from imgen.data.batch import Batch
from imgen.engines.infogan import InfoGAN
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.networks.scale import Shape

CENTRES = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
PLANE = Shape(0, 2)


def clusters(n: int = 96) -> Batch:
    label = torch.randint(3, (n,))
    return Batch(CENTRES[label] + 0.2 * torch.randn(n, 2), label, torch.arange(n))


def build(shape: Shape = PLANE, **changes: float) -> InfoGAN:
    torch.manual_seed(0)
    settings = {"noise": 2, "categories": 3, "continuous": 0, "width": 8, **changes}
    return InfoGAN.build(shape, InfoGAN.Config(**settings))  # type: ignore[arg-type]


def test_the_prior() -> None:
    engine = build(noise=4, continuous=2)
    codes = engine.prior(30_000)
    assert codes.shape == (30_000, engine.config.code) == (30_000, 9)
    noise, category, continuous = codes.split([4, 3, 2], 1)
    assert torch.equal(category.sum(1), torch.ones(30_000))
    assert torch.equal(category.max(1).values, torch.ones(30_000))
    assert (category.mean(0) - 1 / 3).abs().max() < 0.02
    for uniform in (noise, continuous):
        assert -1 <= uniform.min() < -0.99
        assert 0.99 < uniform.max() <= 1
        assert uniform.var().item() == pytest.approx(1 / 3, rel=0.03)


def test_information_of_a_perfect_and_of_a_blind_reader() -> None:
    engine = build(categories=10)
    codes = engine.prior(200)
    category = codes[:, 2:]
    logit = torch.zeros(200, 1)
    perfect = engine.information(torch.cat([logit, 1e3 * category], 1), codes)
    assert perfect.item() == pytest.approx(math.log(10), abs=1e-6)
    blind = engine.information(torch.zeros(200, 11), codes)
    assert blind.item() == pytest.approx(0, abs=1e-6)


def test_continuous_codes_are_read_by_a_gaussian_of_variance_1() -> None:
    engine = build(continuous=2)
    codes = engine.prior(50)
    read = torch.randn(50, 2)
    scores = torch.cat([torch.zeros(50, 1), 1e3 * codes[:, 2:5], read], 1)
    wanted = math.log(3) + torch.distributions.Normal(read, 1).log_prob(codes[:, 5:]).sum(1).mean()
    assert engine.information(scores, codes).item() == pytest.approx(wanted.item(), abs=1e-4)


def test_both_players_are_after_the_information() -> None:
    data = clusters()
    losses = {}
    for weight in (0.0, 2.0):
        engine = build(information=weight)
        torch.manual_seed(1)
        losses[weight] = dict(engine.step(repeat(data), 0))  # type: ignore[arg-type]
    torch.manual_seed(1)
    codes = engine.prior(len(data.image))
    scores = engine.discriminator(engine.generator(codes)).logits
    information = engine.information(scores, codes)
    assert engine.terms() == {"information": pytest.approx(information.item(), abs=1e-6)}
    for name in ("discriminator", "generator"):
        assert (losses[0.0][name] - losses[2.0][name]).item() == pytest.approx(2 * information.item(), abs=1e-5)
    assert losses[0.0]["generator"].item() == pytest.approx(NON_SATURATING.generator(scores[:, :1]).item(), abs=1e-6)


def test_categories_become_the_clusters(train) -> None:  # type: ignore[no-untyped-def]
    engine = build(generator_rate=2e-3, discriminator_rate=2e-3)
    train(engine, clusters, 500)
    assert 0.95 < engine.terms()["information"] < math.log(3) + 1e-6
    data = clusters(600)
    read = engine.recognise(data.image).category.argmax(1)
    best = max((torch.tensor(names)[read] == data.label).float().mean().item() for names in permutations(range(3)))
    assert best > 0.9


def test_images() -> None:
    engine = build(Shape(16, 1), continuous=2)
    image = torch.rand(4, 1, 16, 16) * 2 - 1
    names = [name for name, _ in engine.step(repeat(Batch(image, torch.zeros(4), torch.arange(4))), 0)]  # type: ignore[union-attr, misc]
    assert names == ["discriminator", "generator"]
    engine.eval()
    assert engine.sample(3).shape == (3, 1, 16, 16)
    category, continuous = engine.recognise(image)
    assert (category.shape, continuous.shape) == ((4, 3), (4, 2))


def test_a_single_category_is_refused() -> None:
    with pytest.raises(UsageError, match="categories must be at least 2, got 1"):
        build(categories=1)
