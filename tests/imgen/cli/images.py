"""What the tests of the verbs that work on images share: a photo, files that are none, and what a refusal is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from typer.testing import Result

from imgen.cli import main
from imgen.image.file import probe, read

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
BAD_FILES = ["empty.png", "cut.png", "cut.jpg", "text.png", "head.png", "bomb.png"]


def pixels(name: str) -> np.ndarray:
    """Of a picture in the working folder, H x W x C."""
    return read(Path(name)).pixels


def says(result: Result, code: int, *said: str) -> None:
    """That a call ended with this code, and one line beside the log that says these things."""
    assert result.exit_code == code, (result.output, result.exception)
    lines = [line for line in result.stderr.splitlines() if not re.match(r"step \d+/", line)]
    assert len(lines) == 1, result.stderr
    for words in said:
        assert words in lines[0]


def refused(result: Result, code: int, *said: str) -> None:
    """The same, and that nothing half-written is left in this folder."""
    says(result, code, *said)
    assert not list(Path().rglob("*.part"))


def hostile(name: str) -> bytes:
    """Files that are not what they say, made of photo.png and photo.jpg."""
    whole = {suffix: Path(f"photo.{suffix}").read_bytes() for suffix in ("png", "jpg")}
    bomb = bytearray(whole["png"])
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    return {
        "empty.png": b"",
        "cut.png": whole["png"][: len(whole["png"]) // 2],
        "cut.jpg": whole["jpg"][: len(whole["jpg"]) // 2],
        "text.png": b"this is no image",
        "head.png": whole["png"][:8],
        "bomb.png": bytes(bomb),
    }[name]


def run_without_torch(*words: str) -> None:
    """Run a whole command in a process of its own, and see that it imports nothing heavy."""
    script = f"""
import sys
sys.argv = {["imgen", *words]}
from imgen.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {{"torch", "torchvision", "kornia", "onnx", "tensorboard", "rich"}} & set(sys.modules)
assert not heavy, heavy
"""
    root = Path(main.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (root, root / "apps", root / "export")))}
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, env=environment)


def size(path: Path) -> tuple[int, int]:
    """Columns and rows of a grid: of tiles of 8 pixels with 2 between them."""
    header = probe(path)
    return (header.width - 2) // 10, (header.height - 2) // 10


def done(result: Result) -> str:
    """The one line that a call which went well has said."""
    assert result.exit_code == 0, (result.output, result.exception)
    assert len(result.stdout.splitlines()) == 1
    return result.stdout
