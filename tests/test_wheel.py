"""What the wheel holds: all of the three packages with their data, and nothing else."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from imgen import __version__

ROOT = Path(__file__).parent.parent
PACKAGES = {"imgen": ROOT, "imgen_apps": ROOT / "apps", "imgen_export": ROOT / "export"}
INFO = f"imgen-{__version__}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    with zipfile.ZipFile(path) as file:
        yield file


def test_holds_every_file_of_the_packages_and_no_other(wheel: zipfile.ZipFile) -> None:
    expected = {
        path.relative_to(folder).as_posix()
        for package, folder in PACKAGES.items()
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel.namelist() if not name.startswith(INFO)} == expected


def test_says_that_its_types_count(wheel: zipfile.ZipFile) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_brings_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    assert "imgen = imgen.cli.main:main" in wheel.read(f"{INFO}/entry_points.txt").decode()
    assert wheel.read(f"{INFO}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_needs_one_onnx_runtime_and_no_torch(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"{INFO}/METADATA").decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert not any("torch" in line for line in needed)
    runtimes = [line for line in needed if "onnxruntime" in line]
    assert len(runtimes) == 2
    assert all("sys_platform" in line for line in runtimes)  # each for machines the other is not for
