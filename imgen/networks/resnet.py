"""The residual pair of WGAN-GP at any power-of-two size.

Reference: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv:1704.00028,
appendices and code (CIFAR-10: width = cap = 128; 64 px: width 64, cap 512). Initialised as
He et al. 2015, arXiv:1502.01852, say.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.layers import OutputNetwork, norm, output, with_label
from imgen.networks.network import Network, Scored
from imgen.networks.scale import stages, width_at


class ResidualBlock(nn.Module):
    """shortcut(x) + conv(relu(norm(conv(relu(norm(x)))))), at twice, half or the same resolution."""

    def __init__(self, before: int, after: int, norm_name: str, resample: str) -> None:
        super().__init__()
        self.resample = resample
        self.shortcut = nn.Conv2d(before, after, 1) if before != after or resample != "same" else nn.Identity()
        self.first = nn.Sequential(norm(norm_name, before), nn.ReLU())
        self.spread = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Sequential(norm(norm_name, after), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """N x before x H x W to N x after x H' x W'."""
        inner = self.first(x)
        if self.resample == "up":
            x, inner = (F.interpolate(each, scale_factor=2.0, mode="nearest") for each in (x, inner))
        result = self.shortcut(x) + self.second(self.spread(inner))
        return F.avg_pool2d(result, 2) if self.resample == "down" else result


class ResNetGenerator(OutputNetwork):
    """Code, N x Z (and label, N), to an image, N x C x S x S."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "batch", "layer" or "none"; ``output`` is "tanh", "sigmoid" or "linear"."""

        size: int
        channels: int
        code: int
        width: int = 128
        cap: int = 128
        classes: int = 0
        norm: str = "batch"
        output: str = "tanh"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size = config.size
        widths = [width_at(size >> i, size, config.width, config.cap) for i in range(stages(size), 0, -1)]
        self.enter = nn.Linear(config.code + config.classes, widths[0] * 16)
        # A block keeps the width of the resolution that it reads.
        self.blocks = nn.Sequential(
            *(ResidualBlock(a, b, config.norm, "up") for a, b in pairwise([widths[0], *widths]))
        )
        self.last = nn.Sequential(
            norm(config.norm, widths[-1]), nn.ReLU(), nn.Conv2d(widths[-1], config.channels, 3, padding=1)
        )
        self.output = output(config.output)
        _initialise(self)

    def logits(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """The image before the output function."""
        start = self.enter(with_label(code, label, self.config.classes))
        return self.last(self.blocks(start.unflatten(1, (-1, 4, 4))))


class ResNetCritic(Network):
    """Image, N x C x S x S (and label, N), to N x outputs and one feature map a block.

    The image is halved down to 8 x 8, where the label joins as constant maps and two more blocks follow.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "none" or "layer": batch norm would void a gradient penalty on single samples."""

        size: int
        channels: int
        width: int = 128
        cap: int = 128
        classes: int = 0
        norm: str = "none"
        outputs: int = 1

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size, halvings = config.size, max(stages(config.size) - 1, 1)
        widths = [width_at(size >> i, size, config.width, config.cap) for i in range(1, halvings + 1)]
        self.enter = nn.Conv2d(config.channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(ResidualBlock(a, b, config.norm, "down") for a, b in pairwise([widths[0], *widths]))
        last = widths[-1]
        self.same = nn.ModuleList(
            ResidualBlock(before, last, config.norm, "same") for before in (last + config.classes, last)
        )
        self.score = nn.Linear(last, config.outputs)
        _initialise(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Scored:
        """Image to scores (unbounded) and features."""
        features: list[Tensor] = []
        x = self.enter(image)
        for block in self.down:
            x = block(x)
            features.append(x)
        x = with_label(x, label, self.config.classes)
        for block in self.same:
            x = block(x)
            features.append(x)
        return Scored(self.score(x.relu().mean((2, 3))), features)


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
