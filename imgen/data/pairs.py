"""Photographs of one scene through dirty glass and without it, from two folders, and random crops of both."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.data.alignment import offset
from imgen.data.photos import Crops, at_most, decode, find_photos
from imgen.errors import ImageError, UsageError

ENDINGS = ("_rain", "_clean")
"""Of the names in the data set of Qian et al. 2018, arXiv:1711.10098, which do not count."""
DIFFERENT = 30
"""Levels of 255 by which dirt differs from what it hides: sec. 3 of the same, where what differs less is none."""
APART = 1.0
"""Pixels by which a pair may be out of line, at the size it is kept in."""
USABLE = 0.5
"""Share of the pairs that must be fit for use."""

_LOG = logging.getLogger("imgen")
_BLUR = 2.0  # pixels: noise and hard edges that are not quite in line are no dirt

Pixels = NDArray[np.uint8]


class Pair(NamedTuple):
    """Two images of one scene, H x W x 3 RGB."""

    dirty: Pixels
    clean: Pixels

    def mask(self) -> NDArray[np.float32]:
        """Where the dirt is, H x W: from 0, where the two are the same, to 1, where they differ by ``DIFFERENT``."""
        soft = [cv2.GaussianBlur(image, (0, 0), _BLUR) for image in self]
        return np.minimum(cv2.absdiff(*soft).max(2) / np.float32(DIFFERENT), 1)


class Pairs:
    """The pairs in two folders and those in them, matched by name, decoded once and kept in memory.

    A name is that of the file with the folders it is in, but without its suffix and one of ``ENDINGS``. Pairs that
    cannot be used, because a file is missing or damaged, the sizes differ or the images are out of line, are
    named in a warning each and left out.

    Args:
        dirty: folder of the images through dirty glass.
        clean: folder of the same without it.
        long_side: what is larger is kept reduced to this many pixels.

    Raises:
        UsageError: not a folder, or no images in it.
        ImageError: less than half of the pairs can be used.
    """

    def __init__(self, dirty: Path, clean: Path, long_side: int = 1024) -> None:
        self._long_side, self._clean = long_side, clean
        self._partners: dict[str, list[Path]] = {}
        for path in _photos(clean):
            self._partners.setdefault(_name(path, clean), []).append(path)
        paths = _photos(dirty)
        with ThreadPoolExecutor() as pool:
            outcomes = list(pool.map(lambda path: self._attempt(path, _name(path, dirty)), paths))
        self.images = [outcome for outcome in outcomes if isinstance(outcome, Pair)]
        errors = [outcome for outcome in outcomes if isinstance(outcome, ImageError)]
        if len(self.images) < USABLE * len(paths):
            share = f"{len(errors)} of {len(paths)} pairs cannot be used, more than {1 - USABLE:.0%}"
            raise ImageError(f"{share}; repair or remove them, first of all this: {errors[0]}")
        for error in errors:
            _LOG.warning("left out: %s", error)
        if errors:
            _LOG.warning("%d of %d pairs left out", len(errors), len(paths))
        self._crops = Crops(pair.clean for pair in self.images)

    def __len__(self) -> int:
        return len(self.images)

    def crop(self, rng: np.random.Generator, size: int, reduction: tuple[float, float] = (0.86, 3.0)) -> Pair:
        """The same random square of both, as ``imgen.data.photos.Photos.crop`` has it."""
        crop = self._crops.draw(rng, size, reduction)
        return Pair(*(crop.of(image) for image in self.images[crop.number]))

    def _attempt(self, path: Path, name: str) -> Pair | ImageError:
        try:
            return self._read(path, name)
        except ImageError as error:
            return error

    def _read(self, path: Path, name: str) -> Pair:
        partners = self._partners.get(name, [])
        if not partners:
            raise ImageError(f"{path}: no image called {name} in {self._clean}")
        if len(partners) > 1:
            raise ImageError(f"{path}: {partners[0]} and {partners[1].name} could both be its clean one; remove one")
        images = []
        for file in (path, partners[0]):
            image = decode(file)
            if image is None:
                raise ImageError(f"{file}: cannot be read, or is smaller than 32 pixels; replace it")
            images.append(image)
        (height, width, _), (rows, columns, _) = (image.shape for image in images)
        if (height, width) != (rows, columns):
            sizes = f"{width} x {height} pixels, but {partners[0]} is {columns} x {rows}"
            raise ImageError(f"{path}: {sizes}; crop them to the same view")
        pair = Pair(*(at_most(self._long_side, image) for image in images))
        apart = offset(*pair)
        if apart > APART:
            shift = f"is {apart * width / pair.clean.shape[1]:.1f} pixels apart from {partners[0]}"
            raise ImageError(f"{path}: {shift}, or shows too little of it; align them, or remove both")
        return pair


def _photos(folder: Path) -> list[Path]:
    paths = list(find_photos([folder]))
    if not paths:
        raise UsageError(f"{folder}: no images in it; --pairs takes a folder of dirty and one of clean ones")
    return paths


def _name(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).with_suffix("").as_posix()
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name
