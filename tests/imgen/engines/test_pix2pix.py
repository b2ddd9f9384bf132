from collections.abc import Callable
from dataclasses import replace
from itertools import repeat

import pytest
import torch
from torch import Tensor, nn

from imgen.engines.pix2pix import Pix2Pix, Pix2PixConfig, Translation
from imgen.errors import UsageError
from imgen.networks.network import Network, Scored
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.unet import UNet

Train = Callable[..., list[dict[str, float]]]


class Remembering(Network):
    """A discriminator that says the same of everything, and knows what it was shown."""

    def __init__(self, logit: float = 0.0) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor) -> Scored:
        self.shown.append(image.detach())
        return Scored(self.logit.expand(len(image), 1), [])


def unet(inputs: int = 3, depth: int = 4, width: int = 4) -> UNet:
    torch.manual_seed(0)
    return UNet(UNet.Config(inputs, 3, width, depth))


def pairs(n: int = 2) -> Translation:
    return Translation(*torch.rand(2, n, 3, 16, 16, generator=torch.Generator().manual_seed(0)))


def test_the_discriminator_sees_input_and_result_together_in_minus_1_to_1() -> None:
    judge, (given, target) = Remembering(), pairs()
    list(Pix2Pix(unet(), judge, Pix2PixConfig()).step(repeat(pairs()), 0))
    real, fake, again = judge.shown
    torch.testing.assert_close(real, 2 * torch.cat([given, target], 1) - 1)
    torch.testing.assert_close(fake[:, :3], 2 * given - 1)
    assert torch.equal(fake, again)  # one result a step
    assert fake.min() >= -1


def test_the_losses_are_those_of_the_paper() -> None:
    """At a logit of 0 every cross entropy is log 2; the discriminator's two are halved."""
    engine = Pix2Pix(unet(), Remembering(), Pix2PixConfig())
    losses = dict(engine.step(repeat(pairs()), 0))  # type: ignore[arg-type]
    terms = engine.terms()
    assert losses["discriminator"].item() == pytest.approx(0.6931, rel=1e-3)
    assert terms["adversarial"] == pytest.approx(0.6931, rel=1e-3)
    assert losses["generator"].item() == pytest.approx(terms["l1"] + terms["adversarial"], rel=1e-5)


def test_without_a_discriminator_it_is_regression() -> None:
    engine, (given, target) = Pix2Pix(unet().eval(), None, Pix2PixConfig(adversarial=0.0)), pairs()
    ((name, loss),) = engine.step(repeat(pairs()), 0)
    assert name == "generator"
    made = 2 * engine.generator(given) - 1
    assert loss.item() == pytest.approx(100 * (made - (2 * target - 1)).abs().mean().item(), rel=1e-5)
    with pytest.raises(UsageError, match="wants a discriminator"):
        Pix2Pix(unet(), None, Pix2PixConfig())


COLOURS = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.6, 0.9], [0.3, 0.8, 0.2]])


def shapes(n: int) -> Translation:
    """Label maps of a rectangle and a disc, one-hot, and what they look like."""
    row, column = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    numbers = torch.zeros(n, 16, 16, dtype=torch.long)
    for image in numbers:
        top, left, y, x = torch.randint(1, 9, (4,)).tolist()
        image[top : top + 6, left : left + 6] = 1
        image[(row - y - 3) ** 2 + (column - x - 3) ** 2 <= 9] = 2
    labels = nn.functional.one_hot(numbers, 3).permute(0, 3, 1, 2).float()
    return Translation(labels, torch.einsum("nlhw,lc->nchw", labels, COLOURS))


def test_colours_are_learnt_from_label_maps(train: Train) -> None:
    generator = unet(width=8)
    judge = PatchGAN(replace(PIX2PIX, channels=6, width=8, depth=2))
    data = shapes(64)

    def draw() -> Translation:
        chosen = torch.randint(64, (4,))
        return Translation(data.input[chosen], data.target[chosen])

    train(Pix2Pix(generator, judge, Pix2PixConfig(learning_rate=5e-3)), draw, 80)
    given, target = shapes(32)
    with torch.no_grad():
        assert (generator(given) - target).abs().mean() < 0.05
