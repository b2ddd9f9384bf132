from collections.abc import Callable
from dataclasses import replace
from itertools import repeat

import pytest
import torch
from torch import Tensor, nn

from imgen.engines.cyclegan import CycleGAN, CycleGANConfig, Domains
from imgen.networks.network import Network, Scored
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.translation_resnet import TranslationResNet

Train = Callable[..., list[dict[str, float]]]


class Affine(Network):
    """A generator of two numbers, which counts the images that go through it."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([float(scale), float(offset)]))
        self.calls: list[int] = []

    def forward(self, image: Tensor) -> Tensor:
        self.calls.append(len(image))
        return self.numbers[0] * image + self.numbers[1]


class Brightness(Network):
    """A discriminator that says how bright an image is, and remembers what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.said: list[Tensor] = []

    def forward(self, image: Tensor) -> Scored:
        logits = self.scale * image.mean((1, 2, 3))[:, None]
        self.said.append(logits.detach())
        return Scored(logits, [])


def engine(there: Affine, back: Affine, **changes: float) -> CycleGAN:
    return CycleGAN(there, back, Brightness(), Brightness(), replace(CycleGANConfig(), **changes))  # type: ignore[arg-type]


def domains(n: int = 2) -> Domains:
    return Domains(*torch.rand(2, n, 3, 8, 8, generator=torch.Generator().manual_seed(0)))


def test_there_and_back_again_costs_nothing() -> None:
    cyclegan = engine(Affine(-1, 1), Affine(-1, 1))
    list(cyclegan.step(repeat(domains()), 0))
    assert cyclegan.terms()["cycle"] == pytest.approx(0, abs=1e-5)
    assert cyclegan.terms()["identity"] > 1


def test_where_nothing_is_to_be_changed_only_the_adversary_is_left() -> None:
    cyclegan, x = engine(Affine(1, 0), Affine(1, 0)), domains().x
    losses = dict(cyclegan.step(repeat(Domains(x, x)), 0))  # type: ignore[arg-type]
    terms = cyclegan.terms()
    assert terms["cycle"] == terms["identity"] == 0
    assert losses["generators"].item() == pytest.approx(terms["adversarial"])
    said = (2 * x - 1).mean((1, 2, 3))
    assert terms["adversarial"] == pytest.approx(2 * (said - 1).square().mean().item(), rel=1e-5)
    wanted = (said - 1).square().mean() + said.square().mean()  # of each discriminator, halved
    assert losses["discriminators"].item() == pytest.approx(wanted.item(), rel=1e-5)


def test_weights_are_those_of_images_in_minus_1_to_1() -> None:
    """x to x + 0.1 and back to x + 0.2: a cycle is 0.2 off, an identity 0.1, twice that there; both ways."""
    cyclegan = engine(Affine(1, 0.1), Affine(1, 0.1))
    list(cyclegan.step(repeat(domains()), 0))
    assert cyclegan.terms()["cycle"] == pytest.approx(10 * 2 * 0.4, rel=1e-4)
    assert cyclegan.terms()["identity"] == pytest.approx(0.5 * 10 * 2 * 0.2, rel=1e-4)


@pytest.mark.parametrize(("identity", "calls"), [(0.5, [4, 2]), (0.0, [2, 2])])
def test_each_generator_runs_twice_a_step(identity: float, calls: list[int]) -> None:
    there, back = Affine(1, 0), Affine(1, 0)
    cyclegan = engine(there, back, identity=identity)
    list(cyclegan.step(repeat(domains()), 0))
    assert there.calls == back.calls == calls
    assert ("identity" in cyclegan.terms()) == bool(identity)


def test_discriminators_are_told_by_the_pool_and_generators_by_what_is_new() -> None:
    torch.manual_seed(0)
    cyclegan = engine(Affine(1, 0), Affine(1, 0), pool=1)
    judge = cyclegan.judge_x
    assert isinstance(judge, Brightness)
    older = 0
    for number in range(20):
        x = torch.full((1, 3, 4, 4), number / 20)
        list(cyclegan.step(repeat(Domains(x, x)), number))
        new, (real, fake) = judge.said[-2], judge.said[-1]
        assert new.item() == real.item() == pytest.approx(number / 10 - 1, abs=1e-6)
        older += fake.item() < real.item()
    assert 3 < older < 17


def coloured(n: int, colour: list[float]) -> tuple[Tensor, Tensor]:
    """Rectangles of a colour on grey, and where they are."""
    mask = torch.zeros(n, 1, 16, 16)
    for image in mask:
        top, left, height, width = (torch.randint(1, 5, (4,)) * torch.tensor([1, 1, 2, 2]) + 2).tolist()
        image[:, top : top + height, left : left + width] = 1
    shade = torch.rand(n, 1, 1, 1) * 0.2 + 0.8
    return torch.lerp(torch.full((n, 3, 16, 16), 0.5), torch.tensor(colour)[:, None, None] * shade, mask), mask


def test_shapes_change_their_colour_and_stay_where_they_are(train: Train) -> None:
    torch.manual_seed(0)
    red, blue = [0.9, 0.1, 0.1], [0.1, 0.1, 0.9]
    (x, _), (y, _) = coloured(64, red), coloured(64, blue)
    generators = [TranslationResNet(TranslationResNet.Config(width=8, blocks=0, downs=1)) for _ in range(2)]
    judges = [PatchGAN(replace(PIX2PIX, width=8, depth=1)) for _ in range(2)]
    config = CycleGANConfig(identity=0.0, learning_rate=2e-3)

    def draw() -> Domains:
        return Domains(x[torch.randint(64, (2,))], y[torch.randint(64, (2,))])

    train(CycleGAN(*generators, *judges, config), draw, 150)
    unseen, mask = coloured(32, red)
    with torch.no_grad():
        made = generators[0](unseen)
    inside = (made * mask).sum((2, 3)) / mask.sum((2, 3))
    assert (inside[:, 2] > inside[:, 0] + 0.3).float().mean() > 0.9
    found = (made - 0.5).abs().amax(1, keepdim=True) > 0.2
    overlap = (found & (mask > 0)).sum() / (found | (mask > 0)).sum()
    assert overlap > 0.8
