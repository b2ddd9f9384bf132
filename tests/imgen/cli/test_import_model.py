"""imgen models import: weights of others become a model by name, or nothing is entered."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner, Result

import imgen
from imgen.cli.main import app
from imgen.runtime import catalogue
from imgen.weights import read_spec
from tests.imgen.weights.authors import Residual, expected, filled, saved


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["models", "import", *map(str, words)])


def refused(result: Result, code: int, said: str) -> None:
    assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1), result.output
    assert said in result.stderr
    assert not catalogue.cache_dir().joinpath("catalogue.json").exists()


def test_a_generator_becomes_a_model_by_name(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = filled(Residual())
    result = run(saved(network, tmp_path / "latest_net_G.pth"), "horse2zebra", "--licence", "BSD-3-Clause")
    assert result.exit_code == 0, result.output
    assert "horse2zebra: translate, differs from torch by at most" in result.stdout
    entry = catalogue.entries()["horse2zebra"]
    assert (entry.task, entry.licence, entry.path) == (
        "translate",
        "BSD-3-Clause",
        home / "models" / "horse2zebra.onnx",
    )
    assert read_spec(home / "models" / "horse2zebra.safetensors").network == "translation-resnet"
    for name in ("torch", "onnx", "imgen.weights"):
        monkeypatch.setitem(sys.modules, name, None)
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    wanted = expected(network, torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)[0].transpose(1, 2, 0)
    assert np.abs(imgen.translate(pixels, model="horse2zebra") - 255 * wanted).max() <= 0.6
    assert "there is a model called horse2zebra already" in run("latest_net_G.pth", "horse2zebra").stderr


def test_a_generator_of_label_maps_needs_its_classes(home: Path, tmp_path: Path) -> None:
    network = Residual()
    network.model[1] = nn.Conv2d(5, 4, 7)
    path = saved(filled(network), tmp_path / "latest_net_G.pth")
    refused(run(path, "streets"), 3, "takes label maps of unknown classes; imgen models import --labels says which")
    refused(run(path, "streets", "--labels", 3), 2, "--labels 3 has 3 classes, but streets takes 5 channels")
    assert not list(home.rglob("streets*"))
    assert run(path, "streets", "--labels", 4).exit_code == 0
    spec = json.loads((home / "models" / "streets.json").read_text())
    assert (spec["inputs"], spec["palette"], spec["boundaries"]) == (["labels"], ["0", "1", "2", "3"], True)
    made = imgen.translate(np.arange(16, dtype=np.uint8).reshape(4, 4) % 4, model="streets")
    assert made.shape == (4, 4, 3)


def test_what_cannot_be_imported_leaves_nothing(home: Path, tmp_path: Path) -> None:
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "unknown.pth")
    refused(run("unknown.pth", "mine"), 3, "an architecture that is not known")
    refused(run("unknown.pth", "../mine"), 2, "'../mine' is no name for a model")
    refused(run("unknown.pth", "inpaint-base"), 2, "inpaint-base is a built-in model")
    refused(run("missing.pth", "mine"), 3, "missing.pth")
    assert not list(home.rglob("*.onnx"))
