"""The patch discriminator of pix2pix, with the features that a matching loss compares.

Reference: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
arXiv:1611.07004, sec. 3.2.2; spectral normalisation: Miyato et al. 2018, arXiv:1802.05957.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from imgen.networks.network import Network, Scored


class PatchGAN(Network):
    """Score overlapping patches of an image as real or fake: N x C x H x W to N x 1 x h x w logits."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; spectral normalisation instead of batch statistics, which small batches make noisy."""

        channels: int = 3  # of the image, plus those of what it is conditioned on
        width: int = 64  # features of the first convolution, doubled level by level up to 4x
        depth: int = 3  # strided levels; 3 makes each score see 70 x 70 pixels

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels, *(config.width * min(2**level, 4) for level in range(config.depth))]
        self.levels = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1)) for before, after in pairwise(widths)
        )
        self.levels.append(spectral_norm(nn.Conv2d(widths[-1], widths[-1], 3, 1, 1)))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))
        self.act = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor) -> Scored:
        """Image, N x C x H x W, to logits and the features of each level."""
        features = []
        for level in self.levels:
            image = self.act(level(image))
            features.append(image)
        return Scored(self.score(image), features)
