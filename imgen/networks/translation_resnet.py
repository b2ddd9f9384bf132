"""The residual generator of CycleGAN.

Reference: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", arXiv:1703.10593, sec. 7.2, after Johnson et al. 2016, arXiv:1603.08155: the image is halved
twice, goes through residual blocks and is doubled twice. With four halvings it is the global generator of
pix2pixHD (Wang et al. 2018, arXiv:1711.11585, sec. 3.1), and with four and no blocks its encoder.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.networks.instance_norm import InstanceNorm, Normalised, NormalisedNetwork, Row, Statistics
from imgen.networks.layers import initialise_dcgan, precise
from imgen.networks.winograd import Convolution3x3


class TranslationResNet(NormalisedNetwork):
    """N x inputs x H x W in 0..1 to N x outputs x H x W in 0..1; H and W multiples of ``multiple``."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; the paper has 9 blocks, and 6 for images of 128 x 128."""

        inputs: int = 3
        outputs: int = 3
        width: int = 64  # channels at full size, doubled at each halving
        blocks: int = 9
        downs: int = 2  # halvings

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        if config.downs < 1 or config.blocks < 0:
            raise UsageError(f"this network has at least one halving and no less than 0 blocks, got {config}")
        self.config = config
        width, middle = config.width, config.width << config.downs
        widths = [width << level for level in range(config.downs)]
        self.body = Row(
            *entrance(config.inputs, width),
            *(layer for each in widths for layer in down(each, 2 * each)),
            *(ResidualBlock(middle) for _ in range(config.blocks)),
            *(layer for each in reversed(widths) for layer in up(2 * each, each)),
        )
        self.leave = leaving(width, config.outputs)
        initialise(self)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return 1 << self.config.downs

    @property
    def radius(self) -> int:
        """How many pixels beyond its own an output pixel depends on, but for the statistics of the norms."""
        scale = self.multiple
        # Convolutions of 7 at both ends; of 3 on the way down (1 + 2 + ...), in the blocks and on the way up.
        return 3 + (scale - 1) + 2 * self.config.blocks * scale + (scale - 1) + 3

    def generate(self, image: Tensor, statistics: Statistics | None) -> Tensor:
        """See the class."""
        return image_of(self.leave(self.features(image, statistics)))

    def features(self, image: Tensor, statistics: Statistics | None) -> Tensor:
        """What the last convolution makes the image of: N x width x H x W."""
        return self.body(2 * image - 1, statistics)


class ResidualBlock(Normalised):
    """x + norm(conv(relu(norm(conv(x))))), the borders reflected."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = Row(*_same(channels, channels, 3), nn.ReLU(), *_same(channels, channels, 3))

    def forward(self, x: Tensor, statistics: Statistics | None = None) -> Tensor:
        """N x C x H x W to the same shape."""
        return x + self.inner(x, statistics)


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """As the authors of pix2pix do, but every doubling begins as an interpolation.

    Of what a doubling by kernels of 3 x 3 makes, a quarter of the pixels is of one weight each, a quarter of four:
    random weights make a grid, which training has to take away again.
    """
    initialise_dcgan(network)
    tent = torch.tensor([0.5, 1.0, 0.5])
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            layer.weight.copy_(layer.weight[..., 1:2, 1:2] * tent[:, None] * tent)


def entrance(inputs: int, width: int) -> tuple[nn.Module, ...]:
    """From an image to features, N x width x H x W."""
    return (*_same(inputs, width, 7), nn.ReLU())


def down(before: int, after: int) -> tuple[nn.Module, ...]:
    """To half the size."""
    return nn.Conv2d(before, after, 3, 2, 1, bias=False), InstanceNorm(after), nn.ReLU()


def up(before: int, after: int) -> tuple[nn.Module, ...]:
    """To twice the size."""
    layer = nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1, bias=False)
    return layer, InstanceNorm(after), nn.ReLU()


def leaving(width: int, outputs: int) -> nn.Sequential:
    """From features to what ``image_of`` takes."""
    return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, outputs, 7))


def image_of(x: Tensor) -> Tensor:
    """The images, in 0..1, of what a last layer gave."""
    return (torch.tanh(precise(x)) + 1) / 2


def _same(before: int, after: int, kernel: int) -> tuple[nn.Module, ...]:
    """At the same size. The norm takes any bias of the convolution away again, so it has none."""
    layer = Convolution3x3(before, after) if kernel == 3 else nn.Conv2d(before, after, kernel, bias=False)
    return nn.ReflectionPad2d(kernel // 2), layer, InstanceNorm(after)
