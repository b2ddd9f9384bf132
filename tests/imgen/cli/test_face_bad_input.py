"""imgen face: whatever is wrong is one clear line with the right exit code, and nothing is written."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import PIL.Image
import pytest
from typer.testing import Result

from imgen_apps.face_choice import Detector
from tests.apps.faces import BOX, GREEN, find_marks, marked, photo, write_face_model
from tests.imgen.cli.images import BAD_FILES, hostile, pixels, refused, run_without_torch

Run = Callable[..., Result]

AT = ",".join(f"{value:g}" for value in BOX)


@pytest.fixture
def run(run_verb: Run, face_model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``imgen face`` in a folder with photo.png, which has no face, and red.png and green.png, which have."""
    monkeypatch.setattr(Detector, "_open", lambda self: find_marks)
    for name, image in {"red.png": photo(), "green.png": photo(GREEN)}.items():
        PIL.Image.fromarray(marked(image, (int(BOX[0]), int(BOX[1]), 1.0))).save(name)
    return partial(run_verb, "face", model=face_model)


def test_no_face_is_one_line_and_no_file(run: Run) -> None:
    for verb, words in {"swap": ("--identity", "red.png"), "edit": ("--set", "smile=1"), "frontalise": ()}.items():
        refused(run(verb, "photo.png", *words), 1, "photo.png: no face was found", "--box")
        assert not list(Path().glob("photo-*"))
    refused(run("swap", "red.png", "--identity", "photo.png"), 1, "photo.png: no face was found")
    refused(run("similarity", "red.png", "photo.png"), 1, "photo.png: no face was found")
    refused(run("edit", "photo.png", "--set", "smile=1", "--box", "300,5,20,20"), 1, "lies outside the 64 x 48 pixels")
    assert not list(Path().glob("*-swapped*"))


@pytest.mark.parametrize("at", ["-20,-20,70,88", "170,160,70,88", "0,0,209,219"])
def test_a_face_at_the_edge(run: Run, at: str) -> None:
    for verb, words in {"swap": ("--identity", "green.png"), "edit": ("--set", "pale=1")}.items():
        result = run(verb, "red.png", *words, "--box", at, "-o", f"{verb}.png")
        assert result.exit_code == 0, result.output
        assert (pixels(f"{verb}.png") != pixels("red.png")).any()


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_photo_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    refused(run("edit", name, "--set", "smile=1"), 1, name)
    refused(run("swap", "red.png", "--identity", name), 1, name)
    assert not list(Path().glob("*-swapped*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "--set", "smiel=1"], "did you mean 'smile'?"),
        (["edit", "--set", "smile=3"], "smile is 3, but amounts go from -2 to 2"),
        (["edit", "--set", "smile=nan"], "smile is nan, but amounts"),
        (["edit", "--set", "smile=much"], "an amount is a number, as in --set smile=1"),
        (["edit", "--set", "smile"], "write name=value"),
        (["edit", "--set", "smile=1", "--min-identity", "1.5"], "min-identity is 1.5, but it must be"),
        (["edit", "--set", "smile=1", "--face", "0"], "must be largest, all, or a number"),
        (["edit", "--set", "smile=1", "--face", "both"], "face is 'both'"),
        (["edit", "--set", "smile=1", "--box", "1,2,3"], "write x,y,width,height"),
        (["edit", "--set", "smile=1", "--box", "1,2,0,4"], "the last two above 0"),
        (["edit", "--set", "smile=1", "--box", "1,2,nan,4"], "the last two above 0"),
        (["frontalise", "--face", "all"], "a picture of one face"),
        (["swap", "--identity", "green.png", "--identity-box", "1,2"], "write x,y,width,height"),
        (["swap", "--identity", "green.png", "-o", "green.png", "--overwrite"], "is also an input"),
    ],
)
def test_options_that_make_no_sense(run: Run, words: list[str], said: str) -> None:
    verb, *rest = words
    refused(run(verb, "red.png", *rest), 2, said)
    assert not list(Path().glob("red-*"))


def test_models(run: Run, inpaint_model: Path, face_model: Path, tmp_path: Path) -> None:
    words = ("edit", "red.png", "--set", "smile=1")
    refused(run(*words, model=inpaint_model), 3, "'inpaint', not for 'face'")
    bare = write_face_model(tmp_path / "bare.onnx", face={"identity": 3, "attributes": 64})
    refused(run(*words, model=bare), 3, "does not say its directions, frontal, threshold")
    refused(run(*words, "--identity-model", face_model), 3, "not a face recogniser")
    refused(run(*words, "--identity-model", "none.onnx"), 3, "none.onnx: cannot be read")
    Path("text.onnx").write_bytes(b"this is no model")
    refused(run(*words, "--identity-model", "text.onnx"), 3, "text.onnx")


def test_without_a_built_in_model_the_verb_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgen.runtime.catalogue.entries", dict)
    refused(run("edit", "red.png", "--set", "smile=1", model=None), 3, "no default model for 'face'", "--model")


def test_a_whole_run_leaves_torch_alone(run: Run, face_model: Path) -> None:
    words = ("--model", str(face_model), "--device", "cpu", "--box", AT, "--identity-box", AT)
    run_without_torch("face", "swap", "red.png", "--identity", "green.png", *words)
    assert Path("red-swapped.png").exists()
