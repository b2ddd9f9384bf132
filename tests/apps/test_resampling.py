"""Against Pillow, on whole images."""

import numpy as np
import PIL.Image
import pytest

from imgen.runtime.model import Array
from imgen_apps.resampling import bands
from tests.apps.upscalers import rows

IMAGE = np.random.default_rng(0).random((2, 3, 131, 177), np.float32)


def _resized(image: Array, height: int, width: int, band: int = 7) -> Array:
    return np.concatenate(list(bands(rows(image, band), (height, width))), axis=2)


@pytest.mark.parametrize("size", [(115, 155), (131, 177), (66, 177), (13, 16), (1, 1), (262, 300), (130, 5)])
def test_as_pillow_does_it(size: tuple[int, int]) -> None:
    result = _resized(IMAGE, *size)
    assert (result.shape, result.dtype) == ((2, 3, *size), np.float32)
    for plane, whole in zip(result.reshape(-1, *size), IMAGE.reshape(-1, 131, 177), strict=True):
        expected = PIL.Image.fromarray(whole).resize(size[::-1], PIL.Image.Resampling.BICUBIC)
        np.testing.assert_allclose(plane, np.asarray(expected), atol=2e-6)


def test_bands_are_not_seen() -> None:
    whole = _resized(IMAGE, 115, 155, band=131)
    for band in (1, 10, 64):
        np.testing.assert_array_equal(_resized(IMAGE, 115, 155, band), whole)


def test_one_colour_stays() -> None:
    np.testing.assert_allclose(_resized(np.full((1, 1, 50, 90), 0.3, np.float32), 33, 71), 0.3, atol=1e-6)
