import pytest
import torch
from torch import Tensor, nn

from imgen.networks.instance_norm import InstanceNorm, NormalisedNetwork, Statistics
from imgen.networks.translation_resnet import TranslationResNet
from tests.imgen.networks.reach import reach


def network(width: int = 4, blocks: int = 2, downs: int = 2) -> TranslationResNet:
    torch.manual_seed(0)
    return TranslationResNet(TranslationResNet.Config(width=width, blocks=blocks, downs=downs)).eval()


def statistics_of(net: NormalisedNetwork, image: Tensor) -> Tensor:
    """2 x S, of all images together."""
    return net.frozen(image)[1]


def test_the_sizes_of_the_paper() -> None:
    """The published network has 11.378 million parameters, with the biases that its norms take away again."""
    net = TranslationResNet()
    assert net.parameter_count() + net.statistics_size == 11_378_179
    assert (net.multiple, net.radius, net.range) == (4, 84, "unit")


def test_the_global_generator_of_pix2pixhd() -> None:
    """Four halvings, to 1024 channels; the published one for Cityscapes has 182.547 million parameters."""
    with torch.device("meta"):
        net = TranslationResNet(TranslationResNet.Config(inputs=36, downs=4))
    assert net.parameter_count() + net.statistics_size == 182_546_755
    assert (net.multiple, net.radius) == (16, 324)


def test_any_multiple_of_4_in_the_range_of_images() -> None:
    net = network()
    for height, width in ((8, 8), (12, 20), (36, 16)):
        with torch.no_grad():
            made = net(torch.rand(2, 3, height, width))
        assert made.shape == (2, 3, height, width)
        assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.parametrize(("blocks", "downs"), [(1, 1), (2, 2), (1, 3)])
def test_with_frozen_statistics_it_looks_as_far_as_its_radius(blocks: int, downs: int) -> None:
    net = network(2, blocks, downs)
    long = (2 * net.radius // net.multiple + 4) * net.multiple
    assert reach(net, torch.rand(1, 3, long, 2 * net.multiple), net.multiple) == net.radius


def test_with_its_own_statistics_it_sees_everything() -> None:
    net = network()
    image = torch.rand(1, 3, 96, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(image)[0, 0, 0, 0], image)
    assert gradient[0, :, -1].any()


@torch.no_grad()
def test_frozen_at_its_own_statistics_nothing_changes() -> None:
    net, image = network(), torch.rand(1, 3, 20, 24)
    own = statistics_of(net, image)
    assert own.shape == (2, net.statistics_size)
    for given in (own, None):
        made, measured = net.frozen(image, given)
        torch.testing.assert_close(made, net(image), atol=1e-5, rtol=0)
        torch.testing.assert_close(measured, own, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_images_together_are_as_one_image() -> None:
    net, image = network(), torch.rand(1, 3, 16, 48)
    parts = torch.cat(image.split(16, 3))
    layer = InstanceNorm(3)
    source = Statistics(None)
    torch.testing.assert_close(torch.cat(layer(parts, source).split(1), 3), layer(image), atol=1e-5, rtol=0)
    torch.testing.assert_close(source.measured, torch.stack([image.mean((0, 2, 3)), image.var((0, 2, 3), False)]))
    assert (statistics_of(net, parts) - statistics_of(net, image)).abs().max() < 0.5  # but for the borders


@torch.no_grad()
def test_a_window_with_the_statistics_of_the_whole_image_gives_that_part_of_it() -> None:
    net = network(4, 1)
    image = torch.rand(1, 3, 16, 112)
    image[..., 60:] /= 3
    own = statistics_of(net, image)
    radius = -(-net.radius // net.multiple) * net.multiple
    start, end = 48, 64
    window = image[..., start - radius : end + radius]
    made, _ = net.frozen(window, own)
    part = made[..., radius : radius + end - start]
    torch.testing.assert_close(part, net(image)[..., start:end], atol=1e-5, rtol=0)
    assert (net(window)[..., radius : radius + end - start] - part).abs().max() > 0.001  # without them: seams


def test_training_and_evaluation_give_the_same() -> None:
    net, image = network(), torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(net.train()(image), net.eval()(image))


def test_untrained_doublings_make_no_grid() -> None:
    """Of what does not change from place to place, all pixels are made alike."""
    torch.manual_seed(0)
    for doubling in (layer for layer in network().modules() if isinstance(layer, nn.ConvTranspose2d)):
        flat = torch.randn(1, doubling.in_channels, 1, 1).expand(-1, -1, 5, 6)
        inner = doubling(flat)[..., 1:-1, 1:-1]
        assert inner.std((0, 1)).min() > 0
        torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner))
