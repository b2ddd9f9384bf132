"""A photo for the verbs that work on images; tiny sets of images and runs on them for those that train."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from imgen.cli.main import app
from tests.apps.faces import write_face_model
from tests.imgen.cli.images import RGB, says

TINY = ("--size", 8, "--batch", 4, "--device", "cpu", "--set", "width=4", "--set", "train.log_every=1")


@pytest.fixture(scope="session")
def imgen() -> Callable[..., Result]:
    """Call the command: ``imgen("sample", folder, "-n", 4)``."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


@pytest.fixture(scope="session")
def face_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network that edits faces."""
    return write_face_model(tmp_path_factory.mktemp("models") / "tiny-face.onnx")


@pytest.fixture(scope="session")
def refused() -> Callable[..., None]:
    """Assert that a call ended with this code, and one line beside the log that says these things."""
    return says


@pytest.fixture
def run_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call a verb in a folder with photo.png and photo.jpg: ``run_verb("upscale", "photo.png", model=path)``."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(RGB).save("photo.png")
    Image.fromarray(RGB).save("photo.jpg")

    def call(
        verb: str, *arguments: object, model: Path | str | None, device: str = "cpu", stdin: bytes | None = None
    ) -> Result:
        words = [verb, *map(str, arguments), "--device", device, *(["--model", str(model)] if model else [])]
        return CliRunner().invoke(app, words, input=stdin)

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten images of 12 x 10 pixels, five of each of two classes: cat and dog."""
    folder, random = tmp_path_factory.mktemp("data") / "photos", np.random.default_rng(0)
    for number in range(10):
        path = folder / ("cat" if number % 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (10, 12, 3), np.uint8)).save(path)
    return folder


@pytest.fixture(scope="session")
def runs(
    photos: Path, imgen: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Path]:
    """The folder of a run of two steps of a method on some data, made when it is first asked for."""
    root, there = tmp_path_factory.mktemp("runs"), {}

    def run_of(method: str, data: str = "") -> Path:
        if (method, data) not in there:
            folder, size = root / f"{method}-{data.removeprefix('toy:')}", TINY[2:] if data == "toy:ring" else TINY
            result = imgen("train", method, "--data", data or photos, "--out", folder, "--steps", 2, *size)
            assert result.exit_code == 0, (result.output, result.exception)
            there[method, data] = folder
        return there[method, data]

    return run_of
