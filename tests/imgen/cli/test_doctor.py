import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from imgen.cli import doctor
from imgen.runtime import catalogue, ort

app = typer.Typer()
app.command()(doctor.doctor)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inpaint_model: Path) -> Path:
    """A home whose only model, the tiny one, is the default; built-in ones are out of sight."""
    content = inpaint_model.read_bytes()
    entry = {"file": "tiny.onnx", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    entry |= {"licence": "MIT", "task": "inpaint", "default": True}
    (tmp_path / "catalogue.json").write_text(json.dumps({"tiny": entry}))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.onnx").write_bytes(content)
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path))
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "nothing")
    return tmp_path


def examine() -> tuple[dict[str, dict[str, Any]], Result]:
    result = CliRunner().invoke(app, ["--json"])
    return {finding["name"]: finding for finding in json.loads(result.stdout)}, result


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    real = metadata.version

    def version(name: str) -> str:
        found = versions.get(name.replace("-", "_"), "")
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found or real(name)

    monkeypatch.setattr(metadata, "version", version)


def test_all_is_well_here(home: Path) -> None:
    found, result = examine()
    assert result.exit_code == 0
    assert [name for name, finding in found.items() if finding["state"] == "bad"] == []
    assert "tiny loaded in" in found["device cpu"]["text"]
    assert str(home) in found["cache"]["text"]
    assert found["model tiny"]["state"] == "ok"


@pytest.mark.skipif(bool(ort.gpus()), reason="there is a GPU")
def test_a_device_that_is_not_there_is_no_fault(home: Path) -> None:
    found, _ = examine()
    assert found["device cuda"]["state"] == "off"
    assert "no NVIDIA GPU" in found["device cuda"]["text"]


def test_lines_for_people(home: Path) -> None:
    lines = CliRunner().invoke(app, []).stdout.splitlines()
    assert lines[0].startswith("ok   imgen ")
    assert all(line[:3] in ("ok ", "off") for line in lines)


def test_two_onnxruntimes_are_a_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, onnxruntime="1.27.0", onnxruntime_gpu="1.27.0")
    found, result = examine()
    assert result.exit_code == 1
    assert found["onnxruntime"]["state"] == "bad"
    assert "--force-reinstall --no-deps onnxruntime-gpu" in found["onnxruntime"]["text"]


def test_no_onnxruntime_is_a_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, onnxruntime=None, onnxruntime_gpu=None)
    assert examine()[0]["onnxruntime"]["state"] == "bad"


def test_either_opencv_will_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, opencv_python_headless=None, opencv_python="5.0")
    assert examine()[0]["opencv-python-headless"]["state"] == "ok"


def test_optional_packages_are_no_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, torch=None)
    found, result = examine()
    assert (found["torch"]["state"], result.exit_code) == ("off", 0)


def test_a_damaged_model_is_a_fault(home: Path) -> None:
    (home / "models" / "tiny.onnx").write_bytes(b"x")
    found, result = examine()
    assert result.exit_code == 1
    assert found["model tiny"]["state"] == found["device cpu"]["state"] == "bad"


def test_a_catalogue_that_is_none_is_a_fault(home: Path) -> None:
    (home / "catalogue.json").write_text("[]")
    found, result = examine()
    assert result.exit_code == 1
    assert found["models"]["state"] == "bad"


def test_a_home_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path / "file" / "home"))
    found, _ = examine()
    assert found["cache"]["state"] == "bad"
    assert "set IMGEN_HOME" in found["cache"]["text"]
