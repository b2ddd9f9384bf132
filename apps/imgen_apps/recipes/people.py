"""Aligned faces to learn from: who they are of, what a teacher says of them, and which are kept to calibrate by."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgen.data.folder import ImageFolder
from imgen.data.items import Batches
from imgen.data.labels import Labelled, by_folder
from imgen.engines.recognition import Taught
from imgen.errors import UsageError

ONE_IN = 12
"""People of whom one is kept apart from training."""
TABLE = "index.csv"
"""In the folder of people: file, identity, and a column of 0 and 1 for each attribute."""
_AT_ONCE = 64


class Attribute(NamedTuple):
    """What a table says of some faces."""

    name: str
    files: list[Path]
    values: NDArray[np.bool_]


def people_in(data: Sequence[Path]) -> tuple[Labelled, Labelled]:
    """The faces to learn from and those of the people kept apart.

    Args:
        data: a folder with one for each person, and further folders of faces of whoever it is.

    Raises:
        UsageError: no folders, no images, or fewer than 2 people to learn from.
    """
    known = by_folder(data[:1])
    apart = np.arange(len(known.classes)) % ONE_IN == ONE_IN - 1
    learnt = len(known.classes) - int(apart.sum())
    if learnt < 2:
        raise UsageError(f"{data[0]} holds {len(known.classes)} people; give a folder with one for each of 2 or more")
    place = np.where(apart, -1, np.cumsum(~apart) - 1)  # the labels of those to learn from are consecutive
    kept = apart[known.labels]
    others = by_folder(data[1:]).paths if len(data) > 1 else []
    labels = np.concatenate([place[known.labels[~kept]], np.full(len(others), -1)])
    names = tuple(name for name, out in zip(known.classes, apart, strict=True) if not out)
    paths = [path for path, out in zip(known.paths, kept, strict=True) if not out]
    return (
        Labelled([*paths, *others], labels, names),
        Labelled([path for path, out in zip(known.paths, kept, strict=True) if out], known.labels[kept], known.classes),
    )


class Faces(Batches):
    """Shuffled epochs of aligned faces.

    Args:
        data: as of ``people_in``.
        size: side of the squares.
        batch: faces in a step.
        seed: of order and augmentation.
        augment: as of ``Batches``.
    """

    def __init__(self, data: Sequence[Path], size: int, batch: int, *, seed: int, augment: Sequence[str]) -> None:
        learnt, self.apart = people_in(data)
        super().__init__(ImageFolder(learnt, size, 3), batch, seed=seed, augment=augment)
        self.attributes = _attributes(data[0], set(learnt.paths))

    def all_pixels(self) -> Iterator[Tensor]:
        """Every face, a few at a time: N x 3 x S x S uint8."""
        return (
            self.items.pixels(np.arange(first, min(first + _AT_ONCE, self.length)))[0]
            for first in range(0, self.length, _AT_ONCE)
        )


class TaughtFaces:
    """The same with a teacher's codes.

    Args:
        faces: the batches.
        embed: images N x 3 x S x S in 0..1 to codes, N x T; None: there is no teacher.
    """

    def __init__(self, faces: Faces, embed: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None) -> None:
        self.faces = faces
        self.codes = torch.zeros(faces.length, 0)
        if embed is not None:
            parts = [embed((pixels.float() / 255).numpy()) for pixels in faces.all_pixels()]
            self.codes = torch.from_numpy(np.concatenate(parts))

    def batch(self, index: int) -> Taught:
        """The batch of that number."""
        image, label, number = self.faces.batch(index)
        return Taught(image, label, self.codes[number])


def _attributes(folder: Path, learnt: set[Path]) -> list[Attribute]:
    """What the folder's table says of the faces that are learnt from; nothing without a table."""
    table = folder / TABLE
    if not table.is_file():
        return []
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if folder / (row.get("file") or "") in learnt]
    found = []
    for name in rows[0] if rows else ():
        said = [(folder / row["file"], row[name] == "1") for row in rows if row[name] in {"0", "1"}]
        if len({value for _, value in said}) == 2:
            paths, values = zip(*said, strict=True)
            found.append(Attribute(name, list(paths), np.array(values)))
    return found


def same_person_threshold(codes: Tensor, labels: NDArray[np.int64]) -> float:
    """The cosine that parts pairs of one person from pairs of two best, both kinds counting alike.

    Args:
        codes: N x D.
        labels: N, who it is.

    Raises:
        UsageError: no two pictures of one person, or only of one.
    """
    unit = torch.nn.functional.normalize(codes.double())
    first, second = np.triu_indices(len(labels), 1)
    same = labels[first] == labels[second]
    if same.all() or not same.any():
        raise UsageError("of the people kept apart to calibrate by, there must be two, and two pictures of one of them")
    cosines = (unit @ unit.T).numpy()[first, second]
    order = np.argsort(-cosines)
    hits, false = np.cumsum(same[order]) / same.sum(), np.cumsum(~same[order]) / (~same).sum()
    best = int(np.argmax(hits - false))
    after = cosines[order[min(best + 1, len(order) - 1)]]
    return float((cosines[order[best]] + after) / 2)


class Way(NamedTuple):
    """From a clear no to a clear yes."""

    step: Tensor  # D: what leads from one to the other
    rule: Tensor  # D + 1: with a 1 behind it a code times this is where it is on the way, 0..1


def way(codes: Tensor, says: Tensor) -> Way:
    """The difference of the means of those that a linear rule is surest of, and the rule.

    Labels of expressions are often wrong and faces often between, which would make the difference of all of them small.
    The rule is Fisher's discriminant; of each kind that tenth counts which it puts farthest from the other.

    Args:
        codes: N x D.
        says: N, true for yes; there are some of each.
    """
    yes, no = codes[says].double(), codes[~says].double()
    within = sum((each - each.mean(0)).T @ (each - each.mean(0)) for each in (yes, no)) / len(codes)
    ridge = 0.01 * torch.eye(codes.shape[1], dtype=torch.double) * torch.as_tensor(within).diagonal().mean()
    rule = torch.linalg.solve(torch.as_tensor(within) + ridge, yes.mean(0) - no.mean(0))
    clear_yes, clear_no = (
        each[sign * (each @ rule) >= (sign * (each @ rule)).quantile(0.9)].mean(0)
        for each, sign in ((yes, 1), (no, -1))
    )
    step = clear_yes - clear_no
    scaled = rule / (step @ rule)
    return Way(step.float(), torch.cat([scaled, -(clear_no @ scaled)[None]]).float())


def reached(before: Tensor, after: Tensor, way: Tensor) -> float:
    """The share of a way in the code that pictures go when they are asked to go all of it.

    Args:
        before: N x D, codes of pictures made from some codes.
        after: N x D, of those made from the same codes with the way added.
        way: D.
    """
    return float(((after - before) @ way).mean() / way.square().sum())
