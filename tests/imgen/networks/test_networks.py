"""What holds for every network of the kit: shapes at any size, labels, ranges, isolation of samples."""

import pytest
import torch

from imgen.errors import UsageError
from imgen.networks import ConvDecoder, ConvDiscriminator, ConvEncoder, ResNetCritic, ResNetGenerator
from imgen.networks.default import decoder, discriminator, encoder, joint_discriminator
from imgen.networks.layers import with_label
from imgen.networks.mlp import MLP
from imgen.networks.scale import Shape, stages, width_at

SHAPES = [Shape(8, 1, 3), Shape(16, 3, 3), Shape(64, 1, 3), Shape(0, 2, 3)]
LABEL = torch.tensor([0, 2, -1])


def data(shape: Shape, n: int = 3) -> torch.Tensor:
    return torch.randn(n, shape.channels, *[shape.size] * 2) if shape.size else torch.randn(n, shape.channels)


@pytest.mark.parametrize(("size", "n"), [(8, 1), (16, 2), (64, 4), (256, 6)])
def test_stages(size: int, n: int) -> None:
    assert stages(size) == n


@pytest.mark.parametrize("size", [0, 4, 12, 63, -8])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"got {size}"):
        stages(size)


def test_widths_of_dcgan() -> None:
    assert [width_at(r, 64, 64, 512) for r in (32, 16, 8, 4)] == [64, 128, 256, 512]
    assert width_at(4, 256, 64, 512) == 512


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("conditional", [False, True])
def test_default_networks_fit_together(shape: Shape, conditional: bool) -> None:
    torch.manual_seed(0)
    x = data(shape)
    label = LABEL if conditional else None
    code = encoder(shape, 5, width=4, conditional=conditional)(x, label)
    assert code.shape == (3, 5)
    fake = decoder(shape, 5, width=4, conditional=conditional)(code, label)
    assert fake.shape == x.shape
    scored = discriminator(shape, width=4, outputs=2, conditional=conditional)(fake, label)
    assert scored.logits.shape == (3, 2)
    assert joint_discriminator(shape, 5, width=4)(fake, code).logits.shape == (3, 1)
    assert scored.features[-1].shape[0] == 3
    if shape.size:
        assert [f.shape[-1] for f in scored.features] == [shape.size >> i for i in range(1, stages(shape.size) + 1)]


@pytest.mark.parametrize("size", [8, 16, 32])
def test_residual_pair(size: int) -> None:
    generator = ResNetGenerator(ResNetGenerator.Config(size, 3, 5, 8, 16, classes=3))
    critic = ResNetCritic(ResNetCritic.Config(size, 3, 8, 16, classes=3, outputs=2))
    fake = generator(torch.randn(3, 5), LABEL)
    assert fake.shape == (3, 3, size, size)
    assert fake.abs().max() <= 1
    scored = critic(fake, LABEL)
    assert scored.logits.shape == (3, 2)
    assert scored.features[-1].shape[-1] == (8 if size > 8 else 4)


def test_the_paper_sizes() -> None:
    assert sum(p.numel() for p in ConvDecoder(ConvDecoder.Config(64, 3, 100)).parameters()) == 3_576_704 + 3
    assert ConvDiscriminator(ConvDiscriminator.Config(64, 3)).parameter_count() == 2_765_568 + 64 + 1
    blocks = ResNetGenerator(ResNetGenerator.Config(32, 3, 128)).blocks
    assert [block.spread.weight.shape[:2] for block in blocks] == [(128, 128)] * 3


def test_dcgan_initialisation() -> None:
    torch.manual_seed(0)
    for net in (ConvDecoder(ConvDecoder.Config(32, 3, 16)), ConvEncoder(ConvEncoder.Config(32, 3, 16))):
        for module in net.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
            elif isinstance(module, torch.nn.BatchNorm2d):
                assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.4)


def test_no_batch_norm_next_to_the_pixels() -> None:
    def norms(module: torch.nn.Module) -> int:
        return sum(isinstance(m, torch.nn.BatchNorm2d) for m in module.modules())

    judge = ConvDiscriminator(ConvDiscriminator.Config(32, 3, 8))
    assert [norms(level) for level in judge.descent.levels] == [0, 1, 1]
    maker = ConvDecoder(ConvDecoder.Config(32, 3, 8, 8))
    assert norms(maker) == 3
    assert norms(maker.last) == 0


@pytest.mark.parametrize(("output", "images", "low"), [("tanh", "signed", -1), ("sigmoid", "unit", 0)])
@pytest.mark.parametrize("kind", [ConvDecoder, ResNetGenerator])
def test_range(kind: type[ConvDecoder] | type[ResNetGenerator], output: str, images: str, low: int) -> None:
    net = kind(kind.Config(16, 1, 4, 8, output=output))  # type: ignore[arg-type]
    code = 100 * torch.randn(8, 4)
    assert net.range == images
    assert low <= net(code).min()
    assert net(code).max() <= 1
    assert torch.equal(net.output(net.eval().logits(code)), net(code))


@pytest.mark.parametrize("norm", ["layer", "none"])
@pytest.mark.parametrize("kind", [ConvDiscriminator, ResNetCritic])
def test_without_batch_norm_samples_do_not_see_each_other(kind: type[ConvDiscriminator], norm: str) -> None:
    torch.manual_seed(0)
    net = kind(kind.Config(16, 1, 4, norm=norm))
    x = torch.randn(3, 1, 16, 16, requires_grad=True)
    (grad,) = torch.autograd.grad(net(x).logits[0].sum(), x)
    assert grad[0].any()
    assert not grad[1:].any()


def test_the_judgement_of_a_pair_is_no_sum_of_two() -> None:
    """What the label changes must depend on the image, or a mismatch could not be seen."""
    torch.manual_seed(0)
    net = ConvDiscriminator(ConvDiscriminator.Config(16, 1, 8, classes=2, norm="none"))
    for parameter in net.parameters():
        parameter.data *= 10
    x, zero, one = torch.randn(2, 1, 16, 16), torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)
    effect = net(x, one).logits - net(x, zero).logits
    assert (effect[0] - effect[1]).abs() > 1e-3 * effect.abs().max()  # of a sum: 0, but for rounding


def test_labels() -> None:
    x = torch.randn(3, 2, 4, 4)
    both = with_label(x, LABEL, 3)
    assert torch.equal(both[:, :2], x)
    assert both[:, 2:, 1, 3].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]  # -1 is unknown
    assert with_label(x, LABEL, 0) is x
    with pytest.raises(UsageError, match="conditional"):
        with_label(x, None, 3)


def test_unknown_parts_are_named() -> None:
    with pytest.raises(UsageError, match="activation"):
        MLP(MLP.Config(2, 2, activation="rleu"))
    with pytest.raises(UsageError, match="normalisation"):
        MLP(MLP.Config(2, 2, norm="layer"))
