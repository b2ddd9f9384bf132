from collections.abc import Callable
from dataclasses import replace
from itertools import repeat

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.engines.attentive_gan import AttentiveGAN, AttentiveGANConfig, Views
from imgen.errors import UsageError
from imgen.networks.attentive_discriminator import Attended, AttentiveDiscriminator
from imgen.networks.raindrops import RaindropRemover

Train = Callable[..., list[dict[str, float]]]
TINY = RaindropRemover.Config(squares=2, look=0, attention=8, blocks=1, steps=4, width=8)
PAPER = AttentiveGANConfig()
ALONE = AttentiveGANConfig(perceptual=0.0, adversarial=0.0, learning_rate=5e-3)


def pyramid(image: Tensor) -> list[Tensor]:
    """Stands in for a pretrained extractor."""
    return [image, F.avg_pool2d(image, 4)]


class Fixed(AttentiveDiscriminator):
    """Says and sees the same everywhere."""

    def __init__(self, logit: float, seen: float) -> None:
        nn.Module.__init__(self)
        self.said = nn.Parameter(torch.tensor([logit, seen]))

    def forward(self, image: Tensor) -> Attended:
        return Attended(self.said[0].expand(len(image), 1), self.said[1] + 0 * image[:, :1])


def engine(config: AttentiveGANConfig = PAPER, network: RaindropRemover.Config = TINY) -> AttentiveGAN:
    torch.manual_seed(0)
    discriminator = AttentiveDiscriminator(AttentiveDiscriminator.Config(2, 16)) if config.adversarial else None
    return AttentiveGAN(RaindropRemover(network), discriminator, pyramid if config.perceptual else None, config)


def glass(n: int = 2, size: int = 32, drops: int = 3) -> Views:
    """Two colours that run into each other, and discs on them of a third, which is always about the same."""
    ramp = torch.linspace(0, 1, size)
    a, b, turn = torch.rand(n, 3, 1, 1) * 0.6, torch.rand(n, 3, 1, 1) * 0.6, torch.rand(n, 1, 1, 1)
    clean = torch.lerp(a, b, turn * ramp + (1 - turn) * ramp[:, None])
    centre, radius = torch.rand(n, drops, 2, 1, 1) * size, 2 + 3 * torch.rand(n, drops, 1, 1)
    place = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"))
    distance = (place - centre).square().sum(2).sqrt()
    mask = (radius - distance + 0.5).clamp(0, 1).amax(1, keepdim=True) if drops else torch.zeros(n, 1, size, size)
    drop = torch.tensor([0.75, 0.85, 0.95])[:, None, None] + 0.1 * torch.rand(n, 3, 1, 1)
    return Views(torch.lerp(clean, drop, mask), clean, mask, mask)


def updates(gan: AttentiveGAN, views: Views) -> dict[str, Tensor]:
    return dict(gan.step(repeat(views), 0))  # type: ignore[arg-type]


def test_later_maps_count_more() -> None:
    """Equation 4 with theta .8: .512, .64, .8 and 1."""
    mask = torch.zeros(2, 1, 8, 8)
    wrong, right = torch.ones_like(mask), mask
    gan = engine()
    losses = [gan.attention_loss([wrong if t == step else right for t in range(4)], mask).item() for step in range(4)]
    assert losses == pytest.approx([0.512, 0.64, 0.8, 1.0])
    assert gan.attention_loss([wrong] * 4, mask).item() == pytest.approx(2.952)


def test_what_lets_nothing_through_is_to_be_filled_and_the_rest_of_the_dirt_not() -> None:
    covered = torch.zeros(1, 1, 8, 8)
    covered[..., :4], covered[..., 4] = 1, 0.5
    assert AttentiveGAN.opacity_loss((covered > 0.9).float(), covered).item() == 0
    assert AttentiveGAN.opacity_loss(torch.ones_like(covered), covered).item() == pytest.approx(8 / 40)
    assert AttentiveGAN.opacity_loss(torch.zeros_like(covered), covered).item() == pytest.approx(32 / 40)
    assert AttentiveGAN.opacity_loss(torch.ones_like(covered), 0 * covered).item() == 0


@pytest.mark.parametrize(
    ("part", "losses"), [("attend", {"attention"}), ("paint", {"image"}), ("both", {"attention", "image"})]
)
def test_a_part_learns_alone_and_by_the_losses_it_can_change(part: str, losses: set[str], train: Train) -> None:
    gan = engine(replace(ALONE, part=part))
    before = {name: value.clone() for name, value in gan.generator.state_dict().items()}
    train(gan, glass, 2)
    assert set(gan.terms()) == losses
    changed = {
        name.split(".")[0] for name, value in gan.generator.state_dict().items() if not value.equal(before[name])
    }
    assert changed == ({"attend", "paint"} if part == "both" else {part})


@pytest.mark.parametrize("part", ["attend", "paint", "both"])
def test_what_paints_alone_learns_by_the_maps_that_are_used(part: str) -> None:
    """Those of the mirrored image, too."""
    gan = engine(replace(ALONE, part=part)).train()
    updates(gan, glass())
    assert gan.generator.attend.training == (part != "paint")


def test_the_share_of_the_fill_learns_by_what_is_covered(train: Train) -> None:
    """By that loss alone, from a network that fills nothing."""
    gan = engine(replace(ALONE, image=0.0, attention=0.0, opaque=1.0, part="paint"), replace(TINY, halved=0.0))
    torch.nn.init.constant_(gan.generator.attend.leave.bias, 1.0)  # dirt everywhere
    history = train(gan, glass, 120)
    assert set(gan.terms()) == {"opaque"}
    assert history[-1]["generator"] < 0.5 * history[0]["generator"]


def test_what_is_not_there_cannot_learn() -> None:
    with pytest.raises(UsageError, match="no maps to learn"):
        engine(replace(ALONE, part="attend"), replace(TINY, steps=0))
    with pytest.raises(UsageError, match="part"):
        AttentiveGANConfig(part="drops")


def test_what_the_generator_minimises() -> None:
    """Equation 7, at a network that gives its input back and a discriminator that cannot tell."""
    config, views = AttentiveGANConfig(perceptual=0.25), glass()
    gan = AttentiveGAN(RaindropRemover(replace(TINY, plain=0)), Fixed(0.0, 0.5), pyramid, config)
    loss, terms = updates(gan, views)["generator"].item(), gan.terms()
    maps = gan.generator.unroll(views.dirty).maps
    a, b = views.dirty, views.clean
    at_half, at_quarter = (F.mse_loss(F.avg_pool2d(a, n), F.avg_pool2d(b, n)).item() for n in (2, 4))
    full = F.mse_loss(a, b).item()
    assert terms == pytest.approx(
        {
            "image": 0.6 * at_quarter + 0.8 * at_half + full,
            "attention": gan.attention_loss(maps, views.mask).item(),
            "perceptual": 0.25 * (full + at_quarter) / 2,
            "adversarial": 0.01 * 0.693147,
        },
        rel=1e-5,
    )
    assert loss == pytest.approx(sum(terms.values()))


def test_what_the_discriminator_minimises() -> None:
    """Equations 8 and 9: of what was made it should see the generator's last map, of what is real nothing."""
    views, logit, seen = glass(), 0.7, 0.3
    gan = AttentiveGAN(RaindropRemover(TINY), Fixed(logit, seen), pyramid, PAPER)
    last = gan.generator.unroll(views.dirty).maps[-1].detach()
    expected = F.softplus(torch.tensor([logit, -logit])).sum() + 0.05 * ((seen - last).square().mean() + seen**2)
    assert updates(gan, views)["discriminator"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_discriminators_loss_does_not_reach_the_generator() -> None:
    gan = engine()
    loss, judge = updates(gan, glass())["discriminator"], gan.discriminator
    assert judge is not None
    gradients = torch.autograd.grad(loss, list(gan.generator.parameters()), retain_graph=True, allow_unused=True)
    assert all(gradient is None for gradient in gradients)
    assert all(gradient.any() for gradient in torch.autograd.grad(loss, list(judge.parameters())))


def test_all_of_the_generator_learns() -> None:
    gan = engine(replace(ALONE, attention=0.0))
    for layer in gan.generator.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.any():
            nn.init.normal_(layer.weight, 0, 0.05)
    loss = updates(gan, glass())["generator"]
    assert set(gan.terms()) == {"image"}
    assert all(gradient.any() for gradient in torch.autograd.grad(loss, list(gan.generator.parameters())))


@pytest.mark.parametrize(("forced", "follows"), [(1.0, False), (0.5, True), (0.0, True)])
def test_a_painter_that_is_told_where_all_drops_are_asks_nothing_of_the_map(forced: float, follows: bool) -> None:
    gan = engine(replace(ALONE, attention=0.0, forced=forced))
    for layer in gan.generator.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.any():
            nn.init.normal_(layer.weight, 0, 0.05)
    loss = updates(gan, glass())["generator"]
    painted = torch.autograd.grad(loss, list(gan.generator.paint.parameters()), retain_graph=True)
    found = torch.autograd.grad(loss, list(gan.generator.attend.parameters()), allow_unused=True)
    assert all(gradient.any() for gradient in painted)
    assert any(gradient is not None and bool(gradient.any()) for gradient in found) == follows


def test_a_generator_that_does_not_attend_is_asked_for_no_map() -> None:
    gan, views = engine(network=replace(TINY, steps=0)), glass()
    assert set(updates(gan, views)) == {"discriminator", "generator"}
    assert set(gan.terms()) == {"image", "perceptual", "adversarial"}


@pytest.mark.parametrize("weight", ["adversarial", "perceptual"])
def test_a_loss_without_its_part_is_refused(weight: str) -> None:
    config = AttentiveGANConfig(**{"perceptual": 0.0, "adversarial": 0.0, weight: 1.0})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"{weight} wants"):
        AttentiveGAN(RaindropRemover(TINY), None, None, config)


def test_discs_are_found_and_taken_away_and_the_rest_is_left(train: Train) -> None:
    gan = engine(ALONE)
    train(gan, lambda: glass(4), 60)
    torch.manual_seed(1)
    dirty, clean, mask, _ = glass(32)
    with torch.no_grad():
        made = gan.generator.unroll(dirty)
        same, attention = gan.generator(clean)
    before, after, untouched = (F.mse_loss(image, clean).item() for image in (dirty, made.frames[-1], same))
    assert after < before / 3
    assert untouched < after / 3
    assert attention.mean() < 0.05
    areas = [area_under_curve(each, mask > 0.5) for each in made.maps]
    assert areas[0] < areas[-1]
    assert areas[-1] > 0.99


def area_under_curve(values: Tensor, positive: Tensor) -> float:
    """The chance that a pixel of a drop has a higher value than one beside it (Mann and Whitney)."""
    ranks = values.flatten().argsort().argsort().double() + 1
    inside = positive.flatten()
    n, m = int(inside.sum()), int((~inside).sum())
    return float((ranks[inside].sum() - n * (n + 1) / 2) / (n * m))
