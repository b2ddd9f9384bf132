"""How fast a model is here: the pipeline of its task on each device, against torch and what convolutions can reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.errors import ModelError
from imgen.image.tensor import to_nchw
from imgen.runtime import Model, load, onnxfile
from imgen.runtime.catalogue import entries
from imgen.spec import Spec
from imgen_apps.racing import Contestant, Rounds, Work, race

LAYOUTS = ("contiguous_format", "channels_last")  # torch's names; the first is the default
CHANNELS = (48, 64)  # of the convolutions whose speed is the peak
PEAK_SIDE, PEAK_REPEATS = 256, 16  # pixels: more, and much of the time goes into getting memory

Pixels = NDArray[np.uint8]


class Way(NamedTuple):
    """One way of running a model."""

    kind: str  # "pipeline", as the verb goes; or "network": that alone, on the whole image at once
    source: str  # name or file
    device: str
    threads: int | None  # None: all cores
    tile: int | None  # None: automatic

    @property
    def engine(self) -> str:
        """What runs it."""
        if Path(self.source).suffix.lower() not in ("", ".onnx"):
            return "torch"
        return "OpenVINO" if self.device.startswith("openvino") else "onnxruntime"


@dataclass(frozen=True)
class Row:
    """How fast one way is: medians of the rounds."""

    kind: str
    device: str
    engine: str
    precision: str  # in which it computes
    threads: int | None
    tile: int | None
    ms_per_megapixel: float  # of what goes in
    images_per_second: float
    startup_s: float  # the process, the model, and a first image
    memory_bytes: int  # the peak of the process
    times_torch: float | None  # as fast as torch on this device with as many threads
    share_of_peak: float | None  # of the fastest 3 x 3 convolution with as many threads, by processor time


def bench(
    source: str,
    size: int,
    *,
    devices: Sequence[str] = (),
    threads: Sequence[int | None] = (None,),
    tiles: Sequence[int | None] = (None,),
    rounds: int = 5,
) -> list[Row]:
    """Time a model in all combinations, which take turns, each in a process of its own.

    Args:
        source: name or file, as of ``imgen.runtime.load``.
        size: side of the square image, in pixels.
        devices: as of ``load``; none: all that work here.
        threads: of the CPU.
        tiles: sides, of the pipelines that have any (upscaling, raindrop removal).
        rounds: how often each has its turn.

    Raises:
        ModelError: as ``load``; or the model is for no task that is timed.
        DeviceError: as ``load``.
        UsageError: as ``load``; a tile that is too small.
    """
    spec = load(source, device="cpu").spec
    if spec.task not in TASKS:
        raise ModelError(f"{source}: made for {spec.task!r}; what is timed are models for {', '.join(TASKS)}")
    chosen = [_meant(source, device) for device in devices] or devices_here()
    tiles = tiles if spec.task in ("upscale", "derain") else (None,)
    ways = [Way("pipeline", source, device, count, tile) for device, count, tile in product(chosen, threads, tiles)]
    plain = spec.task == "upscale" and spec.receptive_field == "finite" and ways[0].engine != "torch"
    if plain:  # all its convolutions are at the size of its input, so what they compute is known
        ways += [
            Way("network", source, device, count, None) for device, count in product(filter(_on_cpu, chosen), threads)
        ]
    beside = weights_beside(source) if find_spec("torch") else None
    if beside and ways[0].engine != "torch":
        places = dict.fromkeys("cpu" if _on_cpu(device) else device for device in chosen)
        ways += [Way("pipeline", str(beside), place, count, None) for place, count in product(places, threads)]
    photo = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    contestants = [_contestant(way, photo, operations(_file(source), size * size) if plain else 0.0) for way in ways]
    peaks = _peaks(ways) if plain and find_spec("torch") else []
    results = race(contestants + peaks, rounds)
    return rows_of(spec, ways, list(zip(contestants + peaks, results, strict=True)), size * size / 1e6)


def _meant(source: str, device: str) -> str:
    """What "auto" is here for a model; any other device is itself."""
    if device != "auto":
        return device
    model = load(source, device=device)
    return "openvino" if model.provider == "OpenVINO" else model.device


def devices_here() -> list[str]:
    """Those that work, as ``load`` takes them."""
    from imgen.runtime import ort

    return [*ort.devices(), *(["openvino"] if find_spec("openvino") else [])]


def weights_beside(source: str) -> Path | None:
    """The file of the same network that torch runs, if there is one."""
    if source in entries():
        path = entries()[source].path.with_suffix(".safetensors")
    else:
        path = Path(source).with_suffix(".safetensors")
    return path if path.is_file() else None


def operations(model: Path, pixels: int) -> float:
    """Of a network with all its convolutions at the size of its input: two for each weight and pixel."""
    found = onnxfile.weights(onnxfile.read(model)[0]).values()
    kernels = [weight for weight in found if [field for field, _ in weight.about].count(1) == 4]  # of four axes
    return 2.0 * pixels * sum(np.frombuffer(weight.values, weight.floats or "<f4").size for weight in kernels)


def openvino_type() -> str:
    """The type that OpenVINO computes in here, as torch calls it.

    Raises:
        DeviceError: it is not installed.
    """
    from imgen.runtime.openvino import computes_in_bfloat16

    return "bfloat16" if computes_in_bfloat16() else "float32"


def pipeline(threads: int | None, source: str, device: str, tile: int | None, image: Pixels) -> Work:
    """imgen's own way, as the verb of the task goes: from pixels in memory to pixels in memory."""
    model = load(source, device=device, threads=threads)
    return TASKS[model.spec.task](model, tile, image)


def network(threads: int | None, source: str, device: str, image: Pixels) -> Work:
    """The network without the pipeline, on the whole image."""
    model, values = load(source, device=device, threads=threads), to_nchw(image)
    return lambda: model(values)


def convolution(threads: int | None, kind: str, channels: int, layout: str) -> Work:
    """A 3 x 3 convolution, over and over, as torch's library does it."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    how = {"dtype": getattr(torch, kind), "memory_format": getattr(torch, layout)}
    layer = torch.nn.Conv2d(channels, channels, 3, padding=1).to(**how)
    values = torch.rand(1, channels, PEAK_SIDE, PEAK_SIDE).to(**how)

    def work() -> object:
        with torch.inference_mode():
            for _ in range(PEAK_REPEATS):
                made = layer(values)
            return made

    return work


def convolutions(kind: str, threads: int | None) -> list[Contestant]:
    """Those whose fastest is the peak of a type, as torch calls it."""
    return [
        Contestant(
            f"peak of {kind}: {channels} channels, {layout}",
            convolution,
            (kind, channels, layout),
            2.0 * 9 * channels**2 * PEAK_SIDE**2 * PEAK_REPEATS,
            threads,
        )
        for channels, layout in product(CHANNELS, LAYOUTS)
    ]


def _fill(model: Model, tile: int | None, image: Pixels) -> Work:  # noqa: ARG001 - a hole is seen whole
    from imgen_apps.inpainting import Inpainting

    fill, mask = Inpainting(model), np.zeros(image.shape[:2], np.uint8)
    quarter = len(mask) // 4
    mask[quarter:-quarter, quarter:-quarter] = 255  # with its surroundings this is the whole image
    return lambda: fill.fill(image.copy(), mask)


def _upscale(model: Model, tile: int | None, image: Pixels) -> Work:
    from imgen_apps.super_resolution import SuperResolution

    upscale = SuperResolution(model, tile=tile)
    return lambda: upscale.upscale(image)


def _derain(model: Model, tile: int | None, image: Pixels) -> Work:
    from imgen_apps.raindrop_removal import RaindropRemoval

    derain = RaindropRemoval(model, tile=tile)
    return lambda: derain.remove(image.copy())


def _translate(model: Model, tile: int | None, image: Pixels) -> Work:  # noqa: ARG001 - it chooses tiles itself
    from imgen_apps.translation import Translation

    translate = Translation(model)
    given = image if translate.palette is None else np.zeros_like(image[..., :1])  # all of the first class
    return lambda: translate.translate(given)


TASKS: dict[str, Callable[[Model, int | None, Pixels], Work]] = {
    "inpaint": _fill,
    "upscale": _upscale,
    "derain": _derain,
    "translate": _translate,
}


def _contestant(way: Way, photo: Pixels, useful: float) -> Contestant:
    name = f"{way.source} on {way.device}"
    if way.kind == "network":
        return Contestant(name, network, (way.source, way.device, photo), useful, way.threads)
    return Contestant(name, pipeline, (way.source, way.device, way.tile, photo), 0.0, way.threads)


def _peaks(ways: Sequence[Way]) -> list[Contestant]:
    wanted = dict.fromkeys((_type(way), way.threads) for way in ways if way.kind == "network")
    return [each for kind, threads in wanted for each in convolutions(kind, threads)]


def rows_of(spec: Spec, ways: Sequence[Way], ran: Sequence[tuple[Contestant, Rounds]], megapixels: float) -> list[Row]:
    """What came of a race: the ways in order, then the convolutions; of an image of so many megapixels."""
    walls = {way: median(rounds.walls) for way, (_, rounds) in zip(ways, ran, strict=False)}
    in_torch = {(way.device, way.threads): wall for way, wall in walls.items() if way.engine == "torch"}
    speeds = [(contestant, contestant.operations / median(rounds.processors)) for contestant, rounds in ran]
    rows = []
    for way, (contestant, rounds), (_, speed) in zip(ways, ran, speeds, strict=False):
        wall = walls[way]
        torch = in_torch.get(("cpu" if _on_cpu(way.device) else way.device, way.threads))
        peak = max((s for each, s in speeds[len(ways) :] if _is_peak(each, way)), default=None)
        rows.append(
            Row(
                way.kind,
                way.device,
                way.engine,
                spec.precision if _type(way) == "float32" else "bf16",
                way.threads,
                way.tile,
                ms_per_megapixel=1000 * wall / megapixels,
                images_per_second=1 / wall,
                startup_s=rounds.startup,
                memory_bytes=rounds.memory,
                times_torch=torch / wall if torch else None,
                share_of_peak=speed / peak if peak and contestant.operations else None,
            )
        )
    return rows


def _is_peak(contestant: Contestant, way: Way) -> bool:
    """Whether a convolution is of the type and the threads of a way."""
    return contestant.arguments[0] == _type(way) and contestant.threads == way.threads


def _type(way: Way) -> str:
    """In which a way computes, as torch calls it."""
    return openvino_type() if way.device == "openvino" and way.engine == "OpenVINO" else "float32"


def _on_cpu(device: str) -> bool:
    return not device.startswith("cuda")


def _file(source: str) -> Path:
    return entries()[source].path if source in entries() else Path(source)
