"""imgen sample, interpolate, walk and reconstruct: what a run makes, as pictures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from typer.testing import Result

from imgen.image.file import probe

Imgen = Callable[..., Result]
Refused = Callable[..., None]
Runs = Callable[..., Path]

CPU = ("--device", "cpu")


def size(path: Path) -> tuple[int, int]:
    """Columns and rows of tiles of 8 pixels with 2 between them."""
    header = probe(path)
    return (header.width - 2) // 10, (header.height - 2) // 10


def done(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    assert len(result.stdout.splitlines()) == 1
    return result.stdout


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


def test_interpolation_shows_both_ends_and_the_way(
    runs: Runs, photos: Path, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    ends = (photos / "cat" / "1.png", photos / "dog" / "2.png")
    path = tmp_path / "way.png"
    assert "1.png, 5 pictures" in done(imgen("interpolate", runs("vae"), *ends, "--steps", 5, "-o", path, *CPU))
    assert size(path) == (7, 1)
    refused(imgen("interpolate", runs("vae"), *ends, "-o", path, *CPU), 2, "exists; give --overwrite")
    refused(imgen("interpolate", runs("vae"), ends[0], tmp_path / "no.png", *CPU), 1, "no such file")
    refused(imgen("interpolate", runs("wgan-gp"), *ends, *CPU), 2, "WGANGP has no encoder")


def test_a_walk_is_a_square_of_codes(runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    folder = runs("wgan-gp")
    assert "a square between four codes" in done(imgen("walk", folder, "--side", 9, *CPU))
    assert size(folder / "walk.png") == (9, 9)
    assert "values 3 and 1 of the code" in done(imgen("walk", folder, "--axes", "3,1", "--side", 2, *CPU))
    refused(imgen("walk", folder, "--axes", "3", *CPU), 2, "--axes 3: give two numbers")
    refused(imgen("walk", folder, "--axes", "0,999", *CPU), 2, "two different numbers from 0 to 127")


def test_reconstruction_measures_what_is_lost(
    runs: Runs, photos: Path, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    said = done(imgen("reconstruct", runs("vae"), photos, *CPU))
    assert "10 pictures through vae and back: mse 0." in said
    assert size(runs("vae") / "reconstruct.png") == (8, 4)  # two rows of pictures, each with what became of it
    again = tmp_path / "again"
    done(imgen("reconstruct", runs("conditional-vae"), photos, "-o", again, *CPU))
    names = {path.relative_to(again).as_posix() for path in again.rglob("*.png")}
    assert names == {path.relative_to(photos).as_posix() for path in photos.rglob("*.png")}
    refused(imgen("reconstruct", runs("wgan-gp"), photos, *CPU), 2, "WGANGP has no encoder")
    refused(imgen("reconstruct", runs("vae"), tmp_path / "nowhere", *CPU), 2, "no such folder")


def test_what_is_no_run_is_refused(runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    for verb, *words in (("sample",), ("walk",), ("interpolate", "a", "b"), ("reconstruct", "a")):
        refused(imgen(verb, tmp_path, *words, *CPU), 3, "is not the folder of a run")
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(runs("vae") / "config.json", begun)
    refused(imgen("sample", begun, *CPU), 3, "last.pt does not exist")
    refused(imgen("sample", runs("vae"), "--device", "cuda:9"), 4, "cuda:9")


def test_the_exported_decoder_needs_onnxruntime_alone(
    runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    path = tmp_path / "decoder.onnx"
    assert "at batches of 1, 3, 8, 17" in done(imgen("export", runs("conditional-vae"), path))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    code = np.random.default_rng(0).standard_normal((5, 64), np.float32)
    (image,) = session.run(None, {"code": code, "label": np.arange(5) % 2})
    assert image.shape == (5, 3, 8, 8)
    assert 0 <= image.min() < image.max() <= 1
    refused(imgen("export", tmp_path, tmp_path / "b.onnx"), 3, "is not the folder of a run")
    refused(imgen("export", runs("classifier"), tmp_path / "b.onnx"), 2, "is a classifier")


def test_a_run_that_was_stopped_is_exported_as_it_is(runs: Runs, tmp_path: Path, imgen: Imgen) -> None:
    folder = shutil.copytree(runs("vae"), tmp_path / "run")
    (folder / "model.safetensors").unlink()
    done(imgen("export", folder, tmp_path / "a.onnx"))
    assert (folder / "model.safetensors").exists()
