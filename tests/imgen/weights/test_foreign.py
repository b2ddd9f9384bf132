"""Weights of others: a small network with the keys of realesr-general-x4v3, and files that mean harm."""

import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from spandrel.architectures.RCAN import RCAN
from spandrel.architectures.SPAN import SPAN
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import ModelError
from imgen.runtime import load
from imgen.weights import foreign

State = dict[str, Tensor]


def compact(convolutions: int = 2, width: int = 8, scale: int = 4, seed: int = 0) -> State:
    """A state dict of SRVGGNetCompact, of small random weights."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [(3, width), *(convolutions * [(width, width)]), (width, 3 * scale**2)]
    state = OrderedDict()
    for index, (given, made) in enumerate(sizes):
        state[f"body.{2 * index}.weight"] = torch.randn(made, given, 3, 3, generator=generator) * 0.1
        state[f"body.{2 * index}.bias"] = torch.randn(made, generator=generator) * 0.1
        if index <= convolutions:
            state[f"body.{2 * index + 1}.weight"] = torch.rand(width, generator=generator)
    return state


def apply(state: State, image: Tensor, scale: int = 4) -> Tensor:
    """What Real-ESRGAN's authors compute with it."""
    x, last = image, max(int(key.split(".")[1]) for key in state)
    for index in range(0, last + 1, 2):
        x = F.conv2d(x, state[f"body.{index}.weight"], state[f"body.{index}.bias"], padding=1)
        if index < last:
            x = F.prelu(x, state[f"body.{index + 1}.weight"])
    return F.pixel_shuffle(x, scale) + F.interpolate(image, scale_factor=scale, mode="nearest")


def write(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"params": s}, lambda s: {"params_ema": s, "iter": 7}])
def test_a_pth_file_gives_what_its_authors_compute(tmp_path: Path, wrap: Callable[[State], object]) -> None:
    model = load(write(tmp_path / "tiny.pth", wrap(compact())), device="cpu")
    image = torch.rand(2, 3, 9, 14)
    np.testing.assert_allclose(model(image.numpy()), apply(compact(), image).numpy(), atol=1e-5)
    spec = model.spec
    assert (spec.name, spec.task, spec.licence, spec.scale, spec.multiple) == ("tiny", "upscale", "unknown", 4, 1)
    assert (spec.receptive_field, spec.radius) == ("finite", 4)
    assert "Compact 8nf 2nc" in spec.recipe


def test_a_safetensors_file_without_our_header(tmp_path: Path) -> None:
    save_file(compact(), tmp_path / "tiny.safetensors")
    image = torch.rand(1, 3, 5, 5)
    made = load(tmp_path / "tiny.safetensors", device="cpu")(image.numpy())
    np.testing.assert_allclose(made, apply(compact(), image).numpy(), atol=1e-5)


def test_an_old_file_in_half_precision(tmp_path: Path) -> None:
    half = {key: value.half() for key, value in compact(scale=2).items()}
    torch.save(half, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    spec, network = foreign.load(tmp_path / "old.pt")
    image = torch.rand(1, 3, 6, 7)
    expected = apply({key: value.float() for key, value in half.items()}, image, 2)
    assert torch.allclose(network(image), expected, atol=1e-6)
    assert spec.scale == 2


def test_an_architecture_that_works_in_place_leaves_its_input(tmp_path: Path) -> None:
    net = RCAN(n_resgroups=1, n_resblocks=1, n_feats=8, reduction=2, scale=2)
    spec, network = foreign.load(write(tmp_path / "m.pth", net.state_dict()))
    image = torch.full((1, 3, 8, 8), 0.5)
    assert network(image).shape == (1, 3, 16, 16)
    assert (image == 0.5).all()
    assert spec.receptive_field == "global"  # it weighs channels by their mean


def test_an_architecture_that_folds_itself_does_so_once(tmp_path: Path) -> None:
    net = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()
    spec, network = foreign.load(write(tmp_path / "m.pth", net.state_dict()))
    image = torch.rand(1, 3, 8, 8)
    expected = net(image)
    for name, parameter in network.named_parameters():
        if ".sk." in name:  # is in the folded weights already
            parameter.zero_()
    assert torch.allclose(network(image), expected, atol=1e-5)
    assert (spec.receptive_field, spec.radius) == ("finite", 21)


class Trap:
    """Unpickling this would create the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("save", "unsafe"),
    [
        (torch.save, torch.load),
        (lambda content, path: torch.save(content, path, _use_new_zipfile_serialization=False), torch.load),
        (lambda content, path: path.write_bytes(pickle.dumps(content)), None),
        (lambda content, path: path.write_bytes(pickle.dumps(content, protocol=0)), None),
    ],
)
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, save, unsafe) -> None:
    path, touched = tmp_path / "evil.pth", tmp_path / "touched"
    save({"params": compact() | {"body.6.bias": Trap(touched)}}, path)
    with pytest.raises(ModelError, match="refused, and nothing of it was run") as caught:
        load(path, device="cpu")
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)  # no advice on how to run it all the same
    assert not touched.exists()
    unsafe(path, weights_only=False) if unsafe else pickle.loads(path.read_bytes())
    assert touched.exists()  # the trap was a real one


def bomb(path: Path) -> Path:
    torch.save({"body.0.weight": torch.zeros(1 << 20)}, path.with_suffix(".plain"))
    with zipfile.ZipFile(path.with_suffix(".plain")) as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in plain.namelist():
            file.writestr(name, plain.read(name))
    return path


def deep(path: Path) -> Path:
    """Says by a key that it has a hundred million layers."""
    return write(path, compact() | {"body.200000000.bias": torch.zeros(48)})


def wide(path: Path) -> Path:
    """Says by one weight that all layers have 30,000 channels, 32 GB each."""
    return write(path, compact() | {"body.0.weight": torch.zeros(30_000, 3, 1, 1)})


def program(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("net/code/__torch__.py", "")
    return path


def denoiser(path: Path) -> Path:
    return write(path, compact(scale=1))


def content(data: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (bomb, "that unpack to 4"),
        (deep, "more than the file has bytes"),
        (wide, "more than the file has bytes"),
        (program, "a TorchScript program, not weights; refused"),
        (
            lambda p: write(p, compact() | {"body.0.weight": torch.zeros(1).expand(100_000, 100_000)}),
            "'body.0.weight' of (100000, 100000) is larger than the file itself",
        ),
        (denoiser, "for Restoration, 3 channels to 3; of foreign models only upscalers"),
        (lambda p: write(p, {"body.0.weight": torch.zeros(4), "body.1.weight": torch.zeros(4)}), "do not fit"),
        (lambda p: write(p, [torch.zeros(3)]), "no table of named tensors"),
        (lambda p: write(p, {3: torch.zeros(3)}), "no table of named tensors"),
        (lambda p: write(p, {"epoch": 3}), "no table of named tensors"),
        (content(b""), "not a readable weights file"),
        (content(b"PK\x03\x04" + bytes(50)), "not a readable weights file"),
        (content(b"text, not weights\n" * 20), "not a readable weights file"),
    ],
)
def test_hostile_and_broken_files(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        load(make(tmp_path / "m.pth"), device="cpu")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_architecture_says_what_it_saw_and_what_there_is(tmp_path: Path) -> None:
    state = {f"layers.{index}.strange\nname": torch.zeros(2) for index in range(9)}
    with pytest.raises(ModelError) as caught:
        load(write(tmp_path / "m.pth", state), device="cpu")
    said = str(caught.value)
    assert "9 tensors: 'layers.0.strange\\nname', 'layers.1" in said
    assert "Compact" in said
    assert "ESRGAN" in said
    assert "\n" not in said


def test_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="refused"):
        load(write(tmp_path / "m.pth", compact()), device="cpu")


def test_networks_are_built_freely_again_afterwards(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load(deep(tmp_path / "m.pth"), device="cpu")
    nn.Linear(1000, 1000)


def test_missing_spandrel_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ModelError, match=r'pip install "imgen\[train\]"'):
        load(write(tmp_path / "m.pth", compact()), device="cpu")
