"""How much memory do very large photographs need?

    python benchmarks/huge_image.py inpaint [MODEL]   a hole of 300 pixels in 100 megapixels: at most 1.2 GB
    python benchmarks/huge_image.py upscale [MODEL]   24 megapixels four times as large: at most 1.5 GB, and no seam
    python benchmarks/huge_image.py derain [MODEL]    12 megapixels: at most 1.2 GB
    python benchmarks/huge_image.py translate MODEL   12 megapixels: at most 2 GB, and 2 levels from the whole at once

Makes the photograph, runs ``imgen`` on it in a process of its own, to JPEG and to BMP, checks the results, and prints
that process's peak of resident memory, its time and its processor time. Seams: how much the gradient across the
border of two tiles differs from those on both sides of it, as a ratio to the same near by inside tiles, below 1.02.
MODEL is a file or a name, the default model without it. The exit status is 1 when a bar is missed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.image.file import read
from imgen.runtime import load
from imgen_apps.super_resolution import names_for
from imgen_apps.tiling import cut
from imgen_apps.translation import Translation

HOLE, SCALE, TILE = 300, 4, 256  # pixels, but for the scale
SIZES = {"inpaint": (10_000, 10_000), "upscale": (4_000, 6_000), "derain": (3_000, 4_000), "translate": (3_000, 4_000)}
BARS = {"inpaint": 1.2e9, "upscale": 1.5e9, "derain": 1.2e9, "translate": 2e9}  # bytes
WORDS = {
    "inpaint": ["--mask", "mask.png"],
    "upscale": [f"-s{SCALE}", f"-t{TILE}"],
    "derain": ["--show-attention", "found.png", "--overwrite"],
    "translate": [],
}
SEAM = 1.02
NEAR = (-32, -16, 16, 32)  # pixels from a border: inside tiles, and in the same place of a block of JPEG

RUN = """
import resource, sys, time
from imgen.cli.main import main
start = time.perf_counter()
try:
    main()
finally:
    seconds = time.perf_counter() - start
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, seconds, time.process_time())
"""


def make(folder: Path, height: int, width: int) -> None:
    """The photograph, smooth and grainy as photographs are, and the mask."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (height // 100, width // 100, 3), dtype=np.uint8)
    photo = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    for row in range(0, height, 1000):
        strip = photo[row : row + 1000]
        strip ^= rng.integers(0, 4, strip.shape, dtype=np.uint8)
    cv2.imwrite(str(folder / "photo.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 90])
    mask = np.zeros((height, width), np.uint8)
    mask[height // 2 : height // 2 + HOLE, width // 2 : width // 2 + HOLE] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)


def measure(folder: Path, words: list[str]) -> tuple[float, float, float]:
    """Peak resident memory in bytes, seconds and seconds of processor time of a command in ``folder``."""
    result = subprocess.run(
        [sys.executable, "-c", RUN, *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    peak, seconds, spent = map(float, result.stdout.split())
    return peak, seconds, spent


def hole_is_filled_alone(folder: Path) -> bool:
    changed = (read(folder / "photo.jpg").pixels != read(folder / "result.bmp").pixels).any(axis=2)
    middle = [slice(side // 2, side // 2 + HOLE) for side in changed.shape]
    outside = np.count_nonzero(changed) - np.count_nonzero(changed[tuple(middle)])
    print(f"changed: {np.count_nonzero(changed)} of {HOLE * HOLE} pixels of the hole, {outside} outside it")
    return outside == 0


def only_drops_are_changed(folder: Path) -> bool:
    changed = (read(folder / "photo.jpg").pixels != read(folder / "result.bmp").pixels).any(axis=2)
    outside = np.count_nonzero(changed & (read(folder / "found.png").pixels[..., 0] == 0))
    print(f"changed: {changed.mean():.2%} of the photo, {outside} pixels where no drop was found")
    return outside == 0


def tiles_are_not_seen(folder: Path, model: str) -> bool:
    height, width = SIZES["upscale"]
    result = read(folder / "result.bmp", max_pixels=height * width * SCALE**2).pixels
    axes = cut(load(model, device="cpu"), height, width, TILE)
    fine = True
    for name, image, axis in (("rows", result, axes[0]), ("columns", result.swapaxes(0, 1), axes[1])):
        borders = [window.end for window in axis.windows()[:-1]]
        inside = [border + near for border in borders for near in NEAR]
        ratio = _step(image, borders) / _step(image, inside)
        print(f"between {name}: the steps at {len(borders)} borders of tiles are {ratio:.4f} of those near by")
        fine &= ratio < SEAM
    return fine


class Unlimited(Translation):
    """Translates everything at once."""

    def _most(self) -> int:
        return 1 << 40


def tiles_are_as_the_whole(folder: Path, model: str) -> bool:
    """Against the photograph translated at once, which may take ten times the memory."""
    whole = Unlimited(load(model, device="cpu")).translate(read(folder / "photo.jpg").pixels)
    difference = np.abs(read(folder / "result.bmp").pixels.astype(np.int16) - whole.pixels)
    print(f"{whole.how} at once: {difference.mean():.2f} levels away on average, {difference.max()} at most")
    return bool(whole.how == "whole" and difference.mean() <= 2)


def _step(image: NDArray[np.uint8], borders: list[int]) -> float:
    """How much the gradient across a border between rows differs from the mean of its neighbours, on average."""
    total = 0.0
    for border in borders:
        before, last, first, after = image[border * SCALE - 2 : border * SCALE + 2].astype(np.int16)
        total += np.abs(2 * (first - last) - (last - before) - (after - first)).mean() / 2
    return total / len(borders)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=SIZES)
    parser.add_argument("model", nargs="?")
    chosen = parser.parse_args()
    task, bar = chosen.task, BARS[chosen.task]
    words = [task, *WORDS[task]]
    if chosen.model:
        words += ["--model", str(Path(chosen.model).resolve()) if Path(chosen.model).exists() else chosen.model]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, *SIZES[task])
        worst = 0.0
        for kind in ("jpg", "bmp"):
            peak, seconds, spent = measure(folder, [*words, "photo.jpg", "--output", f"result.{kind}", "--quiet"])
            worst = max(worst, peak)
            print(f"JPEG to {kind.upper()}: peak {peak / 1e9:.2f} GB (bar {bar / 1e9} GB), {seconds:.1f} s", end=", ")
            print(f"{spent:.1f} s of processor time")
        if task == "inpaint":
            fine = hole_is_filled_alone(folder)
        elif task == "translate":
            fine = tiles_are_as_the_whole(folder, chosen.model)
        elif task == "derain":
            fine = only_drops_are_changed(folder)
        else:
            fine = tiles_are_not_seen(folder, chosen.model or names_for(SCALE, fidelity=0)[0])
    return int(worst > bar or not fine)


if __name__ == "__main__":
    sys.exit(main())
