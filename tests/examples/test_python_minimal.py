import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.examples.conftest import Fill, Pictures

EXAMPLE = Path(__file__).parents[2] / "examples" / "python_minimal.py"


def test_imports_only_what_it_says() -> None:
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert plain | parts == {"sys", "numpy", "onnxruntime", "PIL"}


def test_fills_the_hole_and_nothing_else(embedded: Path, pictures: Pictures, fill: Fill) -> None:
    names = [embedded, *(pictures.folder / name for name in ("photo.png", "mask.png", "filled.png"))]
    subprocess.run([sys.executable, EXAMPLE, *names], check=True, timeout=60)
    filled, photo, hole = np.asarray(Image.open(names[-1])), pictures.photo, pictures.hole
    assert np.array_equal(filled[hole == 0], photo[hole == 0])
    assert not np.array_equal(filled[hole > 0], photo[hole > 0])
    assert np.array_equal(filled, fill(photo, hole))
