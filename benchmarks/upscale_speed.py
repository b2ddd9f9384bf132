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
import multiprocessing
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

import imgen
from imgen.image.file import read
from imgen.runtime import onnxfile
from imgen.runtime.catalogue import entries

FASTER = 4.0  # the bars: times as fast as the peer in torch, and parts of the peak
SHARES = {"cpu": 0.6, "openvino": 0.85}
LAYOUTS = ("contiguous_format", "channels_last")  # torch's names; the first is the default
PEAK_SIDE, PEAK_REPEATS = 256, 16  # pixels: more, and much of the time goes into getting memory

Pixels = npt.NDArray[np.uint8]
Work = Callable[[], object]


class Contestant(NamedTuple):
    """What is timed."""

    name: str
    prepare: Callable[..., Work]  # takes the number of threads and the arguments; runs in the contestant's process
    arguments: tuple[Any, ...]
    operations: float  # useful floating-point operations of a round


class Figures(NamedTuple):
    """The best of the rounds, and the peak of memory after them."""

    wall: float  # seconds
    processor: float  # seconds, of all threads
    memory: int  # bytes


def pipeline(threads: int, model: str, device: str, image: Pixels) -> Work:
    """imgen's own way, as ``imgen upscale`` goes."""
    from imgen.runtime import load
    from imgen_apps.super_resolution import SuperResolution

    upscale = SuperResolution(load(model, device=device, threads=threads))
    return lambda: upscale.upscale(image)


def network(threads: int, model: str, device: str, image: Pixels) -> Work:
    """The network without the pipeline, on the whole image."""
    from imgen.image.tensor import to_nchw
    from imgen.runtime import load

    loaded, values = load(model, device=device, threads=threads), to_nchw(image)
    return lambda: loaded(values)


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


def convolution(threads: int, kind: str, channels: int, layout: str) -> Work:
    """A 3 x 3 convolution, over and over, as torch's library does it."""
    import torch

    torch.set_num_threads(threads)
    layer = torch.nn.Conv2d(channels, channels, 3, padding=1).to(getattr(torch, kind))
    values = torch.rand(1, channels, PEAK_SIDE, PEAK_SIDE).to(getattr(torch, kind))
    layer, values = (thing.to(memory_format=getattr(torch, layout)) for thing in (layer, values))

    def work() -> object:
        with torch.inference_mode():
            for _ in range(PEAK_REPEATS):
                made = layer(values)
            return made

    return work


def operations(model: Path, pixels: int) -> float:
    """Of a network with all its convolutions at the size of its input: two for each weight and pixel."""
    found = onnxfile.weights(onnxfile.read(model)[0]).values()
    kernels = [weight for weight in found if [field for field, _ in weight.about].count(1) == 4]  # of four axes
    return 2.0 * pixels * sum(np.frombuffer(weight.values, weight.floats or "<f4").size for weight in kernels)


def computed_in() -> dict[str, str]:
    """The devices that there are, and the type that each computes in."""
    found = {"cpu": "float32"}
    if find_spec("openvino"):
        import openvino

        capable = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        found["openvino"] = "bfloat16" if "BF16" in capable else "float32"
    return found


def contestants(peer: Path, exported: Path, models: Sequence[str], image: Pixels) -> list[Contestant]:
    """All that take turns."""
    devices = computed_in()
    found = [
        Contestant(
            f"peak of {kind}: {channels} channels, {layout}",
            convolution,
            (kind, channels, layout),
            2.0 * 9 * channels**2 * PEAK_SIDE**2 * PEAK_REPEATS,
        )
        for kind, channels, layout in itertools.product(sorted(set(devices.values())), (48, 64), LAYOUTS)
    ]
    pixels = image.shape[0] * image.shape[1]
    for model, device in itertools.product(models, devices):
        file = entries()[model].path if model in entries() else Path(model)
        useful, arguments = operations(file, pixels), (model, device, image)
        found.append(Contestant(f"{file.stem}, {device}", pipeline, arguments, useful))
        found.append(Contestant(f"{file.stem}, {device}, network alone", network, arguments, useful))
    useful = operations(exported, pixels)
    found += [Contestant(f"peer, torch, {layout}", in_torch, (peer, layout, image), useful) for layout in LAYOUTS]
    found.append(Contestant("peer as ONNX, cpu", pipeline, (str(exported), "cpu", image), useful))
    return found


def serve(connection: Connection, contestant: Contestant, threads: int) -> None:
    """A round whenever it is asked for, and the peak of memory at the end."""
    work = contestant.prepare(threads, *contestant.arguments)
    work()
    connection.send("ready")
    while connection.recv():
        wall, processor = time.perf_counter(), time.process_time()
        work()
        connection.send((time.perf_counter() - wall, time.process_time() - processor))
    connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def race(all_of_them: Sequence[Contestant], rounds: int, threads: int) -> list[Figures]:
    """The figures of each; they take turns."""
    spawn = multiprocessing.get_context("spawn")
    lines = []
    for contestant in all_of_them:
        here, there = spawn.Pipe()
        spawn.Process(target=serve, args=(there, contestant, threads), daemon=True).start()
        there.close()
        here.recv()  # an EOFError if it died
        lines.append(here)
    times: list[list[tuple[float, float]]] = [[] for _ in lines]
    for _ in range(rounds):
        for line, own in zip(lines, times, strict=True):
            line.send(True)
            own.append(line.recv())
    figures = []
    for line, own in zip(lines, times, strict=True):
        line.send(False)
        figures.append(Figures(min(wall for wall, _ in own), min(cpu for _, cpu in own), line.recv()))
    return figures


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
        figures = race(all_of_them, chosen.rounds, chosen.threads)
    print(f"{chosen.size} x {chosen.size} pixels, {chosen.threads} threads, best of {chosen.rounds} rounds\n")
    return 0 if report(list(zip(all_of_them, figures, strict=True)), image.size / 3e6) else 1


if __name__ == "__main__":
    sys.exit(main())
