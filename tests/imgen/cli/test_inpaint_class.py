"""imgen inpaint with a model that knows classes: a run, its file, and its graph without torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import Result

from imgen.image.file import read
from tests.imgen.cli.images import RGB, refused, run_without_torch

MASK = np.zeros((48, 64), np.uint8)
MASK[16:32, 16:32] = 255

Imgen = Callable[..., Result]
Run = Callable[..., Result]
Runs = Callable[..., Path]


@pytest.fixture
def run(run_verb: Run, runs: Runs) -> Run:
    """Call ``imgen inpaint photo.png --mask mask.png`` with a run of cats and dogs."""
    PIL.Image.fromarray(MASK).save("mask.png")
    return partial(run_verb, "inpaint", "photo.png", "--mask", "mask.png", model=runs("cvae-gan"))


def _filled(path: str) -> np.ndarray:
    pixels = read(Path(path)).pixels
    np.testing.assert_array_equal(pixels[MASK == 0], RGB[MASK == 0])
    assert not np.array_equal(pixels[MASK > 0], RGB[MASK > 0])
    return pixels[MASK > 0]


@pytest.mark.parametrize("method", ["cvae-gan", "conditional-vae"])
def test_a_run_fills_by_class(run: Run, runs: Runs, method: str) -> None:
    filled = []
    for name in ("cat", "dog"):
        result = run("--class", name, "-o", f"{name}.png", model=runs(method))
        assert result.exit_code == 0, (result.output, result.exception)
        filled.append(_filled(f"{name}.png"))
    assert not np.array_equal(*filled)


def test_the_file_of_a_run_and_its_graph_do_the_same(run: Run, runs: Runs, imgen: Imgen) -> None:
    file = runs("cvae-gan") / "autoencoder.safetensors"
    result = imgen("export", file, "cats.onnx")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "at batches of 1, 3, 8, 17" in result.stdout
    for name, model in (("file.png", file), ("graph.png", "cats.onnx")):
        assert run("--class", "cat", "-o", name, model=model).exit_code == 0
    assert np.abs(_filled("file.png").astype(int) - _filled("graph.png")).max() <= 1
    words = ("inpaint", "photo.png", "--mask", "mask.png", "--model", "cats.onnx", "--class", "cat", "-o", "c.png")
    run_without_torch(*words)
    np.testing.assert_array_equal(_filled("c.png"), _filled("graph.png"))
    result = imgen("export", file, "e.onnx", "--graph", "embed")
    assert (result.exit_code, "levels of 255" in result.stdout) == (0, True)


def test_a_folder_knows_what_it_was_done_with(run: Run) -> None:
    for options, said in (
        (("--class", "cat"), "->"),
        (("--class", "cat"), "skipped, done in an earlier run"),
        (("--class", "dog"), "->"),
        (("--class", "dog", "--iterations", 3), "->"),
        (("--class", "dog", "--iterations", 3), "skipped, done in an earlier run"),
    ):
        result = run("-o", "out/", *options, "--resume")
        assert (result.exit_code, said in result.stderr) == (0, True), (options, result.stderr)


def test_bad_input(run: Run, runs: Runs, inpaint_model: Path, tmp_path: Path) -> None:
    refused(run(), 2, "has classes; say with --class what the photo shows: cat, dog")
    refused(run("--class", "catt"), 2, "is called 'catt'; did you mean 'cat'")
    refused(run("--class", "cat", "--tile", 512), 2, "--tile is not for")
    refused(run("--class", "cat", model=inpaint_model), 2, "--class is for models with classes")
    refused(run("--iterations", 3, model=inpaint_model), 2, "--iterations is for models with classes")
    refused(run("--class", "cat", model=runs("vae")), 3, "writes no autoencoder.safetensors")
    refused(run("--class", "cat", model=runs("cvae-gan") / "model.safetensors"), 3, "is a model for 'generate'")
    refused(run("--class", "cat", model=tmp_path), 3, "not a file")
    assert not [*Path().glob("*-inpainted.*")]
