import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.examples.conftest import Fill, Pictures

FOLDER = Path(__file__).parents[2] / "examples" / "cpp"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built."""
    cmake, build = shutil.which("cmake"), tmp_path_factory.mktemp("cpp")
    if cmake is None or shutil.which("c++") is None:
        pytest.skip("no CMake or no C++ compiler here")
    place = os.environ.get("IMGEN_ONNXRUNTIME", "")
    found = [cmake, "-S", FOLDER, "-B", build, f"-DONNXRUNTIME={place}"]
    if subprocess.run(found, check=False, capture_output=True).returncode:
        pytest.skip("no headers of onnxruntime here; set IMGEN_ONNXRUNTIME to a folder with include/ and lib/")
    subprocess.run([cmake, "--build", build], check=True, capture_output=True)
    return build / "inpaint"


def test_gives_the_pixels_of_python(program: Path, embedded: Path, pictures: Pictures, fill: Fill) -> None:
    names = [embedded, *(pictures.folder / name for name in ("photo.ppm", "mask.pgm", "filled.ppm"))]
    subprocess.run([program, *names], check=True, timeout=60)
    filled = np.asarray(Image.open(names[-1])).astype(int)
    assert np.abs(filled - fill(pictures.photo, pictures.hole)).max() <= 1


def test_another_kind_of_picture_is_one_line(program: Path, embedded: Path, pictures: Pictures) -> None:
    names = [embedded, *(pictures.folder / name for name in ("photo.png", "mask.pgm", "filled.ppm"))]
    result = subprocess.run([program, *names], check=False, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (1, f"{names[1]}: not a P6 file of 8 bits\n")
    assert not names[-1].exists()
