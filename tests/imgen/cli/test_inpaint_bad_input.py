"""Whatever is wrong: one clear line, the right exit code, no traceback, nothing half-written."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import Result

from imgen.cli import main
from imgen.image.file import read
from tests.imgen.cli.images import BAD_FILES, RGB, hostile, refused, run_without_torch

MASK = np.zeros((48, 64), np.uint8)
MASK[16:32, 16:32] = 255

Run = Callable[..., Result]


@pytest.fixture
def run(run_verb: Run, inpaint_model: Path) -> Run:
    """Call ``imgen inpaint`` in a folder with photo.png, photo.jpg and mask.png."""
    PIL.Image.fromarray(MASK).save("mask.png")
    return partial(run_verb, "inpaint", model=inpaint_model)


def _refused(result: Result, code: int, *messages: str) -> None:
    refused(result, code, *messages)
    assert not list(Path().rglob("*inpainted*"))


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_photo_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    _refused(run(name, "-m", "mask.png"), 1, name)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_mask_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    _refused(run("photo.png", "-m", name), 1, name)


def test_files_that_are_not_there_or_not_files(run: Run) -> None:
    Path("folder").mkdir()
    _refused(run("no.png", "-m", "mask.png"), 1, "no.png: no such file")
    _refused(run("photo.png", "-m", "no.png"), 2, "no.png: no such mask")
    _refused(run("folder", "-m", "mask.png"), 2, "no images in folder")
    _refused(run("photo.png", "-m", "folder"), 1, "no mask called photo.*")
    _refused(run("*.webp", "-m", "mask.png"), 2, "no images in *.webp")
    _refused(run("-m", "mask.png"), 2, "there is no input")


def test_output_that_cannot_be(run: Run) -> None:
    Path("folder.png").mkdir()
    Path("file").touch()
    before = Path("photo.png").read_bytes()
    _refused(run("photo.png", "-m", "mask.png", "-o", "photo.png"), 2, "photo.png")
    _refused(run("photo.png", "-m", "mask.png", "-o", "mask.png", "--overwrite"), 2, "mask.png is also an input")
    _refused(run("photo.png", "photo.jpg", "-m", "mask.png", "-o", "out.png"), 2, "out.png is a file")
    _refused(run("photo.png", "-m", "mask.png", "-o", "file/out.png"), 2, "file is a file")
    _refused(run("photo.png", "-m", "mask.png", "-o", "out.xyz"), 2, "does not write .xyz")
    _refused(run("photo.png", "-m", "mask.png", "-o", "out.png", "--format", "jpg"), 2, "out.png", "JPEG")
    _refused(run("photo.png", "-m", "mask.png", "--format", "jpgg"), 2, "did you mean 'jpg'")
    _refused(run("photo.png", "-m", "mask.png", "--skip-existing", "--overwrite"), 2, "contradict")
    _refused(run("photo.png", "-m", "mask.png", "--tile", "10"), 2, "tile is 10")
    assert Path("photo.png").read_bytes() == before


@pytest.mark.parametrize("option", [["--quality", "0"], ["--grow", "-1"], ["--feather", "99"], ["--threads", "0"]])
def test_numbers_out_of_range_are_refused_by_name(run: Run, option: list[str]) -> None:
    result = run("photo.png", "-m", "mask.png", *option)
    assert result.exit_code == 2
    assert option[0] in result.stderr
    assert "Traceback" not in result.output


def test_what_a_format_cannot_hold(run: Run) -> None:
    PIL.Image.fromarray(np.dstack([RGB, RGB[..., 0]])).save("alpha.png")
    PIL.Image.fromarray(RGB[..., 0].astype(np.uint16) * 257).save("deep.png")
    _refused(run("alpha.png", "-m", "mask.png", "-o", "out.jpg"), 1, "transparency", "choose png")
    _refused(run("deep.png", "-m", "mask.png", "-o", "out.jpg"), 1, "16 bits", "choose png")
    assert run("deep.png", "-m", "mask.png", "--format", "jpg").exit_code == 0


def test_max_pixels(run: Run) -> None:
    _refused(run("photo.png", "-m", "mask.png", "--max-pixels", "3000"), 1, "64 x 48", "--max-pixels")


def test_a_mask_of_everything(run: Run) -> None:
    PIL.Image.new("L", (64, 48), 255).save("all.png")
    _refused(run("photo.png", "-m", "all.png"), 1, "covers the whole image", "inverted")


def test_models(run: Run, inpaint_model: Path, write_inpaint_model: Callable[..., Path]) -> None:
    whole = inpaint_model.read_bytes()
    Path("cut.onnx").write_bytes(whole[: len(whole) // 2])
    Path("empty.onnx").touch()
    Path("text.onnx").write_text("no model")
    Path("weights.safetensors").write_bytes(b"\xff" * 64)
    for name in ("cut.onnx", "empty.onnx", "text.onnx", "weights.safetensors", "no.onnx", "nosuch", "photo.png"):
        _refused(run("photo.png", "-m", "mask.png", model=name), 3, name)
    write_inpaint_model(Path("other.onnx"), task="upscale")
    _refused(run("photo.png", "-m", "mask.png", model="other.onnx"), 3, "'upscale', not for 'inpaint'")


def test_the_catalogue_suggests_a_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path))
    entry = {"file": "big.onnx", "sha256": "0" * 64, "bytes": 1, "licence": "MIT", "task": "inpaint"}
    (tmp_path / "catalogue.json").write_text(json.dumps({"inpaint-big": entry}))
    _refused(run("photo.png", "-m", "mask.png", model="inpaint-bg"), 3, "did you mean 'inpaint-big'?")
    _refused(run("photo.png", "-m", "mask.png", model="inpaint-big"), 3, "big.onnx is not there")


def test_devices(run: Run) -> None:
    _refused(run("photo.png", "-m", "mask.png", device="cuda:77"), 4, "cuda:77 is not available")
    _refused(run("photo.png", "-m", "mask.png", device="cqu"), 2, "did you mean 'cpu'")
    _refused(run("photo.png", "-m", "mask.png", device="cpu:1"), 2, "cpu:1")


def test_the_rest_of_a_batch_is_done(run: Run) -> None:
    Path("in").mkdir()
    for name in BAD_FILES:
        Path("in", name).write_bytes(hostile(name))
    for name in ("a.png", "z.jpg"):
        PIL.Image.fromarray(RGB).save(Path("in", name))
    result = run("in", "-m", "mask.png", "-o", "out")
    assert result.exit_code == 1
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["a.png", "z.jpg"]
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert [Path(line.removeprefix("error: ").split(":")[0]).name for line in errors] == sorted(BAD_FILES)
    assert "2 done, 6 failed" in result.stderr


def test_a_full_disk(run: Run, small_disk: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    PIL.Image.fromarray(noise).save("large.png")
    result = run("large.png", "photo.png", "-m", "mask.png", "-o", small_disk)
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert [path.name for path in small_disk.glob("*.png")] == ["photo.png"]
    assert read(small_disk / "photo.png").pixels.shape == RGB.shape
    assert not list(small_disk.glob(".*.part"))


def test_a_read_only_folder(run: Run, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    _refused(run("photo.png", "-m", "mask.png", "-o", small_disk / "out.png"), 2, "read-only")


def test_debug_shows_the_traceback_as_well(run: Run) -> None:
    result = run("photo.png", "-m", "mask.png", "--debug", model="no.onnx")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("imgen: no.onnx")


def test_a_bug_is_one_line_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(main, "app", broken)
    monkeypatch.setattr(sys, "argv", ["imgen", "demo"])
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == "imgen: unexpected ZeroDivisionError: oh no; --debug shows where"
    monkeypatch.setattr(sys, "argv", ["imgen", "demo", "--debug"])
    with pytest.raises(ZeroDivisionError):
        main.main()


def test_a_whole_run_leaves_torch_alone(run: Run, inpaint_model: Path) -> None:
    run_without_torch("inpaint", "photo.png", "-m", "mask.png", "--model", str(inpaint_model), "--device", "cpu")
    assert Path("photo-inpainted.png").exists()
