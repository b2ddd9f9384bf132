import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from imgen.data.idx import IdxImages, is_idx, read_idx
from imgen.errors import ImageError, UsageError

DIGITS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Images as they are, labels compressed."""
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(idx(DIGITS))
    return path


def test_keeps_pixels_in_a_black_margin(digits: Path) -> None:
    items = IdxImages(digits)
    assert (len(items), items.shape.size, items.shape.channels, items.shape.classes) == (5, 32, 1, 6)
    pixels, numbers = items.pixels(np.array([4, 0]))
    assert (pixels[0, 0, 2:-2, 2:-2].numpy() == DIGITS[4]).all()
    assert pixels.sum() == DIGITS[[4, 0]].sum(dtype=int)
    assert items.labels[numbers].tolist() == [5, 3]


def test_resizes_to_any_other_size_and_repeats_grey(digits: Path) -> None:
    pixels, _ = IdxImages(digits, 16, 3).pixels(np.array([0]))
    assert pixels.shape == (1, 3, 16, 16)
    assert (pixels[:, 0] == pixels[:, 2]).all()
    assert abs(pixels.float().mean() - DIGITS[0].mean()) < 2


def test_labels_may_be_missing(digits: Path) -> None:
    (digits.parent / "train-labels-idx1-ubyte.gz").unlink()
    items = IdxImages(digits)
    assert items.labels.tolist() == [-1] * 5
    assert items.shape.classes == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no idx file"),
        (b"\x00\x00\x0d\x03" + bytes(12), "is no idx file"),
        (b"\x00\x00\x08\x03" + bytes(3), "length"),
        (idx(DIGITS)[:-1], "length"),
        (b"\x00\x00\x08\x02" + b"\xff" * 8, "length"),
        (gzip.compress(idx(DIGITS))[:-9], "cannot be read"),
    ],
)
def test_refuses_a_damaged_file(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "images-idx3-ubyte").write_bytes(data)
    with pytest.raises(ImageError, match=message):
        read_idx(tmp_path / "images-idx3-ubyte")


def test_refuses_sets_that_do_not_fit(digits: Path) -> None:
    (digits.parent / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:4]))
    with pytest.raises(ImageError, match="labels for 5 images"):
        IdxImages(digits)
    digits.write_bytes(idx(LABELS))
    with pytest.raises(ImageError, match="1 dimensions"):
        IdxImages(digits)
    digits.write_bytes(idx(DIGITS[:1]))
    with pytest.raises(UsageError, match="holds 1 images"):
        IdxImages(digits)


def test_knows_its_files_by_name() -> None:
    assert is_idx(Path("t10k-images-idx3-ubyte.gz"))
    assert is_idx(Path("train-images.idx3-ubyte"))
    assert not is_idx(Path("train-labels-idx1-ubyte"))
