import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from imgen.cli import models
from imgen.errors import ModelError

CONTENT = b"weights"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two models of its own, of which "here" is there."""
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path))
    entry = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT), "licence": "MIT", "task": "test"}
    away = entry | {"file": "away.onnx", "urls": ["http://127.0.0.1:1/away.onnx"]}
    catalogue = {"here": entry | {"file": "here.onnx", "default": True}, "away": away}
    (tmp_path / "catalogue.json").write_text(json.dumps(catalogue))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "here.onnx").write_bytes(CONTENT)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(models.app, arguments, catch_exceptions=True)


def test_list(home: Path) -> None:
    lines = run("list").stdout.splitlines()
    assert any(line.startswith("* here") and line.split()[-2:] == ["MIT", "here"] for line in lines)
    assert any(line.startswith("  away") and line.endswith("imgen models pull away") for line in lines)


def test_list_as_json(home: Path) -> None:
    found: dict[str, Any] = {entry["name"]: entry for entry in json.loads(run("list", "--json").stdout)}
    assert (found["here"]["present"], found["away"]["present"]) == (True, False)
    assert found["here"]["file"] == str(home / "models" / "here.onnx")


def test_info(home: Path) -> None:
    text = run("info", "here").stdout
    assert f"sha256: {hashlib.sha256(CONTENT).hexdigest()}" in text
    assert "licence: MIT" in text


def test_info_of_a_built_in_model_shows_its_card(home: Path) -> None:
    built_in = [entry for entry in json.loads(run("list", "--json").stdout) if str(home) not in entry["file"]]
    for entry in built_in:
        assert "# " in run("info", entry["name"]).stdout


@pytest.mark.parametrize("verb", ["info", "verify", "pull"])
def test_unknown_name(home: Path, verb: str) -> None:
    result = run(verb, "hera")
    assert isinstance(result.exception, ModelError)
    assert "did you mean 'here'" in str(result.exception)


def test_verify_is_of_all_that_is_here(home: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert "here: " in result.stdout
    assert "away" not in result.output


def test_verify_names_every_damaged_file(home: Path) -> None:
    (home / "models" / "here.onnx").write_bytes(CONTENT[::-1])
    result = run("verify", "away", "here")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 2
    assert "corrupt" in result.stderr


def test_pull_offline(home: Path) -> None:
    assert "IMGEN_OFFLINE" in str(run("pull", "away").exception)


def test_pull_of_what_is_here(home: Path) -> None:
    assert run("pull", "here").stdout == f"here: {home / 'models' / 'here.onnx'}\n"


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    models._show_progress(1_000_000, 2_000_000)
    models._show_progress(2_000_000, 2_000_000)
    assert capsys.readouterr().err == "\r1.0 of 2.0 MB\r2.0 of 2.0 MB\n"
