"""The inpainting generator: two classical fills made inside the graph, mixed and corrected by what is learnt.

The hole is first filled twice: smoothly by pull-push (Gortler et al. 1996, "The Lumigraph",
sec. 3.4.2), and with copies of known patches (``exemplar.py``). The one is right about colours, the
other about texture; the network decides place by place how much of each to take, and what to add.
It then works at half, quarter and eighth resolution only: the top of a network at full resolution
costs most and learns least. At an eighth, dilated residual blocks (Yu & Koltun 2016, arXiv:1511.07122)
and one attention layer that reads from known pixels alone carry what lies around the hole, and what
repeats far away, into it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.exemplar import exemplar_fill
from imgen.networks.network import Network
from imgen.networks.pull_push import pull_push


class Inpainter(Network):
    """Fill the hole of an image.

    Takes an image, N x 3 x H x W in 0..1 (the values inside the hole are ignored), and a mask,
    N x 1 x H x W, 1 = fill; H and W are multiples of 16. Gives the image with the hole filled,
    N x 3 x H x W in 0..1; outside the hole it equals the input exactly.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes of the network."""

        half: int = 32  # channels at half resolution
        quarter: int = 64  # channels at quarter resolution
        eighth: int = 192  # channels at eighth resolution
        blocks: int = 6  # dilated residual blocks at eighth resolution

    MULTIPLE = 16
    INPUTS = ("image", "mask")

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        half, quarter, eighth = config.half, config.quarter, config.eighth
        self.enter = nn.Sequential(nn.Conv2d(32, half, 3, padding=1), _act())
        self.down_quarter = nn.Sequential(nn.Conv2d(half, quarter, 4, 2, 1), _act(), Residual(quarter))
        self.down_eighth = nn.Sequential(nn.Conv2d(quarter, eighth, 4, 2, 1), _act())
        dilations = [(1, 2, 4, 8)[i % 4] for i in range(config.blocks)]
        middle = config.blocks // 2
        self.context = nn.Sequential(*(Residual(eighth, d) for d in dilations[:middle]))
        self.attention = KnownAttention(eighth)
        self.synthesis = nn.Sequential(*(Residual(eighth, d) for d in dilations[middle:]))
        self.up_quarter = nn.Sequential(nn.Conv2d(eighth, 4 * quarter, 1), nn.PixelShuffle(2))
        self.merge_quarter = nn.Sequential(nn.Conv2d(2 * quarter, quarter, 1), _act(), Residual(quarter))
        self.up_half = nn.Sequential(nn.Conv2d(quarter, 4 * half, 1), nn.PixelShuffle(2))
        self.merge_half = nn.Sequential(nn.Conv2d(2 * half, 2 * half, 3, padding=1), _act())
        # Three channels to add, one to mix by; zeros: before the first step the result is the mean of both fills.
        self.leave = nn.Sequential(_zero(nn.Conv2d(2 * half, 16, 3, padding=1)), nn.PixelShuffle(2))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Image and mask to the filled image."""
        rough = pull_push(image, mask)
        copied, trust = exemplar_fill(image, mask)
        half = self.enter(F.pixel_unshuffle(torch.cat([rough * 2 - 1, mask, copied * 2 - 1, trust], 1), 2))
        quarter = self.down_quarter(half)
        eighth = self.context(self.down_eighth(quarter))
        eighth = self.synthesis(self.attention(eighth, mask))
        quarter = self.merge_quarter(torch.cat([self.up_quarter(eighth), quarter], 1))
        half = self.merge_half(torch.cat([self.up_half(quarter), half], 1))
        learnt = self.leave(half)
        filled = rough + (0.5 + learnt[:, 3:]) * (copied - rough) + learnt[:, :3]
        known = image * (1 - mask)
        if not self.training:  # a clamp would stop the gradient of values that have to come back
            filled = no_more_colourful(filled.clamp(0, 1), known)
        return known + filled * mask


class Residual(nn.Module):
    """x + W2 act(W1 x): a dilated 3 x 3 convolution and a 1 x 1, of which the second starts at zero."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.act = _act()
        self.mix = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to the same shape."""
        return x + self.mix(self.act(self.spread(x)))


class KnownAttention(nn.Module):
    """Every place asks, only known places answer.

    Queries at the resolution of the features, keys and values at half of it (a quarter of the cost).
    A key's weight falls with the part of it that lies in the hole, so a hole is filled from what is
    known (the idea of contextual attention, Yu et al. 2018, arXiv:1801.07892, in one softmax).
    """

    SHARPNESS = 12.0  # of cosine similarities: as peaked over many places as over few, whatever the image's size

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Features N x C x H/8 x W/8 and the mask N x 1 x H x W to features."""
        pooled = F.avg_pool2d(x, 2)
        known = 1 - F.avg_pool2d(mask, 16)
        query = self.SHARPNESS * F.normalize(self.query(x), dim=1)
        key = F.normalize(self.key(pooled), dim=1)
        # One more channel, 1 in every query, adds the log of the known share to every score.
        query = torch.cat([query, torch.ones_like(query[:, :1])], 1).flatten(2)
        key = torch.cat([key, torch.log(known + 1e-3)], 1).flatten(2)
        weights = (query.transpose(1, 2) @ key).softmax(2)
        read = weights @ self.value(pooled).flatten(2).transpose(1, 2)
        return x + self.out(read.transpose(1, 2).reshape_as(x))


def no_more_colourful(filled: Tensor, known: Tensor) -> Tensor:
    """No more of a colour than is known: what is put into a grey picture is grey.

    Args:
        filled: N x 3 x H x W in 0..1.
        known: the same shape, zeros where it is unknown.

    Returns:
        ``filled``, each channel as far from what was the mean of the three as it is somewhere in ``known``, or less.
    """
    colour = known - known.mean(1, keepdim=True)
    least, most = colour.amin((2, 3), keepdim=True), colour.amax((2, 3), keepdim=True)
    light = filled.mean(1, keepdim=True)
    return light + torch.minimum(torch.maximum(filled - light, least), most)


def _act() -> nn.Module:
    return nn.LeakyReLU(0.2)


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution with all weights zero: what it adds to begins as it is."""
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv
