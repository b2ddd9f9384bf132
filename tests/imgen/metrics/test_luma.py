import numpy as np
import pytest

from imgen.metrics import luma, psnr


def test_has_the_values_that_matlab_documents() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    y = luma(colours, peak=255)
    assert y[0].tolist() == pytest.approx([16, 235, 81.481, 144.553, 40.966])
    np.testing.assert_allclose(luma(colours / 255, peak=1), y / 255)
    np.testing.assert_allclose(luma(colours.astype(np.uint16) * 257, peak=65535), y * 257)


def test_grey_differences_are_smaller_by_the_studio_range() -> None:
    reference = np.full((4, 4, 3), 100, np.uint8)
    image = reference + np.uint8(10)
    gain = psnr(luma(image, peak=255), luma(reference, peak=255), peak=255) - psnr(image, reference, peak=255)
    assert gain == pytest.approx(20 * np.log10(255 / 219))
