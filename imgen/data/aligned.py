"""Images that show one place, pixel on pixel, and the same random square of all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.data.damaged import attempts, leave_out
from imgen.data.square import over_white
from imgen.errors import ImageError
from imgen.image.file import read
from imgen.image.pixels import to_8bit

Layer = NDArray[np.unsignedinteger[Any]]
"""A photograph, H x W x 3, or a map of numbers, H x W, which are never mixed."""
Files = tuple[Path, ...]


class Aligned:
    """Places of one or more layers each, decoded once and kept in memory.

    Those that cannot be used, because a file is damaged or the sizes differ, are named in one warning and left out.

    Args:
        files: those of each place.
        decode: the layers of a place from its files, in always the same order.
        side: to which the shorter side of each is brought, in pixels.

    Raises:
        ImageError: more than 5 % of the places cannot be used.
    """

    def __init__(self, files: Sequence[Files], decode: Callable[[Files], tuple[Layer, ...]], side: int) -> None:
        outcomes = list(attempts(lambda place: _brought_to(side, decode(place), place), files))
        leave_out([outcome for outcome in outcomes if isinstance(outcome, ImageError)], len(files))
        self.places = [outcome for outcome in outcomes if not isinstance(outcome, ImageError)]

    def __len__(self) -> int:
        return len(self.places)

    def crop(self, number: int, rng: np.random.Generator, size: int, *, mirror: bool = True) -> tuple[Layer, ...]:
        """The same random square of all layers of a place, size x size (x 3), half of the time mirrored.

        Args:
            number: of the place.
            rng: decides where it is.
            size: of the square, in pixels: the shorter side of the place at most.
            mirror: False never mirrors.
        """
        layers = self.places[number]
        top, left = (int(rng.integers(0, length - size + 1)) for length in layers[0].shape[:2])
        squares = (layer[top : top + size, left : left + size] for layer in layers)
        step = -1 if mirror and rng.random() < 0.5 else 1
        return tuple(np.ascontiguousarray(square[:, ::step]) for square in squares)


def read_photo(path: Path) -> NDArray[np.uint8]:
    """The pixels of a file, H x W x 3 RGB: upright, grey ones as colours, what is transparent as white.

    Raises:
        ImageError: not readable.
    """
    pixels = over_white(to_8bit(read(path).pixels))
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def read_halves(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The left and the right half of a file, H x W x 3 RGB each.

    Raises:
        ImageError: not readable, or of an odd width.
    """
    pixels = read_photo(path)
    width = pixels.shape[1]
    if width % 2:
        raise ImageError(f"{path}: {width} pixels wide; two images side by side are of one width each")
    return pixels[:, : width // 2], pixels[:, width // 2 :]


def _brought_to(side: int, layers: tuple[Layer, ...], files: Files) -> tuple[Layer, ...]:
    """Layers whose shorter side is as long as asked for."""
    sizes = [f"{layer.shape[1]} x {layer.shape[0]}" for layer in layers]
    if len(set(sizes)) > 1:
        names = " and ".join(map(str, files))
        raise ImageError(f"{names}: {' and '.join(sizes)} pixels; bring them to one size")
    height, width = layers[0].shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    return tuple(_resized(layer, size) for layer in layers)


def _resized(layer: Layer, size: tuple[int, int]) -> Layer:
    smooth = cv2.INTER_AREA if size[0] < layer.shape[1] else cv2.INTER_CUBIC
    method = smooth if layer.ndim == 3 else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(layer, size, interpolation=method), layer.dtype)
