"""imgen derain as a user calls it: what it makes, what it says, how it exits."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import Result

from imgen.image.file import probe, read
from imgen_apps.raindrop_removal import RaindropRemoval
from tests.imgen.cli.images import BAD_FILES, hostile, pixels, refused, run_without_torch

Run = Callable[..., Result]

WET = np.full((48, 64, 3), 90, np.uint8)
WET[10:30, 20:40] = (200, 40, 60)
MIDDLE = (slice(15, 25), slice(25, 35))
WIPED = 255 - WET[MIDDLE]


@pytest.fixture
def run(run_verb: Run, derain_model: Path) -> Run:
    """Call ``imgen derain`` in a folder with photo.png, which has a drop; the model makes the negative of it."""
    call = partial(run_verb, "derain", model=derain_model)
    PIL.Image.fromarray(WET).save("photo.png")
    return call


def test_one_photo_and_its_map(run: Run) -> None:
    result = run("photo.png", "--show-attention", "drops.png")
    assert result.exit_code == 0, result.output
    assert "photo.png -> photo-derained.png" in result.stderr
    made, found = pixels("photo-derained.png"), pixels("drops.png")[..., 0]
    np.testing.assert_array_equal(made[MIDDLE], WIPED)
    np.testing.assert_array_equal(made[found == 0], WET[found == 0])
    assert found[MIDDLE].min() > 100
    assert (found > 0).mean() < 0.25


def test_strength_and_everywhere(run: Run) -> None:
    assert run("photo.png", "-o", "none.png", "--strength", "0").exit_code == 0
    assert Path("none.png").read_bytes() == Path("photo.png").read_bytes()
    assert run("photo.png", "-o", "half.png", "--strength", "0.5", "--everywhere").exit_code == 0
    assert np.abs(pixels("half.png").astype(int) - 127.5).max() <= 1


def test_frames_of_a_video_keep_their_names_and_order(run: Run) -> None:
    for number in (1, 2, 10):
        Path("frames").mkdir(exist_ok=True)
        PIL.Image.fromarray(np.roll(WET, number, 1)).save(f"frames/{number:04}.png")
    result = run("frames", "-o", "dry", "--show-attention", "maps", "--report", "report.jsonl")
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert [Path(record["target"]).name for record in records] == ["0001.png", "0002.png", "0010.png"]
    assert [record["covered"] for record in records] == [pytest.approx(24 * 24 / 3072, abs=1e-4)] * 3
    for number in (1, 2, 10):
        np.testing.assert_array_equal(np.roll(pixels(f"dry/{number:04}.png"), -number, 1)[MIDDLE], WIPED)
        assert np.roll(pixels(f"maps/{number:04}.png"), -number, 1)[MIDDLE].min() > 100


def test_maps_of_a_tree_never_collide(run: Run) -> None:
    for name in ("in/a.png", "in/a.bmp", "in/sub/a.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(WET).save(name)
    assert run("in", "-r", "-o", "out", "--show-attention", "in/maps").exit_code == 0
    maps = {path.relative_to("in/maps").as_posix() for path in Path("in/maps").rglob("*.png")}
    assert maps == {"a.png", "a_bmp.png", "sub/a.png"}
    again = run("in", "-r", "-o", "out", "--show-attention", "in/maps", "--overwrite")
    assert "3 done" in again.stderr  # the maps of the first run are no photos


def test_resume_makes_maps_that_are_missing(run: Run) -> None:
    def go(*options: str) -> str:
        return run("photo.png", "photo.jpg", "-o", "out", "--resume", *options).stderr

    assert "2 done" in go()
    assert "2 skipped" in go()
    assert "2 done" in go("--show-attention", "maps")
    Path("maps/photo.png").unlink()
    assert "1 done, 1 skipped" in go("--show-attention", "maps")
    assert "2 done" in go("--show-attention", "maps", "--strength", "0.5")


def test_standard_input_and_output(run: Run) -> None:
    data = Path("photo.png").read_bytes()
    result = run("-", "--show-attention", "drops.png", stdin=data)
    assert result.exit_code == 0, result.output
    Path("piped.png").write_bytes(result.stdout_bytes)
    np.testing.assert_array_equal(pixels("piped.png")[MIDDLE], WIPED)
    assert probe(Path("drops.png")).width == 64
    refused(run("-", "--show-attention", "drops.png", stdin=data), 2, "drops.png exists already")


def test_an_animation_and_its_map(run: Run) -> None:
    frames = [PIL.Image.fromarray(np.roll(WET, shift, 1)) for shift in (0, 9)]
    frames[0].save("moving.webp", save_all=True, append_images=frames[1:], duration=[50, 70], lossless=True)
    assert run("moving.webp", "--show-attention", "drops.png").exit_code == 0
    made, found = read(Path("moving-derained.webp")), read(Path("drops.png"))
    assert made.metadata.durations == found.metadata.durations == (50, 70)
    for frame, shift in zip(made.frames, (0, 9), strict=True):
        np.testing.assert_array_equal(np.roll(frame, -shift, 1)[MIDDLE][..., :3], WIPED)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_photo_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    refused(run(name, "--show-attention", "drops.png"), 1, name)
    assert not Path("drops.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--strength", "1.2"], "strength is 1.2, but it must be from 0"),
        (["--strength", "nan"], "strength is nan,"),
        (["-t", "10"], "tile is 10"),
        (["--show-attention", "map.xyz"], "does not write .xyz"),
        (["--show-attention", "photo.png"], "photo.png is also an input"),
        (["--show-attention", "photo.png", "--overwrite"], "photo.png is also an input"),
        (["--show-attention", "out.png", "-o", "out.png"], "out.png would be written twice of photo.png"),
        (["--show-attention", "old.png"], "old.png exists already"),
        (["photo.jpg", "--show-attention", "map.png"], "map.png is a file, but there may be several"),
    ],
)
def test_options_that_make_no_sense(run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str) -> None:
    monkeypatch.delattr(RaindropRemoval, "remove")
    Path("old.png").write_bytes(b"old")
    refused(run("photo.png", *options), 2, said)
    assert Path("old.png").read_bytes() == b"old"
    assert not list(Path().glob("*-derained*"))


def test_models(run: Run, inpaint_model: Path) -> None:
    refused(run("photo.png", model=inpaint_model), 3, "'inpaint', not for 'derain'")
    refused(run("photo.png", model="derain-bose"), 3, "did you mean 'derain-base'")


def test_a_whole_run_leaves_torch_alone(run: Run, derain_model: Path) -> None:
    words = ("derain", "photo.png", "--show-attention", "drops.png", "--model", str(derain_model))
    run_without_torch(*words, "--device", "cpu")
    assert Path("photo-derained.png").exists()
    assert Path("drops.png").exists()
