from pathlib import Path

import numpy as np
from PIL import Image

from imgen.data.square import read_square, square


def test_takes_the_centre_and_leaves_its_pixels_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 8, 3), np.uint8)
    assert (square(image, 4, 3) == image[:, 2:6].transpose(2, 0, 1)).all()
    assert (square(image.swapaxes(0, 1), 4, 3) == image[:, 2:6].transpose(2, 1, 0)).all()


def test_shrinking_averages() -> None:
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    assert abs(square(checks, 8, 1).astype(int) - 127).max() <= 8


def test_grey_and_colour() -> None:
    green = np.zeros((2, 2, 3), np.uint8)
    green[..., 1] = 255
    assert square(green, 2, 1).tolist() == [[[150, 150], [150, 150]]]  # 0.587 * 255
    assert square(green[..., 1:2], 2, 3).tolist() == [[[255, 255], [255, 255]]] * 3


def test_what_is_transparent_becomes_white() -> None:
    pixels = np.array([[[0, 100, 200, 0], [0, 100, 200, 255]], [[0, 100, 200, 51], [0, 0, 0, 0]]], np.uint8)
    assert square(pixels, 2, 3).transpose(1, 2, 0).tolist() == [
        [[255, 255, 255], [0, 100, 200]],
        [[204, 224, 244], [255, 255, 255]],
    ]


def test_sixteen_bits_become_eight() -> None:
    assert square(np.full((1, 1, 1), 0x8080, np.uint16), 1, 1).item() == 0x80


def test_reads_files_upright(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert (read_square(tmp_path / "a.png", 8, 3).transpose(1, 2, 0) == pixels[::-1]).all()
