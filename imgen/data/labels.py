"""Which files a set has and what each is called: by the folder it lies in, or by a table."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.errors import UsageError
from imgen.image.file import SUFFIXES


class Labelled(NamedTuple):
    """Files of images with a class each."""

    paths: list[Path]
    labels: NDArray[np.int64]  # into ``classes``; -1 where it is not known
    classes: tuple[str, ...]


def by_folder(folders: Sequence[Path]) -> Labelled:
    """The images below some folders, sorted by name; their class is the first folder below the one given.

    There are no classes when an image lies directly in a folder given, or when all lie below one and the same.

    Raises:
        UsageError: not a folder, or no image in it.
    """
    paths: list[Path] = []
    names: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            what = "is a file of no kind that data come in" if folder.exists() else "no such folder"
            raise UsageError(f"{folder}: {what}; name a folder of images, a .csv or idx file, or toy:NAME")
        found = [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        if not found:
            raise UsageError(f"{folder}: no images in it or below; imgen reads {', '.join(SUFFIXES)}")
        found.sort(key=lambda path: path.relative_to(folder).parts)
        paths += found
        names += ["" if p.parent == folder else p.relative_to(folder).parts[0] for p in found]
    if "" in names or len(set(names)) == 1:
        names = [""] * len(names)
    return Labelled(paths, *_numbered(names))


def by_table(table: Path, column: str | None = None) -> Labelled:
    """The images that a CSV file with a header line names in its first column, as seen from its own folder.

    Args:
        table: the file, UTF-8.
        column: whose values are the classes; an empty one is a class not known. None takes the column ``label``, or
            no classes where there is none.

    Raises:
        UsageError: not a readable table, no such column, or no rows.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: not a readable CSV file ({error}); save it as UTF-8 with commas") from error
    if column is None and "label" in columns[1:]:
        column = "label"
    if column is not None and column not in columns[1:]:
        there = ", ".join(columns[1:]) or "none but that of the files"
        raise UsageError(f"{table}: no column is called {column!r}; there are: {there}")
    if not rows:
        raise UsageError(f"{table}: no rows below the header; name one image in each")
    paths = [table.parent / (row[columns[0]] or "") for row in rows]
    return Labelled(paths, *_numbered([row[column] if column else None for row in rows]))


def _numbered(names: Sequence[str | None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Each name's place in the sorted row of all, and that row; nothing is no class. "10" comes after "9"."""
    classes = sorted({name for name in names if name}, key=lambda name: (int(name) if name.isdecimal() else -1, name))
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place.get(name or "", -1) for name in names], np.int64), tuple(classes)
