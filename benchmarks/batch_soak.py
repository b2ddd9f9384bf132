"""Does a long batch keep its memory? Resident size after 200 and after 2,000 small files, within 5 %.

    python benchmarks/batch_soak.py

The files, PNG and JPEG in turn, are made on the spot, and go through the batch engine with imgen's own reader and
writer, a journal and a report; every 500th is broken. The exit status is 1 when the bar is missed.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from imgen.image.file import Picture, read, write
from imgen_apps.batch import Job, Options, discover, run

FILES, EARLY = 2000, 200
SIDE = 96  # pixels
BAR = 0.05  # of the early resident size


def make_files(folder: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for index in range(FILES):
        pixels: NDArray[np.uint8] = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        path = folder / f"{index:04}{'.png' if index % 2 else '.jpg'}"
        Image.fromarray(pixels).save(path)
        if index % 500 == 499:
            path.write_bytes(path.read_bytes()[:300])


def main() -> int:
    process, resident, count = psutil.Process(), {}, 0

    def load(job: Job) -> Picture:
        nonlocal count
        count += 1
        if count in {EARLY, FILES}:
            resident[count] = process.memory_info().rss
        return read(job.source)

    def invert(picture: Picture) -> Picture:
        for frame in picture.frames:
            np.subtract(255, frame, out=frame)
        return picture

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        make_files(folder / "in")
        jobs = discover(
            [str(folder / "in")],
            folder / "out",
            suffixes={".png", ".jpg"},
            recursive=True,
            name_suffix="",
            extension=None,
        )
        options = Options(report=folder / "report.jsonl", quiet=not sys.stderr.isatty())
        summary = run(jobs, load, invert, write, parameters={"invert": True}, options=options)

    growth = resident[FILES] / resident[EARLY] - 1
    print(summary)
    print(f"resident after file {EARLY}: {resident[EARLY] / 2**20:.1f} MiB")
    print(f"resident after file {FILES}: {resident[FILES] / 2**20:.1f} MiB ({growth:+.1%}, bar {BAR:+.0%})")
    return int(abs(growth) > BAR)


if __name__ == "__main__":
    sys.exit(main())
