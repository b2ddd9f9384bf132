import math
from collections import Counter
from itertools import pairwise, repeat

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.wgan import WGAN, critic_steps
from imgen.engines.wgan_gp import WGANGP
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING, WASSERSTEIN
from imgen.losses.divergence import wasserstein_1d
from imgen.networks.mlp import MLPDiscriminator
from imgen.networks.resnet import ResNetGenerator
from imgen.networks.scale import Shape

LINE, PLANE = Shape(0, 1), Shape(0, 2)


def batch(data: Tensor) -> Batch:
    return Batch(data, torch.zeros(len(data)), torch.arange(len(data)))


def critic_only(engine: WGAN, real: Tensor, fake: Tensor, steps: int, rate: float) -> None:
    """Train the critic on fixed kinds of samples, by the engine's own loss and clipping."""
    optimizer = torch.optim.RMSprop(engine.critic.parameters(), rate)
    for t in range(steps):
        optimizer.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - t / steps))
        optimizer.zero_grad()
        engine.critic_loss(real, fake).backward()
        optimizer.step()
        if type(engine) is WGAN:
            engine.clip()


@pytest.mark.parametrize(("t", "steps"), [(0, 100), (24, 100), (25, 5), (499, 5), (500, 100), (501, 5), (1000, 100)])
def test_the_schedule_of_the_authors_code(t: int, steps: int) -> None:
    assert critic_steps(t, 5) == steps
    engine = WGAN.build(LINE, WGAN.Config(code=1, width=1))
    names = Counter(name for name, _ in engine.step(repeat(batch(torch.randn(2, 1))), t))  # type: ignore[union-attr, misc]
    assert names == {"critic": steps, "generator": 1}


def test_weights_stay_within_the_clip(train) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    engine = WGAN.build(LINE, WGAN.Config(code=1, width=2, clip=0.02, learning_rate=0.1))
    train(engine, lambda: torch.randn(8, 1), 2)
    assert max(p.abs().max().item() for p in engine.critic.parameters()) == pytest.approx(0.02)
    assert max(p.abs().max().item() for p in engine.generator.parameters()) > 0.02


def test_the_clip_bounds_the_slope_by_its_power() -> None:
    """All weights at c, positive inputs: the slope is c^(depth + 1) times the paths, so 2c gives 2^(depth + 1)."""
    slopes = []
    for c in (0.1, 0.2):
        engine = WGAN.build(LINE, WGAN.Config(code=1, width=1, clip=c))
        with torch.no_grad():
            for parameter in engine.critic.parameters():
                parameter.fill_(9.0)
        engine.clip()
        x = torch.ones(1, 1, requires_grad=True)
        (slope,) = torch.autograd.grad(engine.critic(x).logits, x)
        slopes.append(slope.item())
    depth = engine.critic.config.depth
    assert slopes[1] == pytest.approx(2 ** (depth + 1) * slopes[0], rel=1e-5)


THETAS = torch.tensor([0.1, 0.3, 0.6, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("kind", "settings", "rate"), [(WGAN, {"width": 8, "clip": 0.02}, 2e-3), (WGANGP, {"width": 2}, 1e-2)]
)
def test_critics_measure_the_distance_of_two_points(kind: type[WGAN], settings: dict[str, float], rate: float) -> None:
    """Example 1 of the paper, in one dimension: the clipped one up to a factor, the penalised one in its unit."""
    distances = []
    for theta in THETAS.tolist():
        torch.manual_seed(0)
        real, fake = torch.zeros(16, 1), torch.full((16, 1), theta)
        engine = kind.build(LINE, kind.Config(code=1, **settings))  # type: ignore[arg-type]
        critic_only(engine, real, fake, 60, rate)
        distances.append((engine.critic(real).logits - engine.critic(fake).logits).mean().item())
    assert all(a < b for a, b in pairwise(distances))
    assert torch.corrcoef(torch.stack([THETAS, torch.tensor(distances)]))[0, 1] > 0.99
    if kind is WGANGP:
        assert distances == pytest.approx(THETAS.tolist(), rel=0.2)


def test_a_discriminator_says_the_same_of_all_distances() -> None:
    """It separates any two points wholly: its loss gives log 2, the largest divergence, however near they are."""
    for theta in THETAS.tolist():
        torch.manual_seed(0)
        real, fake = torch.zeros(16, 1), torch.full((16, 1), theta)
        judge = MLPDiscriminator(MLPDiscriminator.Config(1, width=16, depth=2))
        optimizer = torch.optim.Adam(judge.parameters(), 3e-2)
        for _ in range(100):
            optimizer.zero_grad()
            loss = NON_SATURATING.discriminator(judge(real).logits, judge(fake).logits)
            loss.backward()
            optimizer.step()
        assert math.log(2) - loss.item() / 2 == pytest.approx(math.log(2), abs=0.03)


def test_the_penalised_critic_measures_the_distance_itself() -> None:
    """On a line the best critic of slope 1 gives W1, which sorting gives too."""
    torch.manual_seed(0)
    real, fake = torch.randn(256, 1), 2 + torch.randn(256, 1)
    engine = WGANGP.build(LINE, WGANGP.Config(code=1, width=4))
    critic_only(engine, real, fake, 200, 5e-3)
    distance = -WASSERSTEIN.discriminator(engine.critic(real).logits, engine.critic(fake).logits)
    assert distance.item() == pytest.approx(wasserstein_1d(real[:, 0], fake[:, 0]).item(), rel=0.15)


def test_clipping_drives_weights_to_its_bounds_and_the_penalty_does_not() -> None:
    """Figure 1b of arXiv:1704.00028, on eight Gaussians against a broad one."""
    torch.manual_seed(0)
    angles = torch.arange(256) * (2 * torch.pi / 8)
    real = 2 * torch.stack([angles.cos(), angles.sin()], 1) + 0.02 * torch.randn(256, 2)
    fake = torch.randn(256, 2)
    shares = []
    for engine in (
        WGAN.build(PLANE, WGAN.Config(code=2, width=4, clip=0.01)),
        WGANGP.build(PLANE, WGANGP.Config(code=2, width=4)),
    ):
        critic_only(engine, real, fake, 300, 1e-3)
        weights = torch.cat([p.detach().flatten() for p in engine.critic.parameters() if p.ndim == 2]).abs()
        shares.append((weights > 0.95 * weights.max()).float().mean().item())
    assert shares[0] > 0.5
    assert shares[1] < 0.05


def test_the_optimisers() -> None:
    for residual, momentum in ((False, 0.5), (True, 0.0)):
        players = WGANGP.build(Shape(8, 1), WGANGP.Config(width=1, residual=residual)).players()
        assert {(player.optimizer, player.betas) for player in players.values()} == {("adam", (momentum, 0.9))}
    clipped = WGAN.build(LINE, WGAN.Config(width=1)).players()
    assert {player.optimizer for player in clipped.values()} == {"rmsprop"}


def test_the_penalised_loss_is_that_of_algorithm_1() -> None:
    torch.manual_seed(0)
    engine = WGANGP.build(PLANE, WGANGP.Config(code=2, width=2, penalty=7.0))
    real, fake = torch.randn(2, 32, 2)
    loss = engine.critic_loss(real, fake).item()
    terms = engine.terms()
    distance = engine.critic(real).logits.mean() - engine.critic(fake).logits.mean()
    assert terms["distance"] == pytest.approx(distance.item(), abs=1e-6)
    assert terms["penalty"] > 0
    assert loss == pytest.approx(-terms["distance"] + 7 * terms["penalty"], abs=1e-5)


def test_a_generator_finds_a_gaussian_by_distance(train) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    engine = WGANGP.build(LINE, WGANGP.Config(code=1, width=8, learning_rate=3e-3, penalty=0.1))
    train(engine, lambda: 3 + 0.5 * torch.randn(64, 1), 300)
    samples = engine.sample(2000)
    assert samples.mean().item() == pytest.approx(3, abs=0.2)
    assert samples.std().item() == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_images(residual: bool, norm: str) -> None:
    config = WGANGP.Config(code=4, width=2, residual=residual, critic_norm=norm)
    engine = WGANGP.build(Shape(16, 1), config)
    assert isinstance(engine.generator, ResNetGenerator) is residual
    data = batch(torch.rand(3, 1, 16, 16) * 2 - 1)
    losses = [loss for _, loss in engine.step(repeat(data), 0)]  # type: ignore[union-attr, misc]
    assert len(losses) == 6
    assert torch.stack(losses).isfinite().all()
    assert engine.eval().sample(2).shape == (2, 1, 16, 16)


@pytest.mark.parametrize("residual", [False, True])
def test_batch_norm_in_the_critic_is_refused(residual: bool) -> None:
    with pytest.raises(UsageError, match="must have no batch norm"):
        WGANGP.build(Shape(16, 1), WGANGP.Config(width=2, residual=residual, critic_norm="batch"))
