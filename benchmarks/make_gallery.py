"""Six pairs for docs/gallery.md, chosen by a seed from a folder of photographs: before with its hole, after.

    python benchmarks/make_gallery.py FOLDER

Which photographs, which part of them and which holes depends on the seed and on nothing else: two strokes, two boxes
and two object-like shapes, on squares of 320 pixels. Writes docs/gallery.jpg and docs/gallery.md.
"""

import argparse
from pathlib import Path

import numpy as np
from holes import KINDS, Hole, Pixels, crop, photographs
from PIL import Image

import imgen

SIDE = 320  # of a square, in pixels
GAP = 8
DOCS = Path(__file__).parent.parent / "docs"
PAGE = """# Six pairs, chosen by a seed

![Six photographs with their holes, and as imgen filled them](gallery.jpg)

Left the photograph with its hole in red, right what `imgen inpaint` made of it with the built-in model. Nothing was
picked by hand: `{command}` draws the photographs, the squares and the holes.

{rows}
"""


def pair(pixels: Pixels, hole: Hole) -> Pixels:
    """The photo with its hole, and filled, side by side."""
    marked = pixels.copy()
    marked[hole > 0] = marked[hole > 0] // 4 + np.array([170, 0, 0], np.uint8)
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    return np.hstack([marked, gap, imgen.inpaint(pixels, hole, device="cpu")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help=f"at least six photographs of {SIDE} pixels each way or more")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    kinds = [*KINDS] * 2
    chosen = rng.choice(photographs(arguments.folder), len(kinds), replace=False)
    pairs = [pair(crop(photo, SIDE, rng), KINDS[kind](rng, SIDE)) for photo, kind in zip(chosen, kinds, strict=True)]

    rows = [
        np.hstack([left, np.full((SIDE, 3 * GAP, 3), 255, np.uint8), right])
        for left, right in zip(*[iter(pairs)] * 2, strict=True)
    ]
    line = np.full((3 * GAP, rows[0].shape[1], 3), 255, np.uint8)
    Image.fromarray(np.vstack([part for row in rows for part in (row, line)][:-1])).save(
        DOCS / "gallery.jpg", quality=85
    )
    command = f"python benchmarks/make_gallery.py {arguments.folder.name} --seed {arguments.seed}"
    named = "\n".join(
        f"{n}. `{photo.name}`, {kind}" for n, (photo, kind) in enumerate(zip(chosen, kinds, strict=True), 1)
    )
    (DOCS / "gallery.md").write_text(PAGE.format(command=command, rows=named), "utf-8")


if __name__ == "__main__":
    main()
