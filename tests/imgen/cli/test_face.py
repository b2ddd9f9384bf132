"""imgen face as a user calls it: what it makes, what it says, how it exits."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ExifTags
from typer.testing import Result

from imgen.image.file import probe, read
from imgen_apps.face_choice import Detector
from imgen_apps.face_identity import cosine
from tests.apps.faces import (
    BOX,
    CROP,
    GREEN,
    MOUTH,
    find_marks,
    marked,
    photo,
    write_recogniser,
)
from tests.imgen.cli.images import pixels, refused

Run = Callable[..., Result]

AT = ",".join(f"{value:g}" for value in BOX)
RED_FACE, GREEN_FACE = photo(), photo(GREEN)
SMALL = (10, 5, 0.5)  # a face of half the size, as find_marks finds it
EDITED = {"swap": "swapped", "edit": "edited", "frontalise": "frontal"}


@pytest.fixture
def run(run_verb: Run, face_model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``imgen face`` in a folder with red.png and green.png, faces in noise; faces are found by their marks."""
    monkeypatch.setattr(Detector, "_open", lambda self: find_marks)
    place = (int(BOX[0]), int(BOX[1]), 1.0)
    PIL.Image.fromarray(marked(RED_FACE, place)).save("red.png")
    PIL.Image.fromarray(marked(GREEN_FACE, place)).save("green.png")
    return partial(run_verb, "face", model=face_model)


def hue(image: np.ndarray, where: tuple[slice, slice] = CROP) -> np.ndarray:
    """By how much the upper half of a face differs from the lower."""
    face = image[where].astype(float)
    upper, lower = face[len(face) // 4 : len(face) // 2], face[len(face) // 2 : -len(face) // 12]
    middle = slice(face.shape[1] // 4, -face.shape[1] // 4)
    return upper[:, middle].mean((0, 1)) - lower[:, middle].mean((0, 1))


def opened(name: str) -> PIL.Image.Image:
    """Without its pixels."""
    with PIL.Image.open(name) as image:
        image.getexif()
        return image


def inside(image: np.ndarray) -> np.ndarray:
    """Where the network looks."""
    where = np.zeros(image.shape[:2], bool)
    where[CROP] = True
    return where


def test_a_swap_takes_the_identity_and_keeps_light_and_surroundings(run: Run) -> None:
    result = run("swap", "red.png", "--identity", "green.png")
    assert result.exit_code == 0, result.output
    assert re.search(r"red.png -> red-swapped.png \(.*\) identity 0.9\d, the same person", result.stderr)
    before, made = pixels("red.png"), pixels("red-swapped.png")
    assert cosine(hue(made), hue(pixels("green.png"))) > 0.95
    assert cosine(hue(before), hue(pixels("green.png"))) < 0
    np.testing.assert_array_equal(made[~inside(made)], before[~inside(before)])
    left, right = (made[94, columns].mean() for columns in (slice(80, 90), slice(120, 130)))
    assert left - right == pytest.approx(40 * 60 / 128, abs=6)  # light from the left, as it was


def test_an_edit_adds_light_to_the_mouth_and_keeps_the_detail_elsewhere(run: Run) -> None:
    result = run("edit", "red.png", "--set", "smile=1")
    assert result.exit_code == 0, result.output
    change = pixels("red-edited.png").astype(int) - pixels("red.png")
    mouth, rest = np.zeros((128, 128), bool), np.ones((128, 128), bool)
    rows, columns = slice(MOUTH[0] * 16, MOUTH[0] * 16 + 16), slice(MOUTH[1].start * 16, MOUTH[1].stop * 16)
    mouth[rows.start + 4 : rows.stop - 4, columns.start + 8 : columns.stop - 8] = True
    rest[rows.start - 16 : rows.stop + 16, columns.start - 16 : columns.stop + 16] = False
    before, after = (image[CROP][mouth].astype(float) for image in (pixels("red.png"), pixels("red-edited.png")))
    assert (after - before).mean() == pytest.approx(25.5, abs=1)  # 0.1 of 255
    assert after.std() < before.std()  # of the noise beneath some has gone
    assert not change[CROP][rest].any()
    assert not change[~inside(change)].any()
    assert "identity 0.9" in result.stderr


def test_several_attributes_add_up_and_none_changes_nothing(run: Run) -> None:
    assert run("edit", "red.png", "--set", "smile=1", "--set", "pale=-0.5", "-o", "both.png").exit_code == 0
    assert pixels("both.png")[:100].mean() < pixels("red.png")[:100].mean()
    assert pixels("both.png")[130:142, 90:118].mean() > pixels("red.png")[130:142, 90:118].mean()
    result = run("edit", "red.png", "--set", "smile=0", "-o", "same.png")
    assert result.exit_code == 0, result.output
    assert Path("same.png").read_bytes() == Path("red.png").read_bytes()


def test_min_identity_lowers_an_edit_or_refuses(run: Run) -> None:
    words = ("edit", "red.png", "--set", "pale=1", "--report", "report.jsonl")

    def score() -> dict[str, float]:
        return json.loads(Path("report.jsonl").read_text())["faces"][0]

    assert "not the same person" in run(*words, "-o", "full.png").stderr
    full = score()
    result = run(*words, "-o", "less.png", "--min-identity", "0.7")
    assert result.exit_code == 0, result.output
    less = score()
    assert (full["strength"], full["same"]) == (1, False)
    assert (0 < less["strength"] < 1, less["same"]) == (True, True)
    assert full["identity"] < 0.7 <= less["identity"] < 0.85
    assert f"identity {less['identity']:.2f}, the same person, at strength {less['strength']:.2f}" in result.stderr
    gain = [pixels(f"{name}.png")[70:90, 80:130].mean() - RED_FACE[70:90, 80:130].mean() for name in ("full", "less")]
    assert gain[1] == pytest.approx(less["strength"] * gain[0], rel=0.1)
    refused(run(*words, "-o", "none.png", "--min-identity", "1"), 1, "however little", "below 1", "red.png")
    refused(run("swap", "red.png", "--identity", "green.png", "--min-identity", "0.999"), 1, "below 0.999")
    assert not Path("none.png").exists()
    assert not Path("red-swapped.png").exists()


def test_a_face_turned_to_the_front(run: Run) -> None:
    result = run("frontalise", "red.png")
    assert result.exit_code == 0, result.output
    made = pixels("red-frontal.png")
    assert made.shape == (128, 128, 3)
    assert hue(made, (slice(None), slice(None))) == pytest.approx(hue(RED_FACE), abs=4)
    assert made[:, 48:64].mean() - made[:, 64:].mean() == pytest.approx(25.5, abs=2)  # the light that is typical
    assert "identity" in result.stderr


def test_which_face(run: Run) -> None:
    PIL.Image.fromarray(marked(pixels("red.png"), SMALL)).save("two.png")
    small, large = np.index_exp[:70, :55], np.index_exp[70:150, 60:160]

    def changed(*words: str) -> tuple[bool, bool]:
        result = run("edit", "two.png", "--set", "smile=1", "-o", "out.png", "--overwrite", *words)
        assert result.exit_code == 0, result.output
        difference = pixels("out.png") != pixels("two.png")
        return bool(difference[small].any()), bool(difference[large].any())

    assert changed() == changed("--face", "1") == (False, True)
    assert changed("--face", "2") == (True, False)
    assert changed("--face", "all") == (True, True)
    assert changed("--box", "10,5,35,44") == (True, False)
    refused(
        run("edit", "two.png", "--set", "smile=1", "--face", "3"), 1, "face 3 was asked for, but 2 faces were found"
    )


def test_a_batch_goes_on_without_the_photo_that_has_no_face(run: Run) -> None:
    Path("in").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Path("in", name).write_bytes(Path("photo.png" if name == "b.png" else "red.png").read_bytes())
    result = run("swap", "in", "--identity", "green.png", "-o", "out", "--report", "report.jsonl")
    assert result.exit_code == 1
    assert "in/b.png: no face was found" in result.stderr
    assert "2 done, 1 failed" in result.stderr
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["a.png", "c.png"]
    records = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert [len(record.get("faces", ())) for record in records] == [1, 0, 1]
    assert records[0]["faces"][0]["identity"] > 0.9
    again = run("swap", "in", "--identity", "green.png", "-o", "out", "--resume")
    assert "2 skipped" in again.stderr
    Path("green.png").write_bytes(Path("red.png").read_bytes())  # another source is another result
    assert "2 done" in run("swap", "in", "--identity", "green.png", "-o", "out", "--resume").stderr


@pytest.mark.parametrize("kind", ["16 bit", "alpha", "grey", "grey alpha"])
def test_photos_of_other_kinds(run: Run, kind: str) -> None:
    alpha = np.linspace(0, 255, 210).astype(np.uint8)[None].repeat(220, 0)
    grey = np.rint(RED_FACE @ [0.299, 0.587, 0.114]).astype(np.uint8)
    whole = {
        "16 bit": (RED_FACE[..., 0].astype(np.uint16) * 257, "I;16"),
        "alpha": (np.dstack([RED_FACE, alpha]), "RGBA"),
        "grey": (grey, "L"),
        "grey alpha": (np.dstack([grey, alpha]), "LA"),
    }
    array, mode = whole[kind]
    PIL.Image.fromarray(array).save("kind.png")
    for verb, words in {"swap": ("--identity", "green.png"), "edit": ("--set", "smile=1")}.items():
        result = run(verb, "kind.png", *words, "--box", AT)
        assert result.exit_code == 0, result.output
        name = f"kind-{EDITED[verb]}.png"
        made, before = pixels(name), pixels("kind.png")
        assert (made.shape, made.dtype) == (before.shape, before.dtype)
        assert opened(name).mode == mode
        assert (made[CROP] != before[CROP]).any()
        np.testing.assert_array_equal(made[~inside(made)], before[~inside(before)])
        if "alpha" in kind:
            np.testing.assert_array_equal(made[..., -1], before[..., -1])
    assert run("frontalise", "kind.png", "--box", AT).exit_code == 0
    assert opened("kind-frontal.png").mode == mode


def test_a_turned_photo_is_edited_upright_and_keeps_its_exif(run: Run) -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "Maker"
    stored = np.rot90(RED_FACE).copy()  # shown upright once it is turned by a quarter
    PIL.Image.fromarray(stored).save("turned.png", exif=exif)
    result = run("edit", "turned.png", "--set", "smile=1", "--box", AT)
    assert result.exit_code == 0, result.output
    change = pixels("turned-edited.png").astype(int) - RED_FACE
    assert change[CROP][100:108, 40:88].mean() == pytest.approx(25.5, abs=1)
    written = opened("turned-edited.png").getexif()
    assert written[ExifTags.Base.Make] == "Maker"
    assert ExifTags.Base.Orientation not in written


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
def test_what_is_edited_says_so(run: Run, suffix: str) -> None:
    for number, words in enumerate([(), ("--strip-metadata",), ("--no-tag",), ("--no-tag", "--strip-metadata")]):
        name = f"{number}.{suffix}"
        result = run("edit", "red.png", "--set", "smile=1", "-o", name, *words)
        assert result.exit_code == 0, result.output
        said = opened(name).getexif().get(ExifTags.Base.Software, "")
        assert said.startswith("edited with imgen face edit") == (number < 2)
        xmp = read(Path(name)).metadata.xmp or b""
        assert (b"compositeWithTrainedAlgorithmicMedia" in xmp) == (number < 2)


def test_a_format_without_a_place_for_it_is_warned_of(run: Run) -> None:
    assert "BMP has no place to say" in run("edit", "red.png", "--set", "smile=1", "-o", "out.bmp").stderr


def test_standard_input_and_output(run: Run) -> None:
    result = run("edit", "-", "--set", "smile=1", stdin=Path("red.png").read_bytes())
    assert result.exit_code == 0, result.output
    Path("piped.png").write_bytes(result.stdout_bytes)
    assert (pixels("piped.png") != pixels("red.png")).any()
    assert "identity 0.9" in result.stderr


def test_an_animation(run: Run) -> None:
    frames = [PIL.Image.fromarray(array) for array in (RED_FACE, GREEN_FACE)]
    frames[0].save("moving.webp", save_all=True, append_images=frames[1:], duration=[50, 70], lossless=True)
    result = run("frontalise", "moving.webp", "--box", AT, "--report", "report.jsonl")
    assert result.exit_code == 0, result.output
    made = read(Path("moving-frontal.webp"))
    assert made.metadata.durations == (50, 70)
    assert [frame.shape for frame in made.frames] == [(128, 128, 3)] * 2
    assert len(json.loads(Path("report.jsonl").read_text())["faces"]) == 2


def test_a_morph_goes_from_one_to_the_other(run: Run) -> None:
    result = run("morph", "red.png", "green.png", "--steps", "5")
    assert result.exit_code == 0, result.output
    row = pixels("red-morph.png")
    assert row.shape == (128, 640, 3)
    hues = [hue(face, (slice(None), slice(None))) for face in np.split(row, 5, axis=1)]
    assert hues[0] == pytest.approx(hue(RED_FACE), abs=4)
    assert hues[4] == pytest.approx(hue(GREEN_FACE), abs=4)
    assert hues[0][1] < hues[1][1] < hues[2][1]
    scores = re.findall(r"identity (-?[\d.]+) like red.png, (-?[\d.]+) like green.png", result.stderr)
    to_red, to_green = np.array(scores, float).T
    assert (np.diff(to_red) < 0).all()
    assert (np.diff(to_green) > 0).all()
    assert "imgen face morph" in opened("red-morph.png").getexif()[ExifTags.Base.Software]
    refused(run("morph", "red.png", "green.png"), 2, "red-morph.png exists already")
    assert run("morph", "red.png", "green.png", "--animate", "--box", AT, "--box", AT).exit_code == 0
    assert probe(Path("red-morph.webp")).frames == 9
    refused(run("morph", "red.png", "green.png", "--animate", "-o", "out.jpg"), 1, "9 frames, which JPEG cannot hold")


def test_how_much_two_faces_are_alike(run: Run, tmp_path: Path) -> None:
    result = run("similarity", "red.png", "red.png")
    assert result.stdout == "1.0000  the same person (the same from 0.60 on)\n"
    result = run("similarity", "red.png", "green.png")
    assert result.exit_code == 0
    assert "not the same person" in result.stdout
    assert float(result.stdout.split()[0]) < 0
    other = run("similarity", "red.png", "green.png", "--identity-model", write_recogniser(tmp_path / "other.onnx"))
    assert other.exit_code == 0, other.output
    assert re.fullmatch(r"-?[\d.]+\n", other.stdout)  # from where on people are the same to it, nobody has said


def test_another_recogniser_scores(run: Run, tmp_path: Path) -> None:
    other = write_recogniser(tmp_path / "other.onnx")
    words = ("--identity-model", other, "--report", "report.jsonl")
    result = run("edit", "red.png", "--set", "smile=1", *words)
    assert result.exit_code == 0, result.output
    (face,) = json.loads(Path("report.jsonl").read_text())["faces"]
    assert face["same"] is None
    assert face["identity"] > 0.9
    assert "person" not in result.stderr
