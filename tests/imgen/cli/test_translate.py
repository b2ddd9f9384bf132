"""imgen translate as a user calls it: what it makes, what it says, how it exits."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import PIL.Image
import pytest
from onnx import TensorProto, helper
from typer.testing import Result

from imgen.image.file import read
from imgen.spec import KEY, Spec
from imgen_apps.translation import Translation
from tests.imgen.cli.images import BAD_FILES, RGB, hostile, pixels, refused, run_without_torch

Run = Callable[..., Result]
STYLES = ([[0.0], [0.3], [0.6], [0.9]], [[0.5], [1.0]])


@pytest.fixture
def run(run_verb: Run, translate_model: Path) -> Run:
    """Call ``imgen translate`` in a folder with photo.png; the model makes a negative of it."""
    return partial(run_verb, "translate", model=translate_model)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it is told of the style becomes grey."""
    return street_model(tmp_path_factory.mktemp("models") / "street.onnx", styles=STYLES)


@pytest.fixture(scope="module")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where things end it is white."""
    return street_model(tmp_path_factory.mktemp("models") / "outlined.onnx", boundaries=True)


def street_model(path: Path, **about: object) -> Path:
    """A model of label maps with two classes, red and blue on the map, that shows the third plane it is given."""
    node = helper.make_node("Split", ["labels"], ["a", "b", "c"], axis=1, num_outputs=3)
    join = helper.make_node("Concat", ["c", "c", "c"], ["result"], axis=1)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("labels", "result")]
    model = helper.make_model(
        helper.make_graph([node, join], "g", ends[:1], ends[1:]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    palette = ("255 0 0 road", "0 0 255 sky")
    spec = Spec(path.stem, "translate", "MIT", inputs=("labels",), palette=palette, **about)  # type: ignore[arg-type]
    helper.set_model_props(model, {KEY: spec.to_json()})
    onnx.save(model, path)
    return path


def test_a_photo(run: Run) -> None:
    result = run("photo.png", "--report", "report.jsonl")
    assert result.exit_code == 0, result.output
    assert "photo.png -> photo-translated.png" in result.stderr
    made = pixels("photo-translated.png")
    assert np.corrcoef(made[..., 1].ravel(), RGB[..., 1].ravel())[0, 1] < -0.99
    np.testing.assert_allclose(made.std((0, 1)), 64, atol=3)
    record = json.loads(Path("report.jsonl").read_text())
    assert (record["model"], record["how"], record["seen"]) == ("tiny-translate", "whole", "64x48")


def test_strength_and_size(run: Run) -> None:
    assert run("photo.png", "-o", "none.png", "--strength", 0).exit_code == 0
    assert Path("none.png").read_bytes() == Path("photo.png").read_bytes()
    result = run("photo.png", "-o", "half.png", "--strength", 0.5, "--size", 32, "--report", "report.jsonl")
    assert result.exit_code == 0, result.output
    assert pixels("half.png").shape == RGB.shape
    assert json.loads(Path("report.jsonl").read_text())["seen"] == "32x24"


def test_a_folder_keeps_names_and_resumes(run: Run) -> None:
    for name in ("in/a.png", "in/b.jpg", "in/sub/a.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(RGB).save(name)
    assert "3 done" in run("in", "-r", "-o", "out").stderr
    assert {path.relative_to("out").as_posix() for path in Path("out").rglob("*.*g")} == {"a.png", "b.jpg", "sub/a.png"}
    Path("out/b.jpg").unlink()
    assert "1 done, 2 skipped" in run("in", "-r", "-o", "out", "--resume").stderr
    assert "3 done" in run("in", "-r", "-o", "out", "--resume", "--strength", 0.5).stderr


def test_an_animation_frame_by_frame(run: Run) -> None:
    frames = [PIL.Image.fromarray(np.roll(RGB, shift, 1)) for shift in (0, 9)]
    frames[0].save("moving.webp", save_all=True, append_images=frames[1:], duration=[50, 70], lossless=True)
    assert run("moving.webp").exit_code == 0
    made = read(Path("moving-translated.webp"))
    assert made.metadata.durations == (50, 70)
    np.testing.assert_array_equal(np.roll(made.frames[0], 9, 1), made.frames[1])


def test_standard_input_and_output(run: Run) -> None:
    result = run("-", stdin=Path("photo.png").read_bytes())
    assert result.exit_code == 0, result.output
    Path("piped.png").write_bytes(result.stdout_bytes)
    run("photo.png")
    np.testing.assert_array_equal(pixels("piped.png"), pixels("photo-translated.png"))


def test_styles_of_a_label_map(run: Run, street: Path) -> None:
    numbers = np.zeros((24, 32), np.uint8)
    numbers[:, 16:] = 1
    PIL.Image.fromarray(numbers).save("map.png")
    result = run("map.png", "--styles", 5, "-o", "made.png", model=street)
    assert result.exit_code == 0, result.output
    names = ["made.png", *(f"made-{number}.png" for number in range(2, 6))]
    pairs = [tuple(pixels(name)[4, [4, 20], 0].tolist()) for name in names]
    assert pairs[0] == (0, 128)
    assert len(set(pairs)) >= 3
    assert {first for first, _ in pairs} <= {0, 76, 77, 153, 229, 230}
    assert {second for _, second in pairs} <= {128, 255}
    refused(run("map.png", "--styles", 2, "-o", "made.png", model=street), 2, "made.png and 1 more exist")
    refused(run("map.png", "--styles", 2, "-o", "-", model=street), 2, "standard output takes one image, not 2 styles")
    PIL.Image.fromarray(numbers + 1).save("wrong.png")
    refused(run("wrong.png", model=street), 1, "wrong.png", "of no class, such as the value 2")


def test_instance_maps_tell_things_of_a_class_apart(run: Run, outlined: Path, street: Path) -> None:
    things = np.zeros((24, 32), np.uint16)
    things[:, 16:] = 700
    Path("things").mkdir()
    Path("maps").mkdir()
    for name in ("a", "b"):
        PIL.Image.fromarray(np.zeros((24, 32), np.uint8)).save(f"maps/{name}.png")
    PIL.Image.fromarray(things).save("things/a.png")
    for how, given in (("things", ("--instances", "things")), ("plain", ()), ("one", ("--instances", "things/a.png"))):
        result = run("maps/a.png", *given, "-o", f"{how}.png", model=outlined)
        assert result.exit_code == 0, result.output
    assert pixels("things.png")[:, :, 0].any(0).nonzero()[0].tolist() == [15, 16]
    np.testing.assert_array_equal(pixels("one.png"), pixels("things.png"))
    assert not pixels("plain.png").any()
    refused(run("maps/b.png", "--instances", "things", model=outlined), 1, "no instance map called b.*")
    PIL.Image.fromarray(things[:12]).save("things/b.png")
    refused(run("maps/b.png", "--instances", "things", model=outlined), 1, "is 32 x 12 pixels, its label map 32 x 24")
    refused(run("maps/b.png", "--instances", "missing", model=outlined), 2, "missing: no such instance map")
    refused(run("maps/b.png", "--instances", "things", model=street), 2, "street does not ask where one thing ends")


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_photo_that_is_none(run: Run, name: str) -> None:
    Path(name).write_bytes(hostile(name))
    refused(run(name), 1, name)
    assert not list(Path().glob("*-translated*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--strength", "1.2"], "strength is 1.2, but it must be from 0"),
        (["--strength", "nan"], "strength is nan,"),
        (["--size", "4"], "size is 4, but tiny-translate sees at least 8"),
        (["--styles", "2"], "tiny-translate makes one result of an image"),
        (["-o", "photo.png"], "photo.png is its own input"),
        (["-o", "result.xyz"], "does not write .xyz"),
    ],
)
def test_options_that_make_no_sense(run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str) -> None:
    monkeypatch.delattr(Translation, "translate")
    refused(run("photo.png", *options), 2, said)


def test_models(run: Run, inpaint_model: Path) -> None:
    refused(run("photo.png", model=inpaint_model), 3, "'inpaint', not for 'translate'")
    refused(run("photo.png", model="apple2orangutan"), 3, "no model is called 'apple2orangutan'")


def test_a_reduced_photo_is_said(run: Run, street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Translation, "_most", lambda _: 12 * 16)
    PIL.Image.fromarray(np.zeros((24, 32), np.uint8)).save("map.png")
    result = run("map.png", model=street)
    assert result.exit_code == 0
    assert "warning: map.png: street sees all of an image at once, so it saw this at 16 x 12" in result.stderr
    assert "warning" not in run("map.png", "--size", 16, "--overwrite", model=street).stderr


def test_a_whole_run_leaves_torch_alone(run: Run, translate_model: Path) -> None:
    run_without_torch("translate", "photo.png", "--model", str(translate_model), "--device", "cpu")
    assert Path("photo-translated.png").exists()
