"""Who it is: an image to a code in which two images of one identity lie close, and to a score for each known one.

A residual network (He et al. 2016, arXiv:1512.03385, fig. 2) that halves the image down to 4 x 4, whose places one
dense layer reads, as faces are aligned (Chen et al. 2018, "MobileFaceNets", arXiv:1804.07573, sec. 3.1). Codes and the
classes' own directions are compared by their angle (Wang et al. 2018, "CosFace", arXiv:1801.09414, sec. 3.1).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.layers import norm
from imgen.networks.network import Network, Scored
from imgen.networks.scale import stages, width_at

SHARPNESS = 30.0
"""Of the softmax over cosines: what makes a right answer certain (arXiv:1801.09414, sec. 3.2)."""


class Recogniser(Network):
    """Image, N x C x S x S in -1..1, to logits, N x classes, and one feature: the code, N x D, of length sqrt D."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; without classes there are no logits (N x 0). ``norm`` is "batch", or "none" once it is folded in."""

        size: int
        channels: int = 3
        code: int = 128
        width: int = 16
        cap: int = 256
        classes: int = 0
        norm: str = "batch"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size, count = config.size, stages(config.size)
        widths = [config.channels, *(width_at(size >> i, size, config.width, config.cap) for i in range(1, count + 1))]
        # At half of the size there is much to compute and little to see: blocks begin below.
        self.levels = nn.Sequential(
            *(
                nn.Sequential(_halve(a, b, config.norm), *([_Residual(b, config.norm)] if i else []))
                for i, (a, b) in enumerate(pairwise(widths))
            )
        )
        self.read = nn.Conv2d(widths[-1], config.code, 4, bias=config.norm == "none")
        self.norm = norm(config.norm, config.code)
        self.directions = nn.Parameter(F.normalize(torch.randn(config.classes, config.code)))

    def forward(self, image: Tensor) -> Scored:
        """Logits are cosines, times ``SHARPNESS``."""
        code = self.code(image)
        cosines = F.normalize(code) @ F.normalize(self.directions).T
        return Scored(SHARPNESS * cosines, [code])

    def code(self, image: Tensor) -> Tensor:
        """N x D: the mean of the squares of each code is 1."""
        raw = self.norm(self.read(self.levels(image))).flatten(1)
        return F.normalize(raw) * math.sqrt(self.config.code)


class _Residual(nn.Module):
    def __init__(self, channels: int, norm_name: str) -> None:
        super().__init__()
        bias = norm_name == "none"
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            norm(norm_name, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            norm(norm_name, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def _halve(before: int, after: int, norm_name: str) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, 2, 1, bias=norm_name == "none")
    return nn.Sequential(convolution, norm(norm_name, after), nn.ReLU())
