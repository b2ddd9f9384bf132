"""imgen upscale as a user calls it: what it makes, what it says, how it exits."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags
from typer.testing import Result

from imgen.image.file import Picture, probe, read, write
from imgen.image.metadata import Metadata
from imgen_apps import upscaling
from tests.imgen.cli.images import RGB, refused, run_without_torch

Run = Callable[..., Result]
Pixels = npt.NDArray[Any]


@pytest.fixture
def run(run_verb: Run, upscale_model: Path) -> Run:
    """Call ``imgen upscale`` in a folder with photo.png and photo.jpg, with a model that repeats pixels."""
    return partial(run_verb, "upscale", model=upscale_model)


def repeated(pixels: Pixels, times: int) -> Pixels:
    return pixels.repeat(times, 0).repeat(times, 1)


def test_one_photo_is_four_times_as_large(run: Run) -> None:
    result = run("photo.png")
    assert result.exit_code == 0, result.output
    assert "photo.png -> photo-x4.png" in result.stderr
    np.testing.assert_array_equal(read(Path("photo-x4.png")).pixels, repeated(RGB, 4))


def test_the_flags_people_know(run: Run, upscale_model: Path) -> None:
    words = ("-i", "photo.png", "-o", "out", "-n", upscale_model, "-s", "2", "-t", "0", "--suffix", "_out")
    result = run(*words, "--ext", "tif", "--fp32", model=None)
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(read(Path("out/photo_out.tif")).pixels, repeated(RGB, 2))
    assert probe(Path("out/photo_out.tif")).format == "TIFF"


@pytest.mark.parametrize(
    ("options", "name", "size"),
    [
        (["-s", "3.5"], "photo-x3.5.png", (224, 168)),
        (["-s", "0.5"], "photo-x0.5.png", (32, 24)),
        (["-s", "16"], "photo-x16.png", (1024, 768)),
        (["--target", "100x"], "photo-100x.png", (100, 75)),
        (["--target", "x100", "--suffix", ""], "photo.png", (133, 100)),
        (["--target", "100x100", "-o", "out.png"], "out.png", (100, 75)),
    ],
)
def test_sizes_and_names(run: Run, options: list[str], name: str, size: tuple[int, int]) -> None:
    result = run("photo.png", *options, "--overwrite")
    assert result.exit_code == 0, result.output
    header = probe(Path(name))
    assert (header.width, header.height) == size


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_depth_and_channels_stay(run: Run, depth: type[np.uint8 | np.uint16], channels: int) -> None:
    full = np.iinfo(depth).max
    pixels = np.random.default_rng(channels).integers(0, full + 1, (9, 7, channels), depth)
    if channels in (2, 4):
        pixels[..., -1] = full
        pixels[0, 0, -1] = 0
    write(Picture([pixels], "PNG", Metadata()), Path("kind.png"))
    assert run("kind.png", "-s", "2").exit_code == 0
    found = read(Path("kind-x2.png")).pixels
    assert (found.dtype, found.shape) == (depth, (18, 14, channels))
    np.testing.assert_array_equal(found[8:], repeated(pixels, 2)[8:])
    assert found[0, 0, -1] == (0 if channels in (2, 4) else pixels[0, 0, -1])


def test_an_animation_frame_by_frame(run: Run) -> None:
    colours = np.array([[0, 0, 0, 0], [250, 0, 0, 255], [0, 90, 250, 255]], np.uint8)
    frames = [colours[np.random.default_rng(seed).integers(0, 3, (12, 16))] for seed in range(3)]
    images = [PIL.Image.fromarray(frame) for frame in frames]
    images[0].save("moving.gif", save_all=True, append_images=images[1:], duration=[50, 70, 90], loop=3, disposal=2)
    result = run("moving.gif", "-s", "3")
    assert result.exit_code == 0, result.output
    before, after = read(Path("moving.gif")), read(Path("moving-x3.gif"))
    assert after.metadata.durations == (50, 70, 90)
    assert after.metadata.loop == 3
    for frame, larger in zip(before.frames, after.frames, strict=True):
        assert larger.shape == (36, 48, 4)
        centres = larger[1::3, 1::3]
        np.testing.assert_array_equal(centres[..., 3], frame[..., 3])
        assert np.abs(centres[frame[..., 3] > 0].astype(int) - frame[frame[..., 3] > 0]).max() < 64  # 256 colours


def test_pages_of_different_sizes(run: Run) -> None:
    pages = [RGB, RGB[:10, :20]]
    write(Picture(list(pages), "TIFF", Metadata()), Path("pages.tif"))
    assert run("pages.tif", "--target", "80x").exit_code == 0
    assert [page.shape for page in read(Path("pages-80x.tif")).frames] == [(60, 80, 3), (40, 80, 3)]
    np.testing.assert_array_equal(read(Path("pages-80x.tif")).frames[1], repeated(pages[1], 4))


def test_a_folder_of_all_sorts(run: Run) -> None:
    for name in ("in/a.png", "in/sub/b.tif", "in/sub/c.bmp", "in/d.jpg", "in/e.webp"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(RGB).save(name)
    Path("in/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("in", "-s", "2", "-o", "out", "-r", "--report", "report.jsonl")
    assert result.exit_code == 1
    assert "5 done, 1 failed" in result.stderr
    for name in ("a.png", "sub/b.tif", "sub/c.bmp"):
        np.testing.assert_array_equal(read(Path("out", name)).pixels, repeated(RGB, 2))
    for name in ("d.jpg", "e.webp"):
        assert (probe(Path("out", name)).format, probe(Path("out", name)).width) == (
            probe(Path("in", name)).format,
            128,
        )
    records = {Path(r["source"]).name: r for r in map(json.loads, Path("report.jsonl").read_text().splitlines())}
    assert "broken.png" in records["broken.png"]["error"]
    assert (records["a.png"]["model"], records["a.png"]["device"]) == ("tiny-upscale", "cpu")


def test_resume_makes_what_would_differ(run: Run) -> None:
    def go(*options: str) -> str:
        return run("photo.png", "photo.jpg", "-o", "out", *options).stderr

    assert "2 done" in go("-s", "2")
    assert "2 skipped" in go("-s", "2", "--resume")
    assert "2 done" in go("-s", "3", "--resume")
    assert "2 done" in go("--target", "100x", "--resume")
    assert "2 skipped" in go("--target", "100x", "--resume")
    PIL.Image.fromarray(255 - RGB).save("photo.png")
    assert "1 done, 1 skipped" in go("--target", "100x", "--resume")


def test_resume_sees_another_fidelity(run: Run) -> None:
    assert run("photo.png", "-o", "out/a.png", "-s", "2", "--resume", model=None).exit_code == 0
    same = run("photo.png", "-o", "out/a.png", "-s", "2", "--resume", "--fidelity", "0", model=None)
    other = run("photo.png", "-o", "out/a.png", "-s", "2", "--resume", "--fidelity", "1", model=None)
    assert ("skipped" in same.stderr, "skipped" in other.stderr) == (True, False)


def test_existing_results_and_dry_run(run: Run) -> None:
    rehearsal = run("photo.png", "-s", "2", "--dry-run")
    assert (rehearsal.exit_code, rehearsal.stdout) == (0, "photo.png -> photo-x2.png\n")
    assert not Path("photo-x2.png").exists()
    assert run("photo.png", "-s", "2", "--quiet").output == ""
    refused(run("photo.png", "-s", "2"), 2, "photo-x2.png exists already")
    assert "skipped" in run("photo.png", "-s", "2", "--skip-existing").stderr


def test_standard_input_and_output(run: Run) -> None:
    result = run("-", "-s", "2", stdin=Path("photo.png").read_bytes())
    assert result.exit_code == 0, result.output
    Path("piped.png").write_bytes(result.stdout_bytes)
    np.testing.assert_array_equal(read(Path("piped.png")).pixels, repeated(RGB, 2))
    assert run("photo.png", "-o", "-", "--format", "webp").stdout_bytes[8:12] == b"WEBP"
    refused(run("-", "-o", "photo.png", stdin=b"x"), 2, "photo.png exists already")
    refused(run("-", stdin=b"rubbish"), 1, "not an image")


@pytest.mark.parametrize("name", ["large.png", "large.tif", "large.bmp", "large.jpg", "large.webp", "-"])
def test_what_is_written_while_it_is_made_is_the_same(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small = run("photo.jpg", "-s", "3.3", "-o", name, "--quality", "90", "-t", "32")
    before = small.stdout_bytes if name == "-" else Path(name).read_bytes()
    monkeypatch.setattr(upscaling, "LARGE", 1000)
    large = run("photo.jpg", "-s", "3.3", "-o", name, "--quality", "90", "-t", "32", "--overwrite")
    assert large.exit_code == 0, large.output
    after = large.stdout_bytes if name == "-" else Path(name).read_bytes()
    np.testing.assert_array_equal(read(before).pixels, read(after).pixels)


def test_fidelity_and_size_choose_the_model(run: Run) -> None:
    def model(*options: str) -> str:
        result = run("photo.png", "-o", "out.png", "--overwrite", "--report", "r.jsonl", *options, model=None)
        assert result.exit_code == 0, result.output
        return str(json.loads(Path("r.jsonl").read_text())["model"])

    assert model() == "upscale-photo-x4"
    assert model("-s", "2") == "upscale-photo-x2"
    assert model("--target", "100x") == "upscale-photo-x2"
    assert model("--target", "150x", "--fidelity", "1") == "upscale-x3"
    assert model("--fidelity", "1") == "upscale-x4"
    blend = model("--fidelity", "0.5")
    assert "upscale-photo-x4" in blend
    assert "upscale-x4" in blend


def test_metadata_of_a_larger_jpeg(run: Run) -> None:
    block = PIL.Image.Exif()
    block[ExifTags.Base.Orientation] = 6
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = 64
    smooth = np.add.outer(np.arange(48) * 2, np.arange(64) * 2)[..., None].repeat(3, 2).astype(np.uint8)
    PIL.Image.fromarray(smooth).save("photo.jpg", quality=10, exif=block, icc_profile=b"profile")
    assert run("photo.jpg", "-s", "2", "-o", "a.jpg").exit_code == 0
    assert run("photo.jpg", "-s", "2", "-o", "b.jpg", "--quality", "10", "--strip-metadata").exit_code == 0
    with PIL.Image.open("a.jpg") as a, PIL.Image.open("b.jpg") as b:
        assert a.size == (96, 128)
        assert a.info["icc_profile"] == b"profile"
        assert a.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 96
        assert not b.getexif()
        assert max(a.quantization[0]) < 20  # not as coarse as the old pixels were
        assert max(b.quantization[0]) > 100


def test_a_whole_run_leaves_torch_alone(run: Run) -> None:
    run_without_torch("upscale", "photo.png", "--fidelity", "0.5", "--device", "cpu")
    assert Path("photo-x4.png").exists()
