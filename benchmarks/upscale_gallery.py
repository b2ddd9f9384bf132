"""Crops for docs/upscaling.jpg, drawn by a seed from a folder of photographs: ways to enlarge them, and the original.

    python benchmarks/upscale_gallery.py FOLDER [--model realesr-general-x4v3.pth]

Squares of 72 pixels of photographs made four times smaller bicubically, every second one then saved as a JPEG of
quality 75, enlarged by bicubic interpolation, in both modes of ``imgen upscale``, and by one more model if it is named.
"""

import argparse
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from holes import Pixels, crop, photographs
from PIL import Image

import imgen
from imgen.data.degrade import bicubic

SCALE, SIDE, GAP, QUALITY = 4, 72, 8, 75
DOCS = Path(__file__).parent.parent / "docs"


def enlargers(model: Path | None) -> dict[str, Callable[[Pixels], Pixels]]:
    """Heading to function."""
    size = (SIDE * SCALE, SIDE * SCALE)
    found: dict[str, Callable[[Pixels], Pixels]] = {
        "bicubic": lambda small: np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)),
        "fidelity 1": lambda small: imgen.upscale(small, scale=SCALE, fidelity=1, device="cpu"),
        "fidelity 0 (photo)": lambda small: imgen.upscale(small, scale=SCALE, fidelity=0, device="cpu"),
    }
    if model is not None:
        found[model.stem] = lambda small: imgen.upscale(small, scale=SCALE, model=model, device="cpu")
    return found


def through_jpeg(pixels: Pixels) -> Pixels:
    """As it comes back from a JPEG file."""
    data = BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help=f"photographs of {SIDE * SCALE} pixels each way or more")
    parser.add_argument("--model", type=Path, help="one more model of scale 4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=6)
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    ways = enlargers(arguments.model)
    white = np.full((24, (SIDE * SCALE + GAP) * (len(ways) + 1) - GAP, 3), 255, np.uint8)
    for column, heading in enumerate([*ways, "original"]):
        place = (column * (SIDE * SCALE + GAP) + 4, 17)
        cv2.putText(white, heading, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    rows = [white]
    for number, photo in enumerate(rng.choice(photographs(arguments.folder), arguments.rows, replace=False)):
        original = crop(photo, SIDE * SCALE, rng)
        small = bicubic(original, SCALE)
        small = through_jpeg(small) if number % 2 else small
        gap = np.full((SIDE * SCALE, GAP, 3), 255, np.uint8)
        parts = [part for way in ways.values() for part in (way(small), gap)]
        rows += [np.hstack([*parts, original]), np.full((GAP, white.shape[1], 3), 255, np.uint8)]
    Image.fromarray(np.vstack(rows[:-1])).save(DOCS / "upscaling.jpg", quality=88)


if __name__ == "__main__":
    main()
