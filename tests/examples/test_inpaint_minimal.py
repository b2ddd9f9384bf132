import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgen.networks.inpainter import Inpainter
from imgen.spec import Spec
from imgen_export.graph import export

EXAMPLE = Path(__file__).parents[2] / "examples" / "inpaint_minimal.py"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported network of the real kind, too small to be good."""
    path = tmp_path_factory.mktemp("embed") / "tiny.onnx"
    network = Inpainter(Inpainter.Config(half=4, quarter=8, eighth=16, blocks=2))
    spec = Spec("tiny", "inpaint", "CC0-1.0", inputs=Inpainter.INPUTS, multiple=Inpainter.MULTIPLE)
    export(network, path, spec, "embed")
    return path


def test_imports_only_what_it_says() -> None:
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert plain | parts == {"sys", "numpy", "onnxruntime", "PIL"}


def test_fills_the_hole_and_nothing_else(embedded: Path, tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (61, 83, 3)).astype(np.uint8)
    hole = np.zeros((61, 83), np.uint8)
    hole[20:40, 30:50] = 255
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    names = [embedded, *(tmp_path / name for name in ("photo.png", "mask.png", "filled.png"))]
    subprocess.run([sys.executable, EXAMPLE, *names], check=True, timeout=60)
    filled = np.asarray(Image.open(tmp_path / "filled.png"))
    assert np.array_equal(filled[hole == 0], photo[hole == 0])
    assert not np.array_equal(filled[hole > 0], photo[hole > 0])
