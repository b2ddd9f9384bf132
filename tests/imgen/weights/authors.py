"""Networks as the authors of pix2pix and CycleGAN build them, with their tensors' names, and what they save."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.InstanceNorm2d
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Residual(nn.Module):
    """By fig. and appendix of Zhu et al. 2017, with the biases and the names that such files have."""

    def __init__(self, width: int = 4, blocks: int = 2, norm: type[nn.Module] = nn.InstanceNorm2d) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), norm(width), nn.ReLU()]
        for n in (width, 2 * width):
            layers += [nn.Conv2d(n, 2 * n, 3, 2, 1), norm(2 * n), nn.ReLU()]
        layers += [Block(4 * width) for _ in range(blocks)]
        for n in (2 * width, width):
            layers += [nn.ConvTranspose2d(2 * n, n, 3, 2, 1, 1), norm(n), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.model(x)
        return made


class Level(nn.Module):
    """One level of a U-Net around the next, with the names that such files have."""

    def __init__(
        self, outer: int, inner: int, inside: "Level | None", norm: type[nn.Module], *, given: int = 0
    ) -> None:
        super().__init__()
        bias, twice = norm is nn.InstanceNorm2d, inner if inside is None else 2 * inner
        down = nn.Conv2d(given or outer, inner, 4, 2, 1, bias=bias)
        up = nn.ConvTranspose2d(twice, outer, 4, 2, 1, bias=bias or bool(given))
        self.outermost = bool(given)
        if given:
            layers = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif inside is None:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, norm(outer)]
        else:
            layers = [nn.LeakyReLU(0.2), down, norm(inner), inside, nn.ReLU(), up, norm(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.model(x)
        return made if self.outermost else torch.cat([x, made], 1)


class Nested(nn.Module):
    def __init__(self, depth: int, norm: type[nn.Module], width: int = 4) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(depth)]
        level = None
        for outer, inner in reversed(list(pairwise(widths))):
            level = Level(outer, inner, level, norm)
        self.model = Level(3, widths[0], level, norm, given=3)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.model(x)
        return made


def filled(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.3)
    return network.train()  # batch norm by the statistics of the image, as their test.py has it


def saved(network: nn.Module, path: Path, prefix: str = "", *, running: bool = False) -> Path:
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items()}
    if running:  # which old instance norms have, too
        for key in [key for key in state if key.endswith("2.weight") and state[key].ndim == 4]:
            state[key.replace("weight", "running_mean")] = torch.rand(3)
    torch.save(state, path)
    return path


def expected(network: nn.Module, image: Tensor) -> np.ndarray:
    with torch.no_grad():
        made: np.ndarray = ((network(2 * image - 1) + 1) / 2).numpy()
    return made
