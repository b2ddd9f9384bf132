"""imgen inpaint as a user calls it: what it makes, what it says, how it exits."""

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from typer.testing import Result

from imgen.image.file import probe, read
from tests.imgen.cli.images import RGB, refused

MASK = np.zeros((48, 64), np.uint8)
MASK[16:32, 16:32] = 255

Run = Callable[..., Result]


@pytest.fixture
def run(run_verb: Run, inpaint_model: Path) -> Run:
    """Call ``imgen inpaint`` in a folder with photo.png, photo.jpg and mask.png."""
    PIL.Image.fromarray(MASK).save("mask.png")
    return partial(run_verb, "inpaint", model=inpaint_model)


def _filled(path: str | Path, image: npt.NDArray[Any] = RGB) -> None:
    pixels = read(Path(path)).pixels
    np.testing.assert_array_equal(pixels[MASK == 0], image[MASK == 0])
    assert len(np.unique(pixels[20:28, 20:28].reshape(-1, 3), axis=0)) == 1  # its middle: the seam is feathered


def test_one_photo(run: Run) -> None:
    result = run("photo.png", "--mask", "mask.png")
    assert result.exit_code == 0, result.output
    assert "photo.png -> photo-inpainted.png" in result.stderr
    _filled("photo-inpainted.png")


def test_names_of_results(run: Run) -> None:
    assert run("photo.png", "-m", "mask.png", "-o", "out.png").exit_code == 0
    assert run("-i", "photo.png", "-m", "mask.png", "--suffix", "_x", "--ext", "tif").exit_code == 0
    assert run("photo.png", "-m", "mask.png", "-o", "folder/").exit_code == 0
    for path in ("out.png", "photo_x.tif", "folder/photo.png"):
        _filled(path)
    assert probe(Path("photo_x.tif")).format == "TIFF"


def test_a_folder_of_mixed_formats_with_a_folder_of_masks(run: Run) -> None:
    for name in ("in/a.png", "in/sub/b.tif", "in/sub/c.bmp", "in/d.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(RGB).save(name)
    Path("in/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("in/empty.png").touch()
    Path("masks/sub").mkdir(parents=True)
    for name in ("masks/a.png", "masks/sub/b.png", "masks/c.png", "masks/broken.png", "masks/empty.png"):
        PIL.Image.fromarray(MASK).save(name)
    result = run("in", "-m", "masks", "-o", "out", "-r", "--report", "report.jsonl")
    assert result.exit_code == 1
    for name in ("a.png", "sub/b.tif", "sub/c.bmp"):
        _filled(f"out/{name}")
        assert probe(Path("out", name)).format == probe(Path("in", name)).format
    assert "3 done, 3 failed" in result.stderr
    records = {Path(r["source"]).name: r for r in map(json.loads, Path("report.jsonl").read_text().splitlines())}
    assert "no mask called d.* in masks" in records["d.jpg"]["error"]
    assert "broken.png" in records["broken.png"]["error"]
    assert records["a.png"]["provider"] == "CPUExecutionProvider"
    assert sorted(p.name for p in Path("out").rglob("*.*") if not p.name.startswith(".")) == ["a.png", "b.tif", "c.bmp"]


def test_the_masks_among_the_photos_are_not_photos(run: Run) -> None:
    result = run(".", "-m", "mask.png", "-o", "out")
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in Path("out").glob("[!.]*")) == ["photo.jpg", "photo.png"]


def test_a_mask_that_changes_is_noticed_by_resume(run: Run) -> None:
    PIL.Image.fromarray(RGB).save("second.png")
    assert run("photo.png", "second.png", "-m", "mask.png", "-o", "out").exit_code == 0
    again = run("photo.png", "second.png", "-m", "mask.png", "-o", "out", "--resume")
    assert "2 skipped" in again.stderr
    PIL.Image.fromarray(np.roll(MASK, 5)).save("mask.png")
    changed = run("photo.png", "second.png", "-m", "mask.png", "-o", "out", "--resume")
    assert "2 done" in changed.stderr
    grown = run("photo.png", "second.png", "-m", "mask.png", "-o", "out", "--resume", "--grow", 3)
    assert "2 done" in grown.stderr


def test_existing_results(run: Run) -> None:
    assert run("photo.png", "-m", "mask.png").exit_code == 0
    refused(run("photo.png", "-m", "mask.png"), 2, "photo-inpainted.png exists already")
    assert "skipped" in run("photo.png", "-m", "mask.png", "--skip-existing").stderr
    assert run("photo.png", "-m", "mask.png", "--overwrite").exit_code == 0


def test_dry_run(run: Run) -> None:
    result = run("photo.png", "-m", "mask.png", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "photo.png -> photo-inpainted.png\n")
    assert not Path("photo-inpainted.png").exists()


def test_quiet(run: Run) -> None:
    assert run("photo.png", "-m", "mask.png", "--quiet").output == ""


@pytest.mark.parametrize("options", [["--invert-mask"], ["--grow", "4"], ["--feather", "5"], ["--tile", "256"]])
def test_options_reach_the_pipeline(run: Run, options: list[str]) -> None:
    assert run("photo.png", "-m", "mask.png", "-o", "plain.png").exit_code == 0
    assert run("photo.png", "-m", "mask.png", "-o", "other.png", *options).exit_code == 0
    plain, other = read(Path("plain.png")).pixels, read(Path("other.png")).pixels
    assert (plain != other).any() == (options[0] != "--tile")


def test_alpha_as_the_mask(run: Run) -> None:
    rgba = np.dstack([RGB, 255 - MASK])
    PIL.Image.fromarray(rgba).save("cut.png")
    assert run("cut.png", "-m", "alpha", "-o", "whole.jpg").exit_code == 0
    assert run("cut.png", "-m", "alpha").exit_code == 0
    pixels = read(Path("cut-inpainted.png")).pixels
    assert (pixels[..., 3] == 255).all()
    np.testing.assert_array_equal(pixels[MASK == 0], rgba[MASK == 0])
    refused(run("photo.png", "-m", "alpha", "--overwrite"), 1, "no alpha channel")


def test_a_16_bit_photo_stays_one(run: Run) -> None:
    deep = RGB.astype(np.uint16) * 257 + 1
    from imgen.image.file import write

    picture = read(Path("photo.png"))
    picture.frames = [deep]
    write(picture, Path("deep.png"))
    assert run("deep.png", "-m", "mask.png").exit_code == 0
    _filled("deep-inpainted.png", deep)


def test_a_jpeg_comes_back_as_it_was_far_from_the_hole(run: Run) -> None:
    smooth = np.add.outer(np.arange(48) * 2, np.arange(64) * 2)[..., None].repeat(3, 2).astype(np.uint8)
    PIL.Image.fromarray(smooth).save("photo.jpg", quality=83)
    assert run("photo.jpg", "-m", "mask.png").exit_code == 0
    before, after = read(Path("photo.jpg")).pixels.astype(int), read(Path("photo-inpainted.jpg")).pixels
    assert np.abs(before - after)[:, 48:].max() <= 1
    assert np.abs(before - after)[16:32, 16:32].max() > 5


def test_quality_format_and_metadata(run: Run) -> None:
    image = PIL.Image.fromarray(RGB)
    image.save(
        "photo.jpg", quality=90, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", icc_profile=b"profile", dpi=(72, 72)
    )
    assert run("photo.jpg", "-m", "mask.png", "-o", "a.jpg", "--quality", 20, "--strip-metadata").exit_code == 0
    assert run("photo.jpg", "-m", "mask.png", "-o", "b.jpg").exit_code == 0
    assert Path("a.jpg").stat().st_size < Path("b.jpg").stat().st_size
    with PIL.Image.open("a.jpg") as a, PIL.Image.open("b.jpg") as b:
        assert "icc_profile" not in a.info
        assert b.info["icc_profile"] == b"profile"


def test_standard_input_and_output(run: Run) -> None:
    result = run("-", "-m", "mask.png", stdin=Path("photo.png").read_bytes())
    assert result.exit_code == 0, result.output
    Path("piped.png").write_bytes(result.stdout_bytes)
    _filled("piped.png")
    assert run("photo.png", "-m", "mask.png", "-o", "-", "--format", "webp").stdout_bytes[8:12] == b"WEBP"
    assert run("-", "-m", "mask.png", "-o", "out.png", stdin=Path("photo.png").read_bytes()).exit_code == 0
    _filled("out.png")
    refused(run("-", "-m", "mask.png", "-o", "out.png", stdin=b"x"), 2, "out.png exists already")
    refused(run("-", "photo.png", "-m", "mask.png"), 2, "- stands for one image")
    refused(run("-", "-m", "mask.png", stdin=b""), 1, "standard input is empty")
    refused(run("-", "-m", "mask.png", stdin=b"rubbish"), 1, "not an image")


def test_masks_worth_a_warning(run: Run) -> None:
    PIL.Image.fromarray(MASK * 0).save("nothing.png")
    result = run("photo.png", "-m", "nothing.png", "-o", "same.png")
    assert (result.exit_code, "the mask is empty" in result.stderr) == (0, True)
    assert Path("same.png").read_bytes() == Path("photo.png").read_bytes()
    assert "is it inverted" in run("photo.png", "-m", "mask.png", "--invert-mask").stderr
    PIL.Image.fromarray(MASK[::2, ::2].copy()).save("half.png")
    assert "the mask is 32 x 24, the image 64 x 48" in run("photo.png", "-m", "half.png", "-o", "h.png").stderr


def test_slim_images(run: Run) -> None:
    for width in (1, 5000):
        image = io.BytesIO()
        PIL.Image.new("RGB", (width, 1), (9, 99, 199)).save(image, "PNG")
        Path("slim.png").write_bytes(image.getvalue())
        mask = np.zeros((1, width), np.uint8)
        mask[:, : width // 3] = 255
        PIL.Image.fromarray(mask).save("slim-mask.png")
        result = run("slim.png", "-m", "slim-mask.png", "-o", f"{width}.png")
        assert result.exit_code == 0, result.output
        assert (read(Path(f"{width}.png")).pixels == [9, 99, 199]).all()
