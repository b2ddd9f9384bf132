import logging
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgen.data.pairs import Pair, Pairs
from imgen.errors import ImageError, UsageError

Pixels = NDArray[np.uint8]


def scene(seed: int) -> Pixels:
    """96 x 128, with edges to compare by."""
    rng = np.random.default_rng(seed)
    image = np.full((96, 128, 3), 60, np.uint8)
    for _ in range(150):
        place, size = rng.integers(-5, (128, 96)), rng.integers(4, 20, 2)
        cv2.rectangle(image, place.tolist(), (place + size).tolist(), rng.integers(0, 120, 3).tolist(), -1)
    return image


def stained(image: Pixels) -> Pixels:
    return np.asarray(cv2.circle(image.copy(), (60, 40), 14, (230, 220, 210), -1), np.uint8)


def write(folder: Path, name: str, image: Pixels) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), image[..., ::-1])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three pairs, in the names of one's own and in those of the published set."""
    dirty, clean = tmp_path / "dirty", tmp_path / "clean"
    for seed, (before, after) in enumerate(
        (("a.png", "a.bmp"), ("in/b.png", "in/b.png"), ("1_rain.png", "1_clean.png"))
    ):
        write(dirty, before, stained(scene(seed)))
        write(clean, after, scene(seed))
    return dirty, clean


def test_crops_are_the_same_square_of_both(folders: tuple[Path, Path]) -> None:
    pairs, shares = Pairs(*folders), []
    assert len(pairs) == 3
    for seed in range(20):
        pair, again = (pairs.crop(np.random.default_rng(seed), 48, (1.0, 1.0)) for _ in range(2))
        assert all(np.array_equal(one, other) for one, other in zip(pair, again, strict=True))
        assert pair.dirty.shape == (48, 48, 3)
        stain = (pair.dirty == (230, 220, 210)).all(2)
        assert np.array_equal(pair.dirty[~stain], pair.clean[~stain])
        assert ((pair.mask() == 1) == stain).mean() > 0.9
        shares.append(stain.mean())
    assert min(shares) == 0
    assert max(shares) > 0.1


def test_the_mask_is_how_much_the_two_differ_and_hardly_sees_noise() -> None:
    view = scene(0)
    noise = np.random.default_rng(0).integers(-12, 13, view.shape)
    noisy = np.clip(view + noise, 0, 255).astype(np.uint8)
    mask = Pair(stained(noisy), view).mask()
    disc = cv2.circle(np.zeros((96, 128), np.uint8), (60, 40), 14, 1, -1)
    assert mask.dtype == np.float32
    assert (mask.min(), mask.max()) == (0, 1)
    assert ((mask > 0.5) == disc).mean() > 0.97
    assert Pair(noisy, view).mask().max() < 0.25
    darker = (view // 2, view // 2 + np.uint8(15))
    assert np.allclose(Pair(*darker).mask(), 0.5)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("apart", r"dirty/b.png: is [34]\.\d pixels apart from .*clean/b.png, .*; align them"),
        ("larger", "dirty/b.png: 128 x 96 pixels, but .*clean/b.png is 130 x 96"),
        ("other", r"dirty/b.png: is \d+\.\d pixels apart"),
        ("missing", "dirty/b.png: no image called b in .*clean"),
        ("two", "dirty/b.png: .*b.* and b.* could both be its clean one"),
        ("broken", "clean/b.png: cannot be read"),
        ("tiny", "dirty/b.png: cannot be read, or is smaller than 32 pixels"),
    ],
)
def test_pairs_that_cannot_be_used_are_named_and_left_out(
    what: str, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dirty, clean, good, view = tmp_path / "dirty", tmp_path / "clean", scene(0), scene(1)
    write(dirty, "a.png", stained(good))
    write(clean, "a.png", good)
    write(dirty, "b.png", stained(view)[:20] if what == "tiny" else stained(view))
    wanted = {
        "apart": np.roll(view, 4, 1),
        "larger": cv2.resize(view, (130, 96)),
        "other": scene(2),
    }.get(what, view)
    if what != "missing":
        write(clean, "b.png", np.asarray(wanted, np.uint8))
    if what == "two":
        write(clean, "b.bmp", view)
    if what == "broken":
        (clean / "b.png").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING, "imgen"):
        pairs = Pairs(dirty, clean)
    assert len(pairs) == 1
    first, last = caplog.messages
    assert first.startswith("left out: ")
    assert re.search(said, first.replace("\\", "/"))
    assert last == "1 of 2 pairs left out"


def test_pixels_apart_are_those_of_the_files(tmp_path: Path) -> None:
    large = np.asarray(cv2.resize(scene(0), (512, 384), interpolation=cv2.INTER_CUBIC), np.uint8)
    write(tmp_path / "dirty", "a.png", large)
    write(tmp_path / "clean", "a.png", np.roll(large, 12, 1))
    with pytest.raises(ImageError, match=r"1 of 1 pairs cannot be used, .* 1[12]\.\d pixels apart"):
        Pairs(tmp_path / "dirty", tmp_path / "clean", long_side=256)


def test_too_few_pairs_are_refused(folders: tuple[Path, Path]) -> None:
    for name in ("a.bmp", "in/b.png"):
        (folders[1] / name).unlink()
    with pytest.raises(ImageError, match=r"2 of 3 pairs cannot be used, more than 50%.*no image called"):
        Pairs(*folders)


def test_folders_without_images_are_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty: no images in it"):
        Pairs(tmp_path / "empty", folders[1])
    with pytest.raises(UsageError, match="missing is not a folder"):
        Pairs(folders[0], tmp_path / "missing")
