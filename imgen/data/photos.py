"""Random crops of the photographs in some folders."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError, UsageError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


class Crop(NamedTuple):
    """A square of one of several images, brought to a size."""

    number: int  # of the image
    top: int
    left: int
    side: int  # in the image
    size: int  # afterwards
    mirrored: bool

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The square: size x size x 3, contiguous."""
        square = image[self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side != self.size:
            method = cv2.INTER_AREA if self.side > self.size else cv2.INTER_CUBIC
            square = np.asarray(cv2.resize(square, (self.size, self.size), interpolation=method), np.uint8)
        return np.ascontiguousarray(square[:, ::-1] if self.mirrored else square)

    def around(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The square three times as wide in whose middle it lies, as large; mirrored where the image ends."""
        slices, sides, missing = [], [], []
        for start, length in zip((self.top, self.left), image.shape[:2], strict=True):
            first, last = max(start - self.side, 0), min(start + 2 * self.side, length)
            ends = [round((end - start + self.side) * self.size / (3 * self.side)) for end in (first, last)]
            slices.append(slice(first, last))
            sides.append(ends[1] - ends[0])
            missing.append((ends[0], self.size - ends[1]))
        small = cv2.resize(image[tuple(slices)], (sides[1], sides[0]), interpolation=cv2.INTER_AREA)
        whole = np.pad(np.asarray(small, np.uint8), (*missing, (0, 0)), "symmetric")
        return np.ascontiguousarray(whole[:, ::-1] if self.mirrored else whole)


class Crops:
    """Where random squares of some images lie.

    Images come up in proportion to the square root of their area: large ones hold more to see, but must not
    crowd out the rest.

    Args:
        images: H x W x 3 each.
    """

    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self._sizes = [image.shape[:2] for image in images]
        self._weights = np.cumsum([np.sqrt(height * width) for height, width in self._sizes])

    def draw(self, rng: np.random.Generator, size: int, reduction: tuple[float, float]) -> Crop:
        """One at a random scale, perhaps mirrored; see ``Photos.crop``."""
        number = int(np.searchsorted(self._weights, rng.random() * self._weights[-1]))
        shorter = min(self._sizes[number])
        side = int(np.clip(size * np.exp(rng.uniform(*np.log(reduction))), min(size, shorter), shorter))
        top, left = (int(rng.integers(0, n - side + 1)) for n in self._sizes[number])
        return Crop(number, top, left, side, size, bool(rng.random() < 0.5))


class Photos:
    """The photographs below some folders, decoded once and kept in memory.

    Kept at no more than ``long_side`` pixels, so that a thousand photographs take about a gigabyte.
    A crop depends only on the random generator it is given: batches can be made again from a seed
    and a step number, which is what makes training resume exactly.
    """

    def __init__(self, folders: Sequence[Path], long_side: int = 768) -> None:
        paths = list(find_photos(folders))
        if not paths:
            names = ", ".join(str(folder) for folder in folders)
            raise UsageError(f"no photographs in {names}; give folders that hold {', '.join(sorted(SUFFIXES))} files")
        with ThreadPoolExecutor() as pool:
            decoded = pool.map(lambda path: _small(path, long_side), paths)
            self.images = [image for image in decoded if image is not None]
        if not self.images:
            raise ImageError(f"none of the {len(paths)} files could be read as an image; are they all broken?")
        self._crops = Crops(self.images)

    def __len__(self) -> int:
        return len(self.images)

    def crop(
        self, rng: np.random.Generator, size: int, reduction: tuple[float, float] = (0.86, 3.0)
    ) -> NDArray[np.uint8]:
        """A random square of a random photograph at a random scale, perhaps mirrored: size x size x 3, RGB.

        Args:
            rng: decides all.
            size: of the square, in pixels.
            reduction: the smallest and the largest factor by which a photograph is made smaller, where it
                is large enough.
        """
        crop = self._crops.draw(rng, size, reduction)
        return crop.of(self.images[crop.number])

    def scene(
        self, rng: np.random.Generator, size: int, reduction: tuple[float, float]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """As ``crop``, and what is around it: see ``Crop.around``."""
        crop = self._crops.draw(rng, size, reduction)
        image = self.images[crop.number]
        return crop.of(image), crop.around(image)


def find_photos(folders: Iterable[Path]) -> Iterable[Path]:
    """Image files below the folders, each folder's sorted by name, so that every machine sees one order."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; give folders of photographs")
        yield from sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def decode(path: Path) -> NDArray[np.uint8] | None:
    """RGB pixels; None for a file that cannot be read (a data set has some) or is smaller than 32 pixels."""
    data = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    return None if data is None or min(data.shape[:2]) < 32 else np.asarray(data, np.uint8)


def at_most(long_side: int, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image no larger than asked for."""
    scale = long_side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _small(path: Path, long_side: int) -> NDArray[np.uint8] | None:
    image = decode(path)
    return None if image is None else at_most(long_side, image)
