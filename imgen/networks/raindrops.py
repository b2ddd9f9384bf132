"""The network that takes raindrops off: first it finds them, then it paints what they hide.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 3 and 4.1. ``PAPER`` has its sizes. The default works on squares of 4 x 4
pixels in place of pixels and is about forty times as fast; what is a dilation of 16 pixels there is one of
4 squares here. It looks at the image once, with a small U-Net, and each step of the recurrence, on squares of 8 x 8,
looks at what that has seen; then it sharpens its map on squares of 4 x 4 and of 2 x 2. Differs from the paper, too:
what the auto-encoder gives is not the image but a gain and an offset for each of its values, and a second pair,
which counts as far as the map says drop. A drop out of focus takes contrast away and adds light, so that both are
smooth where the image is not; of a drop in focus the map has the shape. And an untrained network changes nothing.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network
from imgen.networks.squares import SLOPE, Block, Halves, convolution, enter, nothing


class Removal(NamedTuple):
    """What the network makes of N x 3 x H x W images, with what its losses want to see on the way."""

    frames: tuple[Tensor, Tensor, Tensor]  # the clean image at a quarter, at half and at the full size, about 0..1
    maps: list[Tensor]  # the attention after each step, N x 1 x H x W: about 0 (clear) to 1 (drop)


class RaindropRemover(Network):
    """N x 3 x H x W in 0..1 to the same without drops and to where they were; H and W multiples of ``multiple``."""

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        squares: int = 4  # the side in pixels of what is taken for one; 1: the paper
        half: int = 48  # channels for squares of half that side, which know edges better; 0: none, as in the paper
        look: int = 36  # channels of the U-Net that looks at the image, once; 0: each step looks itself: the paper
        attention: int = 32  # channels of the attentive-recurrent network
        blocks: int = 1  # residual ones in it
        steps: int = 4  # of the recurrence; 0: no attention, for comparisons
        width: int = 48  # channels of the auto-encoder at full size
        fine: int = 2  # residual blocks at full size, in the U-Net and in the auto-encoder; 0: the paper

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        if config.steps:
            self.attend = AttentiveRecurrent(config)
        self.paint = ContextualAutoencoder(config)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return (8 if self.config.look and self.config.steps else 4) * self.config.squares

    @property
    def radius(self) -> int:
        """How many pixels beyond its own an output pixel depends on."""
        config = self.config
        looked = self.attend.reach if config.steps else 0
        side, fine = max(1, config.squares // 2), 0
        if config.half:  # their last convolution, and how far the first ones see beyond those of squares
            beyond = max(0, 3 * side - config.squares)
            fine = (side + beyond) * (2 if config.look and config.steps else 1)
        return config.squares * (self.paint.reach + looked + 1) + fine

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The clean image, and the last attention map clipped to 0..1."""
        removal, attention = self._unroll(image)
        return removal.frames[-1], attention if removal.maps else torch.ones_like(image[:, :1])

    def unroll(self, image: Tensor) -> Removal:
        """Every step of it. Without steps there are no maps."""
        return self._unroll(image)[0]

    def _unroll(self, image: Tensor) -> tuple[Removal, Tensor]:
        """The same, and the last map clipped to 0..1: once, for the exporter stumbles over a value clipped twice."""
        centred = image - 0.5  # so that the zeros of the padding are grey
        maps = self.attend(centred) if self.config.steps else []
        seen = maps[-1] if maps else torch.zeros_like(image[:, :1])
        quarter, half, full = self.paint(torch.cat([centred, seen], 1))
        everywhere, hidden = full.chunk(2, 1)
        attention = seen.clamp(0, 1)
        light = (quarter, half, everywhere + attention * hidden)
        halved = F.avg_pool2d(image, 2)
        scales = (F.avg_pool2d(halved, 2), halved, image)
        small, middle, large = (_lit(x, y) for x, y in zip(scales, light, strict=True))
        return Removal((small, middle, large), maps), attention


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
        self.halves: Halves | None = None
        if config.look:
            if config.half:
                self.halves = Halves(3, config.half, config.squares, inside=config.look, outside=config.look, after=1)
            self.look = Look(before, config.look, config.fine)
            self.tell = nn.Conv2d(width // 4, config.look, 3, padding=1)
            self.sharpen = nothing(config.look, config.squares**2)
            before, self.squares = 2 * config.look, 2 * config.squares
            reach = 2 * reach + self.look.reach + 2
        self.reach, packed = reach, self.squares**2
        self.enter = convolution(before + packed, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(convolution(width, width), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(config.blocks)
        )
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)  # of the convolutional LSTM, eq. 3
        self.leave = nn.Conv2d(width, packed, 3, padding=1)
        nn.init.kaiming_normal_(self.gates.weight, nonlinearity="linear")
        assert self.gates.bias is not None
        nn.init.ones_(self.gates.bias[width : 2 * width])  # so that it remembers, to begin with

    def forward(self, image: Tensor) -> list[Tensor]:
        """The map after each step, N x 1 x H x W, of images N x 3 x H x W."""
        fine: Tensor | None = None
        halves, gathered = self.halves(image) if self.halves is not None else (None, None)
        image = F.pixel_unshuffle(image, self.first)
        if self.look is not None:
            image, fine = self.look(image, gathered)
        seen = torch.full_like(image[:, :1], 0.5).expand(-1, self.squares**2, -1, -1)
        cell = hidden = torch.zeros_like(image[:, :1]).expand(-1, self.width, -1, -1)
        maps = []
        for _ in range(self.steps):
            x = self.enter(torch.cat([image, seen], 1))
            for block in self.blocks:
                x = F.relu(x + block(x))
            enter, forget, leave, new = self.gates(torch.cat([x, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            hidden = torch.sigmoid(leave) * torch.tanh(cell)
            seen = self.leave(hidden)
            if fine is not None:
                told = F.relu(fine + self.tell(F.pixel_shuffle(hidden, 2)))
                sharp = F.pixel_shuffle(self.sharpen(told), self.squares // 2)
                if self.halves is not None and halves is not None:
                    sharp = sharp + self.halves.tell(halves, told)
                seen = seen + F.pixel_unshuffle(sharp, self.squares)
            maps.append(F.pixel_shuffle(seen, self.squares))
        return maps


class Look(nn.Module):
    """A U-Net whose features know what is around; it is not in the paper, where each step looks for itself."""

    def __init__(self, before: int, width: int, blocks: int) -> None:
        super().__init__()
        widths = [2 * width, 4 * width, 4 * width]
        self.enter = nn.Sequential(convolution(before, width), *(Block(width) for _ in range(blocks)))
        self.halve = nn.Sequential(convolution(width, 2 * width, stride=2), convolution(2 * width, 2 * width))
        self.down = nn.ModuleList(
            nn.Sequential(convolution(fine, coarse, stride=2), convolution(coarse, coarse))
            for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(widths))
        self.join = nn.ModuleList(convolution(width, width) for width in widths[:-1])
        self.to_full = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.rejoin = nn.Conv2d(width, width, 3, padding=1)
        # Positions, at the full size: of the convolutions at each size and, beyond an edge, of the doublings.
        self.reach = 2 + 2 * blocks + 2 * (1 + 1 + 1) + 4 * (1 + 1) + 8 + 1 + 2 + 4

    def forward(self, image: Tensor, gathered: Tensor | None) -> tuple[Tensor, Tensor]:
        """Squares, N x C x H x W, to features of twice the width at half the size, and of the width at the size.

        With them may be what their halves gather, N x width x H x W. H and W are multiples of 8.
        """
        full = enter(self.enter, image, gathered)
        x, finer = self.halve(full), []
        for down in self.down:
            finer.append(x)
            x = down(x)
        for up, join, fine in reversed(list(zip(self.up, self.join, finer, strict=True))):
            x = join(fine + up(x))
        return x, self.rejoin(full + self.to_full(x))


class ContextualAutoencoder(nn.Module):
    """Sec. 4.1 and fig. 6: to a quarter of the size, a wide look around by dilations, and back with two skips."""

    def __init__(self, config: RaindropRemover.Config) -> None:
        super().__init__()
        width, out = config.width, 6 * config.squares**2
        self.squares = config.squares
        last = max(width // 2, 32, 4 * config.squares**2)
        first = 5 if config.squares == 1 else 3
        dilations = [dilation // config.squares for dilation in (2, 4, 8, 16) if dilation >= config.squares]
        middle = 4 * width
        self.enter = nn.Sequential(
            convolution(4 * config.squares**2, width, first), *(Block(width) for _ in range(config.fine))
        )
        self.halve = nn.Sequential(convolution(width, 2 * width, stride=2), convolution(2 * width, 2 * width))
        self.quarter = nn.Sequential(
            convolution(2 * width, middle, stride=2, slope=SLOPE),
            *(convolution(middle, middle, slope=SLOPE) for _ in range(2)),
            *(convolution(middle, middle, dilation=dilation, slope=SLOPE) for dilation in dilations),
            *(convolution(middle, middle, slope=SLOPE) for _ in range(2)),
        )
        self.to_half = nn.Sequential(nn.ConvTranspose2d(middle, 2 * width, 4, 2, 1), nn.LeakyReLU(SLOPE))
        self.refine = convolution(2 * width, 2 * width)
        self.to_full = nn.Sequential(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU())
        self.finish = convolution(width, last)
        self.frames = nn.ModuleList([nothing(middle, out), nothing(2 * width, out), nothing(last, 2 * out)])
        self.halves = (
            Halves(4, config.half, config.squares, inside=width, outside=last, after=12) if config.half else None
        )
        # Positions, at the full size: of the convolutions at each size, once down and once up, and of the last one.
        self.reach = first // 2 + 2 * config.fine + 3 * 2 + 4 * (5 + sum(dilations)) + 2 * 3 + 4

    def forward(self, image: Tensor) -> list[Tensor]:
        """Gains and offsets at a quarter, at half and, two pairs, at the full size, N x 6 (or 12) x H x W.

        Of images with their maps, N x 4 x H x W.
        """
        halves, gathered = self.halves(image) if self.halves is not None else (None, None)
        full = enter(self.enter, F.pixel_unshuffle(image, self.squares), gathered)
        half = self.halve(full)
        quarter = self.quarter(half)
        doubled = self.refine(self.to_half(quarter) + half)
        restored = self.finish(self.to_full(doubled) + full)
        made = zip(self.frames, (quarter, doubled, restored), strict=True)
        frames = [F.pixel_shuffle(frame(x), self.squares) for frame, x in made]
        if self.halves is not None and halves is not None:
            frames[-1] = frames[-1] + self.halves.tell(halves, restored)
        return frames


PAPER = RaindropRemover.Config(squares=1, look=0, attention=32, blocks=5, width=64, fine=0, half=0)
"""The sizes of the reference."""
