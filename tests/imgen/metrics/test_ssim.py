import numpy as np
import pytest

from imgen.errors import ImageError
from imgen.metrics import ssim


def by_the_formula(x: np.ndarray, y: np.ndarray, peak: float) -> np.ndarray:
    """Equation 13 window by window, as slowly as it is written; H x W images."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    rows, columns = x.shape[0] - 10, x.shape[1] - 10
    result = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
            result[i, j] = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
            result[i, j] /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return result


def noisy_pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    reference = random.integers(0, 256, shape).astype(np.uint8)
    image = np.clip(reference + random.normal(0, 20, shape), 0, 255).astype(np.uint8)
    return image, reference


def test_agrees_with_the_formula() -> None:
    image, reference = noisy_pair((17, 15))
    expected = by_the_formula(image.astype(float), reference.astype(float), 255)
    assert ssim(image, reference, peak=255) == pytest.approx(expected.mean(), abs=1e-9)


def test_counts_only_windows_centred_in_the_mask() -> None:
    image, reference = noisy_pair((17, 15))
    hole = np.zeros((17, 15), np.uint8)
    hole[7:9, 6] = 255
    expected = by_the_formula(image.astype(float), reference.astype(float), 255)[2:4, 1]
    assert ssim(image, reference, peak=255, where=hole) == pytest.approx(expected.mean(), abs=1e-9)


def test_cuts_the_border_off_before_any_window_is_laid() -> None:
    image, reference = noisy_pair((24, 22, 3))
    hole = np.zeros((24, 22), np.uint8)
    hole[10:13, 9] = 1
    inside = image[4:-4, 4:-4], reference[4:-4, 4:-4]
    assert ssim(image, reference, peak=255, border=4) == ssim(*inside, peak=255)
    cut = ssim(*inside, peak=255, where=hole[4:-4, 4:-4])
    assert ssim(image, reference, peak=255, where=hole, border=4) == cut


def test_averages_over_channels_and_is_one_for_equal_images() -> None:
    image, reference = noisy_pair((20, 20, 3))
    channels = [ssim(image[..., c], reference[..., c], peak=255) for c in range(3)]
    assert ssim(image, reference, peak=255) == pytest.approx(np.mean(channels))
    assert ssim(image, image, peak=255) == pytest.approx(1)
    assert ssim(image[..., :1], reference[..., :1], peak=255) == pytest.approx(channels[0])


def test_refuses_an_image_smaller_than_the_window() -> None:
    with pytest.raises(ImageError, match="11 pixels"):
        ssim(np.zeros((10, 30)), np.zeros((10, 30)), peak=1)


def test_refuses_a_mask_at_the_border_only() -> None:
    hole = np.zeros((20, 20))
    hole[0] = 1
    with pytest.raises(ImageError, match="border"):
        ssim(np.zeros((20, 20)), np.zeros((20, 20)), peak=1, where=hole)
