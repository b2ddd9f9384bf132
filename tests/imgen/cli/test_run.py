"""imgen run: a model file through the verb of its task."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from typer.testing import Result

from imgen.spec import KEY, Spec
from tests.imgen.cli.images import RGB, pixels, refused, run_without_torch

Run = Callable[..., Result]


@pytest.fixture
def run(run_verb: Run, imgen: Run) -> Run:
    """Call ``imgen run`` in a folder with photo.png and photo.jpg."""
    return partial(imgen, "run")


def without_description(path: Path, model: Path) -> Path:
    """A copy of a model file that says nothing of itself."""
    copy = onnx.load(model)
    del copy.metadata_props[:]
    onnx.save(copy, path)
    return path


def test_an_upscaler_upscales(run: Run, upscale_model: Path) -> None:
    assert run(upscale_model, "photo.png", "--device", "cpu", "--scale", 2, "-o", "large.png").exit_code == 0
    np.testing.assert_array_equal(pixels("large.png"), RGB.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("task", ["inpaint", "derain", "translate"])
def test_gives_what_the_verb_gives(run: Run, imgen: Run, request: pytest.FixtureRequest, task: str) -> None:
    model = request.getfixturevalue(f"{task}_model")
    hole = np.zeros(RGB.shape[:2], np.uint8)
    hole[10:20, 10:30] = 255
    Image.fromarray(hole).save("mask.png")
    words = ["photo.png", "--device", "cpu", *(["--mask", "mask.png"] if task == "inpaint" else [])]
    result = run(model, *words, "--output", "by-run.png")
    assert result.exit_code == 0, result.output
    assert imgen(task, *words, "--model", model, "--output", "by-verb.png").exit_code == 0
    np.testing.assert_array_equal(pixels("by-run.png"), pixels("by-verb.png"))
    assert not np.array_equal(pixels("by-run.png"), RGB)


def test_a_folder_with_a_report(run: Run, upscale_model: Path) -> None:
    words = ("--device", "cpu", "--output", "out", "--report", "report.jsonl")
    assert run(upscale_model, "photo.png", "photo.jpg", *words).exit_code == 0
    assert {json.loads(line)["status"] for line in Path("report.jsonl").read_text().splitlines()} == {"done"}
    assert sorted(path.name for path in Path("out").iterdir() if not path.name.startswith(".")) == [
        "photo.jpg",
        "photo.png",
    ]


def test_help_behind_the_model_is_that_of_its_verb(run: Run, inpaint_model: Path) -> None:
    assert "--invert-mask" in run(inpaint_model, "--help").output
    assert "--invert-mask" not in run("--help").output


def test_a_file_of_others_with_json_beside_it(run: Run, derain_model: Path) -> None:
    without_description(Path("other.onnx"), derain_model)
    refused(run("other.onnx", "photo.png"), 3, "not an upscaler", "gives 2 results", "other.json")
    beside = {"task": "derain", "outputs": ["result", "attention"], "multiple": 4}
    Path("other.json").write_text(json.dumps(beside))
    result = run("other.onnx", "photo.png", "--device", "cpu", "--everywhere", "--output", "dry.png")
    assert result.exit_code == 0, result.output
    drops = RGB[..., 0] > RGB[..., 1] + 128  # where the tiny network is sure of one
    assert drops.any()
    np.testing.assert_array_equal(pixels("dry.png")[drops], 255 - RGB[drops])


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ('{"task": "fly"}', "other.onnx: made for 'fly'; imgen run knows inpaint"),
        ('{"task": "upsc', "other.json: cannot be read as JSON"),
        ('{"task": "upscale", "scale": "4"}', "says scale '4', but it is a whole number of 1 to 16"),
        ('{"task": "upscale", "multiple": 0}', "says multiple 0"),
        ('{"task": "upscale", "inputs": "image"}', "says inputs 'image', but they are names in a list"),
        ('{"task": "upscale", "inputs": [1]}', "says inputs (1,), but they are names"),
        ('{"task": "upscale", "scale": 2, "inputs": ["x"]}', "takes image tensor(float) but says x tensor(float)"),
        ('{"task": "inpaint", "graph": "embed"}', "'embed' graph"),
    ],
)
def test_json_that_does_not_fit(run: Run, upscale_model: Path, beside: str, said: str) -> None:
    without_description(Path("other.onnx"), upscale_model)
    Path("other.json").write_text(beside)
    refused(run("other.onnx", "photo.png", "--device", "cpu"), 3, said)


def test_a_result_of_another_size_than_it_says(run: Run, upscale_model: Path) -> None:
    without_description(Path("other.onnx"), upscale_model)
    Path("other.json").write_text('{"task": "upscale", "scale": 3}')
    result = run("other.onnx", "photo.png", "--device", "cpu")
    refused(result, 3, "other: makes 1 x 3 x 96 x 128 of 1 x 3 x 48 x 64, but says that its scale is 3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nix.onnx", "photo.png"], "nix.onnx: cannot be read (No such file or directory)"),
        (["nix", "photo.png"], "nix: neither a name that imgen models list shows nor an .onnx file"),
        (["photo.png", "photo.png"], "photo.png: neither a name"),
    ],
)
def test_what_is_no_model(run: Run, words: list[str], said: str) -> None:
    refused(run(*words), 3, said)


def test_a_group_of_verbs_wants_one_of_them(run: Run, upscale_model: Path) -> None:
    model = onnx.load(upscale_model)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: Spec("faces", "face", "MIT").to_json()})
    onnx.save(model, "faces.onnx")
    refused(run("faces.onnx", "photo.png"), 2, "faces.onnx does more than one thing", "swap, edit, frontalise")


def test_options_before_the_model_are_refused(run: Run, inpaint_model: Path) -> None:
    result = run("--mask", "mask.png", inpaint_model, "photo.png")
    assert result.exit_code == 2
    assert "No such option: --mask" in result.output


def test_runs_without_torch(run: Run, upscale_model: Path) -> None:
    run_without_torch("run", str(upscale_model), "photo.png", "--output", "large.png", "--quiet", "--device", "cpu")
    assert Path("large.png").exists()
