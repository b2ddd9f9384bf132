"""A discriminator that first finds what was repaired, and judges by what it sees there.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 4.2, with the sizes of the authors' code. Differs: the dense layers see an
average over 4 x 4 parts of the image, so it may have any size; and on squares of pixels, as
``RaindropRemover`` has them, no layer is narrower than a square and the kernels are 3 x 3 instead of 5 x 5.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network


class Attended(NamedTuple):
    """What is said of N x 3 x H x W images, and by which places."""

    logits: Tensor  # N x 1: real or made; no sigmoid, the loss decides
    map: Tensor  # N x 1 x H x W: about 0 (as it was) to 1 (repaired), not clipped


class AttentiveDiscriminator(Network):
    """Images, N x 3 x H x W in 0..1, to ``Attended``; H and W multiples of the config's squares."""

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        squares: int = 1  # the side in pixels of what is taken for one
        width: int = 128  # channels where the map is made; a multiple of 16

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        width, packed = config.width, 3 * config.squares**2
        kernel = 5 if config.squares == 1 else 3
        widths = [packed, *(max(n, packed) for n in (width // 16, width // 8, width // 2)), *[width] * 3]
        self.find = nn.Sequential(*(_convolution(a, b, kernel) for a, b in pairwise(widths)))
        self.map = nn.Conv2d(width, config.squares**2, kernel, padding=kernel // 2)
        self.judge = nn.Sequential(
            *(_convolution(a, b, 5, 4) for a, b in pairwise((width, width // 2, width // 2, width // 4))),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(width // 4 * 4 * 4, 8 * width),
            nn.ReLU(),
            nn.Linear(8 * width, 1),
        )

    def forward(self, image: Tensor) -> Attended:
        """See the class."""
        found = self.find(F.pixel_unshuffle(image, self.config.squares))
        seen = self.map(found)
        return Attended(self.judge(found * seen.mean(1, keepdim=True)), F.pixel_shuffle(seen, self.config.squares))


def _convolution(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(before, after, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return nn.Sequential(layer, nn.ReLU())
