"""Scenes are a function of the generator, and what is pasted lies where the labels say."""

import cv2
import numpy as np
import pytest

from imgen.data import face_scenes
from imgen.data.face_scenes import FaceScenes, Place, paste
from imgen.data.photos import Photos
from imgen.image import face as frame


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> FaceScenes:
    """Faces are green, photographs have no green."""
    folder, rng = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for kind, count, size in (("faces", 4, 128), ("photos", 3, 200)):
        (folder / kind).mkdir()
        for number in range(count):
            image = cv2.resize(rng.integers(60, 200, (7, 7, 3), np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
            image[..., 1] = 250 if kind == "faces" else 0
            cv2.imwrite(str(folder / kind / f"{number}.png"), image)
    return FaceScenes(Photos([folder / "faces"]), Photos([folder / "photos"]))


def test_everything_follows_from_the_generator(scenes: FaceScenes) -> None:
    one, same, other = (scenes.draw(np.random.default_rng(seed), 96) for seed in (3, 3, 5))
    assert one.image.shape == (96, 96, 3)
    assert one.image.dtype == np.uint8
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.faces, same.faces)
    assert not np.array_equal(one.image, other.image)


def test_there_are_scenes_of_none_to_four_faces_of_all_sizes_and_some_are_hidden(scenes: FaceScenes) -> None:
    faces = [scenes.draw(np.random.default_rng(seed), 96).faces for seed in range(150)]
    assert {0, 1, 2, 3} <= {len(each) for each in faces} <= {0, 1, 2, 3, 4}
    every = np.concatenate(faces)
    assert every.shape[1] == 5
    assert (every[:, :2] >= 0).all()
    assert (every[:, :2] <= 96).all()
    assert every[:, 2].min() < 20
    assert every[:, 2].max() > 80
    assert np.abs(every[:, 3]).max() > 0.5
    assert 0.02 < (every[:, 4] == 0).mean() < 0.4


def test_no_drawing_changes_what_is_drawn_from(scenes: FaceScenes) -> None:
    before = [image.copy() for image in (*scenes.faces.images, *scenes.photos.images)]
    for seed in range(20):
        scenes.draw(np.random.default_rng(seed), 64)
    assert all(map(np.array_equal, before, (*scenes.faces.images, *scenes.photos.images)))


def test_faces_are_where_the_labels_say(scenes: FaceScenes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without other light, colours, damage or pieces, whatever is green is of a face."""
    monkeypatch.setattr(face_scenes, "_lit", lambda piece, _: piece)
    monkeypatch.setattr(face_scenes, "_finished", lambda scene, _: scene)
    monkeypatch.setattr(FaceScenes, "_other", lambda self, rng: self.photos.crop(rng, 128))
    checked = 0
    for seed in range(60):
        image, faces = scenes.draw(np.random.default_rng(seed), 128)
        assert (image[..., 1] > 128).any() == bool(len(faces))
        for x, y, height, _, seen in faces:
            if seen and height > 20:
                assert image[int(np.clip(y, 0, 127)), int(np.clip(x, 0, 127)), 1] > 128 or height > 100
                checked += 1
    assert checked > 30


@pytest.mark.parametrize("side", [112, 128])
@pytest.mark.parametrize("place", [Place(60, 50, 44, 0), Place(70, 66, 30, 0.6), Place(64, 70, 130, -0.4)])
def test_a_mark_lands_where_the_similarity_leads(place: Place, side: int) -> None:
    for u, v in (frame.CENTRE, *frame.POINTS[:2]):
        piece = np.zeros((side, side, 3), np.float32)
        y, x = np.mgrid[:side, :side] + 0.5
        spot = np.exp(-((x - u * side / 128) ** 2 + (y - v * side / 128) ** 2) / (2 * 4**2))
        piece += (250 * spot)[..., None].astype(np.float32)
        scene = np.zeros((130, 140, 3), np.uint8)
        paste(scene, piece.astype(np.uint8), np.ones((side, side), np.float32), place)
        light = scene[..., 0].astype(float)
        rows, columns = np.mgrid[:130, :140] + 0.5
        middle = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
        scale, cos, sin = place.height / frame.HEIGHT, np.cos(place.roll), np.sin(place.roll)
        right, down = u - frame.CENTRE[0], v - frame.CENTRE[1]
        expected = (place.x + scale * (cos * right - sin * down), place.y + scale * (sin * right + cos * down))
        assert np.allclose(middle, expected, atol=0.2)


def test_what_a_mask_hides_stays_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (80, 90, 3), np.uint8)
    before, mask = scene.copy(), np.zeros((128, 128), np.float32)
    paste(scene, np.full((128, 128, 3), 255, np.uint8), mask, Place(40, 40, 50, 0.3))
    assert np.array_equal(scene, before)
    mask[40:80, 40:80] = 1
    paste(scene, np.full((128, 128, 3), 255, np.uint8), mask, Place(40, 40, 50, 0.3))
    changed = (scene != before).any(2)
    assert 300 < changed.sum() < 900
    assert scene[38, 38].min() == 255


def test_boxes_are_upright_about_the_turned_ellipse() -> None:
    assert np.allclose(Place(50, 60, 88, 0).box(), (15, 16, 85, 104))
    assert np.allclose(Place(50, 60, 88, np.pi / 2).box(), (6, 25, 94, 95))
