"""How much memory does one small hole in a very large photograph need? At most 1.2 GB for 100 megapixels.

    python benchmarks/huge_image.py [MODEL]

Makes a 10,000 x 10,000 JPEG and a mask with one hole of 300 pixels, runs ``imgen inpaint`` on them in a process
of its own, checks the result, and prints that process's peak of resident memory and its time. MODEL is a file or a
name, the default model without it. The exit status is 1 when the bar is missed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from imgen.image.file import read

SIDE, HOLE = 10_000, 300
BAR = 1.2e9

RUN = """
import resource, sys, time
from imgen.cli.main import main
start = time.perf_counter()
try:
    main()
finally:
    seconds = time.perf_counter() - start
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, seconds)
"""


def make(folder: Path) -> None:
    """The photograph, smooth and grainy as photographs are, and the mask."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (SIDE // 100, SIDE // 100, 3), dtype=np.uint8)
    photo = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for row in range(0, SIDE, 1000):
        photo[row : row + 1000] ^= rng.integers(0, 4, (1000, SIDE, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "photo.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 90])
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[SIDE // 2 : SIDE // 2 + HOLE, SIDE // 2 : SIDE // 2 + HOLE] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)


def measure(folder: Path, suffix: str, model: list[str]) -> tuple[float, float]:
    """Peak resident memory in bytes, and seconds, of filling the photo in ``folder`` as ``photo.<suffix>``."""
    words = ["inpaint", "photo.jpg", "--mask", "mask.png", "--output", f"filled{suffix}", "--quiet", *model]
    result = subprocess.run(
        [sys.executable, "-c", RUN, *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    peak, seconds = result.stdout.split()
    return float(peak), float(seconds)


def main() -> int:
    named = sys.argv[1:2]
    model = ["--model", str(Path(named[0]).resolve()) if Path(named[0]).exists() else named[0]] if named else []
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        before = read(folder / "photo.jpg").pixels
        for suffix in (".jpg", ".bmp"):
            peak, seconds = measure(folder, suffix, model)
            worst = max(worst, peak)
            print(f"JPEG to {suffix[1:].upper()}: peak {peak / 1e9:.2f} GB, {seconds:.1f} s (bar {BAR / 1e9} GB)")
        after = read(folder / "filled.bmp").pixels
        changed = (before != after).any(axis=2)
        inside = slice(SIDE // 2, SIDE // 2 + HOLE)
        outside = np.count_nonzero(changed) - np.count_nonzero(changed[inside, inside])
        print(f"changed: {np.count_nonzero(changed)} of {HOLE * HOLE} pixels of the hole, {outside} outside it")
    return int(worst > BAR or outside > 0)


if __name__ == "__main__":
    sys.exit(main())
