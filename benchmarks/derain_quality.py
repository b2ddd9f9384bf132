"""How much of the damage does raindrop removal undo, does it find the drops, and does it leave clean photos alone?

    python benchmarks/derain_quality.py PAIRS                 photographed pairs, N_rain.png and N_clean.png
    python benchmarks/derain_quality.py --simulated PHOTOS    drops simulated on photographs

The protocol of Qian et al. 2018, arXiv:1711.10098: PSNR and SSIM of luma, of images cropped to a multiple of 4.
Simulated drops are drawn from the seed on photographs made as small as the published pairs (480 pixels the shorter
side); a second time the same drops are hardly brighter than the scene, and a camera's sharpening, noise and JPEG lie
over all, as in real photographs. Of the first set there are also the area under the ROC curve of the attention after
each step of the recurrence (needs torch and the model's .safetensors file), and what becomes of the photographs without
drops. For the curve a drop is, as in the paper, what changes the photograph by 30 levels of 255 and more; and, in a
second row, wherever at least a tenth of the light comes from one, seen or not.
MODEL is a name of the catalogue or a file, run as ``imgen derain`` runs it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from holes import Pixels, photographs
from numpy.typing import NDArray
from PIL import Image

from imgen.data.degrade import camera
from imgen.data.drops import drops
from imgen.data.pairs import Pair
from imgen.image.tensor import pad_to_multiple, to_nchw
from imgen.metrics import luma, psnr, ssim
from imgen_apps.raindrop_removal import RaindropRemoval

Scores = dict[str, float]

VIEW = 480  # shorter side of the published pairs
COVERED = 0.1  # of a pixel's light: from there on it is a drop's


class Scene(NamedTuple):
    """A view with and without drops."""

    name: str
    dirty: Pixels
    clean: Pixels
    mask: NDArray[np.float32] | None  # of simulated drops


def pairs(folder: Path) -> list[Scene]:
    """The photographed pairs of a folder."""
    dirty = sorted(folder.glob("*_rain.png"))
    if not dirty:
        raise SystemExit(f"{folder} holds no pairs called N_rain.png and N_clean.png")
    clean = [path.with_name(path.name.replace("_rain.", "_clean.")) for path in dirty]
    return [Scene(a.stem, _read(a), _read(b), None) for a, b in zip(dirty, clean, strict=True)]


def simulated(photos: Sequence[Path], seed: int, *, dull: bool = False) -> list[Scene]:
    """One view of each photograph; dull: its drops hardly brighter than the scene, and a camera's noise over all."""
    scenes = []
    for number, path in enumerate(photos):
        clean = _read(path)
        factor = VIEW / min(clean.shape[:2])
        if factor < 1:
            clean = np.asarray(cv2.resize(clean, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        clean = _cropped(clean)
        rng, view = np.random.default_rng((seed, number)), min(clean.shape[:2])
        dirty, mask = drops(clean, rng, view=view, dull=float(dull))
        if dull:
            dirty, clean = (camera(image, np.random.default_rng((seed, number, 1))) for image in (dirty, clean))
        scenes.append(Scene(path.stem, dirty, clean, mask))
    return scenes


def fidelity(image: Pixels, clean: Pixels) -> tuple[float, float]:
    """PSNR and SSIM by the protocol."""
    y, wanted = (luma(_cropped(each), peak=255) for each in (image, clean))
    return psnr(y, wanted, peak=255), ssim(y, wanted, peak=255)


def measure(pipeline: RaindropRemoval, scenes: Sequence[Scene]) -> dict[str, Scores]:
    """For each view, by name."""
    found = {}
    for scene in scenes:
        before, result = fidelity(scene.dirty, scene.clean), scene.dirty.copy()
        pipeline.remove(result)
        after = fidelity(result, scene.clean)
        found[scene.name] = {
            "input PSNR": before[0],
            "result PSNR": after[0],
            "gain": after[0] - before[0],
            "input SSIM": before[1],
            "result SSIM": after[1],
        }
    return found


def untouched(pipeline: RaindropRemoval, scenes: Sequence[Scene]) -> Scores:
    """What becomes of views without drops: PSNR to the input of the mean error, of the middle view and of the worst."""
    errors, kept = [], []
    for scene in scenes:
        result = scene.clean.copy()
        pipeline.remove(result)
        errors.append(float(np.square(result.astype(np.float64) - scene.clean).mean()))
        kept.append(float((result == scene.clean).all(axis=2).mean()))
    decibels = 10 * np.log10(255**2 / np.maximum([np.mean(errors), np.median(errors), max(errors)], 1e-9))
    names = ("PSNR", "PSNR, median", "PSNR, worst")
    return {**dict(zip(names, decibels, strict=True)), "share of pixels unchanged": float(np.mean(kept))}


def areas(weights: Path, scenes: Sequence[Scene]) -> dict[str, Scores]:
    """The area under the ROC curve of the attention after each step, over the pixels of all views."""
    import torch

    from imgen.networks.raindrops import RaindropRemover
    from imgen.weights import load

    network = load(weights)
    assert isinstance(network, RaindropRemover)
    scores, truths = [], []
    for scene in scenes:
        assert scene.mask is not None
        height, width = scene.mask.shape
        with torch.inference_mode():
            image = torch.from_numpy(pad_to_multiple(to_nchw(scene.dirty), network.multiple)[0])
            maps = torch.cat(network.unroll(image).maps, 1)[0, :, :height, :width]
        scores.append(maps.flatten(1).numpy())
        truths.append([Pair(scene.dirty, scene.clean).mask().ravel() == 1, scene.mask.ravel() >= COVERED])
    found, (visible, covered) = np.concatenate(scores, axis=1), np.concatenate(truths, axis=1)
    rows = {"visible drops": visible, "all drops": covered}
    return {
        name: {f"AUC {step}": _area(values[drop], values[~drop]) for step, values in enumerate(found, 1)}
        for name, drop in rows.items()
    }


def _area(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> float:
    """How often one of the positive is above one of the negative; ties count half."""
    ranked = np.sort(negative)
    below = np.searchsorted(ranked, positive, "left").mean() + np.searchsorted(ranked, positive, "right").mean()
    return float(below / (2 * len(negative)))


def table(rows: dict[str, Scores]) -> str:
    """In markdown; decibels with two digits, the rest with four."""
    labels = list(next(iter(rows.values())))
    lines = [["", *labels], ["---", *["---:"] * len(labels)]]
    for name, values in rows.items():
        digits = {label: 2 if "PSNR" in label or label == "gain" else 4 for label in labels}
        lines.append([name, *(f"{values[label]:.{digits[label]}f}" for label in labels)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def mean(rows: dict[str, Scores]) -> Scores:
    """Over the views."""
    first, *_ = rows.values()
    return {label: float(np.mean([row[label] for row in rows.values()])) for label in first}


def _read(path: Path) -> Pixels:
    with Image.open(path) as file:
        return np.array(file.convert("RGB"))


def _cropped(pixels: Pixels) -> Pixels:
    """To a multiple of 4."""
    height, width = (length - length % 4 for length in pixels.shape[:2])
    return pixels[:height, :width]


def main() -> int:
    from imgen.runtime import load
    from imgen.runtime.catalogue import weights_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("pairs", nargs="?", type=Path, help="a folder of N_rain.png and N_clean.png")
    which.add_argument("--simulated", type=Path, metavar="PHOTOS", help="a folder of photographs without drops")
    parser.add_argument("--model", default="derain-base", help="catalogue name or file")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only the first N photographs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    arguments = parser.parse_args()

    pipeline = RaindropRemoval(load(arguments.model, device=arguments.device))
    if arguments.pairs:
        rows = measure(pipeline, pairs(arguments.pairs))
        print(json.dumps(rows) if arguments.json else table(rows))
        return 0
    scenes = simulated(photographs(arguments.simulated)[: arguments.limit], arguments.seed)
    file = Path(arguments.model)
    weights = file.with_suffix(".safetensors") if file.is_file() else weights_file(arguments.model)
    dull = simulated(photographs(arguments.simulated)[: arguments.limit], arguments.seed, dull=True)
    rows = {name: mean(measure(pipeline, views)) for name, views in (("simulated drops", scenes), ("dull drops", dull))}
    clean = {"without drops": untouched(pipeline, scenes)}
    steps = areas(weights, scenes)
    if arguments.json:
        print(json.dumps({**rows, **clean, **steps, "views": len(scenes), "seed": arguments.seed}))
    else:
        print(f"{len(scenes)} views, seed {arguments.seed}\n\n{table(rows)}\n\n{table(clean)}\n\n{table(steps)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
