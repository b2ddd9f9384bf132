"""Importing has no effects, and what runs a finished model does without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATHS = [str(ROOT), str(ROOT / "apps"), str(ROOT / "export")]

LIGHT = ["imgen", "imgen.image", "imgen.runtime", "imgen.metrics", "imgen.cli", "imgen_apps"]

APART = ["imgen_apps.recipes", "imgen.runtime.openvino"]  # one needs torch, the other a package of an extra

WALK = """
import importlib, pkgutil, sys
sys.path[:0] = {paths}
def modules(name):
    package = importlib.import_module(name)
    yield name
    for found in pkgutil.iter_modules(getattr(package, "__path__", []), name + "."):
        if found.name not in {apart}:
            yield from modules(found.name) if found.ispkg else [found.name]
"""

LIGHT_IMPORTS = """
from importlib.util import find_spec
for package in {packages}:
    for name in modules(package) if package != "imgen" else ["imgen"]:
        importlib.import_module(name)
heavy = {{"torch", "torchvision", "kornia", "onnx", "tensorboard"}} & set(sys.modules)
assert not heavy, heavy
"""

ALL_IMPORTS = """
import logging, os, threading
def state():
    threads = [thread.name for thread in threading.enumerate()]
    return dict(os.environ), list(logging.root.handlers), threads, sys.excepthook, os.getcwd()
drawing = ("numpy", "cv2", "PIL.Image", "typer")
for library in (*drawing, "onnxruntime", "torchvision", "onnx", "onnxscript", "safetensors"):
    importlib.import_module(library)
before = state()
for package in ("imgen", "imgen_apps", "imgen_export"):
    for name in modules(package):
        importlib.import_module(name)
importlib.import_module("imgen_apps.recipes.inpainting")
assert state() == before
"""


def run(script: str, folder: Path) -> str:
    """What a script prints in a process and an empty folder of its own."""
    script = (WALK + script).format(paths=PATHS, packages=LIGHT, apart=APART)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, check=False)
    assert result.returncode == 0, result.stderr
    assert list(folder.iterdir()) == []
    return result.stdout + result.stderr


def test_the_light_half_never_imports_torch(tmp_path: Path) -> None:
    assert run(LIGHT_IMPORTS, tmp_path) == ""


def test_importing_every_module_has_no_effects(tmp_path: Path) -> None:
    assert run(ALL_IMPORTS, tmp_path) == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["inpaint", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = f"""
sys.argv = ["imgen", *{arguments}]
from imgen.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {{{{"torch", "onnxruntime", "numpy", "cv2", "PIL"}}}} & set(sys.modules)
assert not heavy, heavy
"""
    assert "imgen" in run(script, tmp_path)
