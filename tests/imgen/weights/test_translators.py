"""Files as the authors of pix2pix and CycleGAN save them, and what they compute with them when they translate."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from imgen.errors import ModelError
from imgen.networks.unet import UNet
from imgen.runtime import load
from imgen.weights import foreign
from imgen_export.graph import export


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


@pytest.mark.parametrize(("prefix", "running"), [("", False), ("module.", True)])
def test_a_residual_generator_gives_what_its_authors_see(tmp_path: Path, prefix: str, running: bool) -> None:
    network, image = filled(Residual()), torch.rand(1, 3, 24, 32)
    path = saved(network, tmp_path / "latest_net_G.pth", prefix, running=running)
    model = load(path, device="cpu")
    np.testing.assert_allclose(model(image.numpy()), expected(network, image), atol=1e-5)
    spec = model.spec
    assert (spec.task, spec.name, spec.inputs, spec.licence) == ("translate", "latest_net_G", ("image",), "unknown")
    assert (spec.receptive_field, spec.radius, spec.multiple) == ("normalised", 28, 4)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, nn.InstanceNorm2d])
@pytest.mark.parametrize("depth", [5, 7])
def test_a_u_net_gives_what_its_authors_see(tmp_path: Path, norm: type[nn.Module], depth: int) -> None:
    network, image = filled(Nested(depth, norm)), torch.rand(1, 3, 2**depth, 2 << depth)
    spec, ours = foreign.load(saved(network, tmp_path / "latest_net_G.pth"))
    stochastic = norm is nn.BatchNorm2d and depth == 7
    assert bool(spec.noise) == stochastic == ("noise" in spec.inputs)
    with torch.no_grad():
        made = ours(image, torch.ones_like(ours.noise(image))) if stochastic else ours(image)
    np.testing.assert_allclose(made.numpy(), expected(network, image), atol=1e-4)


def test_its_dropout_is_noise(tmp_path: Path) -> None:
    """In the levels that have it there: after the norms of the second and the third level on the way up."""
    network, image = filled(Nested(7, nn.BatchNorm2d)), torch.rand(1, 3, 128, 256)
    spec, ours = foreign.load(saved(network, tmp_path / "latest_net_G.pth"))
    assert isinstance(ours, UNet)
    noise = ours.noise(image)
    assert noise.shape == (1, spec.noise["channels"], 128 // spec.noise["stride"], 256 // spec.noise["stride"])
    levels = [level for level in network.modules() if isinstance(level, Level)][-2:-4:-1]
    for index, level in enumerate(levels):
        shift = 1 - index
        level.model[6].register_forward_hook(lambda _, __, x, s=shift: x * noise[:, : x.shape[1], :: 1 + s, :: 1 + s])
    with torch.no_grad():
        made = ours(image, noise)
    np.testing.assert_allclose(made.numpy(), expected(network, image), atol=1e-4)
    export(ours, tmp_path / "out.onnx", spec)
    got = load(tmp_path / "out.onnx", device="cpu")(image.numpy(), noise.numpy())
    np.testing.assert_allclose(got, made.numpy(), atol=1e-4)


def test_what_is_not_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a residual generator with batch norm; only those with instance norm"):
        load(saved(Residual(norm=nn.BatchNorm2d), tmp_path / "batch.pth"), device="cpu")
    network = Residual()
    network.model[4] = nn.Conv2d(4, 9, 3)
    with pytest.raises(ModelError, match=r"looks like a translator, but its tensors do not fit .*\(9, 4, 3, 3\)"):
        load(saved(network, tmp_path / "odd.pth"), device="cpu")
