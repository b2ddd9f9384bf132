"""Label maps: images that say of every pixel which class it is of, by a number or by a colour."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError, UsageError
from imgen.image.decode import open_image
from imgen.image.file import read
from imgen.image.pixels import Pixels, to_8bit, without_alpha

MOST = 256
"""Classes that there may be."""

Colour = tuple[int, int, int]
Numbers = NDArray[np.uint8]


@dataclass(frozen=True)
class Palette:
    """The classes of label maps, counted from 0."""

    names: tuple[str, ...]
    colours: tuple[Colour, ...] = ()  # RGB, one for each class; none: classes come as numbers alone

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def numbered(cls, count: int) -> Self:
        """Classes that are known by their numbers alone.

        Raises:
            UsageError: fewer than 2, or more than ``MOST``.
        """
        if not 2 <= count <= MOST:
            raise UsageError(f"label maps have 2 to {MOST} classes, got {count}")
        return cls(tuple(map(str, range(count))))

    @classmethod
    def of(cls, lines: Iterable[str], where: str = "the palette") -> Self:
        """A class a line: its name and, as three numbers before or after it, its colour, as in "128 64 128 road".

        Commas do as well as spaces. Empty lines, those that begin with "#", and a first one "name,r,g,b" do not count.

        Raises:
            UsageError: colours for some of the classes only, one of them twice or out of range, or too many classes.
        """
        rows = [_class_in(line) for line in lines if line.strip() and not re.match(r"\s*(#|name\b)", line, re.I)]
        plain = cls.numbered(len(rows))
        names = tuple(name or number for (name, _), number in zip(rows, plain.names, strict=True))
        colours = tuple(colour for _, colour in rows if colour is not None)
        if colours and len(colours) < len(names):
            bare = next(name for name, colour in rows if colour is None)
            raise UsageError(f"{where}: {bare!r} has no colour; give one to every class, or to none")
        for colour in colours:
            if max(colour) > 255:
                raise UsageError(f"{where}: a colour is three numbers of 0 to 255, got {colour}")
            if colours.count(colour) > 1:
                raise UsageError(f"{where}: two classes have the colour {colour}; give each its own")
        return cls(names, colours)

    @classmethod
    def parse(cls, text: str) -> Self:
        """How many classes there are, or the name of a file with lines as ``of`` reads them.

        Raises:
            UsageError: neither of them, or as of ``numbered`` and ``of``.
        """
        if text.isdecimal():
            return cls.numbered(int(text))
        try:
            lines = Path(text).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            said = f"{text} is neither a number of classes nor a text file with a colour and a name in each line"
            raise UsageError(said) from error
        return cls.of(lines, text)

    def lines(self) -> tuple[str, ...]:
        """What ``of`` makes the same palette from."""
        if not self.colours:
            return self.names
        return tuple(f"{r} {g} {b} {name}" for name, (r, g, b) in zip(self.names, self.colours, strict=True))

    def numbers(self, pixels: Pixels, where: str = "the label map") -> Numbers:
        """The class of every pixel, H x W.

        Args:
            pixels: H x W x C: grey ones are the numbers, coloured ones are looked up; alpha does not count.
            where: what to call it in messages.

        Raises:
            ImageError: a number or a colour that no class has; the message says where it is.
        """
        values = without_alpha(pixels)
        if values.shape[2] == 1:
            numbers = values[..., 0].astype(np.int64)
            wrong = numbers >= len(self)
        elif not self.colours:
            raise ImageError(f"{where}: is in colours; name a file with --labels that says which class each of them is")
        else:
            numbers = self._looked_up(to_8bit(values))
            wrong = numbers < 0
        if wrong.any():
            row, column = (int(place[0]) for place in wrong.nonzero())
            value, there = values[row, column].tolist(), f"at column {column}, row {row}"
            known = f"there are {len(self)} classes" + (" and their colours" if len(value) > 1 else ", counted from 0")
            what = f"the colour {tuple(value)}" if len(value) > 1 else f"the value {value[0]}"
            share = f"{wrong.mean():.1%} of its pixels are of no class, such as {what} {there}"
            raise ImageError(f"{where}: {share}; {known}, and JPEG mixes them: take PNG")
        return numbers.astype(np.uint8)

    def painted(self, numbers: Numbers) -> NDArray[np.uint8]:
        """Class numbers, H x W, as the colours of the palette, H x W x 3; as greys where it has none."""
        greys = np.linspace(0, 255, len(self)).astype(np.uint8)[:, None].repeat(3, axis=1)
        return (np.array(self.colours, np.uint8) if self.colours else greys)[numbers]

    def _looked_up(self, colours: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of each colour, H x W; -1 where it is none's."""
        table = {colour: number for number, colour in enumerate(_packed(np.array(self.colours)).tolist())}
        found, index = np.unique(_packed(colours), return_inverse=True)
        return np.array([table.get(colour, -1) for colour in found.tolist()])[index].reshape(colours.shape[:2])


def read_labels(path: Path, palette: Palette) -> Numbers:
    """The class of every pixel of a file, H x W; without colours in the palette, those in the file do not count.

    Raises:
        ImageError: not readable, or as of ``Palette.numbers``.
    """
    return palette.numbers(read(path).pixels if palette.colours else _stored(path), str(path))


def read_instances(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The number of the thing at every pixel of a file, H x W.

    Raises:
        ImageError: not readable, or not a file of one channel.
    """
    stored = _stored(path)
    if stored.shape[2] != 1:
        raise ImageError(f"{path}: has {stored.shape[2]} channels; an instance map has one, the number of each thing")
    return stored[..., 0]


def one_hot(numbers: Numbers, classes: int) -> NDArray[np.float32]:
    """Class numbers, H x W, as one plane for each class, classes x H x W: 1 where a pixel is of it, else 0."""
    return (numbers == np.arange(classes)[:, None, None]).astype(np.float32)


def boundaries(instances: NDArray[np.integer]) -> NDArray[np.float32]:
    """Where things end, H x W: 1 at pixels whose number, H x W, is not that of all their four neighbours, else 0.

    By it a network tells two things of one class apart that touch: Wang et al. 2018, arXiv:1711.11585, sec. 3.3.
    """
    edge = np.zeros(instances.shape, np.float32)
    down, right = (instances[1:] != instances[:-1]), (instances[:, 1:] != instances[:, :-1])
    for half in (edge[1:], edge[:-1]):
        half[down] = 1
    for half in (edge[:, 1:], edge[:, :-1]):
        half[right] = 1
    return edge


def _stored(path: Path) -> Pixels:
    """The pixels of a file, H x W x C; of one with a table of colours the numbers, H x W x 1."""
    pixels = read(path).pixels
    with path.open("rb") as stream:
        image = open_image(stream, str(path))
        return np.array(image, np.uint8)[..., None] if image.mode == "P" else pixels


def _class_in(line: str) -> tuple[str, Colour | None]:
    """The name in a line, and the colour, if there is one."""
    words = re.split(r"[\s,;]+", line.strip())
    values = [int(word) for word in words if word.isdecimal()]
    if len(values) != 3:
        return " ".join(words), None
    return " ".join(word for word in words if not word.isdecimal()), (values[0], values[1], values[2])


def _packed(colours: NDArray[np.integer]) -> NDArray[np.int64]:
    """RGB in the last axis as one number."""
    return colours.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
