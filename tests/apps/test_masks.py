from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from imgen.errors import ImageError, UsageError
from imgen_apps.masks import masks_for

PHOTO = np.zeros((40, 60, 3), np.uint8)
MARKED = np.zeros((40, 60), bool)
MARKED[10:20, 15:30] = True


def _one(mask: Any, photo: npt.NDArray[Any] = PHOTO, **words: Any) -> npt.NDArray[np.uint8]:
    (found,) = masks_for([photo], mask, **words)
    assert found.dtype == np.uint8
    assert set(np.unique(found)) <= {0, 255}
    return found


@pytest.mark.parametrize(
    "mask",
    [
        MARKED,
        MARKED.astype(np.uint8),
        MARKED.astype(np.uint8) * 255,
        MARKED.astype(np.uint16) * 65535,
        MARKED.astype(np.int64),
        MARKED.astype(np.float32),
        MARKED[..., None],
        np.repeat(MARKED[..., None], 3, axis=2).astype(np.uint8) * 255,
    ],
    ids=lambda mask: f"{mask.dtype} {mask.shape}",
)
def test_arrays(mask: npt.NDArray[Any]) -> None:
    np.testing.assert_array_equal(_one(mask) > 0, MARKED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pil_images(mode: str) -> None:
    image = PIL.Image.fromarray(MARKED.astype(np.uint8) * 255)
    image = PIL.Image.fromarray(MARKED.astype(np.uint16) * 65535) if mode == "I;16" else image.convert(mode)
    np.testing.assert_array_equal(_one(image) > 0, MARKED)


def test_files_and_bytes(tmp_path: Path) -> None:
    stream = BytesIO()
    PIL.Image.fromarray(MARKED.astype(np.uint8) * 255).save(stream, "PNG")
    (tmp_path / "mask.png").write_bytes(stream.getvalue())
    for mask in (stream.getvalue(), tmp_path / "mask.png", str(tmp_path / "mask.png")):
        np.testing.assert_array_equal(_one(mask) > 0, MARKED)


def test_a_jpeg_with_its_noise() -> None:
    stream = BytesIO()
    mask = np.zeros((40, 60), np.uint8)
    mask[8:24, 16:32] = 255
    PIL.Image.fromarray(mask).save(stream, "JPEG", quality=60)
    np.testing.assert_array_equal(_one(stream.getvalue()), mask)


def test_inverted() -> None:
    with pytest.warns(UserWarning, match="covers 94% of the image; is it inverted"):
        np.testing.assert_array_equal(_one(MARKED, invert=True) > 0, ~MARKED)


def test_grown_by_a_disc() -> None:
    mask = np.zeros((3000, 60), bool)
    mask[1023, 30] = True  # near the border of two blocks
    grown = _one(mask, np.zeros((3000, 60, 3), np.uint8), grow=9) > 0
    rows, columns = np.indices(mask.shape)
    distance = np.hypot(rows - 1023, columns - 30)
    assert grown[distance <= 8.7].all()
    assert not grown[distance > 9.3].any()


def test_resized_with_a_warning() -> None:
    mask = np.zeros((400, 600), bool)
    mask[200, 300] = True  # a tenth of a pixel of the image, and still marked
    with pytest.warns(UserWarning, match="the mask is 600 x 400, the image 60 x 40"):
        assert _one(mask)[20, 30] == 255
    with pytest.warns(UserWarning, match="resized"):
        np.testing.assert_array_equal(_one(MARKED[::2, ::2])[12:18, 18:28], 255)


def test_pages_of_different_sizes() -> None:
    with pytest.warns(UserWarning, match="resized"):
        first, second = masks_for([PHOTO, PHOTO[:20, :30]], MARKED)
    assert (first.shape, second.shape) == ((40, 60), (20, 30))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha(dtype: Any, channels: int) -> None:
    full = 1 if dtype is np.float32 else np.iinfo(dtype).max
    photo = np.full((40, 60, channels), full, dtype)
    photo[..., -1][MARKED] = 0
    photo[12, 17, -1] = full / 2
    np.testing.assert_array_equal(_one("alpha", photo) > 0, MARKED)
    assert (photo == full).all()


def test_alpha_of_an_image_without() -> None:
    with pytest.raises(ImageError, match="no alpha channel"):
        _one("alpha")


def test_empty_and_full() -> None:
    with pytest.warns(UserWarning, match="the mask is empty"):
        _one(~MARKED & MARKED)
    with pytest.raises(ImageError, match="covers the whole image"):
        _one(MARKED | ~MARKED)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 4, 2)), "4 x 4 x 2"),
        (np.zeros(4), "not 4"),
        (np.zeros((0, 4)), "0 x 4"),
        (np.zeros((4, 4), complex), "complex128"),
        (None, "NoneType"),
        (3, "int"),
    ],
)
def test_what_is_no_mask(mask: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _one(mask)


def test_a_mask_cannot_shrink() -> None:
    with pytest.raises(UsageError, match="grow is -1"):
        _one(MARKED, grow=-1)
