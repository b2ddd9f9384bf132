import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.examples.conftest import Fill, Pictures

FOLDER = Path(__file__).parents[2] / "examples" / "node"


def test_gives_the_pixels_of_python(
    embedded: Path, pictures: Pictures, fill: Fill, node_modules: Callable[..., Path]
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here")
    app = shutil.copytree(FOLDER, pictures.folder / "app")
    (app / "node_modules").symlink_to(node_modules("onnxruntime-node", "sharp"))
    names = [embedded, *(pictures.folder / name for name in ("photo.png", "mask.png", "filled.png"))]
    subprocess.run([node, app / "inpaint.mjs", *names], check=True, timeout=60)
    filled = np.asarray(Image.open(names[-1])).astype(int)
    assert np.abs(filled - fill(pictures.photo, pictures.hole)).max() <= 1
