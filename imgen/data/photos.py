"""Random crops of the photographs in some folders."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError, UsageError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


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
            decoded = pool.map(lambda path: _decode(path, long_side), paths)
            self.images = [image for image in decoded if image is not None]
        if not self.images:
            raise ImageError(f"none of the {len(paths)} files could be read as an image; are they all broken?")
        self._weights = np.cumsum([np.sqrt(image.shape[0] * image.shape[1]) for image in self.images])

    def __len__(self) -> int:
        return len(self.images)

    def crop(
        self, rng: np.random.Generator, size: int, reduction: tuple[float, float] = (0.86, 3.0)
    ) -> NDArray[np.uint8]:
        """A random square of a random photograph at a random scale, perhaps mirrored: size x size x 3, RGB.

        Photographs come up in proportion to the square root of their area: large ones hold more to
        see, but must not crowd out the rest.

        Args:
            rng: decides all.
            size: of the square, in pixels.
            reduction: the smallest and the largest factor by which a photograph is made smaller, where it
                is large enough.
        """
        image = self.images[int(np.searchsorted(self._weights, rng.random() * self._weights[-1]))]
        shorter = min(image.shape[:2])
        side = int(np.clip(size * np.exp(rng.uniform(*np.log(reduction))), min(size, shorter), shorter))
        top, left = (rng.integers(0, n - side + 1) for n in image.shape[:2])
        square = image[top : top + side, left : left + side]
        if side != size:
            method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
            square = np.asarray(cv2.resize(square, (size, size), interpolation=method), np.uint8)
        return np.ascontiguousarray(square[:, ::-1] if rng.random() < 0.5 else square)


def find_photos(folders: Iterable[Path]) -> Iterable[Path]:
    """Image files below the folders, each folder's sorted by name, so that every machine sees one order."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; --data takes folders of photographs")
        yield from sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def _decode(path: Path, long_side: int) -> NDArray[np.uint8] | None:
    """RGB pixels no larger than asked for; None for a file that cannot be read (a data set has some)."""
    data = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if data is None or min(data.shape[:2]) < 32:
        return None
    scale = long_side / max(data.shape[:2])
    if scale < 1:
        size = (round(data.shape[1] * scale), round(data.shape[0] * scale))
        data = cv2.resize(data, size, interpolation=cv2.INTER_AREA)
    return np.asarray(data, np.uint8)
