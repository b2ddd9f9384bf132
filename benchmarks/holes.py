"""What is measured and shown on: squares of photographs and three kinds of hole, all drawn from a seed."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgen.data import masks

Pixels = NDArray[np.uint8]  # H x W x 3, RGB
Hole = NDArray[np.uint8]  # H x W, 255 = fill

BOX = 128  # pixels
STROKES = (0.2, 0.3)  # share of the image


def photographs(folder: Path) -> list[Path]:
    """The image files of a folder, sorted by name."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    if not found:
        raise SystemExit(f"{folder} holds no .png or .jpg photographs")
    return found


def crop(photo: Path, size: int, rng: np.random.Generator) -> Pixels:
    """A square of ``size`` pixels from a random place."""
    with Image.open(photo) as file:
        pixels = np.asarray(file.convert("RGB"))
    if min(pixels.shape[:2]) < size:
        raise SystemExit(f"{photo} is {pixels.shape[1]} x {pixels.shape[0]}, smaller than {size} x {size}")
    top, left = (int(rng.integers(0, n - size + 1)) for n in pixels.shape[:2])
    return pixels[top : top + size, left : left + size]


def strokes(rng: np.random.Generator, size: int) -> Hole:
    while True:  # the last stroke may overshoot
        mask = masks.strokes(rng, size, size, STROKES)
        if STROKES[0] <= mask.mean() <= STROKES[1]:
            return np.uint8(255) * mask.astype(np.uint8)


def box(rng: np.random.Generator, size: int) -> Hole:
    return np.uint8(255) * masks.box(rng, size, size, (BOX / size, BOX / size)).astype(np.uint8)


def blobs(rng: np.random.Generator, size: int) -> Hole:
    while True:
        mask = masks.blob(rng, size, size)
        if mask.any():
            return np.uint8(255) * mask.astype(np.uint8)


KINDS: Mapping[str, Callable[[np.random.Generator, int], Hole]] = {
    "strokes 20-30 %": strokes,
    "one 128 px box": box,
    "object shapes": blobs,
}
