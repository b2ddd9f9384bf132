"""Read and write image files."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from imgen.image.metadata import Metadata

DEFAULT_MAX_PIXELS = 100_000_000

Source = Path | str | bytes | BinaryIO
Pixels = NDArray[np.uint8] | NDArray[np.uint16]

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
}
"""The format that each suffix stands for, of those that can be written."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before a pixel is decoded; width and height are those of the upright image."""

    format: str  # Pillow's name: "PNG", "JPEG", ...
    width: int
    height: int
    frames: int


@dataclass
class Picture:
    """Decoded pixels and all that is needed to write them back as they came."""

    frames: list[Pixels]  # H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; upright and writable
    format: str
    metadata: Metadata

    @property
    def pixels(self) -> Pixels:
        """The first frame."""
        return self.frames[0]


def probe(source: Source) -> Header:
    """The header alone."""
    raise NotImplementedError


def read(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """All frames, upright."""
    raise NotImplementedError


def read_mask(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> NDArray[np.uint8]:
    """H x W, 0..255."""
    raise NotImplementedError


def format_named(name: str) -> str:
    """Pillow's name of the format a user calls "jpg", "JPEG", "tif", ..."""
    raise NotImplementedError


def suffix_for(format_: str) -> str:
    """The usual suffix of a format, with its dot: ".jpg" of "JPEG"."""
    raise NotImplementedError


def format_for(path: Path, format_: str | None, source_format: str) -> str:
    """The format a target is to be written in."""
    raise NotImplementedError


def write(
    picture: Picture,
    target: Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002
    quality: int | None = None,
    strip_metadata: bool = False,
) -> None:
    """Write all frames."""
    raise NotImplementedError
