"""Whatever is wrong: one clear line, the right exit code, no traceback, nothing half-written."""

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import Result

from imgen_apps.super_resolution import SuperResolution
from tests.imgen.cli.images import BAD_FILES, RGB, hostile, refused

Run = Callable[..., Result]


@pytest.fixture
def run(run_verb: Run, upscale_model: Path) -> Run:
    """Call ``imgen upscale`` in a folder with photo.png and photo.jpg."""
    return partial(run_verb, "upscale", model=upscale_model)


def _refused(result: Result, code: int, *said: str) -> None:
    refused(result, code, *said)
    assert not list(Path().rglob("*-x*"))


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_photo_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    _refused(run(name), 1, name)


def test_files_that_are_not_there(run: Run) -> None:
    _refused(run("no.png"), 1, "no.png: no such file")
    _refused(run("*.webp"), 2, "no images in *.webp")
    _refused(run(), 2, "there is no input")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-s", "0"], "scale is 0,"),
        (["-s", "-2"], "scale is -2,"),
        (["-s", "1000"], "scale is 1000, but it must be above 0 and at most 16"),
        (["-s", "nan"], "scale is nan,"),
        (["--target", "huge"], "target 'huge' is no size; write 4000x"),
        (["--target", "0x"], "target '0x' is no size"),
        (["--target", "100x", "-s", "2"], "give one of them"),
        (["-t", "10"], "tile is 10"),
        (["--fidelity", "0.5"], "leave it out, or --model"),
        (["--ext", "jpgg"], "did you mean 'jpg'"),
        (["-o", "out.png", "--ext", "jpg"], "the name says PNG"),
    ],
)
def test_options_that_make_no_sense(run: Run, options: list[str], said: str) -> None:
    _refused(run("photo.png", *options), 2, said)


@pytest.mark.parametrize("fidelity", ["-0.1", "1.5", "nan"])
def test_fidelity_out_of_range(run: Run, fidelity: str) -> None:
    _refused(run("photo.png", "--fidelity", fidelity, model=None), 2, f"fidelity is {fidelity}")


def test_what_cannot_be_written_is_said_before_any_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(SuperResolution, "bands")
    PIL.Image.new("RGB", (4500, 1)).save("wide.png")
    PIL.Image.fromarray(np.dstack([RGB, RGB[..., 0]])).save("alpha.png")
    PIL.Image.fromarray(RGB[..., 0].astype(np.uint16) * 257).save("deep.png")
    _refused(run("wide.png", "-s", "16", "-o", "out.jpg"), 1, "72000 x 16 is too large for JPEG", "choose png or tiff")
    _refused(run("wide.png", "--ext", "webp"), 1, "18000 x 4 is too large for WEBP", "choose png or tiff")
    _refused(run("alpha.png", "-o", "out.jpg"), 1, "transparency", "choose png")
    _refused(run("alpha.png", "-o", "out.gif"), 1, "translucent", "choose png")
    _refused(run("deep.png", "-o", "out.jpg"), 1, "16 bits", "choose png")
    _refused(run("photo.png", "-o", "out.xyz"), 2, "does not write .xyz")
    _refused(run("photo.png", "--target", "x10000"), 1, "48 pixels would become 208.3 times as large")
    _refused(run("photo.png", "--max-pixels", "3000"), 1, "64 x 48", "--max-pixels")


def test_models(run: Run, inpaint_model: Path) -> None:
    Path("text.onnx").write_text("no model")
    for name in ("text.onnx", "no.onnx", "nosuch", "photo.png"):
        _refused(run("photo.png", model=name), 3, name)
    _refused(run("photo.png", model="upscale-x5"), 3, "did you mean 'upscale-x")
    _refused(run("photo.png", model=inpaint_model), 3, "'inpaint', not for 'upscale'")


def test_a_pickle_with_code_in_it_runs_nothing(run: Run) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path("sprung").touch, ()

    Path("trap.pth").write_bytes(pickle.dumps({"params": Trap()}))
    _refused(run("photo.png", model="trap.pth"), 3, "trap.pth")
    assert not Path("sprung").exists()


def test_devices(run: Run) -> None:
    _refused(run("photo.png", device="cuda:77"), 4, "cuda:77 is not available")
    _refused(run("photo.png", "--target", "100x", device="cqu"), 2, "did you mean 'cpu'")


def test_a_full_disk(run: Run, small_disk: Path) -> None:
    PIL.Image.fromarray(RGB[:8, :8]).save("tiny.png")
    result = run("photo.png", "tiny.png", "-s", "3.3", "--ext", "bmp", "-o", small_disk)
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert [path.name for path in small_disk.glob("*.bmp")] == ["tiny.bmp"]
    assert not list(small_disk.glob(".*.part"))
