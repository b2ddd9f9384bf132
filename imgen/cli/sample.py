"""imgen sample: new pictures by a trained run, a model file or a name."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from imgen.cli import runs
from imgen.errors import ModelError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgen.cli.runs import Images

EPILOG = "Examples:  imgen sample fruit --class Lemon    imgen sample runs/vae -n 1000 -o made"


class Made(NamedTuple):
    """What was drawn, and by what."""

    images: "Iterable[Images]"  # in batches, N x C x H x W in 0..1, or points, N x D
    labels: "NDArray[np.int64]"  # of each
    names: Sequence[str]  # of the labels, where they have any
    classes: int  # how many labels there are; 0: none
    points: bool
    by: str


def sample(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The folder of a run, the .onnx file of a generator, or a name.")
    ],
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="How many.")] = 64,
    name: runs.Class = None,
    seed: runs.Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="One picture, or a folder for single ones.",
            show_default="in the run's folder; MODEL-sample.png here",
        ),
    ] = None,
    overwrite: runs.Overwrite = False,
    device: runs.Device = "auto",
) -> None:
    """Make new pictures, as one grid or one by one; of a run on points, a table.

    Equal seeds give equal pictures, but those of a run are others than those of what was exported from it.
    """
    folder = Path(model)
    is_run = folder.is_dir()
    made = _by_run(folder, count, name, seed, device) if is_run else _by_file(model, count, name, seed, device)
    kind = "csv" if made.points else "png"
    if output is None and not is_run:
        output = Path(f"{folder.stem}-sample.{kind}")
    path = runs.target(output, folder / f"sample.{kind}", overwrite)
    if made.points:
        runs.write_points(_joined(made.images), path)
    elif path.suffix:
        in_turn = name is None and 2 <= made.classes <= 16  # then a column is a class
        runs.write_grid(_joined(made.images), made.classes if in_turn else math.isqrt(count - 1) + 1, path)
    else:
        names = [f"{number:06d}" for number in range(count)]
        if made.classes and name is None:
            names = runs.by_class(names, made.labels.tolist(), made.names)
        runs.write_each(made.images, names, path)
    typer.echo(f"{path}: {count} new {'points' if made.points else 'pictures'} by {made.by}, seed {seed}")


def _by_run(folder: Path, count: int, name: str | None, seed: int, device: str) -> Made:
    """By the averaged engine, as the method draws its codes."""
    engine, config = runs.open_run(folder, device)
    import torch

    classes = runs.classes_of(engine)
    labels = _labels(name, count, config.classes, classes, f"{config.engine} was trained without labels")
    torch.manual_seed(seed)
    parts = torch.from_numpy(labels).split(runs.BATCH)
    images = (engine.sample(len(part), part.to(engine.device)).cpu().numpy() for part in parts)
    return Made(images, labels, config.classes, classes, not config.shape.size, config.engine)


def _by_file(model: str, count: int, name: str | None, seed: int, device: str) -> Made:
    """By what was exported, without torch."""
    from imgen.runtime import load
    from imgen_apps.generation import Generation

    if len(Path(model).parts) > 1 and not Path(model).exists():
        raise ModelError(
            f"{model}: there is neither a run nor a file; give one, or a name that imgen models list shows"
        )
    if Path(model).suffix == ".safetensors":
        raise UsageError(f"{model}: name the folder of its run, or imgen export {model} FILE.onnx first")
    generation = Generation(load(model, device=device))
    spec = generation.model.spec
    labels = _labels(name, count, spec.class_names, spec.classes, f"{spec.name} knows no classes")
    return Made(generation(labels, seed=seed), labels, spec.class_names, spec.classes, not spec.size, spec.name)


def _labels(name: str | None, count: int, names: Sequence[str], classes: int, without: str) -> "NDArray[np.int64]":
    """All in turn, or the one that is asked for."""
    import numpy as np

    chosen = runs.label_of(name, names, classes, without)
    return np.arange(count) % (classes or 1) if chosen is None else np.full(count, chosen)


def _joined(parts: "Iterable[Images]") -> "Images":
    import numpy as np

    return np.concatenate(list(parts))
