"""What the simulated drops, dirt and snow promise: exact masks, one function of image and seed, the physics."""

import time

import cv2
import numpy as np
import pytest

from imgen.data.drops import KINDS, drops
from imgen.data.glass import Pane

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def _scene(height=128, width=128, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    return np.ascontiguousarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


@each_kind
@pytest.mark.parametrize("size", [(8, 8), (37, 120), (128, 128), (300, 9)])
def test_what_the_mask_leaves_out_is_the_scene_to_the_bit(kind, size):
    scene = _scene(*size)
    before = scene.copy()
    for seed in range(12):
        image, mask = kind(scene, np.random.default_rng(seed))
        assert (image.shape, image.dtype, mask.shape, mask.dtype) == (scene.shape, np.uint8, size, np.float32)
        assert mask.min() >= 0
        assert mask.max() <= 1
        assert np.array_equal(image[mask == 0], scene[mask == 0])
    assert np.array_equal(scene, before)


@each_kind
def test_everything_follows_from_image_and_seed(kind):
    scene = _scene()
    one, same, other = (kind(scene, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.mask, same.mask)
    assert not np.array_equal(one.mask, other.mask)


@each_kind
def test_a_view_may_be_a_number_of_numpys(kind):
    scene = _scene()
    for seed in range(12):
        one, same = (kind(scene, np.random.default_rng(seed), view=view).image for view in (500, np.float64(500)))
        assert np.array_equal(one, same)


@each_kind
def test_density(kind):
    scene = _scene(64, 64)
    for seed in range(12):
        image, mask = kind(scene, np.random.default_rng(seed), density=0)
        assert not mask.any()
        assert np.array_equal(image, scene)
    low, high = (
        np.mean([kind(scene, np.random.default_rng(seed), density=share).mask.mean() for seed in range(12)])
        for share in (0.05, 0.5)
    )
    assert 0.01 < low < 0.1
    assert 3 * low < high < 0.6


def test_drops_are_in_focus_as_often_as_is_asked():
    scene = _scene()

    def steepness(sharp):
        masks = [drops(scene, np.random.default_rng(seed), sharp=sharp).mask for seed in range(12)]
        return np.mean([np.abs(np.diff(mask)).max() for mask in masks])

    assert steepness(0.0) < steepness(0.5) < steepness(1.0)
    assert steepness(1.0) > 2 * steepness(0.0)


def test_soaked_glass_is_covered_more_and_glass_in_focus_is_never_soaked():
    scene = _scene(96, 96)

    def cover(**glass):
        return [drops(scene, np.random.default_rng(seed), **glass).mask.mean() for seed in range(24)]

    assert np.mean(cover(sharp=0, soaked=1)) > 1.5 * np.mean(cover(sharp=0))
    assert cover(sharp=1, soaked=1) == cover(sharp=1)


def test_drops_show_the_scene_upside_down():
    scene = np.repeat(np.linspace(250, 5, 160).astype(np.uint8)[:, None, None], 160, axis=1).repeat(3, axis=2)
    trends = []
    for seed in range(24):
        image, mask = drops(scene, np.random.default_rng(seed), density=0.2, view=240)
        count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.95).astype(np.uint8))
        for label in range(1, count):
            if stats[label, cv2.CC_STAT_HEIGHT] >= 10:
                rows = np.nonzero(labels == label)[0]
                trends.append(np.polyfit(rows, image[labels == label].mean(1), 1)[0])
    assert len(trends) > 30
    assert np.mean(trends) > 0.4  # brighter downwards, where the scene grows darker; but flat ones bend too little


def test_drops_take_their_light_from_around():
    scene, white = np.full((96, 96, 3), 40, np.uint8), np.full((50, 50, 3), 250, np.uint8)
    surroundings = (np.zeros_like(white), white, np.tile(scene, (3, 3, 1)), None)
    dark, light, same, alone = (
        drops(scene, np.random.default_rng(3), density=0.3, around=around) for around in surroundings
    )
    hidden = light.mask > 0.95
    assert light.image[hidden].mean() > dark.image[hidden].mean() + 60
    assert np.array_equal(light.mask, dark.mask)
    assert np.array_equal(same.image, alone.image)


def test_the_light_of_drops_may_be_colder():
    scene = np.full((96, 96, 3), 90, np.uint8)
    plain, cold = (drops(scene, np.random.default_rng(3), density=0.3, cold=cold) for cold in (0.0, 0.5))
    hidden = plain.mask > 0.95
    bluer = [np.diff(glass.image[hidden].astype(int)[:, ::2]).mean() for glass in (plain, cold)]
    assert bluer[1] > bluer[0] + 5
    assert np.array_equal(plain.image[hidden][:, 1], cold.image[hidden][:, 1])


def test_dull_drops_send_no_light_of_their_own():
    night = np.zeros((96, 96, 3), np.uint8)
    for seed in range(4):
        bright, dull = (drops(night, np.random.default_rng(seed), density=0.3, dull=dull) for dull in (0.0, 1.0))
        assert bright.image.max() > 10
        assert dull.mask.max() > 0.5
        assert not dull.image.any()


def test_the_pane_is_before_the_middle_of_what_is_around():
    scene = _scene(288, 288).astype(np.float32)
    middle, straight = scene[96:192, 96:192], np.zeros((96, 96), np.float32)
    pane = Pane(middle.astype(np.uint8), np.random.default_rng(0), 480, 1.0)
    assert np.array_equal(pane.sampled(scene, straight, straight, spread=3), middle)


def test_sizes_follow_the_view():
    scene = _scene(96, 96)
    outlines = [
        sum(
            np.abs(np.diff(drops(scene, np.random.default_rng(seed), density=0.3, view=view).mask)).sum()
            for seed in range(12)
        )
        for view in (60, 480)
    ]
    assert outlines[0] > 2 * outlines[1]  # smaller drops have more of a rim on the same area


def test_twenty_images_a_second():
    scene = _scene(256, 256)
    start = time.process_time()
    for seed in range(24):
        drops(scene, np.random.default_rng(seed))
    assert time.process_time() - start < 24 / 20
