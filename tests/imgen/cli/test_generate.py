"""imgen interpolate, walk and reconstruct: what a run makes, as pictures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from typer.testing import Result

from tests.imgen.cli.images import done, size

Imgen = Callable[..., Result]
Refused = Callable[..., None]
Runs = Callable[..., Path]

CPU = ("--device", "cpu")


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
