import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgen.data.label_maps import Palette, boundaries, one_hot, read_instances, read_labels
from imgen.errors import ImageError, UsageError

ROAD = Palette(("sky", "road", "car"), ((128, 128, 128), (128, 64, 128), (64, 0, 128)))
NUMBERS = np.array([[0, 1, 1, 2], [0, 0, 1, 2]], np.uint8)


@pytest.mark.parametrize(
    "text",
    [
        "128 128 128 sky\n128 64 128\troad\n64 0 128 car\n",
        "name,r,g,b\nsky,128,128,128\nroad,128,64,128\n\ncar,64,0,128",
        "# of our set\nsky; 128; 128; 128\nroad; 128; 64; 128\ncar; 64; 0; 128",
    ],
)
def test_a_palette_is_a_class_a_line_however_it_is_written(text: str, tmp_path: Path) -> None:
    file = tmp_path / "colours.txt"
    file.write_text("\ufeff" + text, encoding="utf-8")
    assert Palette.parse(str(file)) == ROAD
    assert Palette.of(ROAD.lines()) == ROAD


def test_classes_may_have_names_alone_or_numbers_alone() -> None:
    assert Palette.of(["lane 2", "sky"]) == Palette(("lane 2", "sky"))
    assert Palette.parse("3") == Palette(("0", "1", "2")) == Palette.of(Palette.numbered(3).lines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("128 128 128 sky\nroad", "'road' has no colour"),
        ("1 2 3 sky\n1 2 3 road", r"two classes have the colour \(1, 2, 3\)"),
        ("1 2 256 sky\n1 2 3 road", r"0 to 255, got \(1, 2, 256\)"),
        ("sky", "2 to 256 classes, got 1"),
    ],
)
def test_a_palette_that_makes_no_sense_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "colours.txt").write_text(text)
    with pytest.raises(UsageError, match=said):
        Palette.parse(str(tmp_path / "colours.txt"))


def test_neither_a_number_nor_a_file() -> None:
    with pytest.raises(UsageError, match="twelve is neither a number of classes nor a text file"):
        Palette.parse("twelve")
    with pytest.raises(UsageError, match="2 to 256 classes, got 1000"):
        Palette.parse("1000")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_labels_are_read_by_number_or_by_colour(mode: str, tmp_path: Path) -> None:
    """In a file with a table of colours, these are what counts, in whatever order it has them."""
    image = Image.fromarray(NUMBERS if mode == "L" else ROAD.painted(NUMBERS))
    image = image.quantize(3) if mode == "P" else image.convert(mode)
    assert image.mode == mode
    image.save(tmp_path / "1.png")
    assert np.array_equal(read_labels(tmp_path / "1.png", ROAD), NUMBERS)


def test_without_colours_the_numbers_behind_them_count(tmp_path: Path) -> None:
    image = Image.fromarray(NUMBERS)
    image.putpalette(ROAD.painted(np.arange(3, dtype=np.uint8)).tobytes())
    image.save(tmp_path / "1.png")
    assert np.array_equal(read_labels(tmp_path / "1.png", Palette.numbered(3)), NUMBERS)


@pytest.mark.parametrize(
    ("pixels", "palette", "said"),
    [
        (NUMBERS + np.uint8(1), ROAD, "25.0% of its pixels are of no class, such as the value 3 at column 3, row 0"),
        (NUMBERS, Palette.numbered(2), "such as the value 2 at column 3, row 0; there are 2 classes, counted from 0"),
        (ROAD.painted(NUMBERS) + np.uint8(1), ROAD, "100.0% .* such as the colour (129, 129, 129) at column 0, row 0"),
        (ROAD.painted(NUMBERS), Palette.numbered(3), "is in colours; name a file with --labels"),
    ],
)
def test_what_is_of_no_class_is_named(pixels: np.ndarray, palette: Palette, said: str, tmp_path: Path) -> None:
    Image.fromarray(pixels).save(tmp_path / "1.png")
    with pytest.raises(ImageError, match="1.png: .*" + re.escape(said).replace(r"\.\*", ".*")):
        read_labels(tmp_path / "1.png", palette)


def test_instances_may_be_many_but_have_one_channel(tmp_path: Path) -> None:
    things = np.array([[0, 26001], [26002, 26001]], np.uint16)
    Image.fromarray(things).save(tmp_path / "1.png")
    assert np.array_equal(read_instances(tmp_path / "1.png"), things)
    Image.fromarray(ROAD.painted(NUMBERS)).save(tmp_path / "1.png")
    with pytest.raises(ImageError, match="has 3 channels; an instance map has one"):
        read_instances(tmp_path / "1.png")


def test_one_plane_for_each_class() -> None:
    planes = one_hot(NUMBERS, 4)
    assert planes.shape == (4, 2, 4)
    assert planes.dtype == np.float32
    assert np.array_equal(planes.argmax(0), NUMBERS)
    assert np.array_equal(planes.sum(0), np.ones((2, 4)))


def test_boundaries_are_on_both_sides_of_where_two_things_touch() -> None:
    """Two cars side by side, of one class."""
    things = np.zeros((5, 6), np.uint16)
    things[1:4, 1:3], things[1:4, 3:5] = 300, 301
    ring = np.zeros((5, 6))
    ring[:, 1:5] = ring[1:4] = 1
    ring[0, 0] = 0
    assert np.array_equal(boundaries(things), ring)
    assert not boundaries(np.full((4, 4), 300, np.uint16)).any()
