from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.networks.unet import UNet

SMALL = UNet.Config(width=8, depth=4)


def network(config: UNet.Config = SMALL) -> UNet:
    torch.manual_seed(0)
    net = UNet(config).eval()
    for parameter in net.parameters():  # so that everything has a part in the result
        nn.init.normal_(parameter, 0, 0.2)
    return net


def image(n: int = 1, height: int = 16, width: int = 32) -> Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_the_sizes_of_the_paper() -> None:
    """54.4 million parameters; 256 pixels become one; the first level and the innermost one are not normalised."""
    with torch.device("meta"):
        net = UNet()
    assert round(net.parameter_count() / 1e6, 3) == 54.415
    assert (net.multiple, net.range) == (256, "unit")
    assert [part[0].out_channels for part in (level[1:] for level in net.down)] == [128, 256, *[512] * 5]
    assert [level[1].in_channels for level in net.up] == [512, 1024, 1024, 1024, 1024, 512, 256]
    assert isinstance(net.down[-1][2], nn.Identity)
    assert net.enter.bias is not None


@pytest.mark.parametrize("depth", [4, 5, 6])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_any_multiple_in_the_range_of_images(depth: int, norm: str) -> None:
    net = network(replace(SMALL, depth=depth, norm=norm, inputs=5, outputs=1))
    n = net.multiple
    for height, width in ((n, n), (n, 3 * n)):
        made = net(torch.rand(2, 5, height, width))
        assert made.shape == (2, 1, height, width)
        assert 0 <= made.min() <= made.max() <= 1


def test_instance_norm_is_batch_norm_of_single_images() -> None:
    instance, batch = network(), network(replace(SMALL, norm="batch"))
    batch.load_state_dict(instance.state_dict(), strict=False)
    noise = instance.noise(image())
    torch.testing.assert_close(instance(image(), noise), batch.train()(image(), noise))


def test_the_noise_is_drawn_in_training_and_given_in_use() -> None:
    net = network()
    ones = torch.ones_like(net.noise(image()))
    assert torch.equal(net(image()), net(image(), ones))
    made = [net.train()(image()) for _ in range(2)]
    assert not torch.equal(*made)
    torch.manual_seed(1)
    drawn = net(image())
    torch.manual_seed(1)
    torch.testing.assert_close(net.eval()(image(), net.noise(image())), drawn)


def test_the_noise_is_dropout() -> None:
    """Half of the values, and twice the others: their mean stays."""
    net = network(replace(SMALL, width=64))
    noise = net.noise(image(2, 64, 64))
    assert noise.shape == (2, 256, 32, 32)
    assert set(noise.unique().tolist()) == {0, 2}
    assert noise.mean().item() == pytest.approx(1, abs=0.02)
    assert set(network(replace(SMALL, dropout=0.0)).noise(image()).unique().tolist()) == {1}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_three_levels_have_it(level: int) -> None:
    """What only one of them reads changes the result."""
    net = network()
    noise = torch.ones_like(net.noise(image()))
    stride = 4 >> level
    rows = [row for row in range(0, noise.shape[2], stride) if row % (2 * stride) or level == 0]
    other = noise.clone()
    other[:, :, rows] = 0
    assert (net(image(), other) - net(image())).abs().max() > 0.01


@pytest.mark.parametrize("config", [UNet.Config(depth=3), UNet.Config(dropout=1.0)])
def test_what_cannot_be_is_refused(config: UNet.Config) -> None:
    with pytest.raises(UsageError, match=r"U-Net .* got"):
        UNet(config)
