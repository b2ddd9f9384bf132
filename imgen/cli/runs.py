"""What the verbs that use a run share: opening it, its labels, and where pictures go."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgen.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from imgen.data.items import Items
    from imgen.engines.engine import Engine
    from imgen.training.run import RunConfig

    Images = NDArray[np.float32]  # N x C x H x W in 0..1, C of 1 or 3

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run: what imgen train wrote.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="The picture to write.", show_default="in RUN")
]
OutputOrFolder = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help="One picture, or a folder for single ones.", show_default="in RUN"
    ),
]
Class = Annotated[
    str | None, typer.Option("--class", metavar="NAME", help="Of a run with labels: the name of one, or its number.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal pictures.")]
Device = Annotated[str, typer.Option("--device", "-d", metavar="NAME", help="auto, cpu, cuda, cuda:1, ...")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")]

BATCH = 64
"""Images made at a time."""
GAP = 2
"""Pixels between those of a grid."""


def open_run(folder: Path, device: str) -> "tuple[Engine, RunConfig]":
    """The averaged engine of a run, in evaluation mode, and what it was made from.

    Raises:
        UsageError: torch is not installed.
        ModelError: no run is there, or it is not whole.
        DeviceError: the device is not available.
    """
    need_torch("a run")
    from imgen.cli.devices import torch_device
    from imgen.training import run

    place = torch_device(device)
    return run.load(folder, place), run.read(folder)


def file_of(folder: Path, name: str = "model.safetensors") -> Path:
    """A model file of a run, written now if the run was stopped before its end or has gone on since.

    Raises:
        UsageError: torch is not installed.
        ModelError: the folder is not that of a run, or its method writes no such file.
    """
    need_torch("a run")
    from imgen.errors import ModelError
    from imgen.training import checkpoint, run

    model, saved = folder / name, checkpoint.path_in(folder)
    if saved.exists() and (not model.exists() or model.stat().st_mtime < saved.stat().st_mtime):
        run.finish(folder)
    if model.exists():
        return model
    if saved.exists():
        raise ModelError(f"{folder}: its method writes no {name}; that takes an encoder and classes, as cvae-gan has")
    raise ModelError(f"{folder} is not the folder of a run: neither a checkpoint nor a model file is in it")


def need_torch(what: str) -> None:
    """Say what to install where torch is missing."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UsageError(f'{what} needs torch ({error}); pip install "imgen[train]"') from error


def classes_of(engine: "Engine") -> int:
    """How many labels the product tells apart; 0 where it takes none."""
    return int(getattr(engine.product.config, "classes", 0))


def label_in(name: str | None, engine: "Engine", config: "RunConfig") -> int | None:
    """As ``label_of``, of a run."""
    return label_of(name, config.classes, classes_of(engine), f"{config.engine} was trained without labels")


def label_of(name: str | None, names: Sequence[str], count: int, without: str) -> int | None:
    """The number of a label that is called so, or is this number.

    Args:
        name: what is asked for; None: no label.
        names: of the labels, where they have any.
        count: how many there are.
        without: what to say where there are none.

    Raises:
        UsageError: there is no such label, or none at all.
    """
    if name is None:
        return None
    if not count:
        raise UsageError(f"--class {name}: {without}; leave it out, or train conditional-gan, say")
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < count:
        return int(name)
    there = ", ".join(names) or f"0 to {count - 1}"
    raise UsageError(f"--class {name}: no label is called so; there are: {there}")


def by_class(names: Sequence[str], labels: Sequence[int], classes: Sequence[str]) -> list[str]:
    """Each name below a folder called as its class, where the classes have names: so a data set lies on disk."""
    if not classes:
        return list(names)
    folders = [name if Path(name).name == name else str(number) for number, name in enumerate(classes)]
    return [f"{folders[label]}/{name}" for name, label in zip(names, labels, strict=True)]


def need_images(config: "RunConfig") -> None:
    """Refuse a run on points, of which there is nothing to see."""
    if not config.shape.size:
        raise UsageError(f"this {config.engine} makes points, not pictures; imgen sample writes them to a .csv file")


def target(asked: Path | None, default: Path, overwrite: bool) -> Path:
    """Where to write; a file that is there is replaced only if it is in the run's own place or if asked to."""
    if asked is None:
        return default
    if asked.exists() and not asked.is_dir() and not overwrite:
        raise UsageError(f"{asked} exists; give --overwrite to replace it")
    return asked


def write_grid(images: "Images", columns: int, path: Path) -> None:
    """Images as one picture of several columns, white between them; a single one as it is.

    Raises:
        UsageError: imgen writes no such format.
        ImageError: the file cannot be written.
    """
    import numpy as np

    count, channels, height, width = images.shape
    if count > 1:
        columns = min(columns, count)
        shape = channels, -(-count // columns) * (height + GAP) + GAP, columns * (width + GAP) + GAP
        canvas = np.ones(shape, np.float32)
        for number, image in enumerate(images):
            top, left = (
                GAP + at * (side + GAP) for at, side in zip(divmod(number, columns), (height, width), strict=True)
            )
            canvas[:, top : top + height, left : left + width] = image
        images = canvas[None]
    write_image(images[0], path)


def write_image(image: "Images", path: Path) -> None:
    """C x H x W in 0..1 as a picture."""
    from imgen.image import file
    from imgen.image.metadata import Metadata
    from imgen.image.tensor import to_pixels

    pixels = to_pixels(image[None])
    file.write(file.Picture([pixels], "PNG", Metadata()), path)


def write_each(images: "Iterable[Images]", names: Sequence[str], folder: Path) -> None:
    """Batches of N x C x H x W in 0..1 as single PNG files of these names.

    Raises:
        UsageError: the folder holds something already, which must not be mixed with them.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a new folder, or a file such as {folder}.png for one picture")
    each = (image for batch in images for image in batch)
    for name, image in zip(names, each, strict=True):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(image, path)


def write_points(points: "Images", path: Path) -> None:
    """N x D values as a table, a point a line.

    Raises:
        UsageError: the path does not end in .csv.
        ImageError: the file cannot be written.
    """
    from imgen.image.atomic import atomic

    if path.suffix.lower() != ".csv":
        raise UsageError(f"{path}: this run makes points, which go into a table; name a .csv file")
    lines = (",".join(f"{value:.6g}" for value in point) for point in points.tolist())
    with atomic(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def fill(images: "Tensor", count: int) -> "Tensor":
    """N x C x H x W uint8 with white ones behind, so that there are ``count``."""
    import torch

    return torch.cat([images, images.new_full((count - len(images), *images.shape[1:]), 255)])


def labels_in(items: "Items", config: "RunConfig") -> "Tensor":
    """The labels of a set as the run numbers them, N int64; -1 where the run knows none of that name."""
    import torch

    place = [config.classes.index(name) if name in config.classes else -1 for name in items.classes]
    return torch.tensor([place[label] if label >= 0 else -1 for label in items.labels.tolist()])


def names_of(items: "Items", folder: Path) -> list[str]:
    """For each item its file's path below the folder, without suffix where that is enough, or its number."""
    from imgen.data.folder import ImageFolder

    if not (isinstance(items, ImageFolder) and folder.is_dir()):
        return [f"{number:06d}" for number in range(len(items))]
    paths = [path.relative_to(folder) for path in items.paths]
    short = [str(path.with_suffix("")) for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]
