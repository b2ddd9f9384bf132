import numpy as np
import numpy.typing as npt
import pytest

from imgen_apps.holes import MARGIN, SMALLEST, Box, Mask, Plan, plan

LIMIT = 768


def _mask(height: int, width: int, *holes: tuple[int, int, int, int]) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    for top, left, bottom, right in holes:
        mask[top:bottom, left:right] = 255
    return mask


def _covered(work: Plan, mask: Mask) -> npt.NDArray[np.int64]:
    """How often each pixel is filled."""
    times = np.zeros(mask.shape, np.int64)
    for group in work.groups:
        times[group.hole.window] += work.holes(mask, group, group.hole) > 0
    return times


@pytest.mark.parametrize("seed", range(8))
def test_every_marked_pixel_is_filled_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = (int(side) for side in random.integers(1, 1500, 2))
    mask = _mask(height, width)
    for _ in range(int(random.integers(1, 30))):
        top, left = random.integers(0, height), random.integers(0, width)
        mask[top : top + random.integers(1, 300), left : left + random.integers(1, 300)] = 255
    work = plan(mask, LIMIT)
    np.testing.assert_array_equal(_covered(work, mask), mask // 255)
    for number, group in enumerate(work.groups, 1):
        assert group.number == number
        assert group.hole.within(group.crop) == group.hole
        assert group.crop.within(Box(0, 0, height, width)) == group.crop
        assert 0 < group.scale <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (7, 9)])
def test_slim_and_tiny_images(shape: tuple[int, int]) -> None:
    mask = np.full(shape, 255, np.uint8)
    np.testing.assert_array_equal(_covered(plan(mask, LIMIT), mask), 1)


def test_an_empty_mask_has_no_groups() -> None:
    assert plan(_mask(50, 60), LIMIT).groups == []


def test_a_small_hole_gets_a_small_crop_at_full_resolution() -> None:
    (group,) = plan(_mask(4000, 6000, (2000, 3000, 2010, 3010)), LIMIT).groups
    assert (group.crop.height, group.crop.width, group.scale) == (SMALLEST, SMALLEST, 1)


def test_a_hole_sees_as_much_around_it_as_it_is_thick() -> None:
    (group,) = plan(_mask(4000, 6000, (2000, 3000, 2200, 3200)), LIMIT).groups
    assert group.scale == 1
    assert group.hole.top - group.crop.top >= 200 - 16
    assert group.crop.height <= LIMIT


def test_near_holes_share_a_crop_and_far_ones_do_not() -> None:
    near = plan(_mask(3000, 3000, (1000, 1000, 1040, 1040), (1000, 1090, 1040, 1130)), LIMIT)
    far = plan(_mask(3000, 3000, (1000, 1000, 1040, 1040), (1000, 2500, 1040, 2540)), LIMIT)
    assert (len(near.groups), len(far.groups)) == (1, 2)


def test_many_specks_are_filled_at_full_resolution_in_few_crops() -> None:
    random = np.random.default_rng(0)
    mask = _mask(3000, 4000)
    mask[random.integers(0, 3000, 800), random.integers(0, 4000, 800)] = 255
    work = plan(mask, LIMIT)
    assert len(work.groups) < 80
    assert all(group.scale == 1 for group in work.groups)
    np.testing.assert_array_equal(_covered(work, mask), mask // 255)


def test_a_wire_is_cut_and_a_blob_is_scaled() -> None:
    wire = plan(_mask(1000, 6000, (500, 0, 505, 6000)), LIMIT)
    assert len(wire.groups) >= 8
    assert all(group.scale == 1 for group in wire.groups)
    blob = plan(_mask(5000, 5000, (1750, 1750, 3250, 3250)), LIMIT)
    (group,) = blob.groups
    assert group.crop.height == pytest.approx(3 * 1500, rel=0.03)
    assert group.scale == pytest.approx(LIMIT / max(group.crop.height, group.crop.width))


def test_a_dense_pattern_is_not_taken_for_one_large_hole() -> None:
    mask = np.zeros((2000, 2000), np.uint8)
    mask[::4, ::4] = 255
    assert all(group.scale == 1 for group in plan(mask, LIMIT).groups)


def test_pieces_of_a_hole_see_the_earlier_ones_filled() -> None:
    mask = _mask(200, 3000, (100, 0, 110, 3000))
    work = plan(mask, LIMIT)
    first, second = work.groups[:2]
    assert work.unknown(mask, first, second.hole).all() == mask[second.hole.window].all()
    assert not work.unknown(mask, second, first.hole).any()


def test_the_context_is_never_less_than_the_margin() -> None:
    (group,) = plan(_mask(2000, 2000, (800, 800, 1000, 804)), LIMIT).groups
    assert group.hole.top - group.crop.top >= MARGIN
