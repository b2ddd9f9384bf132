import pytest
import torch
from torch.nn import functional as F

from imgen.errors import UsageError
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet


def tiny(scale: int) -> SRResNet:
    torch.manual_seed(0)
    return SRResNet(SRResNet.Config(scale, width=4, blocks=2)).eval()


@pytest.mark.parametrize("scale", [2, 4])
def test_any_image_becomes_larger_by_the_scale(scale: int) -> None:
    assert tiny(scale)(torch.rand(2, 3, 5, 8)).shape == (2, 3, 5 * scale, 8 * scale)


def test_other_scales_are_refused() -> None:
    with pytest.raises(UsageError, match="2 or 4, got 3"):
        tiny(3)


def test_the_papers_sizes() -> None:
    """Counted from figure 4; a PReLU has one slope a channel, a batch norm two values."""
    enter, leave = 3 * 81 * 64 + 64 + 64, 64 * 81 * 3 + 3
    block = 2 * (64 * 9 * 64 + 128) + 64
    doubling = 64 * 9 * 256 + 256 + 64
    assert SRResNet().parameter_count() == enter + 16 * block + (64 * 9 * 64 + 128) + 2 * doubling + leave
    judge = SRGANDiscriminator(SRGANDiscriminator.Config(96))
    layers = [(level[0].out_channels, level[0].stride[0]) for level in judge.levels]
    assert layers == [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)]
    assert judge.score[1].weight.shape == (1024, 512 * 6 * 6)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_pixel_depends_on_the_radius_and_no_more(scale: int) -> None:
    net, size = tiny(scale), 41
    for parameter in net.parameters():  # positive weights cannot cancel
        parameter.data.abs_()
    image = torch.rand(1, 3, size, size, requires_grad=True)
    result = net(image)
    reach = []
    for pixel in range(scale * (size // 2), scale * (size // 2 + 1)):
        (grad,) = torch.autograd.grad(result[0, :, pixel, pixel].sum(), image, retain_graph=True)
        rows = grad[0].abs().sum((0, 2)).nonzero().flatten() - size // 2
        reach.append(max(-int(rows.min()), int(rows.max())))
    assert max(reach) == net.radius


def test_the_pixel_shuffle_moves_values_and_loses_none() -> None:
    x = torch.arange(1 * 12 * 2 * 3.0).reshape(1, 12, 2, 3)
    image = F.pixel_shuffle(x, 2)
    assert image.shape == (1, 3, 4, 6)
    assert image[0, 0, :2, :2].flatten().tolist() == x[0, :4, 0, 0].tolist()
    assert torch.equal(F.pixel_unshuffle(image, 2), x)


@pytest.mark.parametrize(("size", "left"), [(8, 4), (24, 6), (32, 4), (48, 6), (64, 4), (80, 5), (96, 6), (128, 4)])
def test_the_discriminator_halves_to_4_to_7(size: int, left: int) -> None:
    scored = SRGANDiscriminator(SRGANDiscriminator.Config(size, 1, 2, 8))(torch.rand(2, 1, size, size))
    assert scored.logits.shape == (2, 1)
    assert scored.features[-1].shape[-2:] == (left, left)


@pytest.mark.parametrize("size", [0, 4, 50, 100])
def test_sizes_it_cannot_halve_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"cannot halve {size}"):
        SRGANDiscriminator(SRGANDiscriminator.Config(size))


def test_no_batch_norm_next_to_the_pixels() -> None:
    judge = SRGANDiscriminator(SRGANDiscriminator.Config(16, 3, 2, 8))
    assert [isinstance(level[1], torch.nn.BatchNorm2d) for level in judge.levels] == [False, True, True, True]
