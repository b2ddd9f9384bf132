import numpy as np
import pytest

from imgen.errors import ImageError
from imgen.metrics import psnr


def test_agrees_with_the_formula() -> None:
    reference = np.zeros((4, 4, 3), np.uint8)
    image = reference + np.uint8(5)
    assert psnr(image, reference, peak=255) == pytest.approx(10 * np.log10(255**2 / 25))


def test_does_not_wrap_around_in_uint8() -> None:
    low, high = np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)
    assert psnr(low, high, peak=255) == psnr(high, low, peak=255) == 0


def test_is_infinite_for_equal_images() -> None:
    image = np.full((3, 5, 3), 7, np.uint16)
    assert psnr(image, image, peak=65535) == float("inf")


def test_counts_only_the_pixels_of_the_mask() -> None:
    reference = np.zeros((4, 4, 3))
    image = reference.copy()
    image[0, 0] = 1
    image[3, 3] = 0.1
    hole = np.zeros((4, 4), np.uint8)
    hole[3, 3] = 255
    assert psnr(image, reference, peak=1, where=hole) == pytest.approx(20)


def test_does_not_count_the_border() -> None:
    reference = np.zeros((9, 8, 3))
    image = reference + 1
    image[3:-3, 3:-3] = 0.1
    assert psnr(image, reference, peak=1, border=3) == pytest.approx(20)
    assert psnr(image, reference, peak=1, border=2) < 10
    with pytest.raises(ImageError, match="all of it is border"):
        psnr(image, reference, peak=1, border=4)


@pytest.mark.parametrize("where", [np.zeros((4, 4)), np.ones((4, 5))])
def test_refuses_a_mask_that_is_empty_or_does_not_fit(where: np.ndarray) -> None:
    with pytest.raises(ImageError):
        psnr(np.zeros((4, 4)), np.ones((4, 4)), peak=1, where=where)


def test_refuses_images_of_different_shape() -> None:
    with pytest.raises(ImageError, match="cannot be compared"):
        psnr(np.zeros((4, 4)), np.zeros((4, 5)), peak=1)
