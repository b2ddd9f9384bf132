import math
from itertools import repeat

import pytest
import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.ali import ALI
from imgen.engines.bigan import BiGAN
from imgen.losses.adversarial import NON_SATURATING
from imgen.networks.network import Scored
from imgen.networks.scale import Shape

PLANE = Shape(0, 2)


def batch(data: Tensor) -> Batch:
    return Batch(data, torch.zeros(len(data)), torch.arange(len(data)))


def build(kind: type[ALI] = ALI, shape: Shape = PLANE, **changes: float) -> ALI:
    torch.manual_seed(0)
    return kind.build(shape, kind.Config(**{"code": 2, "width": 4, **changes}))  # type: ignore[arg-type]


class Bilinear(nn.Module):
    """A discriminator that looks at every product of two values of the pair."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 4))

    def forward(self, datum: Tensor, code: Tensor) -> Scored:
        pair = torch.cat([datum, code], 1)
        return Scored(((pair @ self.weight) * pair).sum(1, keepdim=True), [])


def test_an_encoder_that_inverts_the_decoder_is_a_fixed_point() -> None:
    """G(z) = A z, E(x) = x / A, x ~ N(0, A A'): both kinds of pairs have one law, so D = 1/2 cannot be bettered."""
    torch.manual_seed(0)
    matrix = torch.tensor([[2.0, 0.5], [-0.3, 1.0]])
    decoder, encoder = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        decoder.weight.copy_(matrix)
        encoder.weight.copy_(matrix.inverse())
    engine = ALI(encoder, decoder, Bilinear(), BiGAN.Config(code=2))  # type: ignore[arg-type]
    n = 200_000
    (losses,) = engine.step(iter([batch(torch.randn(n, 2) @ matrix.T)]), 0)
    assert isinstance(losses, dict)
    for name in ("discriminator", "generator"):
        assert losses[name].item() == pytest.approx(2 * math.log(2), abs=1e-6)
    (grad,) = torch.autograd.grad(losses["discriminator"], engine.discriminator.weight, retain_graph=True)
    assert grad.abs().max() < 0.05  # on average; a wrong encoder shows at once
    with torch.no_grad():
        encoder.weight.mul_(-1)
    (losses,) = engine.step(iter([batch(torch.randn(n, 2) @ matrix.T)]), 0)
    (grad,) = torch.autograd.grad(losses["discriminator"], engine.discriminator.weight)  # type: ignore[index]
    assert grad.abs().max() > 1


def test_where_the_code_is_not_seen_it_is_a_gan() -> None:
    engine, real = build(), torch.randn(16, 2)
    engine.eval()  # no dropout
    with torch.no_grad():
        engine.discriminator.code.layers[-1][0].weight.zero_()
    torch.manual_seed(1)
    (losses,) = engine.step(repeat(batch(real)), 0)
    torch.manual_seed(1)
    fake = engine.decoder(engine.prior(16))
    code = torch.zeros(16, 2)
    wanted = NON_SATURATING.discriminator(*(engine.discriminator(x, code).logits for x in (real, fake)))
    assert losses["discriminator"].item() == pytest.approx(wanted.item(), abs=1e-6)  # type: ignore[index]


@pytest.mark.parametrize("kind", [ALI, BiGAN])
def test_data_and_codes_lead_to_each_other(train, kind: type[ALI]) -> None:  # type: ignore[no-untyped-def]
    """Of N(3, 0.5) on a line: samples come near it, and data keep their order through the code and back."""
    engine = build(kind, Shape(0, 1), code=1, learning_rate=2e-3)
    train(engine, lambda: 3 + 0.5 * torch.randn(64, 1), 500)
    data = 3 + 0.5 * torch.randn(1000, 1)
    back = engine.reconstruct(data)
    assert engine.sample(1000).mean().item() == pytest.approx(3, abs=0.6)
    assert torch.corrcoef(torch.cat([data, back], 1).T)[0, 1] > 0.9


@pytest.mark.parametrize("kind", [ALI, BiGAN])
def test_images(kind: type[ALI]) -> None:
    engine = build(kind, Shape(16, 1))
    image = torch.rand(3, 1, 16, 16) * 2 - 1
    (losses,) = engine.step(repeat(batch(image)), 0)
    assert set(losses) == {"discriminator", "generator"}
    engine.eval()
    assert engine.encode(image).shape == (3, 2)
    assert torch.equal(engine.encode(image), engine.encode(image))  # the mean, no draw
    assert engine.reconstruct(image).shape == image.shape
    assert engine.interpolate(image, image.flip(0), 4).shape == (3, 4, 1, 16, 16)


def test_only_ali_draws_codes() -> None:
    image = torch.randn(3, 2)
    ali, bigan = build().eval(), build(BiGAN).eval()
    assert not torch.equal(ali.infer(image), ali.infer(image))
    assert torch.equal(bigan.infer(image), bigan.infer(image))
