"""How many faces does the detector find, and how often does it see one where there is none?

    python benchmarks/face_detection_quality.py FACES PHOTOS...

Scenes of 384 pixels as ``imgen.data.face_scenes`` draws them from the seed: aligned faces of the first folder, 24 to
300 pixels high, on photographs of the others, among pieces that are none; then the photographs alone. People and
photographs must be ones that were never trained on. A face is found if a box shares half of the area that both
cover together (IoU 0.5); a box that does so with none is a false alarm, but for faces of which less than 60 % is to be
seen: those count neither way. Last, the one face of imgen/assets/astronaut.jpg, whose box was drawn by hand.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgen.data.face_scenes import FaceScenes, Place
from imgen.data.photos import Photos
from imgen_apps.face_finding import FaceFinder

Box = tuple[float, float, float, float]  # left, top, right, bottom

SIZE, HEIGHTS = 384, (24.0, 300.0)
LONG_SIDE = 1024  # of the photographs
ASTRONAUT = Path(__file__).parents[1] / "imgen" / "assets" / "astronaut.jpg"
ASTRONAUT_BOX: Box = (181, 70, 267, 177)  # by hand: ear to ear, mid-forehead to chin


def shared(a: Box, b: Box) -> float:
    """Intersection over union."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, wide) * max(0.0, high)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def found(finder: FaceFinder, image: NDArray[np.uint8]) -> list[Box]:
    """The boxes of the faces of an image."""
    return [(x, y, x + width, y + height) for x, y, width, height in (face.box for face in finder(image))]


def score(boxes: Sequence[Box], wanted: Sequence[Box], others: Sequence[Box] = ()) -> tuple[int, int]:
    """How many of the wanted boxes were found, and how many of the boxes are false; ``others`` count neither way."""
    hits = sum(any(shared(box, each) >= 0.5 for box in boxes) for each in wanted)
    false = [box for box in boxes if not any(shared(box, each) >= 0.5 for each in (*wanted, *others))]
    # What is hidden is often found smaller than it is.
    return hits, sum(not any(_holds(each, box) for each in others) for box in false)


def _holds(outer: Box, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def measure(finder: FaceFinder, faces: Photos, photos: Photos, scenes: int, seed: int) -> dict[str, dict[str, float]]:
    """Recall and false alarms on composites and on photographs alone."""
    draw, hits, given, false = FaceScenes(faces, photos, HEIGHTS), 0, 0, 0
    by_height: dict[str, list[int]] = {}
    began = time.perf_counter()
    for number in range(scenes):
        scene = draw.draw(np.random.default_rng((seed, number)), SIZE)
        boxes = found(finder, scene.image)
        known = [Place(*face[:4].tolist()) for face in scene.faces if face[4]]
        others = [Place(*face[:4].tolist()).box() for face in scene.faces if not face[4]]
        now, wrong = score(boxes, [place.box() for place in known], others)
        hits, given, false = hits + now, given + len(known), false + wrong
        for place in known:
            row = by_height.setdefault(_band(place.height), [0, 0])
            row[0] += score(boxes, [place.box()])[0]
            row[1] += 1
    seconds = (time.perf_counter() - began) / scenes
    alone = [len(found(finder, image)) for image in photos.images]
    rows = {
        "composites": {"images": scenes, "faces": given, "recall": hits / given, "false alarms": false / scenes},
        "photographs alone": {"images": len(alone), "faces": 0, "recall": 1, "false alarms": float(np.mean(alone))},
    }
    for band in sorted(by_height):
        right, of = by_height[band]
        rows[f"of them {band} pixels high"] = {"images": scenes, "faces": of, "recall": right / of, "false alarms": 0}
    return rows | {"astronaut": astronaut(finder), "seconds an image": {"composites": seconds}}


def astronaut(finder: FaceFinder) -> dict[str, float]:
    """The same of the one photograph."""
    with Image.open(ASTRONAUT) as file:
        hits, false = score(found(finder, np.array(file.convert("RGB"))), [ASTRONAUT_BOX])
    return {"images": 1, "faces": 1, "recall": hits, "false alarms": false}


def _band(height: float) -> str:
    return next(f"{low:3d}-{2 * low}" for low in (192, 96, 48, 24) if height >= low or low == 24)


def main() -> int:
    from imgen.runtime import load

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="a folder of aligned faces")
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photographs without faces")
    parser.add_argument("--model", default="face-detector", help="catalogue name or file")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()

    finder = FaceFinder(load(arguments.model, device=arguments.device))
    faces, photos = Photos([arguments.faces], LONG_SIDE), Photos(arguments.photos, LONG_SIDE)
    rows = measure(finder, faces, photos, arguments.scenes, arguments.seed)
    if arguments.json:
        print(json.dumps(rows))
        return 0
    print("| | images | faces | recall | false alarms an image |\n|---|---:|---:|---:|---:|")
    for name, row in rows.items():
        if "recall" in row:
            print(f"| {name} | {row['images']} | {row['faces']} | {row['recall']:.3f} | {row['false alarms']:.3f} |")
    print(
        f"\n{1000 * rows['seconds an image']['composites']:.0f} ms for a scene of {SIZE} pixels, seed {arguments.seed}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
