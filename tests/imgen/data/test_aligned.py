import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgen.data.aligned import Aligned, Files, Layer, read_halves, read_photo
from imgen.data.label_maps import Palette, read_labels
from imgen.errors import ImageError

PALETTE = Palette(("a", "b", "c"))


def decode(files: Files) -> tuple[Layer, ...]:
    return read_labels(files[0], PALETTE), read_photo(files[1])


def scene(folder: Path, number: int, size: tuple[int, int] = (60, 40)) -> Files:
    """A label map and a photograph that says the same in colours."""
    rng = np.random.default_rng(number)
    numbers = rng.integers(0, 3, (2, 3)).astype(np.uint8)
    paths = folder / f"{number}_label.png", folder / f"{number}.png"
    for path, pixels in zip(paths, (numbers, PALETTE.painted(numbers)), strict=True):
        Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST).save(path)
    return paths


@pytest.fixture
def scenes(tmp_path: Path) -> list[Files]:
    return [scene(tmp_path, number) for number in range(3)]


@pytest.mark.parametrize("side", [24, 40, 80])
def test_squares_of_all_layers_are_of_one_place(side: int, scenes: list[Files]) -> None:
    """And a map of numbers stays one when it is resized."""
    aligned = Aligned(scenes, decode, side)
    assert len(aligned) == 3
    assert aligned.places[0][0].shape == (side, side * 3 // 2)
    places = set()
    for seed in range(30):
        rng, again = np.random.default_rng(seed), np.random.default_rng(seed)
        numbers, photo = aligned.crop(seed % 3, rng, 20)
        assert all(map(np.array_equal, (numbers, photo), aligned.crop(seed % 3, again, 20)))
        assert (numbers.shape, photo.shape) == ((20, 20), (20, 20, 3))
        differs = np.abs(PALETTE.painted(np.asarray(numbers, np.uint8)) - photo.astype(float)).max(2)
        assert (differs > 70).mean() < (0 if side == 40 else 0.1) + 1e-9  # enlarged photographs are smooth at edges
        places.add(photo.tobytes())
    assert len(places) > 12  # some of them lie within one colour


def test_half_of_the_squares_are_mirrored_where_that_is_wanted(scenes: list[Files]) -> None:
    aligned = Aligned(scenes, decode, 40)
    whole = aligned.places[0][1][:, :40]
    aligned.places[0] = (whole,)
    rng = np.random.default_rng(0)
    mirrored = [np.array_equal(aligned.crop(0, rng, 40)[0], whole[:, ::-1]) for _ in range(200)]
    assert 80 < sum(mirrored) < 120
    assert all(np.array_equal(aligned.crop(0, rng, 40, mirror=False)[0], whole) for _ in range(20))


def test_what_cannot_be_used_is_named_and_left_out(
    tmp_path: Path, scenes: list[Files], caplog: pytest.LogCaptureFixture
) -> None:
    other = scene(tmp_path / "..", 7, (30, 40))
    with caplog.at_level(logging.WARNING, "imgen"):
        aligned = Aligned([*scenes * 10, (scenes[0][0], other[1])], decode, 24)
    assert len(aligned) == 30
    assert "1 of 31 images left out" in caplog.text
    assert "7.png: 60 x 40 and 30 x 40 pixels; bring them to one size" in caplog.text
    Image.fromarray(np.full((40, 60), 9, np.uint8)).save(scenes[0][0])
    with pytest.raises(ImageError, match=r"1 of 3 images cannot be read.*0_label.png: .* the value 9"):
        Aligned(scenes, decode, 24)


def test_two_images_side_by_side(tmp_path: Path) -> None:
    both = np.random.default_rng(0).integers(0, 255, (4, 10, 3)).astype(np.uint8)
    Image.fromarray(both).save(tmp_path / "ab.png")
    a, b = read_halves(tmp_path / "ab.png")
    assert np.array_equal(a, both[:, :5])
    assert np.array_equal(b, both[:, 5:])
    Image.fromarray(both[:, 1:]).save(tmp_path / "ab.png")
    with pytest.raises(ImageError, match=r"ab.png: 9 pixels wide"):
        read_halves(tmp_path / "ab.png")


def test_photographs_come_as_opaque_colours(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 5), 7, np.uint8)).save(tmp_path / "grey.png")
    assert np.array_equal(read_photo(tmp_path / "grey.png"), np.full((4, 5, 3), 7))
    Image.new("RGBA", (5, 4), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert np.array_equal(read_photo(tmp_path / "clear.png"), np.full((4, 5, 3), 255))
