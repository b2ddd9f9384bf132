import kornia
import numpy as np
import pytest
import torch

from imgen.errors import ImageError, UsageError
from imgen.metrics import psnr, reconstruction, ssim

RANDOM = np.random.default_rng(0)
ORIGINAL = RANDOM.integers(0, 256, (24, 20, 3), np.uint8)
NOISY = np.clip(ORIGINAL + RANDOM.normal(0, 20, ORIGINAL.shape), 0, 255).astype(np.uint8)


def test_psnr_and_ssim_are_those_of_kornia() -> None:
    a, b = (torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255 for image in (NOISY, ORIGINAL))
    assert psnr(NOISY, ORIGINAL, peak=255) == pytest.approx(float(kornia.metrics.psnr(a, b, 1.0)), rel=1e-6)
    theirs = kornia.metrics.ssim(a, b, 11, padding="valid").mean()
    assert ssim(NOISY, ORIGINAL, peak=255) == pytest.approx(float(theirs), abs=1e-5)


def test_averages_over_pairs() -> None:
    black, grey = np.zeros((11, 11, 1), np.uint8), np.full((11, 11, 1), 51, np.uint8)
    found = reconstruction([(black, grey), (NOISY, ORIGINAL)])
    noise = reconstruction([(NOISY, ORIGINAL)])
    assert found["mae"] == pytest.approx((0.2 + noise["mae"]) / 2)
    assert found["mse"] == pytest.approx((0.04 + noise["mse"]) / 2)
    assert found["psnr"] == pytest.approx((10 * np.log10(1 / 0.04) + noise["psnr"]) / 2)
    assert set(found) == {"mse", "mae", "psnr", "ssim"}


def test_leaves_ssim_out_where_an_image_is_too_small_for_it() -> None:
    small = np.zeros((8, 8, 3), np.uint8)
    assert set(reconstruction([(NOISY, ORIGINAL), (small, small)])) == {"mse", "mae", "psnr"}


def test_refuses_nothing_and_different_shapes() -> None:
    with pytest.raises(UsageError, match="no pairs"):
        reconstruction([])
    with pytest.raises(ImageError, match="resize"):
        reconstruction([(ORIGINAL, ORIGINAL[:20])])
