"""The network that takes raindrops off: first it finds them, then it paints what they hide.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 3 and 4.1. ``PAPER`` has its sizes. The default works on squares of 4 x 4
pixels in place of pixels and is about forty times as fast; what is a dilation of 16 pixels there is one of
4 squares here. It looks at the image once, with a small U-Net, and each step of the recurrence, on squares of 8 x 8,
looks at what that has seen; then it sharpens its map on squares of 4 x 4. Differs from the paper, too: what the
auto-encoder gives is not the image but a gain and an offset for each of its values, and a second pair, which counts as
far as the map says drop. A drop out of focus takes contrast away and adds light, so that both are smooth where the
image is not; of a drop in focus the map has the shape. And an untrained network changes nothing.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network


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
        look: int = (
            36  # channels of the U-Net that looks at the image, once; 0: each step looks itself, as in the paper
        )
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
        return config.squares * (self.paint.reach + looked + 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The clean image, and the last attention map clipped to 0..1."""
        removal, attention = self._unroll(image)
        return removal.frames[-1], attention if removal.maps else torch.ones_like(image[:, :1])

    def unroll(self, image: Tensor) -> Removal:
        """Every step of it. Without steps there are no maps."""
        return self._unroll(image)[0]

    def _unroll(self, image: Tensor) -> tuple[Removal, Tensor]:
        """The same, and the last map clipped to 0..1: once, for the exporter stumbles over a value clipped twice."""
        squares = self.config.squares
        packed = F.pixel_unshuffle(image - 0.5, squares)  # so that the zeros of the padding are grey
        maps = self.attend(packed) if self.config.steps else []
        seen = maps[-1] if maps else torch.zeros_like(image[:, :1])
        frames = self.paint(packed, F.pixel_unshuffle(seen, squares))
        half = F.avg_pool2d(image, 2)
        scales = (F.avg_pool2d(half, 2), half, image)
        quarter, half, full = (F.pixel_shuffle(each, squares) for each in frames)
        everywhere, hidden = full.chunk(2, 1)
        attention = seen.clamp(0, 1)
        light = (quarter, half, everywhere + attention * hidden)
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
        self.steps, self.width, self.squares = config.steps, width, config.squares
        reach = config.steps * (2 * config.blocks + 3)
        self.look: Look | None = None
        if config.look:
            self.look = Look(before, config.look, config.fine)
            self.tell = nn.Conv2d(width // 4, config.look, 3, padding=1)
            self.sharpen = _nothing(config.look, config.squares**2)
            before, self.squares = 2 * config.look, 2 * config.squares
            reach = 2 * reach + self.look.reach + 2
        self.reach, packed = reach, self.squares**2
        self.enter = _convolution(before + packed, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(_convolution(width, width), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(config.blocks)
        )
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)  # of the convolutional LSTM, eq. 3
        self.leave = nn.Conv2d(width, packed, 3, padding=1)
        nn.init.kaiming_normal_(self.gates.weight, nonlinearity="linear")
        assert self.gates.bias is not None
        nn.init.ones_(self.gates.bias[width : 2 * width])  # so that it remembers, to begin with

    def forward(self, image: Tensor) -> list[Tensor]:
        """The map after each step, N x 1 x H x W, of an image as squares."""
        fine: Tensor | None = None
        if self.look is not None:
            image, fine = self.look(image)
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
                sharp = self.sharpen(F.relu(fine + self.tell(F.pixel_shuffle(hidden, 2))))
                seen = seen + F.pixel_unshuffle(F.pixel_shuffle(sharp, self.squares // 2), self.squares)
            maps.append(F.pixel_shuffle(seen, self.squares))
        return maps


class Look(nn.Module):
    """A U-Net whose features know what is around; it is not in the paper, where each step looks for itself."""

    def __init__(self, before: int, width: int, blocks: int) -> None:
        super().__init__()
        widths = [2 * width, 4 * width, 4 * width]
        self.enter = nn.Sequential(_convolution(before, width), *(Block(width) for _ in range(blocks)))
        self.halve = nn.Sequential(_convolution(width, 2 * width, stride=2), _convolution(2 * width, 2 * width))
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(fine, coarse, stride=2), _convolution(coarse, coarse))
            for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(widths))
        self.join = nn.ModuleList(_convolution(width, width) for width in widths[:-1])
        self.to_full = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.rejoin = nn.Conv2d(width, width, 3, padding=1)
        # Positions, at the full size: of the convolutions at each size and, beyond an edge, of the doublings.
        self.reach = 2 + 2 * blocks + 2 * (1 + 1 + 1) + 4 * (1 + 1) + 8 + 1 + 2 + 4

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Squares, N x C x H x W, to features of twice the width at half the size, and of the width at the size.

        H and W are multiples of 8.
        """
        full = self.enter(image)
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
        last = max(width // 2, 32, 4 * config.squares**2)
        first = 5 if config.squares == 1 else 3
        dilations = [dilation // config.squares for dilation in (2, 4, 8, 16) if dilation >= config.squares]
        middle = 4 * width
        self.enter = nn.Sequential(
            _convolution(4 * config.squares**2, width, first), *(Block(width) for _ in range(config.fine))
        )
        self.halve = nn.Sequential(_convolution(width, 2 * width, stride=2), _convolution(2 * width, 2 * width))
        self.quarter = nn.Sequential(
            _convolution(2 * width, middle, stride=2),
            *(_convolution(middle, middle) for _ in range(2)),
            *(_convolution(middle, middle, dilation=dilation) for dilation in dilations),
            *(_convolution(middle, middle) for _ in range(2)),
        )
        self.to_half = nn.Sequential(nn.ConvTranspose2d(middle, 2 * width, 4, 2, 1), nn.ReLU())
        self.refine = _convolution(2 * width, 2 * width)
        self.to_full = nn.Sequential(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU())
        self.finish = _convolution(width, last)
        self.frames = nn.ModuleList([_nothing(middle, out), _nothing(2 * width, out), _nothing(last, 2 * out)])
        # Positions, at the full size: of the convolutions at each size, once down and once up, and of the last one.
        self.reach = first // 2 + 2 * config.fine + 3 * 2 + 4 * (5 + sum(dilations)) + 2 * 3 + 4

    def forward(self, image: Tensor, attention: Tensor) -> list[Tensor]:
        """Gains and offsets at a quarter, at half and, two pairs, at the full size, N x 6 (or 12)*squares^2 x H x W."""
        full = self.enter(torch.cat([image, attention], 1))
        half = self.halve(full)
        quarter = self.quarter(half)
        doubled = self.refine(self.to_half(quarter) + half)
        restored = self.finish(self.to_full(doubled) + full)
        return [frame(x) for frame, x in zip(self.frames, (quarter, doubled, restored), strict=True)]


class Block(nn.Module):
    """A residual one, which does nothing to begin with."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width, width), _nothing(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The shape stays as it is."""
        return F.relu(x + self.second(self.first(x)))


def _nothing(before: int, after: int) -> nn.Conv2d:
    """A convolution that gives zeros until it has learnt."""
    layer = nn.Conv2d(before, after, 3, padding=1)
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = kernel // 2 * dilation
    layer = nn.Conv2d(before, after, kernel, stride, padding, dilation)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return nn.Sequential(layer, nn.ReLU())


PAPER = RaindropRemover.Config(squares=1, look=0, attention=32, blocks=5, width=64, fine=0)
"""The sizes of the reference."""
