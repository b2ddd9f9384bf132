"""What upscaling by four costs on the CPU: imgen's models beside a peer's, in torch and exported to ONNX.

    python benchmarks/upscale_speed.py realesr-general-x4v3.pth [--model NAME ...] [--size 512] [--rounds 5]

PEER is a weights file of an upscaler that spandrel reads, with all convolutions at the size of its input. imgen's
models, and the peer as ONNX, run through the pipeline behind ``imgen upscale``, which tiles; the peer in torch takes
the whole image, and so do the rows "network alone". From pixels in memory to pixels in memory, uint8.

Each contestant lives in a process of its own, of which the peak of resident memory is given. They take turns, round
after round, and the best round of each counts. They are compared by processor time, the sum of all threads: other work
on the machine disturbs it least, and without any it is the time on the wall times the number of threads. The peak is
that of 3 x 3 convolutions in the same rounds, of the fastest channel count and layout; a network's share of it
counts useful work only, not the margins of tiles. OpenVINO takes part where it is installed, beside the peak of
bfloat16 where it computes in that. The exit status is 1 when a bar is missed: those against the peer are against
torch as the peer's authors call it; torch's other layout, channels last, is beside it.
"""

import argparse
import itertools
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2

import imgen
from imgen.image.file import read
from imgen.runtime.catalogue import entries
from imgen_apps.benching import LAYOUTS, Pixels, convolution, convolutions, network, openvino_type, operations, pipeline
from imgen_apps.racing import Contestant, Work, race

FASTER = 4.0  # the bars: times as fast as the peer in torch, and parts of the peak
SHARES = {"cpu": 0.6, "openvino": 0.85}


class Figures(NamedTuple):
    """The best of the rounds, and the peak of memory after them."""

    wall: float  # seconds
    processor: float  # seconds, of all threads
    memory: int  # bytes


def in_torch(threads: int, path: Path, layout: str, image: Pixels) -> Work:
    """The way of the peer's authors: the whole image at once, in float32."""
    import torch

    from imgen import weights

    torch.set_num_threads(threads)
    memory_format = getattr(torch, layout)
    loaded = weights.read(path)[1].to(memory_format=memory_format)

    def work() -> object:
        with torch.inference_mode():
            values = torch.from_numpy(image).permute(2, 0, 1)[None].float().div(255)
            made = loaded(values.contiguous(memory_format=memory_format))
            return made.clamp(0, 1).mul(255).round().byte()[0].permute(1, 2, 0).contiguous().numpy()

    return work


def computed_in() -> dict[str, str]:
    """The devices that there are, and the type that each computes in."""
    found = {"cpu": "float32"}
    if find_spec("openvino"):
        found["openvino"] = openvino_type()
    return found


def contestants(peer: Path, exported: Path, models: Sequence[str], image: Pixels) -> list[Contestant]:
    """All that take turns."""
    devices = computed_in()
    found = [each for kind in sorted(set(devices.values())) for each in convolutions(kind, None)]
    pixels = image.shape[0] * image.shape[1]
    for model, device in itertools.product(models, devices):
        file = entries()[model].path if model in entries() else Path(model)
        useful = operations(file, pixels)
        found.append(Contestant(f"{file.stem}, {device}", pipeline, (model, device, None, image), useful))
        found.append(Contestant(f"{file.stem}, {device}, network alone", network, (model, device, image), useful))
    useful = operations(exported, pixels)
    found += [Contestant(f"peer, torch, {layout}", in_torch, (peer, layout, image), useful) for layout in LAYOUTS]
    found.append(Contestant("peer as ONNX, cpu", pipeline, (str(exported), "cpu", None, image), useful))
    return found


def report(ran: Sequence[tuple[Contestant, Figures]], megapixels: float) -> bool:
    """Print the table and the bars of images of so many megapixels; whether all bars were met."""
    kinds = computed_in()
    speeds = {contestant.name: contestant.operations / figures.processor / 1e9 for contestant, figures in ran}
    peaks = {
        kind: max(speed for name, speed in speeds.items() if name.startswith(f"peak of {kind}"))
        for kind in kinds.values()
    }
    peers = [figures.processor for contestant, figures in ran if contestant.prepare is in_torch]
    bars = []
    titles = ["", "ms per megapixel", "of processor time", *(f"times the peer in torch, {name}" for name in LAYOUTS)]
    titles += ["peak memory, MB", "GFLOP/s of a processor", "of the peak"]
    print(f"| {' | '.join(titles)} |")
    print("|---" * len(titles) + "|")
    for contestant, figures in ran:
        speed = speeds[contestant.name]
        if contestant.prepare is convolution:
            print(f"| {contestant.name} | | | | | | {speed:.0f} | |")
            continue
        device = contestant.arguments[1] if contestant.prepare in (pipeline, network) else "cpu"
        share, faster = speed / peaks[kinds[device]], [peer / figures.processor for peer in peers]
        times = [f"{1000 * seconds / megapixels:.0f}" for seconds in (figures.wall, figures.processor)]
        cells = [contestant.name, *times, *(f"{ratio:.2f}" for ratio in faster), f"{figures.memory / 1e6:.0f}"]
        print(f"| {' | '.join(cells)} | {speed:.0f} | {share:.0%} |")
        if contestant.prepare is network:
            bars.append((f"{contestant.name}: {share:.0%} of the peak", share, SHARES[device]))
        elif contestant.prepare is pipeline and "peer" not in contestant.name:
            bars.append((f"{contestant.name}: {faster[0]:.2f} times as fast as the peer in torch", faster[0], FASTER))
    for text, found, bar in bars:
        print(f"{'pass' if found >= bar else 'FAIL'}  {text}, at least {bar:g}")
    return all(found >= bar for _, found, bar in bars)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path)
    parser.add_argument("--model", action="append", help="name or .onnx file; by default both built-in ones of x4")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # inherited by what is started from here
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.threads])
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that spin while they wait would count as work of torch's
    photo = read(Path(imgen.__file__).parent / "assets" / "astronaut.jpg").pixels
    image = cv2.resize(photo, (chosen.size, chosen.size), interpolation=cv2.INTER_AREA)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, "peer.onnx")
        command = Path(sysconfig.get_path("scripts"), "imgen")
        subprocess.run([command, "export", chosen.peer, exported], check=True, stdout=subprocess.DEVNULL)
        all_of_them = contestants(chosen.peer, exported, chosen.model or ["upscale-x4", "upscale-photo-x4"], image)
        ran = race([contestant._replace(threads=chosen.threads) for contestant in all_of_them], chosen.rounds)
    figures = [Figures(min(each.walls), min(each.processors), each.memory) for each in ran]
    print(f"{chosen.size} x {chosen.size} pixels, {chosen.threads} threads, best of {chosen.rounds} rounds\n")
    return 0 if report(list(zip(all_of_them, figures, strict=True)), image.size / 3e6) else 1


if __name__ == "__main__":
    sys.exit(main())
