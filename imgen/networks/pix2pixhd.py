"""What pix2pixHD adds for large images: an enhancer around the generator, judges at several scales, instances.

Reference: Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional
GANs", arXiv:1711.11585, sec. 3. Its global generator is ``TranslationResNet`` with four halvings, its
encoder the same without blocks, followed by ``instance_mean``.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.instance_norm import NormalisedNetwork, Row, Statistics
from imgen.networks.network import Network, Scored
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.translation_resnet import (
    ResidualBlock,
    TranslationResNet,
    down,
    entrance,
    image_of,
    initialise,
    leaving,
    up,
)


class LocalEnhancer(NormalisedNetwork):
    """A generator at half the size, and one around it at the full size (sec. 3.2, fig. 3).

    N x inputs x H x W in 0..1 to N x outputs x H x W in 0..1; H and W multiples of ``multiple``. The features
    of the coarse generator before its last convolution are added to the fine one's at half the size.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes; at half the size the coarse generator has twice the width, so that features can be added."""

        inputs: int
        outputs: int = 3
        width: int = 32  # channels at full size
        blocks: int = 3  # at half the size
        coarse_blocks: int = 9
        coarse_downs: int = 4

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.coarse = TranslationResNet(
            TranslationResNet.Config(
                config.inputs, config.outputs, 2 * width, config.coarse_blocks, config.coarse_downs
            )
        )
        self.enter = Row(*entrance(config.inputs, width), *down(width, 2 * width))
        self.body = Row(*(ResidualBlock(2 * width) for _ in range(config.blocks)), *up(2 * width, width))
        self.leave = leaving(width, config.outputs)
        self.held = False  # whether the coarse generator stays as it is
        for part in (self.enter, self.body, self.leave):
            initialise(part)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return 2 * self.coarse.multiple

    @property
    def radius(self) -> int:
        """How many pixels beyond its own an output pixel depends on, but for the statistics of the norms."""
        after = 2 * 2 * self.config.blocks + 1 + 3  # the blocks, the way up and the last convolution
        coarse = 2 * (self.coarse.radius - 3) + 1  # without its last convolution; of averages of 3
        return max(coarse, 3 + 1) + after

    def generate(self, image: Tensor, statistics: Statistics | None) -> Tensor:
        """See the class."""
        coarse = self.coarse.features(halved(image), statistics)
        if self.held:
            coarse = coarse.detach()
        x = self.enter(2 * image - 1, statistics) + coarse
        return image_of(self.leave(self.body(x, statistics)))


class MultiscaleDiscriminator(Network):
    """The same kind of judge at the full size, at half of it and so on (sec. 3.2)."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; the authors' code has 2 scales."""

        channels: int = 3  # of the image, plus those of what it is conditioned on
        width: int = 64
        depth: int = 3
        scales: int = 3

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        judge = replace(PIX2PIX, channels=config.channels, width=config.width, depth=config.depth)
        self.judges = nn.ModuleList(PatchGAN(judge) for _ in range(config.scales))

    @property
    def smallest(self) -> int:
        """Height and width, in pixels, that the images must have at least."""
        coarsest = self.judges[-1]
        assert isinstance(coarsest, PatchGAN)
        return coarsest.smallest << (self.config.scales - 1)

    def forward(self, image: Tensor) -> list[Scored]:
        """Image, N x C x H x W, to what is said of it at each scale, from fine to coarse."""
        scored = []
        for scale, judge in enumerate(self.judges):
            image = halved(image) if scale else image
            scored.append(judge(image))
        return scored


def halved(image: Tensor) -> Tensor:
    """Averages over 3 x 3 pixels at every second place, N x C x H x W to half the size."""
    return F.avg_pool2d(image, 3, 2, 1, count_include_pad=False)


def instance_mean(features: Tensor, instances: Tensor) -> Tensor:
    """Each value replaced by the mean over its instance (sec. 3.4).

    Args:
        features: N x C x H x W.
        instances: N x 1 x H x W int64, 0 or more, the same at all places of an instance of an image.

    Returns:
        N x C x H x W.
    """
    n, channels = features.shape[:2]
    image = torch.arange(n, device=instances.device)[:, None, None, None]
    numbers = instances + image * (instances.max() + 1)  # those of two images differ
    _, index, counts = numbers.flatten().unique(return_inverse=True, return_counts=True)
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
    sums = rows.new_zeros(len(counts), channels).index_add(0, index, rows)
    means = (sums / counts[:, None])[index]
    return means.reshape(n, *features.shape[2:], channels).permute(0, 3, 1, 2)
