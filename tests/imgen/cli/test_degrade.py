"""imgen degrade as a user calls it: which files it makes, what they hold, how it exits."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import Result

from imgen.image.file import probe
from tests.imgen.cli.images import BAD_FILES, hostile, pixels, refused, run_without_torch

Run = Callable[..., Result]

SCENE = np.random.default_rng(0).integers(0, 256, (12, 18, 3), np.uint8).repeat(4, 0).repeat(4, 1)


@pytest.fixture
def run(imgen: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``imgen degrade`` in a folder that has photos/a.png, photos/b.jpg and photos/more/grey.png."""
    monkeypatch.chdir(tmp_path)
    Path("photos/more").mkdir(parents=True)
    PIL.Image.fromarray(SCENE).save("photos/a.png")
    PIL.Image.fromarray(SCENE).save("photos/b.jpg")
    PIL.Image.fromarray(SCENE[..., 0]).save("photos/more/grey.png")
    return partial(imgen, "degrade")


def files(folder: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.png")}


@pytest.mark.parametrize("kind", ["drops", "dirt", "snow"])
def test_pairs_and_masks(run: Run, kind: str) -> None:
    result = run(kind, "photos", "--output", "pairs", "--recursive", "--report", "report.jsonl", "--density", "0.4")
    assert result.exit_code == 0, result.output
    names = ["a.png", "b.png", "more/grey.png"]
    assert files("pairs") == {f"{folder}/{name}" for folder in ("dirty", "clean", "mask") for name in names}
    np.testing.assert_array_equal(pixels("pairs/clean/a.png"), SCENE)
    for name in names:
        dirty, clean, mask = (pixels(f"pairs/{folder}/{name}") for folder in ("dirty", "clean", "mask"))
        assert dirty.shape == clean.shape == (48, 72, 3)
        assert mask.shape == (48, 72, 1)
        clear = mask[..., 0] == 0
        np.testing.assert_array_equal(dirty[clear], clean[clear])
        assert (dirty != clean).any()
    covered = [json.loads(line)["covered"] for line in Path("report.jsonl").read_text().splitlines()]
    assert min(covered) > 0


def test_a_pair_follows_from_the_seed_and_its_name(run: Run) -> None:
    assert run("drops", "photos", "-o", "one", "--count", "2", "--seed", "5").exit_code == 0
    assert run("drops", "photos/a.png", "-o", "same", "--count", "2", "--seed", "5").exit_code == 0
    assert run("drops", "photos/a.png", "-o", "other", "--count", "2", "--seed", "6").exit_code == 0
    assert files("one/dirty") == {"a-1.png", "a-2.png", "b-1.png", "b-2.png"}
    for number in (1, 2):
        np.testing.assert_array_equal(pixels(f"one/dirty/a-{number}.png"), pixels(f"same/dirty/a-{number}.png"))
        assert (pixels(f"one/dirty/a-{number}.png") != pixels(f"other/dirty/a-{number}.png")).any()
    assert (pixels("one/dirty/a-1.png") != pixels("one/dirty/a-2.png")).any()


def test_size_is_the_shorter_side_of_larger_photos(run: Run) -> None:
    assert run("drops", "photos/a.png", "-o", "pairs", "--size", "24").exit_code == 0
    header = probe(Path("pairs/mask/a.png"))
    assert (header.height, header.width) == (24, 36)
    assert run("drops", "photos/a.png", "-o", "large", "--size", "500").exit_code == 0
    assert probe(Path("large/dirty/a.png")).width == 72


def test_files_that_cannot_be_read_fail_alone(run: Run) -> None:
    PIL.Image.fromarray(SCENE).save("photo.png")
    PIL.Image.fromarray(SCENE).save("photo.jpg")
    for name in BAD_FILES:
        Path("photos", name).write_bytes(hostile(name))
    result = run("drops", "photos", "-o", "pairs")
    assert result.exit_code == 1
    assert files("pairs/dirty") == {"a.png", "b.png"}
    for name in BAD_FILES:
        assert f"error: photos/{name}: " in result.stderr
    assert f"2 done, {len(BAD_FILES)} failed" in result.stderr


def test_pairs_are_not_replaced_and_not_taken_for_photos(run: Run) -> None:
    words = ("drops", "photos", "-r", "-o", "photos/pairs")
    assert run(*words).exit_code == 0
    before = Path("photos/pairs/dirty/a.png").stat().st_mtime_ns
    refused(run(*words), 2, "photos/pairs/dirty/a.png and 8 more exist already")
    Path("photos/pairs/mask/b.png").unlink()
    result = run(*words, "--resume")
    assert "1 done, 2 skipped" in result.stderr
    assert Path("photos/pairs/dirty/a.png").stat().st_mtime_ns == before
    assert len(files("photos/pairs")) == 9
    refused(run("drops", "photos/pairs/clean", "-o", "photos/pairs"), 2, "lies in the output photos/pairs")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("dorps", "photos", "-o", "pairs"), 2, "no kind of matter is called 'dorps'; did you mean 'drops'?"),
        (("drops", "photos", "-o", "pairs", "--density", "1.5"), 2, "0 to 1, not 1.5"),
        (("drops", "photos", "-o", "pairs", "--density", "nan"), 2, "0 to 1, not nan"),
        (("drops", "photos", "-o", "photos/a.png"), 2, "photos/a.png is a file, but a pair is three; name a folder"),
        (("drops", "empty", "-o", "pairs"), 2, "no images in empty"),
        (("drops", "missing.png", "-o", "pairs"), 1, "missing.png: no such file"),
        (("drops", "movie.gif", "-o", "pairs"), 1, "movie.gif: has 2 frames"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    Path("empty").mkdir()
    frames = [PIL.Image.fromarray(image) for image in (SCENE, 255 - SCENE)]
    frames[0].save("movie.gif", save_all=True, append_images=frames[1:])
    refused(run(*words), code, said)
    assert not Path("pairs").exists() or not files("pairs")


def test_no_torch(run: Run) -> None:
    run_without_torch("degrade", "drops", "photos/a.png", "-o", "pairs")
