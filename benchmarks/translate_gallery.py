"""The picture docs/translating.jpg: a strip for each built-in translation, before and after, side by side.

    python benchmarks/translate_gallery.py apple2orange=GROCERY/test/Apple* labels2street=CAMVID/test/label ...

MODEL=FOLDER for each strip, from top to bottom; the last part may be a pattern. Which photographs are shown
depends on the seed and on nothing else. Label maps are shown in the colours of their model. With ``--draw MODEL``
that model is shown the outlines of its photographs.
"""

import argparse
from pathlib import Path

import numpy as np
from holes import Pixels, photographs
from PIL import Image, ImageOps

from imgen.data.aligned import read_photo
from imgen.data.label_maps import read_labels
from imgen.data.outlines import outlines
from imgen.runtime import load
from imgen_apps.translation import Translation

PAIRS, WIDTH, HEIGHT, GAP, QUALITY = 3, 192, 144, 6, 88
DOCS = Path(__file__).parent.parent / "docs"


def strip(model: str, folders: list[Path], draw: bool, rng: np.random.Generator) -> Pixels:
    """Pairs of before and after."""
    translation = Translation(load(model, device="cpu"))
    photos = [photo for folder in folders for photo in photographs(folder)]
    cells: list[Pixels] = []
    for number in rng.choice(len(photos), PAIRS, replace=False):
        before, after = shown(photos[number], translation, rng if draw else None)
        cells += [thumbnail(before), gap(HEIGHT, GAP), thumbnail(after), gap(HEIGHT, 3 * GAP)]
    return np.hstack(cells[:-1])


def shown(photo: Path, translation: Translation, artist: np.random.Generator | None) -> tuple[Pixels, Pixels]:
    """What goes in, in colour, or drawn by an artist; and what comes out."""
    if translation.palette is None:
        before = read_photo(photo)
        if artist is not None:
            before = outlines(before, artist)
        return before, translation.translate(before).pixels
    numbers = read_labels(photo, translation.palette)
    colours = np.array(translation.palette.colours, np.uint8)
    return colours[numbers], translation.translate(numbers[..., None]).pixels


def thumbnail(image: Pixels) -> Pixels:
    """The middle, as large as all others."""
    return np.array(ImageOps.fit(Image.fromarray(image), (WIDTH, HEIGHT), Image.Resampling.BOX))


def gap(height: int, width: int) -> Pixels:
    """White."""
    return np.full((height, width, 3), 255, np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strips", nargs="+", metavar="MODEL=FOLDER")
    parser.add_argument("--draw", metavar="MODEL", action="append", default=[], help="one that takes drawings; several")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=DOCS / "translating.jpg")
    arguments = parser.parse_args()

    rows: list[Pixels] = []
    for each in arguments.strips:
        model, _, pattern = each.partition("=")
        folders = sorted(Path(pattern).parent.glob(Path(pattern).name))
        made = strip(model, folders, model in arguments.draw, np.random.default_rng(arguments.seed))
        rows += [made, gap(2 * GAP, made.shape[1])]
    Image.fromarray(np.vstack(rows[:-1])).save(arguments.output, quality=QUALITY)


if __name__ == "__main__":
    main()
