"""What half precision and 8 bits gain in time, and what they lose, of models that imgen comes with.

    python benchmarks/quantized_speed.py PHOTOS [--model NAME ...] [--threads 2 --threads 1] [--rounds 9]

PHOTOS is a folder of photographs. Each model is exported three times as ``imgen export --precision`` does: int8 finds
its ranges on some of the photographs. What is lost is measured on others of them, which int8 has not seen: PSNR against
the photograph, where the network is given what it is made for (a photograph made smaller, or one with a hole, of which
only the hole counts). The three take turns, round after round, in onnxruntime on the CPU; the median of the rounds
counts. The exit status is 1 where int8 is less than 1.3 times as fast as fp32 or loses more than 0.3 dB.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

import onnxruntime

from imgen import weights
from imgen.errors import ModelError
from imgen.runtime.catalogue import find_model, weights_file
from imgen.runtime.ort import CPU, open_session
from imgen_export.calibration import Example, examples
from imgen_export.graph import export
from imgen_export.variant import PRECISIONS, Variant

FASTER, MAX_LOSS = 1.3, 0.3  # the bars of int8


def files(name: str, photos: Path, folder: Path) -> dict[str, Path]:
    """A model in each precision."""
    spec, network = weights.read(weights_file(name))
    found = {}
    for precision in PRECISIONS:
        found[precision] = folder / f"{name}-{precision}.onnx"
        stored, variant = find_model(name), Variant(precision, photos=photos if precision == "int8" else None)
        try:
            export(network, found[precision], spec, variant=variant, stored=stored)
        except ModelError:  # the gate is this file's own business: what fails it is to be measured, too
            export(network, found[precision], spec, variant=replace(variant, max_loss=99), stored=stored)
    return found


def seconds(sessions: dict[str, onnxruntime.InferenceSession], example: Example, rounds: int) -> dict[str, float]:
    """The median round of each; they take turns."""
    times: dict[str, list[float]] = {precision: [] for precision in sessions}
    for each in range(rounds + 1):
        for precision, session in sessions.items():
            start = time.perf_counter()
            session.run(None, example.feed)
            if each:  # the first gets memory
                times[precision].append(time.perf_counter() - start)
    return {precision: median(own) for precision, own in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", action="append", help="a built-in one; by default upscale-x4 and inpaint-base")
    parser.add_argument("--threads", type=int, action="append", help="by default 2, then 1")
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    print(f"onnxruntime {onnxruntime.__version__}, load {os.getloadavg()[0]:.1f} before the start\n")
    print("| model | threads | precision | file, kB | ms | times as fast | PSNR, dB | lost, dB |")
    print("|---|---|---|---|---|---|---|---|")
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.model or ["upscale-x4", "inpaint-base"]:
            written = files(name, chosen.photos, Path(folder))
            _, held = examples(weights.read_spec(weights_file(name)), chosen.photos, None)
            scores: dict[str, float] = {}
            for threads in chosen.threads or [2, 1]:
                sessions = {key: open_session(path.read_bytes(), [(CPU, {})], threads) for key, path in written.items()}
                for key, session in sessions.items():
                    if key not in scores:
                        scores[key] = fmean(each.score(session.run(None, each.feed)[0]) for each in held)
                taken = seconds(sessions, held[0], chosen.rounds)
                for key, path in written.items():
                    faster, lost = taken["fp32"] / taken[key], scores["fp32"] - scores[key]
                    cells = [name, threads, key, path.stat().st_size // 1000, f"{1000 * taken[key]:.1f}"]
                    cells += [f"{faster:.2f}", f"{scores[key]:.2f}", f"{lost:.2f}"]
                    print(f"| {' | '.join(map(str, cells))} |", flush=True)
                    if key == "int8" and not (faster >= FASTER and lost <= MAX_LOSS):
                        missed.append(f"{name}, {threads} threads: {faster:.2f} times as fast, {lost:.2f} dB lost")
    for text in missed:
        print(f"FAIL  {text}; at least {FASTER:g} times, at most {MAX_LOSS:g} dB")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
