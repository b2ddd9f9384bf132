import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgen.data.alignment import offset
from imgen.data.drops import drops


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """Smooth ground and sharp things on it, 240 x 320."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(60, 200, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    for _ in range(120):
        place, size = rng.integers(0, (320, 240)), rng.integers(4, 20, 2)
        cv2.rectangle(image, place.tolist(), (place + size).tolist(), rng.integers(0, 255, 3).tolist(), -1)
    return np.asarray(image, np.uint8)


def moved(image: NDArray[np.uint8], right: float, turn: float = 0.0, zoom: float = 1.0) -> NDArray[np.uint8]:
    matrix = cv2.getRotationMatrix2D((160, 120), turn, zoom)
    matrix[0, 2] += right
    return np.asarray(cv2.warpAffine(image, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT), np.uint8)


@pytest.mark.parametrize("pixels", [0.0, 0.5, 2.0, 15.0])
def test_a_shift_is_measured_through_rain_and_in_another_light(pixels: float) -> None:
    view, rain = scene(), drops(scene(), np.random.default_rng(1)).image
    assert not np.array_equal(rain, view)
    for dirty in (view, rain, np.rint(0.7 * rain).astype(np.uint8)):
        assert offset(moved(dirty, pixels), view) == pytest.approx(pixels, abs=0.3)


def test_hard_dirt_does_not_hide_that_a_soft_scene_is_in_line() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        soft = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
        dirty = cv2.circle(soft.copy(), (130, 100), 40, (250, 240, 230), -1)
        assert offset(np.asarray(dirty, np.uint8), np.asarray(soft, np.uint8)) < 1


def test_turned_and_magnified_pictures_and_other_scenes_are_apart() -> None:
    assert offset(moved(scene(), 0, turn=1.5), scene()) > 1
    assert offset(moved(scene(), 0, zoom=1.03), scene()) > 1
    assert all(offset(scene(seed), scene(seed + 1)) > 3 for seed in range(5))


@pytest.mark.parametrize("size", [(32, 32), (40, 300)])
def test_small_pictures_and_plain_ones_are_in_line_with_themselves(size: tuple[int, int]) -> None:
    view = scene()[: size[0], : size[1]]
    for same in (view, np.full_like(view, 80)):
        assert offset(same, same // 2) == pytest.approx(0, abs=0.3)
