"""imgen export on the command line: built-in graphs are copied, bad input is one line."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from imgen import weights
from imgen.cli.main import app
from imgen.image.file import read
from imgen.networks.upscaler import Upscaler
from imgen.runtime.catalogue import find_model
from imgen.runtime.sharing import whole
from imgen.spec import Spec
from tests.imgen.cli.images import RGB

INT8 = ("--precision", "int8", "--calibrate")


def call(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in ("export", *words)])
    return result.exit_code, result.output


@pytest.mark.parametrize("graph", ["core", "embed"])
def test_a_built_in_model_is_copied_as_it_was_verified(graph: str, tmp_path: Path) -> None:
    out = tmp_path / "app.onnx"
    code, text = call("inpaint-base", out, "--graph", graph)
    assert code == 0, text
    assert "differs from torch by at most" in text
    core = find_model("inpaint-base")
    shipped = core if graph == "core" else core.with_stem("inpaint-base-embed")
    assert out.read_bytes() == whole(shipped)
    assert onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])  # it needs no other file
    described = json.loads(out.with_suffix(".json").read_text())
    assert (described["graph"], described["file"]["name"]) == (graph, "app.onnx")


def test_a_file_in_8_bits_says_what_it_costs_and_upscales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgen_export.quantize.speed_ratio", lambda *_: 1.5)
    photos, source, out = tmp_path / "photos", tmp_path / "tiny.safetensors", tmp_path / "tiny.onnx"
    photos.mkdir()
    for number in range(6):
        Image.fromarray(np.roll(RGB, 9 * number, 1)).resize((80, 64)).save(photos / f"{number}.png")
    torch.manual_seed(0)
    spec = Spec("tiny", "upscale", "CC0-1.0", scale=2, receptive_field="finite", radius=4)
    weights.save(Upscaler(Upscaler.Config(scale=2, width=16, depth=2)), source, spec)
    code, text = call(source, out, *INT8, photos)
    assert code == 0, text
    assert "core graph in int8, " in text
    assert " lost on 2 photos, 1.50 times as fast as fp32 here" in text
    words = ("upscale", photos / "0.png", "-o", tmp_path / "large.png", "--model", out, "-s", 2, "--device", "cpu")
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    assert read(tmp_path / "large.png").pixels.shape == (128, 160, 3)


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "there.onnx").write_bytes(b"")
    for words, code, said in (
        (("inpaint-base", tmp_path / "a.txt"), 2, "does not end in .onnx"),
        (("inpaint-base", tmp_path / "there.onnx"), 2, "--overwrite"),
        (("inpaint-bose", tmp_path / "a.onnx"), 3, "did you mean 'inpaint-base'"),
        ((tmp_path / "missing.safetensors", tmp_path / "a.onnx"), 3, "is not a file"),
        ((tmp_path / "there.onnx", tmp_path / "a.onnx"), 3, "an ONNX file already"),
        (("inpaint-base", tmp_path / "a.onnx", "--graph", "other"), 2, "graph must be"),
        (("fruit", tmp_path / "a.onnx", "--graph", "embed"), 2, "'fruit' generates them; take core"),
        (("upscale-x2", tmp_path / "a.onnx", "--precision", "bf16"), 2, "one of fp32, fp16, int8, got 'bf16'"),
        (("upscale-x2", tmp_path / "a.onnx", "--opset", 12), 2, "opset must be in 13.."),
        (("upscale-x2", tmp_path / "a.onnx", "--opset", 17), 3, "opset 17 cannot say what opset 18 does"),
        (("upscale-x2", tmp_path / "a.onnx", "--size", "512"), 2, "size must be HEIGHTxWIDTH"),
        (("upscale-x2", tmp_path / "a.onnx", "--size", "0x8"), 2, "size must be in 1.."),
        (("inpaint-base", tmp_path / "a.onnx", "--size", "40x64"), 2, "divisible by 16, not 40x64"),
        (("upscale-x2", tmp_path / "a.onnx", "--precision", "int8"), 2, "by --calibrate"),
        (("upscale-x2", tmp_path / "a.onnx", "--calibrate", tmp_path), 2, "fp32 needs no photographs"),
        (("upscale-x2", tmp_path / "a.onnx", "--max-loss", 1), 2, "--max-loss is for int8"),
        (("upscale-x2", tmp_path / "a.onnx", *INT8, tmp_path, "--max-loss", -1), 2, "it must be 0 or more"),
        (("upscale-x2", tmp_path / "a.onnx", *INT8, tmp_path), 2, "holds 0 photographs that can be read"),
        (("apple2orange", tmp_path / "a.onnx", *INT8, tmp_path), 2, "is for translate"),
    ):
        found, text = call(*words)
        assert (found, said in text, len(text.splitlines())) == (code, True, 1), text
    assert [path.name for path in tmp_path.iterdir()] == ["there.onnx"]
