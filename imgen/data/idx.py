"""Images in the idx files of MNIST (LeCun, Cortes & Burges 1998) and of the sets that took its format over."""

import gzip
import re
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgen.data.items import Numbers
from imgen.data.square import square
from imgen.errors import ImageError, UsageError
from imgen.networks.scale import Shape

_NAME = re.compile(r"(.*?)images([-.])idx3-ubyte(\.gz)?$")


class IdxImages:
    """An idx file of grey images, with the one of labels beside it if there is one (``imgen.data.items.Items``).

    Args:
        path: ``...images-idx3-ubyte``, perhaps ``.gz``; the labels are in ``...labels-idx1-ubyte``.
        size: side of the squares; None takes the power of two that the images fit into.
        channels: 1, or 3 to repeat the grey; None: 1.

    At the size of None images keep their pixels and get a black margin, as LeCun et al. 1998 put 28 x 28 digits
    into 32 x 32 (sec. II.B); to any other size they are resized.

    Raises:
        ImageError: a file is missing, damaged or of another kind.
        UsageError: fewer than two images.
    """

    def __init__(self, path: Path, size: int | None = None, channels: int | None = None) -> None:
        images = read_idx(path)
        if images.ndim != 3:
            raise ImageError(f"{path}: holds {images.ndim} dimensions; images have 3 (number, rows, columns)")
        if len(images) < 2:
            raise UsageError(f"{path}: holds {len(images)} images; two are needed, and hundreds to learn from")
        native = 1 << (max(images.shape[1:]) - 1).bit_length()
        size = size or native
        if size == native:
            (above, left) = ((size - side) // 2 for side in images.shape[1:])
            below, right = size - images.shape[1] - above, size - images.shape[2] - left
            images = np.pad(images, ((0, 0), (above, below), (left, right)))
        self._images, self.labels = images, _labels_beside(path, len(images))
        self.classes = tuple(map(str, range(int(self.labels.max()) + 1)))
        self.shape = Shape(size, channels or 1, len(self.classes))

    def __len__(self) -> int:
        return len(self._images)

    def pixels(self, numbers: Numbers) -> tuple[Tensor, Numbers]:
        """N x C x H x W uint8, and whose they are."""
        size, channels = self.shape.size, self.shape.channels
        images = [square(self._images[number, ..., None], size, channels) for number in numbers]
        return torch.from_numpy(np.stack(images)), numbers


def is_idx(path: Path) -> bool:
    """Whether a file is called as one that holds images in this format."""
    return _NAME.match(path.name) is not None


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of bytes in an idx file, perhaps gzipped.

    Raises:
        ImageError: it cannot be read, is cut short, or holds something else.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(f"{path}: cannot be read ({error}); copy or download it again") from error
    dimensions = data[3] if data[:3] == b"\x00\x00\x08" and len(data) > 3 else 0
    if not dimensions:
        raise ImageError(f"{path}: is no idx file of bytes, which begins with 00 00 08")
    start = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(data[4:start], ">u4").tolist()) if len(data) >= start else (1,)
    if len(data) != start + np.prod(shape, dtype=object):
        raise ImageError(f"{path}: its length is not what its header says; copy or download it again")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _labels_beside(path: Path, count: int) -> NDArray[np.int64]:
    """The labels that belong to a file of images; -1 for all where there is no such file."""
    name = _NAME.match(path.name)
    stem = f"{name[1]}labels{name[2]}idx1-ubyte" if name else ""
    for other in (path.with_name(stem), path.with_name(f"{stem}.gz")) if name else ():
        if other.is_file():
            labels = read_idx(other)
            if labels.shape != (count,):
                raise ImageError(f"{other}: {labels.shape} labels for {count} images; the two are of different sets")
            return labels.astype(np.int64)
    return np.full(count, -1, np.int64)
