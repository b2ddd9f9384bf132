from pathlib import Path

import cv2
import numpy as np
import pytest

from imgen.data.photos import Crop, Photos
from imgen.errors import ImageError, UsageError


def write(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (60, 90)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), colour[::-1], np.uint8))


def test_crops_are_rgb_seeded_and_of_the_size_asked(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "red.png", (200, 10, 20))
    photos = Photos([tmp_path])
    crop = photos.crop(np.random.default_rng(0), 32)
    assert crop.shape == (32, 32, 3)
    assert tuple(crop[5, 5]) == (200, 10, 20)
    write(tmp_path / "deep" / "blue.png", (0, 0, 250))
    photos = Photos([tmp_path])
    one, two = (np.stack([photos.crop(rng, 16) for _ in range(8)]) for rng in map(np.random.default_rng, (3, 3)))
    assert np.array_equal(one, two)
    assert len({tuple(c[0, 0]) for c in one}) == 2  # both photographs come up


def test_small_photographs_are_enlarged_and_large_ones_kept_small(tmp_path: Path) -> None:
    write(tmp_path / "small.png", (1, 2, 3), (40, 40))
    write(tmp_path / "large.png", (1, 2, 3), (300, 900))
    photos = Photos([tmp_path], long_side=300)
    assert sorted(max(i.shape) for i in photos.images) == [40, 300]
    assert photos.crop(np.random.default_rng(0), 64).shape == (64, 64, 3)


def test_broken_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    with pytest.raises(ImageError, match="none of the 1 files"):
        Photos([tmp_path])
    write(tmp_path / "good.png", (9, 9, 9))
    assert len(Photos([tmp_path])) == 1


def test_folders_without_photographs_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no photographs in"):
        Photos([tmp_path])
    with pytest.raises(UsageError, match="is not a folder"):
        Photos([tmp_path / "missing"])


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_around_a_square_has_it_in_its_middle(mirrored: bool) -> None:
    rows, columns = np.mgrid[:180, :240]
    image = np.stack([rows, columns, np.zeros_like(rows)], 2).astype(np.uint8)
    around = Crop(0, 60, 90, 60, 60, mirrored).around(image)
    assert around.shape == (60, 60, 3)
    reduced = cv2.resize(Crop(0, 60, 90, 60, 60, mirrored).of(image), (20, 20), interpolation=cv2.INTER_AREA)
    assert np.array_equal(around[20:40, 20:40], reduced)
    steps = np.diff(around.astype(int), axis=1)[..., 1]
    assert (steps == (-3 if mirrored else 3)).all()


def test_what_is_around_is_mirrored_where_the_photograph_ends() -> None:
    image = np.arange(100, dtype=np.uint8)[:, None, None].repeat(100, 1).repeat(3, 2)
    around = Crop(0, 0, 40, 90, 45, mirrored=False).around(image)
    assert around.shape == (45, 45, 3)
    assert np.array_equal(around[:15], around[15:30][::-1])  # above it
    assert np.array_equal(around[-13:], around[-26:-13][::-1])  # and below the photograph, which has 10 rows more
