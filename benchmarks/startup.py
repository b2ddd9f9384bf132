"""How long a user waits: `imgen --help`, and a whole `imgen inpaint` of a 512 x 512 photo on two cores.

    python benchmarks/startup.py

Whole processes, the best of five each. The same photo goes through the built-in model as ONNX and,
by the same command, through the same network in torch. The exit status is 1 when a bar is missed.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import imgen
from imgen.runtime.catalogue import default_model, find_model, weights_file

RUNS = 5
CORES = 2
HELP_BAR, INPAINT_BAR, RATIO_BAR = 0.35, 1.2, 4.0  # seconds, seconds, times
COMMAND = Path(sysconfig.get_path("scripts")) / "imgen"
ASSETS = Path(imgen.__file__).parent / "assets"


def best(arguments: Sequence[str | Path]) -> float:
    """The shortest time in seconds of the whole process."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> int:
    if hasattr(os, "sched_setaffinity"):  # inherited by what is started from here
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    name = default_model("inpaint")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "filled.jpg")
        inpaint = ["inpaint", ASSETS / "astronaut.jpg", "--mask", ASSETS / "astronaut-mask.png"]
        inpaint += ["--overwrite", "--quiet", "--output", result, "--device", "cpu", "--model"]
        helped = best(["--help"])
        through_onnx = best([*inpaint, find_model(name)])
        through_torch = best([*inpaint, weights_file(name)])
    rows = [
        (f"imgen --help                    {helped:6.2f} s      < {HELP_BAR} s", helped < HELP_BAR),
        (f"imgen inpaint, {name:16} {through_onnx:6.2f} s      < {INPAINT_BAR} s", through_onnx < INPAINT_BAR),
        (
            f"the same through torch          {through_torch:6.2f} s      {through_torch / through_onnx:.1f} times, "
            f"at least {RATIO_BAR:.0f}",
            through_torch >= RATIO_BAR * through_onnx,
        ),
    ]
    for text, passed in rows:
        print(f"{'pass' if passed else 'FAIL'}  {text}")
    return 0 if all(passed for _, passed in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
