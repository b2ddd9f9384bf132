import numpy as np
import pytest

from imgen.image.tensor import crop, pad_to_multiple, to_nchw, to_pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_level_survives_the_round_trip(dtype, channels):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1, 1)
    pixels = np.repeat(levels, channels, axis=2)
    array = to_nchw(pixels)
    assert array.dtype == np.float32
    assert array.shape == (1, channels, *pixels.shape[:2])
    assert (array.min(), array.max()) == (0, 1)
    assert np.array_equal(to_pixels(array, dtype), pixels)


def test_grey_without_an_axis_and_floats_are_taken_too():
    assert to_nchw(np.zeros((3, 4), np.uint8)).shape == (1, 1, 3, 4)
    pixels = np.random.default_rng(0).random((3, 4, 3), np.float32)
    assert np.array_equal(to_pixels(to_nchw(pixels), np.float32), pixels)


def test_out_of_range_is_clipped():
    array = np.array([-1, 2, 0.5], np.float32).reshape(1, 1, 1, 3)
    assert to_pixels(array).ravel().tolist() == [0, 255, 128]


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (7, 9), (8, 16), (17, 3)])
def test_crop_undoes_the_padding(size):
    array = np.random.default_rng(0).random((2, 3, *size), np.float32)
    padded, before = pad_to_multiple(array, 8)
    assert all(side % 8 == 0 and side - was < 8 for side, was in zip(padded.shape[2:], size, strict=True))
    assert np.array_equal(crop(padded, before), array)
