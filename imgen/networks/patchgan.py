"""The patch discriminator of pix2pix, with the features that a matching loss compares.

Reference: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
arXiv:1611.07004, sec. 3.2.2 and 6.1.2; spectral normalisation: Miyato et al. 2018, arXiv:1802.05957.
``PIX2PIX`` has the sizes of the reference. The default is smaller, and spectral normalisation takes the
place of batch statistics, which small batches make noisy.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from imgen.networks.layers import initialise_dcgan, norm
from imgen.networks.network import Network, Scored


class PatchGAN(Network):
    """Score overlapping patches of an image as real or fake: N x C x H x W to N x 1 x h x w logits."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "spectral", "instance", "batch", "layer" or "none"."""

        channels: int = 3  # of the image, plus those of what it is conditioned on
        width: int = 64  # features of the first convolution, doubled level by level up to ``widest`` times as many
        depth: int = 3  # strided levels; 1, 3, 5 with kernels of 4 make each score see 16, 70, 286 pixels each way
        norm: str = "spectral"
        kernel: int = 3  # of the two convolutions after the strided ones; 3 of these make 70 pixels 54
        widest: int = 4

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels]
        widths += [config.width * min(2**level, config.widest) for level in range(config.depth + 1)]
        named = "none" if config.norm == "spectral" else config.norm
        norms = ["none", *[named] * config.depth]  # not next to the pixels
        strided = [(4, 2)] * config.depth
        self.levels = nn.ModuleList(
            self._convolution(before, after, *kernel_stride, bias=each == "none")
            for (before, after), kernel_stride, each in zip(
                pairwise(widths), [*strided, (config.kernel, 1)], norms, strict=True
            )
        )
        self.score = self._convolution(widths[-1], 1, config.kernel, 1)
        self.norms = nn.ModuleList(norm(each, after) for each, after in zip(norms, widths[1:], strict=True))
        self.act = nn.LeakyReLU(0.2)
        if config.norm != "spectral":
            initialise_dcgan(self)

    def _convolution(self, before: int, after: int, kernel: int, stride: int, *, bias: bool = True) -> nn.Module:
        layer = nn.Conv2d(before, after, kernel, stride, 1, bias=bias)
        return spectral_norm(layer) if self.config.norm == "spectral" else layer

    @property
    def smallest(self) -> int:
        """Height and width, in pixels, that the images must have at least."""
        return (2 * self.config.kernel - 5) << self.config.depth

    def forward(self, image: Tensor) -> Scored:
        """Image, N x C x H x W, to logits and the features of each level."""
        features = []
        for level, normalise in zip(self.levels, self.norms, strict=True):
            image = self.act(normalise(level(image)))
            features.append(image)
        return Scored(self.score(image), features)


PIX2PIX = PatchGAN.Config(norm="instance", kernel=4, widest=8)
"""The 70 x 70 discriminator of the reference, but for the channels; batch norm of one image is instance norm."""
