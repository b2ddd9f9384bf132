"""imgen sample: what a run makes, and what was exported from one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from typer.testing import Result

from imgen.image.file import probe
from imgen.networks.conv import ConvDecoder
from imgen.spec import KEY, Spec
from imgen_export.graph import export
from tests.imgen.cli.images import done, run_without_torch, size

Imgen = Callable[..., Result]
Refused = Callable[..., None]
Runs = Callable[..., Path]

CPU = ("--device", "cpu")
SPEC = Spec("shapes", "generate", "CC0-1.0", inputs=("code", "label"), size=8, code=5, prior="normal")


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .onnx file of one that knows three classes."""
    torch.manual_seed(0)
    network = ConvDecoder(ConvDecoder.Config(8, 3, code=5, width=4, classes=3))
    path = tmp_path_factory.mktemp("generator") / "shapes.onnx"
    export(network, path, replace(SPEC, classes=3, class_names=("disc", "star", "ring")))
    return path


def test_samples_are_a_grid_that_depends_on_the_seed_alone(runs: Runs, tmp_path: Path, imgen: Imgen) -> None:
    pictures = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        path = tmp_path / f"{name}.png"
        assert "10 new pictures by wgan-gp" in done(
            imgen("sample", runs("wgan-gp"), "-n", 10, "--seed", seed, "-o", path, *CPU)
        )
        pictures.append(path.read_bytes())
    assert size(path) == (4, 3)
    assert pictures[0] == pictures[1] != pictures[2]


def test_samples_are_single_files_in_a_new_folder(runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    done(imgen("sample", runs("vae"), "-n", 70, "-o", tmp_path / "made", *CPU))
    files = sorted((tmp_path / "made").iterdir())
    assert [files[0].name, files[-1].name, len(files)] == ["000000.png", "000069.png", 70]
    assert (probe(files[0]).width, probe(files[0]).height) == (8, 8)
    refused(imgen("sample", runs("vae"), "-o", tmp_path / "made", *CPU), 2, "is not empty")


def test_labels_are_asked_for_by_name_or_number(runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    folder, pictures = runs("conditional-vae"), {}
    for name in ("cat", "0", "dog"):
        path = tmp_path / f"{name}.png"
        done(imgen("sample", folder, "-n", 4, "--class", name, "-o", path, *CPU))
        pictures[name] = path.read_bytes()
    assert pictures["cat"] == pictures["0"] != pictures["dog"]
    done(imgen("sample", folder, "-n", 6, *CPU))
    assert size(folder / "sample.png") == (2, 3)  # a column a class
    done(imgen("sample", folder, "-n", 5, "-o", tmp_path / "made", *CPU))  # classes are folders, as data sets have them
    found = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "made").rglob("*.png"))
    assert found == [
        f"made/{name}.png" for name in ("cat/000000", "cat/000002", "cat/000004", "dog/000001", "dog/000003")
    ]
    refused(imgen("sample", folder, "--class", "cow", *CPU), 2, "there are: cat, dog")
    refused(imgen("sample", runs("vae"), "--class", "cat", *CPU), 2, "vae was trained without labels")


def test_points_go_into_a_table(runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    folder = runs("gan", "toy:ring")
    assert "sample.csv: 70 new points" in done(imgen("sample", folder, "-n", 70, *CPU))
    assert np.loadtxt(folder / "sample.csv", delimiter=",").shape == (70, 2)
    refused(imgen("sample", folder, "-o", tmp_path / "a.png", *CPU), 2, "name a .csv file")
    refused(imgen("walk", folder, *CPU), 2, "makes points, not pictures")


def test_an_exported_generator_makes_what_its_graph_says(
    generator: Path, tmp_path: Path, imgen: Imgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = done(imgen("sample", generator, "-n", 70, "--seed", 3, "-o", "made", *CPU))
    assert said == "made: 70 new pictures by shapes, seed 3\n"
    code = np.random.default_rng(3).standard_normal((70, 5), np.float32)
    session = onnxruntime.InferenceSession(generator, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"code": code, "label": np.arange(70) % 3})
    for number, name in ((0, "disc"), (1, "star"), (68, "ring")):
        with Image.open(tmp_path / "made" / name / f"{number:06d}.png") as file:
            assert np.array_equal(np.asarray(file), np.rint(wanted[number].transpose(1, 2, 0) * 255))
    done(imgen("sample", generator, "-n", 4, "--class", "star", "--seed", 3, *CPU))
    assert size(Path("shapes-sample.png")) == (2, 2)
    with Image.open("shapes-sample.png") as file:
        first = np.asarray(file)[2:10, 2:10]
    (wanted,) = session.run(None, {"code": code[:1], "label": np.array([1])})
    assert np.array_equal(first, np.rint(wanted[0].transpose(1, 2, 0) * 255))


def test_sampling_an_exported_generator_needs_no_torch(generator: Path, tmp_path: Path) -> None:
    run_without_torch("sample", str(generator), "-n", "9", "-o", str(tmp_path / "a.png"), *CPU)
    assert size(tmp_path / "a.png") == (3, 3)


def test_a_run_is_exported_and_sampled_without_it(runs: Runs, tmp_path: Path, imgen: Imgen) -> None:
    for name, classes in (("vae", 0), ("conditional-vae", 2)):
        done(imgen("export", runs(name), tmp_path / f"{name}.onnx"))
        done(imgen("sample", tmp_path / f"{name}.onnx", "-n", 6, "-o", tmp_path / f"{name}.png", *CPU))
        assert size(tmp_path / f"{name}.png") == ((classes, 3) if classes else (3, 2))
    done(imgen("export", runs("gan", "toy:ring"), tmp_path / "points.onnx"))
    done(imgen("sample", tmp_path / "points.onnx", "-n", 70, "-o", tmp_path / "points.csv", *CPU))
    assert np.loadtxt(tmp_path / "points.csv", delimiter=",").shape == (70, 2)


def test_models_that_cannot_be_sampled(
    generator: Path, runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    refused(imgen("sample", generator, "--class", "cube", "-o", tmp_path / "a.png", *CPU), 2, "disc, star, ring")
    refused(imgen("sample", "upscale-x2", *CPU), 3, "upscale-x2 is a model for 'upscale', not for 'generate'")
    refused(imgen("sample", tmp_path / "none.onnx", *CPU), 3, "there is neither a run nor a file")
    refused(imgen("sample", "none.onnx", *CPU), 3, "no such model file")
    refused(imgen("sample", "frut", *CPU), 3, "no model is called 'frut'")
    refused(imgen("sample", runs("vae") / "model.safetensors", *CPU), 2, "name the folder of its run")
    refused(imgen("inpaint", tmp_path, "--mask", "alpha", "--model", generator, *CPU), 3, "for 'generate'")
    done(imgen("export", runs("infogan"), tmp_path / "info.onnx"))
    refused(imgen("sample", tmp_path / "info.onnx", *CPU), 3, "its codes are normal; name the folder of its run")
    refused(imgen("sample", tmp_path / "info.onnx", "--class", "1", *CPU), 3, "its codes are normal")
    assert not list(tmp_path.glob("*.png"))


def test_a_generator_whose_graph_is_not_what_it_says_is_refused(
    generator: Path, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    model = onnx.load(generator)
    (said,) = (entry for entry in model.metadata_props if entry.key == KEY)
    said.value = replace(SPEC, inputs=("code",)).to_json()
    onnx.save(model, tmp_path / "wrong.onnx")
    refused(
        imgen("sample", tmp_path / "wrong.onnx", "-o", tmp_path / "a.png", *CPU),
        3,
        "takes code tensor(float), label tensor(int64) but says code tensor(float); export it again",
    )
