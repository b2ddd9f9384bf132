"""What is done to photographs on their way, where nothing is made smaller."""

import cv2
import numpy as np

from imgen.data.degrade import camera


def _twice(one, other, seed):
    return (camera(image, np.random.default_rng(seed)) for image in (one, other))


def test_a_camera_adds_the_same_to_two_views():
    """But near what differs: sharpening looks at what is beside, and JPEG at squares of 16 pixels."""
    noise = np.random.default_rng(0).integers(60, 200, (16, 24, 3), np.uint8)
    one = np.asarray(cv2.resize(noise, (96, 64), interpolation=cv2.INTER_CUBIC))
    other = one.copy()
    other[:, 56:] = 30
    changes = []
    for seed in range(24):
        first, second = _twice(one, other, seed)
        assert (first.shape, first.dtype) == (one.shape, np.uint8)
        assert np.array_equal(first[:, :32], second[:, :32])
        changes.append(np.abs(first.astype(int) - one).mean())
    assert min(changes) == 0
    assert 1 < np.mean(changes) < 6


def test_what_was_smooth_in_one_view_gets_the_noise_of_the_other():
    """So that a drop out of focus is not known by what it lacks."""
    smooth = np.full((64, 64, 3), 128, np.uint8)
    for seed in range(24):
        first, second = _twice(smooth, smooth // 2, seed)
        assert abs(first.std() - second.std()) < 0.3 * first.std() + 0.5
