"""imgen bench: what it measures, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from imgen_apps import benching
from tests.apps.upscalers import write_convolutions

Imgen = Callable[..., Result]


def test_the_table_and_the_figures_agree(imgen: Imgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "CHANNELS", (48,))
    monkeypatch.setattr(benching, "LAYOUTS", ("channels_last",))
    model, figures = write_convolutions(tmp_path / "m.onnx"), tmp_path / "figures.json"
    words = ("--size", 64, "--device", "cpu", "--threads", 1, "--tile", 0, "--tile", 32, "--rounds", 2)
    result = imgen("bench", model, *words, "--json", figures)
    assert result.exit_code == 0, result.output
    found = json.loads(figures.read_text())
    assert (found["size"], found["rounds"]) == (64, 2)
    ways = [(row["kind"], row["device"], row["engine"], row["threads"], row["tile"]) for row in found["rows"]]
    onnxruntime = ("cpu", "onnxruntime", 1)
    assert ways == [("pipeline", *onnxruntime, None), ("pipeline", *onnxruntime, 32), ("network", *onnxruntime, None)]
    for row in found["rows"]:
        assert row["ms_per_megapixel"] * row["images_per_second"] * 64 * 64 / 1e6 == pytest.approx(1000)
        assert row["startup_s"] > 1e-3 * row["ms_per_megapixel"] * 64 * 64 / 1e6
        assert 20e6 < row["memory_bytes"] < 1e9
        assert row["times_torch"] is None
    assert [row["share_of_peak"] is None for row in found["rows"]] == [True, True, False]
    assert found["rows"][2]["share_of_peak"] > 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == ["way", "pipeline", "pipeline", "network"]
    assert f"{found['rows'][0]['ms_per_megapixel']:.0f}" in lines[1]


@pytest.mark.parametrize("task", ["inpaint", "derain", "translate"])
def test_every_task_has_a_pipeline(imgen: Imgen, request: pytest.FixtureRequest, task: str) -> None:
    model = request.getfixturevalue(f"{task}_model")
    result = imgen("bench", model, "--size", 32, "--device", "cpu", "--threads", 1, "--rounds", 1)
    assert result.exit_code == 0, (result.output, result.exception)
    assert len(result.output.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nix"], 3, "no model is called 'nix'"),
        (["nix.onnx"], 3, "nix.onnx: no such model file"),
        (["MODEL", "--device", "nix"], 2, "no device is called 'nix'"),
        (["MODEL", "--device", "cuda:77"], 4, "device cuda:77 is not available"),
        (["MODEL", "--tile", "5"], 2, "tile is 5, but must be at least 32 pixels"),
        (["MODEL", "--json", "nix/figures.json"], 2, "nix/figures.json: there is no folder nix"),
        (["MODEL", "--json", "there.json"], 2, "there.json exists; --overwrite replaces it"),
    ],
)
def test_refusals(
    imgen: Imgen,
    refused: Callable[..., None],
    upscale_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("mine")
    chosen = [str(upscale_model) if word == "MODEL" else word for word in words]
    refused(imgen("bench", *chosen, "--size", 32, "--rounds", 1), code, said)
    assert Path("there.json").read_text() == "mine"


def test_a_model_of_another_task(
    imgen: Imgen, refused: Callable[..., None], write_inpaint_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = write_inpaint_model(tmp_path / "faces.onnx", task="face")
    refused(imgen("bench", model), 3, "made for 'face'; what is timed are models for inpaint, upscale, derain")
