"""The generator of pix2pix: halvings to a few pixels and back, with skips at every size.

Reference: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
arXiv:1611.07004, sec. 3.2.1 and 6.1.1, after Ronneberger et al. 2015, arXiv:1505.04597. Its noise is the
dropout of the first levels on the way up, which stays on when the network is used (sec. 3.2).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.lookup import find
from imgen.networks.instance_norm import InstanceNorm
from imgen.networks.layers import NORMS, initialise_dcgan
from imgen.networks.network import Network
from imgen.networks.translation_resnet import image_of

DROPPED = 3
"""Levels with dropout in the paper, the innermost of those on the way up."""


class UNet(Network):
    """N x inputs x H x W in 0..1 to N x outputs x H x W in 0..1; H and W multiples of ``multiple``.

    Raises:
        UsageError: the depth leaves no room for the levels with dropout, or all values are to be dropped.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "instance", which is what batch norm of single images is, "batch", "layer" or "none"."""

        inputs: int = 3
        outputs: int = 3
        width: int = 64  # channels at half the size, doubled at each halving up to 8 times as many
        depth: int = 8  # halvings; 8 take 256 pixels to one
        dropout: float = 0.5  # share of the values that become 0
        norm: str = "instance"
        dropped: int = DROPPED  # levels with dropout
        spared: int = 0  # innermost ones on the way up before those; 1 in the authors' own code for PyTorch

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        least = config.dropped + config.spared + 1
        if config.depth < least or not 0 <= config.dropout < 1:
            raise UsageError(f"a U-Net has a depth of at least {least} and a dropout of 0 to < 1, got {config}")
        self.config = config
        widths = [config.width * min(2**level, 8) for level in range(config.depth)]
        last = config.depth - 1
        self.enter = nn.Conv2d(config.inputs, widths[0], 4, 2, 1)
        self.down = nn.ModuleList(
            # One pixel has no statistics: the innermost level is not normalised.
            nn.Sequential(nn.LeakyReLU(0.2), *self._level(nn.Conv2d, before, after, normalised=level < last))
            for level, (before, after) in enumerate(pairwise(widths), 1)
        )
        rising = widths[::-1]
        self.up = nn.ModuleList(
            nn.Sequential(nn.ReLU(), *self._level(nn.ConvTranspose2d, before if level == 0 else 2 * before, after))
            for level, (before, after) in enumerate(pairwise(rising))
        )
        self.leave = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], config.outputs, 4, 2, 1))
        self.noise_channels = rising[1 + config.spared]
        initialise_dcgan(self)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return 1 << self.config.depth

    @property
    def noise_stride(self) -> int:
        """Pixels, each way, to a value of the noise."""
        return self.multiple >> (self.config.spared + self.config.dropped)

    def forward(self, image: Tensor, noise: Tensor | None = None) -> Tensor:
        """See the class.

        Args:
            image: N x inputs x H x W.
            noise: as ``noise`` draws it, or ones for none; if not given it is drawn in training, and is
                none in evaluation.
        """
        if noise is None and self.training:
            noise = self.noise(image)
        x, skips = self.enter(2 * image - 1), []
        first, last = self.config.spared, self.config.spared + self.config.dropped - 1
        for down in self.down:
            skips.append(x)
            x = down(x)
        for level, up in enumerate(self.up):
            x = up(x)
            if noise is not None and first <= level <= last:
                stride = 1 << (last - level)  # each level has its share of the same values
                x = x * noise[:, : x.shape[1], ::stride, ::stride].to(x.dtype)
            x = torch.cat([x, skips.pop()], 1)
        return image_of(self.leave(x))

    def noise(self, image: Tensor) -> Tensor:
        """What dropout multiplies by, drawn for images N x C x H x W: 0 or 1 / (1 - dropout).

        Returns:
            N x noise_channels x H / noise_stride x W / noise_stride.
        """
        kept, stride = 1 - self.config.dropout, self.noise_stride
        size = (len(image), self.noise_channels, image.shape[2] // stride, image.shape[3] // stride)
        return torch.rand(size, device=image.device).lt_(kept).div_(kept)

    def _level(
        self, kind: type[nn.Conv2d] | type[nn.ConvTranspose2d], before: int, after: int, *, normalised: bool = True
    ) -> tuple[nn.Module, ...]:
        name = self.config.norm if normalised else "none"
        layer = kind(before, after, 4, 2, 1, bias=name == "none")
        norm = InstanceNorm(after, affine=True) if name == "instance" else find(NORMS, name, "normalisation")(after)
        return layer, norm
