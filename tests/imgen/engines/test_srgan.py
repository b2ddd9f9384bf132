from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from imgen.data.degrade import bicubic
from imgen.engines.srgan import SRGAN, Pairs, SRGANConfig
from imgen.errors import UsageError
from imgen.metrics import psnr
from imgen.networks.network import Network, Scored
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.upscaler import Upscaler
from imgen.training.config import TrainConfig
from imgen.training.players import Players

Train = Callable[..., list[dict[str, float]]]


def pyramid(image: Tensor) -> list[Tensor]:
    """Stands in for a pretrained extractor: features that tell any two images apart."""
    return [image * 100, nn.functional.avg_pool2d(image, 4)]


class Fixed(Network):
    """A discriminator that says the same of everything, and can be moved."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))

    def forward(self, image: Tensor) -> Scored:
        return Scored(self.logit.expand(len(image), 1), [image])


def pairs(seed: int = 0) -> Pairs:
    generator = torch.Generator().manual_seed(seed)
    return Pairs(torch.rand(4, 3, 8, 8, generator=generator), torch.rand(4, 3, 16, 16, generator=generator))


def engine(**changes: Any) -> SRGAN:
    torch.manual_seed(0)
    generator = SRResNet(SRResNet.Config(scale=2, width=4, blocks=1))
    return SRGAN(generator, SRGANDiscriminator(SRGANDiscriminator.Config(16, 3, 4, 8)), pyramid, SRGANConfig(**changes))


@pytest.mark.parametrize("distance", ["squared", "normalised"])
def test_the_content_loss_is_zero_only_for_equal_images(distance: str) -> None:
    srgan, (_, high) = engine(distance=distance), pairs()
    assert srgan.content(high, high).item() == 0
    other = high.clone()
    other[0, 0, 3, 3] += 0.05
    assert srgan.content(other, high).item() > 0


def test_scaling_the_features_makes_the_loss_comparable_to_that_of_pixels() -> None:
    """Section 3.2: 1/12.75 of the features is about 0.006 of the loss."""
    srgan, (_, high) = engine(), pairs()
    made = high + 0.1 * torch.rand_like(high)
    a, b = pyramid(made), pyramid(high)
    plain = torch.stack([nn.functional.mse_loss(x, y) for x, y in zip(a, b, strict=True)]).mean()
    assert srgan.content(made, high).item() / plain.item() == pytest.approx(
        0.006151, rel=1e-3
    )  # "about 0.006", sec. 3.2


def test_the_content_loss_moves_what_was_made_and_nothing_else() -> None:
    srgan, (_, high) = engine(), pairs()
    made, high = (high + 0.1).requires_grad_(), high.requires_grad_()
    grads = torch.autograd.grad(srgan.content(made, high), (made, high), allow_unused=True)
    assert grads[0].any()
    assert grads[1] is None


def test_the_perceptual_loss_is_content_and_a_thousandth_of_the_adversary() -> None:
    """Equation 3, with -log D of equation 6: at a logit of 0 that is log 2."""
    generator = engine().generator
    srgan = SRGAN(generator, Fixed(0.0), pyramid, SRGANConfig())
    updates = dict(srgan.step(repeat(pairs()), 0))  # type: ignore[arg-type]
    terms = srgan.terms()
    assert set(terms) == {"content", "adversarial"}
    assert terms["adversarial"] == pytest.approx(1e-3 * np.log(2))
    assert updates["generator"].item() == pytest.approx(terms["content"] + terms["adversarial"], rel=1e-5)


def test_the_generator_still_learns_where_the_discriminator_is_sure() -> None:
    """Section 2.2.2 takes -log D for this: log(1 - D) would have a slope of e^-20 here."""
    srgan = SRGAN(engine().generator, Fixed(-20.0), None, SRGANConfig(content=0.0))
    (_, _), (name, loss) = srgan.step(repeat(pairs()), 0)  # type: ignore[misc]
    (slope,) = torch.autograd.grad(loss, srgan.discriminator.logit)  # type: ignore[union-attr]
    assert name == "generator"
    assert slope.item() == pytest.approx(-1e-3)


def test_each_player_moves_alone() -> None:
    srgan = engine(pixel=1.0, matching=1.0)
    players = Players(srgan, TrainConfig(steps=2), torch.device("cpu"))
    owned = {name: {id(p) for p in players.parameters(name)} for name in players.optimizers}
    before: list[Tensor] = []
    moved: list[str] = []

    def remember(*_: object) -> None:
        before[:] = [p.detach().clone() for p in srgan.parameters()]

    def compare(name: str) -> None:
        changed = {id(p) for p, old in zip(srgan.parameters(), before, strict=True) if not torch.equal(p, old)}
        assert changed
        assert changed <= owned[name]
        moved.append(name)

    for name, optimizer in players.optimizers.items():
        optimizer.register_step_pre_hook(remember)
        optimizer.register_step_post_hook(lambda *_, name=name: compare(name))
    for t in range(2):
        players.step(repeat(pairs()), t)
    assert moved == ["discriminator", "generator"] * 2
    assert set(srgan.terms()) == {"pixel", "content", "adversarial", "matching"}


@pytest.mark.parametrize("weight", ["content", "adversarial", "matching"])
def test_a_loss_without_its_part_is_refused(weight: str) -> None:
    config = SRGANConfig(**{"pixel": 1.0, "content": 0.0, "adversarial": 0.0, weight: 1.0})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=weight):
        SRGAN(SRResNet(SRResNet.Config(2, 4, 1)), None, None, config)


def edges(number: int, side: int) -> list[np.ndarray]:
    """Two colours and a straight, antialiased edge between them: what interpolation blurs."""
    rng = np.random.default_rng(number)
    place = (np.arange(4 * side) + 0.5) / 4 - side / 2
    squares = []
    for _ in range(number):
        angle, offset, colours = (
            rng.uniform(0, 2 * np.pi),
            rng.uniform(-side / 4, side / 4),
            rng.uniform(0, 255, (2, 3)),
        )
        beyond = np.cos(angle) * place + np.sin(angle) * place[:, None] > offset
        fine = np.where(beyond[..., None], *colours)
        squares.append(np.rint(fine.reshape(side, 4, side, 4, 3).mean((1, 3))).astype(np.uint8))
    return squares


def unit(squares: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255


def gains(generator: Network, train: Train, *, side: int, steps: int, learning_rate: float) -> tuple[float, float]:
    """Decibels above bicubic interpolation after the stage of pixels: to the original, and made small again."""
    known, unseen = edges(64, side), edges(32, side)
    data = Pairs(unit([bicubic(square, 2) for square in known]), unit(known))

    def draw() -> Pairs:
        chosen = torch.randint(len(known), (8,))
        return Pairs(data.low[chosen], data.high[chosen])

    config = SRGANConfig(pixel=1.0, content=0.0, adversarial=0.0, learning_rate=learning_rate)
    srgan = SRGAN(generator, None, None, config)
    train(srgan, draw, steps)
    small = [bicubic(square, 2) for square in unseen]
    with torch.no_grad():
        made = srgan.generator(unit(small)).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    rival = [np.asarray(Image.fromarray(s).resize((side, side), Image.Resampling.BICUBIC)) for s in small]

    def mean(images: Any, wanted: list[np.ndarray]) -> float:
        return float(np.mean([psnr(image, each, peak=255) for image, each in zip(images, wanted, strict=True)]))

    again = [mean([bicubic(image, 2) for image in images], small) for images in (made, rival)]
    return mean(made, unseen) - mean(rival, unseen), again[0] - again[1]


def test_the_stage_of_pixels_beats_bicubic_on_edges_and_keeps_to_the_input(train: Train) -> None:
    torch.manual_seed(0)
    to_original, to_input = gains(Upscaler(Upscaler.Config(2, 8, 2)), train, side=16, steps=200, learning_rate=5e-3)
    assert to_original > 0.1
    assert to_input > 0
