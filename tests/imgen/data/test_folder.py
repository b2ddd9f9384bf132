import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgen.data.folder import ImageFolder
from imgen.data.labels import by_folder
from imgen.errors import ImageError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty 8 x 8 images of one colour each, ten a class: number n has red 6 n."""
    for number in range(40):
        path = tmp_path / f"class{number // 10}" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (6 * number, 0, 0)).save(path)
    return tmp_path


@pytest.mark.parametrize("memory", [1 << 20, 0])
def test_gives_pixels_and_labels_by_number(folder: Path, memory: int) -> None:
    items = ImageFolder(by_folder([folder]), 8, memory=memory)
    assert len(items) == 40
    assert (items.shape.size, items.shape.channels, items.shape.classes) == (8, 3, 4)
    pixels, numbers = items.pixels(np.array([39, 0, 12]))
    assert numbers.tolist() == [39, 0, 12]
    assert pixels[:, 0, 0, 0].tolist() == [234, 0, 72]
    assert items.labels[numbers].tolist() == [3, 0, 1]


@pytest.mark.parametrize("memory", [1 << 20, 0])
def test_names_and_leaves_out_an_unreadable_image(folder: Path, memory: int, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "class0" / "05.png").write_bytes(b"no image")
    with caplog.at_level(logging.WARNING, "imgen"):
        items = ImageFolder(by_folder([folder]), 8, memory=memory)
    assert "1 of 40 images left out" in caplog.text
    assert "05.png" in caplog.text
    assert len(items) == 39
    pixels, _ = items.pixels(np.array([5]))
    assert pixels[0, 0, 0, 0] == 6 * 6


def test_the_next_image_replaces_one_that_is_found_damaged_late(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    items = ImageFolder(by_folder([folder]), 8, memory=0)
    damaged = folder / "class0" / "09.png"
    damaged.write_bytes(damaged.read_bytes()[:40])
    for _ in range(2):
        pixels, numbers = items.pixels(np.array([9]))
        assert numbers.tolist() == [10]
        assert pixels[0, 0, 0, 0] == 60
        assert items.labels[numbers].tolist() == [1]
    assert caplog.text.count("the image after it takes its place") == 1
    for number in range(3):
        (folder / "class1" / f"1{number}.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"3 of 40 images cannot be read, more than 5%"):
        items.pixels(np.array([9]))


@pytest.mark.parametrize("memory", [1 << 20, 0])
def test_refuses_a_folder_with_too_many_unreadable_images(folder: Path, memory: int) -> None:
    for number in range(3):
        (folder / "class0" / f"0{number}.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"3 of 40 images cannot be read, more than 5%.*00\.png"):
        ImageFolder(by_folder([folder]), 8, memory=memory)


def test_refuses_a_single_image(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    with pytest.raises(UsageError, match=r"one\.png is the only image"):
        ImageFolder(by_folder([tmp_path]), 8)


def test_takes_one_channel_where_all_is_grey(tmp_path: Path) -> None:
    for number in range(2):
        Image.new("L", (8, 8), 100).save(tmp_path / f"{number}.png")
    assert ImageFolder(by_folder([tmp_path]), 8).shape.channels == 1
    assert ImageFolder(by_folder([tmp_path]), 8, 3).pixels(np.array([0]))[0].shape == (1, 3, 8, 8)
    Image.new("RGB", (8, 8)).save(tmp_path / "2.png")
    assert ImageFolder(by_folder([tmp_path]), 8).shape.channels == 3
