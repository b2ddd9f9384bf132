"""Files as the authors of pix2pix and CycleGAN save them, and what they compute with them when they translate."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from imgen.errors import ModelError
from imgen.networks.unet import UNet
from imgen.runtime import load
from imgen.weights import foreign
from imgen_export.graph import export
from tests.imgen.weights.authors import Level, Nested, Residual, expected, filled, saved


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
