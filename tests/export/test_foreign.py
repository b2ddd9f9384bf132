"""Export of weights that come from others, and blends of what was exported."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from imgen.cli.main import app
from imgen.errors import ModelError
from imgen.networks.upscaler import Upscaler
from imgen.runtime import load, load_blend
from imgen.spec import Spec
from imgen_export.graph import export

IMAGE = np.random.default_rng(0).random((2, 3, 11, 18), np.float32)


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in ("export", *words)])
    return result.exit_code, result.output


def test_foreign_weights_become_a_file_that_runs_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(8), nn.Conv2d(8, 8, 3), nn.PReLU(8), nn.Conv2d(8, 12, 3))
    source, target = tmp_path / "tiny.pth", tmp_path / "out.onnx"
    torch.save({"params": {f"body.{key}": value for key, value in layers.state_dict().items()}}, source)
    code, said = run(source, target)
    assert (code, "core graph, differs from torch by at most" in said) == (0, True), said
    expected = load(source, device="cpu")(IMAGE)
    for name in ("torch", "onnx", "spandrel", "imgen.weights"):
        monkeypatch.setitem(sys.modules, name, None)
    model = load(target, device="cpu")
    np.testing.assert_allclose(model(IMAGE), expected, atol=1e-5)
    assert (model.provider, model.spec.name, model.spec.licence) == ("CPUExecutionProvider", "tiny", "unknown")
    assert (model.spec.scale, model.spec.receptive_field, model.spec.radius) == (2, "finite", 3)


def test_bad_weights_are_one_line_and_write_nothing(tmp_path: Path) -> None:
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "unknown.pth")
    for name, said in (("unknown.pth", "an architecture that is not known"), ("missing.pth", "is not a file")):
        code, text = run(tmp_path / name, tmp_path / "out.onnx")
        assert (code, said in text, len(text.splitlines())) == (3, True, 1), text
    assert [path.name for path in tmp_path.iterdir()] == ["unknown.pth"]


def test_exported_upscalers_blend_as_their_weights_do(tmp_path: Path) -> None:
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.append(Upscaler(Upscaler.Config(scale=2, width=16, depth=2)))
        for parameter in networks[-1].parameters():
            nn.init.normal_(parameter, std=0.1)
        spec = Spec(f"model {seed}", "upscale", "CC0-1.0", scale=2, receptive_field="finite", radius=4)
        export(networks[-1], tmp_path / f"{seed}.onnx", spec)
    names = {weight.name for weight in onnx.load(tmp_path / "0.onnx").graph.initializer}
    assert names >= {name for name, _ in networks[0].named_parameters()}
    first, second = networks
    for mine, other in zip(first.parameters(), second.parameters(), strict=True):
        mine.data.lerp_(other.data, 0.3)
    with torch.inference_mode():
        expected = first(torch.from_numpy(IMAGE)).numpy()
    got = load_blend(tmp_path / "0.onnx", tmp_path / "1.onnx", 0.3, device="cpu")(IMAGE)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_network_that_cannot_be_traced_is_refused_in_one_line(tmp_path: Path) -> None:
    class Fickle(Upscaler):
        """Treats dark images in another way."""

        def forward(self, image: Tensor) -> Tensor:
            return super().forward(image) if image.mean() > 0.1 else image

    spec = Spec("fickle", "upscale", "CC0-1.0", scale=2)
    with pytest.raises(ModelError, match=r"torch cannot write this network \(.*\); not written") as caught:
        export(Fickle(Upscaler.Config(scale=2, width=16, depth=1)), tmp_path / "out.onnx", spec)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
