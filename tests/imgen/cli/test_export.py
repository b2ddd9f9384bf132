"""imgen export on the command line: built-in graphs are copied, bad input is one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imgen.cli.main import app
from imgen.runtime.catalogue import find_model


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
    assert out.read_bytes() == shipped.read_bytes()
    described = json.loads(out.with_suffix(".json").read_text())
    assert (described["graph"], described["file"]["name"]) == (graph, "app.onnx")


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "there.onnx").write_bytes(b"")
    for words, code, said in (
        (("inpaint-base", tmp_path / "a.txt"), 2, "does not end in .onnx"),
        (("inpaint-base", tmp_path / "there.onnx"), 2, "--overwrite"),
        (("inpaint-bose", tmp_path / "a.onnx"), 3, "did you mean 'inpaint-base'"),
        ((tmp_path / "missing.safetensors", tmp_path / "a.onnx"), 3, "is not a file"),
        ((tmp_path / "there.onnx", tmp_path / "a.onnx"), 3, "an ONNX file already"),
        (("inpaint-base", tmp_path / "a.onnx", "--graph", "other"), 2, "graph must be"),
    ):
        found, text = call(*words)
        assert (found, said in text, len(text.splitlines())) == (code, True, 1), text
    assert [path.name for path in tmp_path.iterdir()] == ["there.onnx"]
