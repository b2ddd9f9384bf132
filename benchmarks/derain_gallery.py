"""The picture docs/deraining.jpg: photographs with drops, where the network finds them, and what it makes of them.

    python benchmarks/derain_gallery.py PHOTO... [--model NAME_OR_FILE]

One row a photograph, in the order given; photographs are made smaller to fit.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from holes import Pixels
from PIL import Image

from imgen.runtime import load
from imgen_apps.raindrop_removal import RaindropRemoval

WIDTH, GAP, QUALITY = 480, 8, 88
DOCS = Path(__file__).parent.parent / "docs"


def row(pipeline: RaindropRemoval, photo: Path) -> Pixels:
    """The photograph, the map and the result, side by side."""
    with Image.open(photo) as file:
        before = np.array(file.convert("RGB"))
    after = before.copy()
    found = pipeline.remove(after).found
    size = (WIDTH, round(before.shape[0] * WIDTH / before.shape[1]))
    gap = np.full((size[1], GAP, 3), 255, np.uint8)
    shown = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (before, np.dstack([found] * 3), after)]
    return np.hstack([shown[0], gap, shown[1], gap, shown[2]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    parser.add_argument("--model", default="derain-base")
    parser.add_argument("--output", type=Path, default=DOCS / "deraining.jpg")
    arguments = parser.parse_args()

    pipeline = RaindropRemoval(load(arguments.model, device="cpu"))
    rows: list[Pixels] = []
    for photo in arguments.photos:
        rows += [row(pipeline, photo), np.full((GAP, 3 * WIDTH + 2 * GAP, 3), 255, np.uint8)]
    Image.fromarray(np.vstack(rows[:-1])).save(arguments.output, quality=QUALITY)


if __name__ == "__main__":
    main()
