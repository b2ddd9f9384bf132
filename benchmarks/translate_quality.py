"""Do translated images show what they should? Judges that were trained on real photographs say what they see.

    python benchmarks/translate_quality.py labels CAMVID --model labels2street --model OTHER
    python benchmarks/translate_quality.py kinds GROCERY --from Apple --to Orange --to Satsumas \\
        --model apple2orange --back apple2orange-back
    python benchmarks/translate_quality.py drawings KODAK --model edges2photo

The first is the FCN score of Isola et al. 2017, arXiv:1611.07004, sec. 4, with a network of our own in place of
FCN-8s: it learns to label the photographs of CAMVID/train (photo/ and label/), and is shown what the models make of
the label maps of CAMVID/test, and the photographs of these. The last class, of what is not known, does not count.
A model that takes photographs is shown the photographs, and should leave what they show to be seen.

The second asks a classifier that was trained on the photographs of GROCERY/train, whose folders are kinds, of which
kind those of GROCERY/test are after they were translated, there by --model and back by --back. The shape is kept where
what is colourful (of more chroma in CIELAB than Otsu's threshold, of both images' own) is in the same place before
and after: the intersection over union. Translated there and back, an image should be what it was: the mean absolute
difference, of 0..1.

The third draws the outlines of photographs, and asks how far what a model makes of a drawing is from the photograph,
and how far the drawing itself and one grey are: by LPIPS with the features of HED's VGG-16.

MODEL is a name of the catalogue or a file, run as ``imgen translate`` runs it, on images at their own size.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from distances import vgg_distance
from judges import Chooser, Pixels, Segmenter, confusion, scores
from numpy.typing import NDArray

from imgen.data.aligned import read_photo
from imgen.data.label_maps import read_labels
from imgen.data.layouts import find_images, find_pairs
from imgen.data.outlines import outlines
from imgen.runtime import load
from imgen_apps.recipes.pix2pix import CAMVID
from imgen_apps.translation import Translation

Scores = dict[str, float]
Change = Callable[[Pixels], Pixels]

EPOCHS = 15


def labels(folder: Path, models: Sequence[str], device: str, limit: int | None) -> dict[str, Scores]:
    """What the segmentation network sees in real photographs and in those of each model."""
    parts = ("train", "test")
    files = {part: find_pairs([folder / part / "label", folder / part / "photo"]) for part in parts}
    maps, photos = (
        {part: [read(pair[i]) for pair in files[part][: limit if part == "test" else None]] for part in parts}
        for i, read in enumerate((lambda path: read_labels(path, CAMVID), read_photo))
    )
    void = len(CAMVID) - 1
    judge = Segmenter(void)
    judge.learn(photos["train"], maps["train"], void, EPOCHS)
    made = {"real photographs": photos["test"]}
    for name in models:
        pipeline = Translation(load(name, device=device))
        shown = photos["test"] if pipeline.palette is None else [numbers[..., None] for numbers in maps["test"]]
        made[name] = [pipeline.translate(image).pixels for image in shown]
    rows = {}
    for name, images in made.items():
        tables = [confusion(truth, judge.see(image), void) for truth, image in zip(maps["test"], images, strict=True)]
        rows[name] = scores(np.sum(tables, axis=0))
    real = rows["real photographs"]
    return {
        name: {**row, "of real accuracy": row["pixel accuracy"] / real["pixel accuracy"]} for name, row in rows.items()
    }


def kinds(
    folder: Path, names: tuple[list[str], list[str]], models: tuple[str, str], device: str, limit: int | None
) -> dict[str, Scores]:
    """How many images change their kind each way, and what becomes of their shapes and of those translated back."""
    photos = {
        part: [[read_photo(path) for path in find_images(_folders(folder / part, each))][:count] for each in names]
        for part, count in (("train", None), ("test", limit))
    }
    judge = Chooser()
    first, second = photos["train"]
    judge.learn(first, second)
    there, back = (Translation(load(name, device=device)) for name in models)
    ways: tuple[tuple[Change, Change], ...] = (
        (lambda image: there.translate(image).pixels, lambda image: back.translate(image).pixels),
        (lambda image: back.translate(image).pixels, lambda image: there.translate(image).pixels),
    )
    rows = {}
    for images, (change, undo), is_second, name in zip(photos["test"], ways, (False, True), models, strict=True):
        made = [change(image) for image in images]
        again = [undo(image) for image in made]
        rows[name] = {
            "classifier right": float((judge.is_second(images) == is_second).mean()),
            "flipped": float((judge.is_second(made) != is_second).mean()),
            "mask IoU": float(np.mean([_overlap(*both) for both in zip(images, made, strict=True)])),
            "cycle L1": float(np.mean([_difference(*both) for both in zip(images, again, strict=True)])),
        }
    return rows


def drawings(folder: Path, models: Sequence[str], device: str, limit: int | None) -> dict[str, Scores]:
    """How far photographs are from what each model makes of their outlines, one artist a photograph."""
    photos = [read_photo(path) for path in find_images([folder])][:limit]
    drawn = [outlines(photo, np.random.default_rng(number)) for number, photo in enumerate(photos)]
    made = {"one grey": [np.full_like(photo, 128) for photo in photos], "drawings": drawn}
    for name in models:
        pipeline = Translation(load(name, device=device))
        made[name] = [pipeline.translate(image).pixels for image in drawn]
    distance = vgg_distance()
    far = [distance(images, photo) for *images, photo in zip(*made.values(), photos, strict=True)]
    return {name: {"LPIPS": float(value)} for name, value in zip(made, np.mean(far, axis=0), strict=True)}


def _folders(folder: Path, prefixes: Sequence[str]) -> list[Path]:
    found = [path for prefix in prefixes for path in sorted(folder.glob(f"{prefix}*")) if path.is_dir()]
    if not found:
        raise SystemExit(f"{folder} holds no folder whose name begins with {' or '.join(prefixes)}")
    return found


def colourful(image: Pixels) -> NDArray[np.bool_]:
    """Where an image has more chroma than Otsu's threshold, H x W."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    chroma = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)
    chroma = cv2.GaussianBlur(np.clip(chroma, 0, 127), (0, 0), 2).astype(np.uint8)
    _, mask = cv2.threshold(chroma, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(mask, bool)


def _overlap(one: Pixels, other: Pixels) -> float:
    a, b = colourful(one), colourful(other)
    return float((a & b).sum() / max((a | b).sum(), 1))


def _difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(np.float32) - other).mean() / 255)


def table(rows: dict[str, Scores]) -> str:
    """In markdown, with three digits."""
    names = list(next(iter(rows.values())))
    lines = [["", *names], ["---", *["---:"] * len(names)]]
    lines += [[name, *(f"{row[each]:.3f}" for each in names)] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--device", default="cpu")
    shared.add_argument("--limit", type=int, help="only the first N images of the test, of each kind")
    shared.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    protocols = parser.add_subparsers(dest="protocol", required=True)
    streets = protocols.add_parser("labels", parents=[shared])
    streets.add_argument("folder", type=Path)
    streets.add_argument("--model", action="append", required=True, help="catalogue name or file; several")
    fruit = protocols.add_parser("kinds", parents=[shared])
    fruit.add_argument("folder", type=Path)
    fruit.add_argument("--from", dest="first", action="append", required=True, help="how names of folders begin")
    fruit.add_argument("--to", dest="second", action="append", required=True)
    fruit.add_argument("--model", required=True, help="catalogue name or file")
    fruit.add_argument("--back", required=True)
    lines = protocols.add_parser("drawings", parents=[shared])
    lines.add_argument("folder", type=Path)
    lines.add_argument("--model", action="append", required=True, help="catalogue name or file; several")
    given = parser.parse_args()
    if given.protocol in ("labels", "drawings"):
        protocol = labels if given.protocol == "labels" else drawings
        rows = protocol(given.folder, given.model, given.device, given.limit)
    else:
        names, models = (given.first, given.second), (given.model, given.back)
        rows = kinds(given.folder, names, models, given.device, given.limit)
    print(json.dumps(rows) if given.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
