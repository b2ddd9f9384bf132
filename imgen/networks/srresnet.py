"""The pair of SRGAN: the residual generator SRResNet, at any size, and the discriminator of square crops.

Reference: Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network", arXiv:1609.04802, sec. 2.1 and fig. 4. All residual blocks work at low resolution;
pixel shuffles (Shi et al. 2016, arXiv:1609.05158) then double it once or twice.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.networks.network import Network, Scored
from imgen.networks.scale import width_at


class SRResNet(Network):
    """N x 3 x H x W in 0..1 to N x 3 x scale*H x scale*W, about 0..1; any H and W.

    There is no output function. As in sec. 3.2, what goes in is 0..1 and what the last layer gives -1..1.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        scale: int = 4  # 2 or 4
        width: int = 64
        blocks: int = 16

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        if config.scale not in {2, 4}:
            raise UsageError(f"the scale of SRResNet is 2 or 4, got {config.scale}")
        self.config = config
        width = config.width
        self.enter = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU(width))
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(config.blocks)), *_normalised(width))
        self.rise = nn.Sequential(*(_doubling(width) for _ in range(config.scale.bit_length() - 1)))
        self.leave = nn.Conv2d(width, 3, 9, padding=4)

    @property
    def radius(self) -> int:
        """How many input pixels beyond its own an output pixel depends on, in evaluation mode."""
        return 4 + 2 * self.config.blocks + 1 + 3  # the layers after the first doubling reach 3, at either scale

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        x = self.enter(image)
        return (self.leave(self.rise(x + self.blocks(x))) + 1) / 2


class SRGANDiscriminator(Network):
    """Image, N x C x S x S, to N x 1 logits and one feature map a convolution.

    Halved as often as leaves 4 x 4 to 7 x 7 (the paper's 96 x 96 becomes 6 x 6), then read by two dense layers.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        size: int
        channels: int = 3
        width: int = 64
        cap: int = 512  # channels at most; the dense layer has twice as many units

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size, halvings = config.size, config.size.bit_length() - 3
        if halvings < 1 or size % (1 << halvings):
            raise UsageError(f"this discriminator cannot halve {size} down to 4..7; choose 32, 48, 64, 96, 128 ...")
        widths = [width_at(size >> i, size, config.width, config.cap) for i in range(1, halvings + 1)]
        layers: list[nn.Module] = []
        for before, after in pairwise([config.channels, *widths]):
            layers += [_level(before, after, 1, first=not layers), _level(after, after, 2)]
        self.levels = nn.ModuleList(layers)
        self.score = nn.Sequential(
            nn.Flatten(),
            nn.Linear(widths[-1] * (size >> halvings) ** 2, 2 * config.cap),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * config.cap, 1),
        )

    def forward(self, image: Tensor) -> Scored:
        """Image to logits and features."""
        features: list[Tensor] = []
        for level in self.levels:
            image = level(image)
            features.append(image)
        return Scored(self.score(image), features)


class _Block(nn.Module):
    """x + norm(conv(prelu(norm(conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(*_normalised(width), nn.PReLU(width), *_normalised(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def _normalised(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)


def _doubling(width: int) -> nn.Sequential:
    """Twice the resolution."""
    return nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU(width))


def _level(before: int, after: int, stride: int, *, first: bool = False) -> nn.Sequential:
    """Convolution, batch norm (but for the first: not next to the pixels), activation."""
    convolution = nn.Conv2d(before, after, 3, stride, 1, bias=first)
    norm = nn.Identity() if first else nn.BatchNorm2d(after)
    return nn.Sequential(convolution, norm, nn.LeakyReLU(0.2))
