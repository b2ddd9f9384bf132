"""The network that finds faces of one range of sizes: each face as the place, size and roll of its middle.

As in CenterNet (Zhou et al. 2019, "Objects as Points", arXiv:1904.07850, sec. 3): a map of how much each place is the
middle of a face, and beside it what the face is like if it is one. There are no anchors. Differs: a face is a
similarity, which box and landmarks follow from; and there is one map for faces that are 3 to 8 places high. Larger ones
are found by looking at the image again at half its size, and so on, which costs a third more in all and makes every
face that is learnt from count for all sizes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network

STRIDE = 8
"""Pixels from one place of the maps to the next."""


class FaceDetector(Network):
    """Find faces in N x 3 x H x W images in 0..1; H and W are multiples of 8.

    Gives ``score``, N x 1 x H/8 x W/8 in 0..1: how sure it is that a face has its middle there; and ``pose``,
    N x 5 x H/8 x W/8, how that face lies: how far its middle is to the right of that of the place and how far below
    it, in places; the logarithm of its height in places; cosine and sine of its roll (clockwise), not of length 1.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        width: int = 48  # channels of the maps
        blocks: int = 4  # residual ones on them

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Sequential(
            *_convolution(3, 16, stride=2), *_convolution(16, 32, stride=2), *_convolution(32, width, stride=2)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*_convolution(width, width), *_convolution(width, width)[:-1]) for _ in range(config.blocks)
        )
        self.leave = nn.Sequential(*_convolution(width, width))
        self.score = nn.Conv2d(width, 1, 1)
        self.pose = nn.Conv2d(width, 5, 1)
        for head, start in ((self.score, (-4.0,)), (self.pose, (0.0, 0.0, 1.6, 1.0, 0.0))):
            assert head.bias is not None
            nn.init.normal_(head.weight, 0, 0.01)
            with torch.no_grad():
                head.bias.copy_(torch.tensor(start))  # rare, as high as five places, upright

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return STRIDE

    @property
    def radius(self) -> int:
        """How many pixels beyond those of its own place a place of the maps depends on."""
        return 1 + 2 + 4 + STRIDE * (2 * self.config.blocks + 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits, pose = self.maps(image)
        return torch.sigmoid(logits), pose

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The same before the sigmoid, as losses want it."""
        x = self.enter(image * 2 - 1)
        for block in self.blocks:
            x = F.relu(x + block(x))
        x = self.leave(x)
        return self.score(x), self.pose(x)


def _convolution(before: int, after: int, stride: int = 1) -> tuple[nn.Module, nn.Module, nn.Module]:
    layer = nn.Conv2d(before, after, 3, stride, 1, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer, nn.BatchNorm2d(after), nn.ReLU()
