"""Images in files: in memory where they fit, read again whenever they are wanted where they do not."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgen.data.damaged import attempts, leave_out, refuse_many
from imgen.data.items import Numbers
from imgen.data.labels import Labelled
from imgen.data.square import read_square
from imgen.errors import ImageError, UsageError
from imgen.image.file import probe, read
from imgen.networks.scale import Shape

MEMORY = 2 << 30
"""Bytes that a set may take as pixels: 174,000 colour images of 64 x 64."""

_LOG = logging.getLogger("imgen")


class ImageFolder:
    """Files as a set of square images (``imgen.data.items.Items``).

    Files that cannot be read are named in one warning and left out. Of a set beyond ``memory`` only the headers are
    read beforehand: a file that turns out damaged later is named then, and the image after it takes its place.

    Args:
        files: the images and their classes.
        size: side of the squares.
        channels: 1 or 3; None takes 1 where the first 16 files are all grey.
        memory: bytes that the pixels may take.

    Raises:
        UsageError: fewer than two images.
        ImageError: more than 5 % of the files cannot be read.
    """

    def __init__(self, files: Labelled, size: int, channels: int | None = None, memory: int = MEMORY) -> None:
        if channels is None:
            channels = 1 if all(_is_grey(path) for path in files.paths[:16]) else 3
        self.shape, self.classes = Shape(size, channels, len(files.classes)), files.classes
        whole, errors, self._pixels = self._look_through(files.paths, memory)
        leave_out(errors, len(files.paths))
        if len(whole) < 2:
            raise UsageError(f"{files.paths[0]} is the only image; two are needed, and hundreds to learn from")
        self.paths, self.labels = [files.paths[number] for number in whole], files.labels[whole]
        self._damaged: dict[int, ImageError] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def pixels(self, numbers: Numbers) -> tuple[Tensor, Numbers]:
        """N x C x H x W uint8, and whose they are.

        Raises:
            ImageError: more than 5 % of the files have turned out to be damaged.
        """
        if self._pixels is not None:
            return self._pixels[torch.from_numpy(numbers)], numbers
        with ThreadPoolExecutor() as pool:
            images, found = zip(*pool.map(self._read_or_next, numbers.tolist()), strict=True)
        return torch.from_numpy(np.stack(images)), np.array(found, np.int64)

    def _look_through(self, paths: Sequence[Path], memory: int) -> tuple[list[int], list[ImageError], Tensor | None]:
        """Which files are whole, what is wrong with the others, and all the pixels if they fit."""
        shape = (len(paths), self.shape.channels, self.shape.size, self.shape.size)
        store = torch.empty(shape, dtype=torch.uint8) if np.prod(shape) <= memory else None
        whole: list[int] = []
        errors: list[ImageError] = []
        for number, outcome in enumerate(attempts(probe if store is None else self._read, paths)):
            if isinstance(outcome, ImageError):
                errors.append(outcome)
                continue
            if store is not None:
                store[len(whole)] = torch.from_numpy(outcome)
            whole.append(number)
        return whole, errors, None if store is None else store[: len(whole)]

    def _read(self, path: Path) -> NDArray[np.uint8]:
        return read_square(path, self.shape.size, self.shape.channels)

    def _read_or_next(self, number: int) -> tuple[NDArray[np.uint8], int]:
        while True:
            if number not in self._damaged:
                try:
                    return self._read(self.paths[number]), number
                except ImageError as error:
                    _LOG.warning("%s; the image after it takes its place", error)
                    self._damaged[number] = error
                    refuse_many(list(self._damaged.values()), len(self))
            number = (number + 1) % len(self)


def _is_grey(path: Path) -> bool:
    try:
        return read(path).pixels.shape[2] < 3
    except ImageError:
        return True
