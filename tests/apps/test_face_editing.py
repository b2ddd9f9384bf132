"""Faces through Python: every kind of image, the codes behind an edit, and what scores it."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ExifTags

import imgen
from imgen.errors import ImageError, ModelError, UnknownNameError, UsageError
from imgen.image import face
from imgen_apps.face_choice import Choice, Detector
from imgen_apps.face_editing import FaceEditing
from imgen_apps.face_finding import FaceFinder
from imgen_apps.face_identity import cosine, recogniser, strongest
from imgen_apps.face_model import Codes, FaceModel, between
from tests.apps.faces import BOX, CROP, GREEN, SPEC, find_marks, marked, photo, write_face_model, write_recogniser

RED_FACE, GREEN_FACE = photo(), photo(GREEN)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_face_model(tmp_path_factory.mktemp("models") / "tiny-face.onnx")


@pytest.fixture(scope="module")
def faces(path: Path) -> FaceEditing:
    return FaceEditing(imgen.load_model(path, device="cpu"), detector=find_marks)


def crop_of(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[CROP].transpose(2, 0, 1)[None] / np.float32(255))


def test_every_kind_of_image_comes_back_as_that_kind(faces: FaceEditing, tmp_path: Path) -> None:
    wanted = faces.edit(RED_FACE, {"smile": 1}, box=BOX)
    assert (wanted != RED_FACE).any()
    source = tmp_path / "photo.png"
    PIL.Image.fromarray(RED_FACE).save(source)
    np.testing.assert_array_equal(np.asarray(faces.edit(PIL.Image.fromarray(RED_FACE), {"smile": 1}, box=BOX)), wanted)
    made = PIL.Image.open(io.BytesIO(faces.edit(source.read_bytes(), {"smile": 1}, box=BOX)))
    np.testing.assert_array_equal(np.asarray(made), wanted)
    assert made.getexif()[ExifTags.Base.Software].startswith("edited with imgen face edit")
    assert faces.edit(str(source), {"smile": 1}, box=BOX) == str(tmp_path / "photo-edited.png")
    assert faces.swap(source, GREEN_FACE, box=BOX, source_box=BOX) == tmp_path / "photo-swapped.png"
    assert faces.frontalise(source, box=BOX, tag=False) == tmp_path / "photo-frontal.png"
    with PIL.Image.open(tmp_path / "photo-frontal.png") as image:
        assert image.size == (face.SIDE, face.SIDE)
        assert not image.getexif()


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_other_depths_are_edited_in_theirs(faces: FaceEditing, dtype: str) -> None:
    most = 65535 if dtype == "uint16" else 1
    deep = (RED_FACE / 255 * most).astype(dtype)
    kept = deep.copy()
    made = faces.edit(deep, {"smile": 1}, box=BOX)
    np.testing.assert_array_equal(deep, kept)  # what was given stays
    assert made.dtype == deep.dtype
    change = (made.astype(float) - deep)[CROP][100:106, 48:80] / most
    assert change.mean() == pytest.approx(0.1, abs=3e-3)


def test_the_one_liners(path: Path) -> None:
    edited = imgen.edit_face(RED_FACE, smile=1.0, box=BOX, model=path, device="cpu")
    assert (edited[CROP] != RED_FACE[CROP]).any()
    with pytest.raises(UnknownNameError, match="did you mean 'smile'"):
        imgen.edit_face(RED_FACE, smille=1.0, box=BOX, model=path, device="cpu")


def test_one_liners_find_the_faces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detector, "_open", lambda self: find_marks)
    place = (int(BOX[0]), int(BOX[1]), 1.0)
    imgen._face_editing.cache_clear()
    swapped = imgen.swap_face(marked(RED_FACE, place), marked(GREEN_FACE, place), model=path, device="cpu")
    imgen._face_editing.cache_clear()
    before, after = (
        FaceModel(imgen.load_model(path, device="cpu")).encode(crop_of(each)) for each in (RED_FACE, swapped)
    )
    assert cosine(before.identity, after.identity) < 0


def test_an_image_without_a_face_stays(faces: FaceEditing, tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    PIL.Image.fromarray(RED_FACE).save(source)
    with pytest.raises(ImageError, match="no face was found"):
        faces.edit(source, {"smile": 1})
    with pytest.raises(ImageError, match=r"photo\.png: no face was found"):
        faces.swap(RED_FACE, source)
    with pytest.raises(UsageError, match="a picture of one face"):
        faces.frontalise(RED_FACE, face="all")
    assert [each.name for each in tmp_path.iterdir()] == ["photo.png"]


def test_two_hundred_faces(faces: FaceEditing) -> None:
    crowd = np.random.default_rng(0).integers(0, 200, (480, 720, 3), np.uint8)
    places = [(left, top, 0.5) for left in range(4, 680, 36) for top in range(4, 430, 46)]
    crowd = marked(crowd, *places)
    done = faces.edit_faces(crowd, {"smile": 1}, Choice("all"))
    assert len(done) == len(places) == 190


def test_codes_go_in_and_out(faces: FaceEditing) -> None:
    codes = faces.network.encode(crop_of(RED_FACE))
    assert [code.shape for code in codes] == [(1, 3), (1, 64)]
    again = faces.network.encode(faces.network.decode(codes))
    for first, second in zip(codes, again, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-3)
    shift, share = faces.network.shift({"smile": -2}, codes.attributes)
    np.testing.assert_allclose(shift[0], -2 * np.array(SPEC.face["directions"]["smile"]), rtol=1e-6)
    assert share == 1


@pytest.mark.parametrize(
    ("place", "amount", "share"),
    [
        (0.2, 1, 1),
        (0.5, 1, 1),
        (0.75, 1, 0.5),
        (0.75, 0.5, 0.5),
        (1.25, 1, 0),
        (1.25, 2, 1),
        (1.75, 2, 0.5),
        (0.75, -1, 1),
        (0.25, -1, 0.5),
        (-0.25, -1, 0),
        (-0.25, -1.5, 0.5),
    ],
)
def test_a_face_is_not_made_to_show_what_it_clearly_shows(
    tmp_path: Path, place: float, amount: float, share: float
) -> None:
    """Where it is on the way from no to yes is what the first value of its code says."""
    about = {**SPEC.face, "places": {"smile": [1.0, *[0.0] * 63, 0.125]}}
    network = FaceModel(imgen.load_model(write_face_model(tmp_path / "a.onnx", face=about), device="cpu"))
    code = np.zeros((1, 64), np.float32)
    code[0, 0] = place - 0.125
    shift, counted = network.shift({"smile": amount}, code)
    assert counted == pytest.approx(share)
    np.testing.assert_allclose(shift, share * amount * network.directions["smile"], atol=1e-7)
    both, counted = network.shift({"smile": amount, "pale": 1}, code)
    np.testing.assert_allclose(both, shift + network.directions["pale"], atol=1e-7)
    assert share <= counted <= 1


def test_on_the_way_identities_keep_their_length() -> None:
    first = Codes(np.float32([[2, 0]]), np.float32([[0, 4]]))
    second = Codes(np.float32([[0, 2]]), np.float32([[8, 0]]))
    for part, ends in ((0, first), (1, second)):
        for made, wanted in zip(between(first, second, part), ends, strict=True):
            np.testing.assert_allclose(made, wanted)
    middle = between(first, second, 0.5)
    np.testing.assert_allclose(middle.identity, np.sqrt([[2, 2]]), rtol=1e-6)
    np.testing.assert_allclose(middle.attributes, [[4, 2]])


def test_the_strongest_edit_that_passes() -> None:
    def attempt(strength: float) -> tuple[str, float]:
        return f"{strength:.3f}", 1 - strength / 2

    assert strongest(attempt, None) == ("1.000", 0.5, 1.0)
    assert strongest(attempt, 0.5) == ("1.000", 0.5, 1.0)
    made, score, strength = strongest(attempt, 0.8)
    assert made == f"{strength:.3f}"
    assert 0.4 - 1 / 64 <= strength <= 0.4
    assert score >= 0.8
    with pytest.raises(ImageError, match=r"below 0\.995"):
        strongest(attempt, 0.995)


def test_a_recogniser_of_others_sees_the_face_at_its_own_size_and_range(tmp_path: Path) -> None:
    crops = np.zeros((2, 3, 128, 128), np.float32)
    crops[0, :, 3:122, 5:123] = 1  # all that it sees
    seen = recogniser(write_recogniser(tmp_path / "other.onnx", side=56)).embed(crops)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(seen, [(1 - mean) / deviation, -mean / deviation], rtol=1e-4)
    with pytest.raises(ModelError, match="not a face recogniser"):
        recogniser(write_recogniser(tmp_path / "grey.onnx", channels=1))


def test_a_model_whose_directions_do_not_fit(tmp_path: Path) -> None:
    for change in ({"directions": {"smile": [1.0, 2.0]}}, {"places": {"smile": [0.0] * 64}}):
        about = {**SPEC.face, **change}
        with pytest.raises(ModelError, match="has not the 64 values"):
            FaceModel(imgen.load_model(write_face_model(tmp_path / "bad.onnx", face=about), device="cpu"))


def test_detectors_are_opened_when_they_are_needed(tmp_path: Path, inpaint_model: Path) -> None:
    missing = Detector(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="no such model file"):
        missing(RED_FACE)
    with pytest.raises(ModelError, match=f"not for {FaceFinder.task!r}"):
        Detector(inpaint_model, device="cpu")(RED_FACE)
    with pytest.raises(ModelError, match="YuNet"):
        Detector(write_recogniser(tmp_path / "other.onnx"))(RED_FACE)
