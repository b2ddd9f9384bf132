"""Crops are where the points say; what was not changed, or lies elsewhere, stays to the bit."""

import tracemalloc

import numpy as np
import pytest

from imgen.errors import ImageError
from imgen.image import face as frame
from imgen_apps.face_alignment import crop, in_the_colours_of, in_the_light_of, paste, similarity
from imgen_apps.face_finding import Face, face_of_box

KINDS = [(1, np.uint8), (2, np.uint8), (3, np.uint8), (4, np.uint8), (3, np.uint16), (4, np.uint16)]
KINDS += [(1, np.float32), (3, np.float32), (3, np.float64)]


def face(x: float, y: float, scale: float, roll: float = 0.0) -> Face:
    """One whose crop of 128 pixels is enlarged by ``scale`` and has its middle at x, y."""
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    points = (np.array(frame.POINTS) - frame.SIDE / 2) @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    return Face((x - 35 * scale, y - 44 * scale, 70 * scale, 88 * scale), 1.0, points)


def photo(height=240, width=200, channels=3, kind=np.uint8, seed=0):
    values = np.random.default_rng(seed).random((height, width, channels))
    return (values * np.iinfo(kind).max).astype(kind) if kind in (np.uint8, np.uint16) else values.astype(kind)


def ramp(height, width):
    """Red tells how far to the right a pixel's middle is, green how far down."""
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return np.stack(np.broadcast_arrays(x, y[:, None], np.float64(0.5)), 2)


@pytest.mark.parametrize("roll", [0, 0.6, -2.5])
def test_a_known_similarity_is_recovered(roll):
    points = np.random.default_rng(0).normal(size=(5, 2))
    turn = 3.7 * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    found = similarity(points, points @ turn.T + (12, -5))
    assert np.allclose(found, np.column_stack([turn, (12, -5)]))


def test_of_points_that_no_similarity_joins_the_nearest_is_found_and_it_is_no_mirror():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(5, 2))
    target = points * (-1, 1) + rng.normal(0, 0.3, (5, 2))

    def error(matrix):
        return np.square(points @ matrix[:, :2].T + matrix[:, 2] - target).sum()

    best = similarity(points, target)
    assert np.linalg.det(best[:, :2]) > 0
    for _ in range(200):  # no similarity near it does better
        angle, scale, shift = rng.normal(0, 0.05), np.exp(rng.normal(0, 0.05)), rng.normal(0, 0.05, 2)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert error(np.column_stack([turn @ best[:, :2], best[:, 2] + shift])) > error(best)


@pytest.mark.parametrize(("scale", "roll"), [(1, 0), (0.4, 0.3), (2.6, -0.5), (7.3, 0.1)])
def test_each_pixel_of_a_crop_is_from_where_the_similarity_leads(scale, roll):
    height, width = 1100, 1200
    made = crop(ramp(height, width), face(610, 540, scale, roll), 128)[0]
    there = np.stack(np.meshgrid(np.arange(128) + 0.5, np.arange(128) + 0.5)) - 64
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    x, y = cos * there[0] - sin * there[1] + 610, sin * there[0] + cos * there[1] + 540
    assert np.abs(made[0] * width - x).max() < 0.1 * max(scale, 1)
    assert np.abs(made[1] * height - y).max() < 0.1 * max(scale, 1)


def test_a_large_face_is_reduced_without_aliasing():
    lines = np.zeros((900, 900, 3), np.uint8)
    lines[:, ::2] = 200
    made = crop(lines, face(450, 450, 6.4), 128)
    assert np.abs(made - 100 / 255).max() < 0.03


@pytest.mark.parametrize(("channels", "kind"), KINDS)
def test_an_unchanged_crop_changes_no_bit(channels, kind):
    image = photo(channels=channels, kind=kind)
    for found in (face(100, 120, 1.3, 0.4), face(20, 230, 0.3), face(-5, 100, 2.0)):
        before, now = image.copy(), crop(image, found, 64)
        assert now.shape == (1, 3, 64, 64)
        assert now.dtype == np.float32
        assert 0 <= now.min() <= now.max() <= 1
        paste(image, found, now, now.copy())
        assert np.array_equal(image, before)


@pytest.mark.parametrize(("channels", "kind"), KINDS)
def test_only_the_ellipse_about_the_face_changes_and_alpha_never(channels, kind):
    before = photo(channels=channels, kind=kind)
    image, found = before.copy(), face(110, 130, 0.9, 0.5)
    now = crop(image, found, 128)
    paste(image, found, now, 1 - now)
    y, x = np.mgrid[:240, :200] + 0.5
    far = np.hypot(x - 110, y - 130) > 0.9 * 64
    assert np.array_equal(image[far], before[far])
    colours = channels - (channels in (2, 4))
    assert np.array_equal(image[..., colours:], before[..., colours:])
    inside = np.hypot(x - 110, y - 130) < 0.9 * 30
    assert (image[inside][:, :colours] != before[inside][:, :colours]).mean() > 0.9


def test_a_change_of_light_arrives_in_full_and_the_detail_stays():
    image = (0.4 + 0.2 * photo(500, 500, kind=np.float32)).astype(np.float32)
    before, found = image.copy(), face(250, 260, 3.0, 0.3)
    now = crop(image, found, 128)
    lit = now.copy()
    lit[:, 0] += 0.1
    paste(image, found, now, lit)
    change = image - before
    middle = change[260 - 24 : 260 + 24, 250 - 24 : 250 + 24]
    assert np.allclose(middle[..., 0], 0.1, atol=1e-4)
    assert np.abs(middle[..., 1:]).max() < 1e-4


def test_what_is_replaced_loses_its_detail_only_where_it_differs_and_keeps_its_colours():
    rng = np.random.default_rng(0)
    image = (0.4 + 0.2 * rng.random((500, 500, 3))).astype(np.float32)
    before, found = image.copy(), face(250, 260, 3.0)
    now = crop(image, found, 128)
    other = now.copy()
    other[:, :, 40:70, 50:80] += 0.4 * np.sign(np.sin(np.arange(30) / 3))[:, None].astype(np.float32)
    paste(image, found, now, in_the_colours_of(now, other + np.float32([0.3, 0, -0.2]).reshape(1, 3, 1, 1)))
    fine = (image - before)[..., 1]
    like, unlike = before[300:330, 235:265, 1], before[200:230, 235:265, 1]
    kept = np.corrcoef(image[300:330, 235:265, 1].ravel(), like.ravel())[0, 1]
    lost = np.corrcoef(np.diff(image[200:230, 235:265, 1]).ravel(), np.diff(unlike).ravel())[0, 1]
    assert kept > 0.9
    assert lost < 0.3
    assert abs(fine[300:330, 235:265].mean()) < 0.05
    assert np.abs((image - before).mean((0, 1))).max() < 0.01


def test_an_edit_of_a_poor_copy_takes_the_light_of_the_photo_and_leaves_no_ghost():
    """A dark line is undone by a network whose copies are paler, and show the line only half."""
    line = np.zeros((1, 3, 128, 128), np.float32)
    line[..., 99:103, 45:83] = 0.4
    photo = np.full_like(line, 0.6) - line
    copy, edited = np.full_like(line, 0.7) - line / 2, np.full_like(line, 0.7)
    lit = in_the_light_of(photo, copy, edited)
    assert lit[0][..., 10:20, 10:20] == pytest.approx(0.6, abs=1e-3)
    image = np.ascontiguousarray(photo[0].transpose(1, 2, 0))
    paste(image, face(64, 64, 1.0), *lit)
    assert image[100:102, 55:73].min() > 0.5  # merely adding the difference leaves 0.4
    assert np.abs(image[20:80] - 0.6).max() < 1e-3


def test_beyond_the_edge_the_photo_is_mirrored_and_nothing_is_written_there():
    image = photo(60, 50)
    found = face(4, 3, 0.5)
    now = crop(image, found, 128)
    assert np.isfinite(now).all()
    assert now[0, :, :40, :40].std() > 0.05  # not one colour
    paste(image, found, now, 1 - now)
    assert image.shape == (60, 50, 3)


def test_only_the_faces_window_of_a_large_photo_is_touched():
    image, found = np.zeros((3000, 2000, 3), np.uint8), face(900, 1500, 1.5)
    tracemalloc.start()
    now = crop(image, found, 128)
    paste(image, found, now, 1 - now)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 200 * 200 * 3 * 4 * 12  # a dozen copies of the face in floats


@pytest.mark.parametrize("found", [face(-500, 50, 1), face(50, 9000, 1)])
def test_a_face_outside_is_refused(found):
    with pytest.raises(ImageError, match="outside the 200 x 240 pixels"):
        crop(photo(), found, 64)
    with pytest.raises(ImageError, match="outside the 200 x 240 pixels"):
        paste(photo(), found, np.zeros((1, 3, 8, 8), np.float32), np.ones((1, 3, 8, 8), np.float32))


def test_a_face_of_no_size_is_refused():
    nowhere = Face((5, 5, 0, 0), 1.0, np.full((5, 2), 5.0))
    with pytest.raises(ImageError, match="smaller than a pixel"):
        crop(photo(), nowhere, 64)


def test_a_box_drawn_by_hand_is_an_upright_face():
    found = face_of_box((29 + 100, 32 + 50, 70, 88))
    assert np.allclose(found.points, np.add(frame.POINTS, (100, 50)))
