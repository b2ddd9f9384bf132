"""Tiny sets of images and runs on them, for the verbs that train and generate."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from imgen.cli.main import app

TINY = ("--size", 8, "--batch", 4, "--device", "cpu", "--set", "width=4", "--set", "train.log_every=1")


@pytest.fixture(scope="session")
def imgen() -> Callable[..., Result]:
    """Call the command: ``imgen("sample", folder, "-n", 4)``."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


@pytest.fixture(scope="session")
def refused() -> Callable[..., None]:
    """Assert that a call ended with this code, and one line beside the log that says these things."""

    def check(result: Result, code: int, *said: str) -> None:
        assert result.exit_code == code, (result.output, result.exception)
        lines = [line for line in result.stderr.splitlines() if not re.match(r"step \d+/", line)]
        assert len(lines) == 1, result.stderr
        for words in said:
            assert words in lines[0]

    return check


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
