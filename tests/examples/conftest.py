"""What the tests of all examples share: a model, a photo with a hole, and what onnxruntime makes of them in Python."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

from imgen.runtime.catalogue import find_model
from imgen.runtime.sharing import whole

Pixels = NDArray[np.uint8]
Fill = Callable[[Pixels, Pixels], Pixels]


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``imgen export inpaint-base inpaint.onnx --graph embed`` writes."""
    path = tmp_path_factory.mktemp("embed") / "inpaint.onnx"
    path.write_bytes(whole(find_model("inpaint-base").with_name("inpaint-base-embed.onnx")))
    return path


@pytest.fixture(scope="session")
def fill(embedded: Path) -> Fill:
    """A photo, H x W x 3, and its mask, H x W, to what the model makes of them."""
    session = onnxruntime.InferenceSession(embedded, providers=["CPUExecutionProvider"])
    return lambda photo, hole: session.run(["result"], {"image": photo[None], "mask": hole[None]})[0][0]


@dataclass(frozen=True)
class Pictures:
    """A folder with photo.png and mask.png, photo.ppm and mask.pgm."""

    folder: Path
    photo: Pixels
    hole: Pixels


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    photo = np.random.default_rng(0).integers(0, 256, (61, 83, 3)).astype(np.uint8)
    hole = np.zeros((61, 83), np.uint8)
    hole[20:40, 30:50] = 255
    for name, pixels in (("photo.png", photo), ("mask.png", hole), ("photo.ppm", photo), ("mask.pgm", hole)):
        Image.fromarray(pixels).save(tmp_path / name)
    return Pictures(tmp_path, photo, hole)


@pytest.fixture(scope="session")
def node_modules() -> Callable[[str], Path]:
    """The folder of npm packages that a test needs; without it the test is skipped."""

    def find(*packages: str) -> Path:
        folder = Path(os.environ.get("IMGEN_NODE_MODULES", "node_modules")).absolute()
        for package in packages:
            if not (folder / package).is_dir():
                pytest.skip(f"no npm package {package}; set IMGEN_NODE_MODULES to a node_modules that has it")
        return folder

    return find
