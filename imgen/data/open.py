"""From what a user calls a data set to where batches come from."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imgen.data.augment import Change
from imgen.data.batch import Source
from imgen.data.folder import ImageFolder
from imgen.data.idx import IdxImages, is_idx
from imgen.data.items import Batches, Items
from imgen.data.labels import Labelled, by_folder, by_table
from imgen.data.toys import MIXTURES, Drawn, DrawnShapes, Mixture
from imgen.errors import ImageError, UsageError
from imgen.image.file import probe
from imgen.lookup import find
from imgen.networks.scale import stages

SIZE = 64
"""Side of the images of a folder or a table for which none is asked."""
TOY = "toy:"


def open_data(
    names: Sequence[str],
    size: int | None = None,
    *,
    batch: int,
    seed: int = 0,
    channels: int | None = None,
    column: str | None = None,
    augment: Sequence[str | Change] = (),
    rank: int = 0,
    world: int = 1,
) -> Source:
    """Batches of a data set.

    Args:
        names: as of ``open_items``; or one of ``toy:ring``, ``toy:grid``, ``toy:gaussian``, ``toy:two-gaussians``
            (points) and ``toy:shapes`` (images).
        size: side of the images, a power of two; None takes 64, of idx files the least that they fit into.
        batch: data in a step, of all processes together.
        seed: of order, augmentation and toys; 0 or more.
        channels: 1 or 3; None takes what the set has.
        column: of a CSV file: whose values are the classes; None takes ``label`` if there is such a column.
        augment: keys of ``imgen.data.augment.CHANGES``, or functions of one's own.
        rank: of this process.
        world: how many processes there are.

    Raises:
        UsageError: something here that makes no sense, or too few images.
        ImageError: too many of the files cannot be read.
    """
    if seed < 0:
        raise UsageError(f"the seed is {seed}; it must be 0 or more")
    if len(names) == 1 and names[0].startswith(TOY):
        if augment:
            raise UsageError(f"{names[0]} is drawn at random and has no augmentation; leave it out")
        return Drawn(_toy(names[0], size, channels), batch, seed=seed, rank=rank, world=world)
    if size is not None:
        stages(size)  # says so before thousands of images are read
    items = open_items(names, size, channels, column)
    return Batches(items, batch, seed=seed, augment=augment, rank=rank, world=world)


def open_items(
    names: Sequence[str], size: int | None = None, channels: int | None = None, column: str | None = None
) -> Items:
    """The images of a data set, by number.

    Args:
        names: folders of images (their sub-folders are the classes); or one CSV file, one idx file
            or one folder of idx files, of which those called ``train...`` are taken.
        size: side of the images; None takes 64, of idx files the least power of two that they fit into.
        channels: 1 or 3; None takes what the set has.
        column: of a CSV file: whose values are the classes; None takes ``label`` if there is such a column.

    Raises:
        UsageError: no such folder or file, or too few images.
        ImageError: too many of the files cannot be read.
    """
    if channels not in {None, 1, 3}:
        raise UsageError(f"channels is {channels}; images have 1 (grey) or 3 (colour)")
    idx = _idx_of(Path(names[0])) if len(names) == 1 else None
    if idx is not None:
        return IdxImages(idx, size, channels)
    return ImageFolder(files_of(names, column), size or SIZE, channels)


def files_of(names: Sequence[str], column: str | None = None) -> Labelled:
    """The files and classes of some folders, or of one CSV file.

    Raises:
        UsageError: no such folder or file, no such column, or no images.
    """
    paths = [Path(name) for name in names]
    if not paths:
        raise UsageError("no data set is named; name a folder of images, a .csv or idx file, or toy:NAME")
    if len(paths) == 1 and paths[0].suffix.lower() == ".csv":
        return by_table(paths[0], column)
    return by_folder(paths)


def typical_side(names: Sequence[str]) -> int:
    """The median of the images' shorter sides, by the headers of 100 files.

    Raises:
        UsageError: no such folder or file, or no images.
        ImageError: not one of the files can be read.
    """
    idx = _idx_of(Path(names[0])) if len(names) == 1 else None
    if idx is not None:
        return IdxImages(idx).shape.size
    paths = files_of(names).paths
    sides: list[int] = []
    for path in paths[:: -(-len(paths) // 100)]:
        with contextlib.suppress(ImageError):
            header = probe(path)
            sides.append(min(header.width, header.height))
    if not sides:
        raise ImageError(f"{', '.join(names)}: none of {len(paths)} files can be read as an image; are they damaged?")
    return int(np.median(sides))


def _toy(name: str, size: int | None, channels: int | None) -> Mixture | DrawnShapes:
    kind = name.removeprefix(TOY)
    if kind == "shapes":
        stages(size or SIZE)
        return DrawnShapes(size or SIZE, channels or 3)
    mixture = find(MIXTURES, kind, "toy set")
    if size is not None or channels is not None:
        raise UsageError(f"{name} is made of points, which have no size or channels; leave those out")
    return mixture


def _idx_of(path: Path) -> Path | None:
    """The idx file that is meant, if it is one or a folder of such files."""
    if path.is_file() and is_idx(path):
        return path
    files = sorted(file for file in path.glob("*") if is_idx(file)) if path.is_dir() else []
    chosen = [file for file in files if file.name.startswith("train")] or files
    if len(chosen) > 1:
        raise UsageError(
            f"{path}: holds several sets, {', '.join(file.name for file in chosen)}; name one of the files"
        )
    return chosen[0] if chosen else None
