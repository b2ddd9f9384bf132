"""The network that takes raindrops off: first it finds them, then it paints what they hide.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 3 and 4.1. ``PAPER`` has its sizes. The default works on squares of 2 x 2
pixels in place of pixels and takes a tenth of the multiplications; what is a dilation of 16 pixels there is one of
8 squares here. It looks at the image once, with a small U-Net, and each step of the recurrence, on squares of 8 x 8,
looks at what that has seen; then it sharpens its map on those of 2 x 2. In use it finds drops in the image and in its
mirror image, and takes the mean of both maps; and does so once more at half the size, where a drop that is larger and
farther out of focus than any it learnt by is one of those. Its auto-encoder is made of residual blocks.
Differs from the paper, too: ReLUs are leaky; and what the auto-encoder gives is not the image but a gain and an offset
for each of its values, and a second pair, which counts as far as the map says drop. A drop out of focus takes contrast
away and adds light, so that both are smooth where the image is not; of a drop in focus the map has the shape. What lets
no light through has nothing to amplify: there the auto-encoder says how much to take of what is around, a smooth fill
from where the map says clear. Amid plain ground, a road or a wall, where the least cast of colour shows, that fill is
the best there is and taken whole. And an untrained auto-encoder changes nothing else.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.look import Look
from imgen.networks.network import Network
from imgen.networks.pull_push import pull_push
from imgen.networks.squares import SLOPE, Block, convolution, nothing

HALVINGS, REACHES = 3, (1, 2, 4)
"""Of the fill: 8 squares are a place of its coarsest level, and beyond the sum of the reaches it is grey."""


class Removal(NamedTuple):
    """What the network makes of N x 3 x H x W images, with what its losses want to see on the way."""

    frames: tuple[Tensor, Tensor, Tensor]  # the clean image at a quarter, at half and at the full size, about 0..1
    maps: list[Tensor]  # the attention after each step, N x 1 x H x W: about 0 (clear) to 1 (drop)
    filled: Tensor | None  # how much of the fill the auto-encoder takes, N x 1 x H x W: about 0..1; None without one


class RaindropRemover(Network):
    """N x 3 x H x W in 0..1 to the same without drops and to where they were; H and W multiples of ``multiple``."""

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        squares: int = 2  # the side in pixels of what is taken for one; 1: the paper
        look: int = 24  # channels of the U-Net that looks at the image, once; 0: each step looks itself: the paper
        deep: int = 3  # residual blocks at each of its coarser sizes
        attention: int = 32  # channels of the attentive-recurrent network
        blocks: int = 1  # residual ones in it
        steps: int = 4  # of the recurrence; 0: no attention, for comparisons
        mirrored: bool = True  # looks at the image mirrored, too, but where it learns; False: the paper
        halved: float = 0.6  # how far the map rises to what it sees at half the size, but where it learns; 0: the paper
        width: int = 32  # channels of the auto-encoder at full size
        rounds: int = 2  # of dilations in the auto-encoder
        fill: bool = True  # the auto-encoder sees, and may take, what is around drops; False: the paper
        plain: float = 10.0  # grey levels by which colours around a drop may vary for the fill to be taken; 0: none may
        residual: bool = True  # blocks of the auto-encoder add to what they are given; False: the paper

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        if config.steps:
            self.attend = AttentiveRecurrent(config)
        self.paint = ContextualAutoencoder(config)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        config = self.config
        if not config.steps:
            return 4 * config.squares
        finest = 8 if config.look or config.fill else 4
        return finest * config.squares * (2 if config.halved else 1)

    @property
    def radius(self) -> int:
        """How many pixels beyond its own an output pixel depends on."""
        looked = self.attend.reach * (2 if self.config.halved else 1) if self.config.steps else 0
        filled = 2**HALVINGS * (sum(REACHES) + 2) if self.paint.fill else 0
        return self.config.squares * (self.paint.reach + filled + looked + 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The clean image, and the last attention map clipped to 0..1."""
        removal, attention = self._unroll(image)
        return removal.frames[-1], attention if removal.maps else torch.ones_like(image[:, :1])

    def find(self, image: Tensor) -> list[Tensor]:
        """The map after each step of images N x 3 x H x W, N x 1 x H x W: the first half of the work."""
        return self._find(_centred(image))

    def _find(self, centred: Tensor) -> list[Tensor]:
        if not self.config.steps:
            return []
        if self.attend.training:
            learning: list[Tensor] = self.attend(centred)
            return learning
        maps = self._look(centred)
        if self.config.halved:
            coarse = [_doubled(each) for each in self._look(F.avg_pool2d(centred, 2))]
            maps = [fine + self.config.halved * F.relu(far - fine) for fine, far in zip(maps, coarse, strict=True)]
        return maps

    def _look(self, centred: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.attend(centred)
        if self.config.mirrored:
            mirrored = self.attend(centred.flip(3))
            maps = [(one + other.flip(3)) / 2 for one, other in zip(maps, mirrored, strict=True)]
        return maps

    def unroll(self, image: Tensor, shown: Tensor | None = None) -> Removal:
        """Every step of it. Without steps there are no maps.

        Args:
            image: N x 3 x H x W.
            shown: where the drops of the first ones are, M x 1 x H x W: what the auto-encoder sees in place of its map.
        """
        return self._unroll(image, shown)[0]

    def _unroll(self, image: Tensor, shown: Tensor | None = None) -> tuple[Removal, Tensor]:
        """The same, and the last map clipped to 0..1: once, for the exporter stumbles over a value clipped twice."""
        centred = _centred(image)
        maps = self._find(centred)
        seen = maps[-1] if maps else torch.zeros_like(image[:, :1])
        if maps and shown is not None:
            seen = torch.cat([shown.to(seen.dtype), seen[len(shown) :]])
        attention = seen.clamp(0, 1)
        around = plain = None
        if self.paint.fill:
            around, plain = self._around(image, attention)
        quarter, half, full = self.paint(torch.cat([centred, seen], 1), around)
        everywhere, hidden, opaque = full[:, :6], full[:, 6:12], full[:, 12:]
        light = (quarter, half, everywhere + attention * hidden)
        halved = F.avg_pool2d(image, 2)
        scales = (F.avg_pool2d(halved, 2), halved, image)
        small, middle, large = (_lit(x, y) for x, y in zip(scales, light, strict=True))
        filled = None
        if around is not None:
            filled, wide = attention * opaque, _resized(around, image)
            large = large + filled * (wide - large)
        if plain is not None:
            large = large + attention * _resized(plain, image) * (wide - large)
        return Removal((small, middle, large), maps, filled), attention

    def _around(self, image: Tensor, attention: Tensor) -> tuple[Tensor, Tensor | None]:
        """What is clear, and a smooth fill from it of what is not, on squares: N x 3 x H/s x W/s in 0..1.

        And how plain what it was filled from is, N x 1 x H/s x W/s in 0..1: 1 where it is of one colour.
        """
        squares = self.config.squares
        clear = (1 - F.avg_pool2d(attention, squares)) ** 4
        known, most = F.avg_pool2d(image, squares), self.config.plain / 255
        if not most:
            return pull_push(known, 1 - clear, HALVINGS, REACHES), None
        mean, power = pull_push(torch.cat([known, known**2], 1), 1 - clear, HALVINGS, REACHES).chunk(2, 1)
        variance = (power - mean**2).clamp(min=0).mean(1, keepdim=True)
        return mean, torch.exp(-variance / most**2)


def _centred(image: Tensor) -> Tensor:
    """So that the zeros of the padding are grey."""
    return image - 0.5


def _doubled(image: Tensor) -> Tensor:
    return F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)


def _resized(squares: Tensor, image: Tensor) -> Tensor:
    return F.interpolate(squares, image.shape[2:], mode="bilinear", align_corners=False)


def _lit(image: Tensor, light: Tensor) -> Tensor:
    """An image with other contrast and other light, by the gain (less 1) and the offset of each of its values."""
    gain, offset = light.chunk(2, 1)
    return image + gain * image + offset


class AttentiveRecurrent(nn.Module):
    """Sec. 4.1: the same convolutions look several times at the image and at where the drops were thought to be."""

    def __init__(self, config: RaindropRemover.Config) -> None:
        super().__init__()
        width, before = config.attention, 3 * config.squares**2
        self.steps, self.width, self.first, self.squares = config.steps, width, config.squares, config.squares
        reach = config.steps * (2 * config.blocks + 3)
        self.look: Look | None = None
        if config.look:
            self.look = Look(before, config.look, config.deep)
            self.tell = nn.ConvTranspose2d(width, config.look, 4, 4)
            self.sharpen = nothing(config.look, config.squares**2)
            before, self.squares = 4 * config.look, 4 * config.squares
            reach = 4 * reach + self.look.reach + 4
        self.reach, packed = reach, self.squares**2
        self.enter = convolution(before + packed, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(config.blocks))
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)  # of the convolutional LSTM, eq. 3
        self.leave = nn.Conv2d(width, packed, 3, padding=1)
        nn.init.kaiming_normal_(self.gates.weight, nonlinearity="linear")
        assert self.gates.bias is not None
        nn.init.ones_(self.gates.bias[width : 2 * width])  # so that it remembers, to begin with

    def forward(self, image: Tensor) -> list[Tensor]:
        """The map after each step, N x 1 x H x W, of images N x 3 x H x W."""
        fine: Tensor | None = None
        image = F.pixel_unshuffle(image, self.first)
        if self.look is not None:
            image, fine = self.look(image)
        seen = torch.full_like(image[:, :1], 0.5).expand(-1, self.squares**2, -1, -1)
        cell = hidden = torch.zeros_like(image[:, :1]).expand(-1, self.width, -1, -1)
        maps = []
        for _ in range(self.steps):
            x = self.enter(torch.cat([image, seen], 1))
            for block in self.blocks:
                x = block(x)
            enter, forget, leave, new = self.gates(torch.cat([x, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            hidden = torch.sigmoid(leave) * torch.tanh(cell)
            seen = self.leave(hidden)
            if fine is not None:
                told = F.leaky_relu(fine + self.tell(hidden), SLOPE)
                seen = seen + F.pixel_unshuffle(self.sharpen(told), 4)
            maps.append(F.pixel_shuffle(seen, self.squares))
        return maps


class ContextualAutoencoder(nn.Module):
    """Sec. 4.1 and fig. 6: to a quarter of the size, a wide look around by dilations, and back with two skips."""

    def __init__(self, config: RaindropRemover.Config) -> None:
        super().__init__()
        width, middle, out = config.width, 4 * config.width, 6 * config.squares**2
        self.fill = config.fill and config.steps > 0
        self.squares, first = config.squares, 5 if config.squares == 1 else 3
        dilations = [n // config.squares for n in (2, 4, 8, 16) if n >= config.squares] * config.rounds

        def further(width: int, dilation: int = 1) -> nn.Module:
            return Block(width, dilation) if config.residual else convolution(width, width, dilation=dilation)

        if config.residual:
            entry, last, each = [further(width)], width, 2  # each: convolutions
        else:
            entry, last, each = [], width // 2, 1
            dilations = [1, 1, *dilations, 1, 1]
        self.enter = nn.Sequential(convolution(4 * config.squares**2 + 3 * self.fill, width, first), *entry)
        self.halve = nn.Sequential(convolution(width, 2 * width, stride=2), further(2 * width))
        self.quarter = nn.Sequential(
            convolution(2 * width, middle, stride=2), *(further(middle, dilation) for dilation in dilations)
        )
        self.to_half = nn.ConvTranspose2d(middle, 2 * width, 4, 2, 1)
        self.refine = nn.Sequential(nn.LeakyReLU(SLOPE), further(2 * width))
        self.to_full = nn.ConvTranspose2d(2 * width, width, 4, 2, 1)
        self.finish = nn.Sequential(
            nn.LeakyReLU(SLOPE), further(width) if config.residual else convolution(width, last)
        )
        most = 2 * out + self.fill * config.squares**2
        self.frames = nn.ModuleList([nothing(middle, out), nothing(2 * width, out), nothing(last, most)])
        # Positions, at the full size: of the convolutions at each size, down and up, and of the last one.
        fine, quarter = first // 2 + each * len(entry) + each, sum(dilations) + (each - 1) * len(dilations)
        self.reach = fine + (1 + 2 * each) + (2 + 4 * quarter) + (4 + 2 * each) + 2 + 1

    def forward(self, image: Tensor, around: Tensor | None = None) -> list[Tensor]:
        """Gains and offsets at a quarter, at half and, two pairs, at the full size, N x 6 (or 12) x H x W.

        With a fill there is one more at the full size, the share of it.

        Args:
            image: with the map, N x 4 x H x W.
            around: the fill, on squares: N x 3 x H/s x W/s in 0..1.
        """
        seen = F.pixel_unshuffle(image, self.squares)
        full = self.enter(seen if around is None else torch.cat([seen, _centred(around)], 1))
        half = self.halve(full)
        quarter = self.quarter(half)
        doubled = self.refine(self.to_half(quarter) + half)
        restored = self.finish(self.to_full(doubled) + full)
        made = zip(self.frames, (quarter, doubled, restored), strict=True)
        return [F.pixel_shuffle(frame(x), self.squares) for frame, x in made]


PAPER = RaindropRemover.Config(
    squares=1, look=0, attention=32, blocks=5, width=64, mirrored=False, halved=0, rounds=1, fill=False, residual=False
)
"""The sizes of the reference."""
