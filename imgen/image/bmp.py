"""Write BMP from bands of rows: 8 bits, grey or RGB."""

import struct
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from imgen.image.metadata import Metadata
from imgen.image.pixels import Pixels, to_8bit, without_alpha
from imgen.image.strips import Layout, encoded

LARGEST = 2**32 - 1
"""Bytes of a file, whose size it holds in 32 bits."""

_STRIP_BYTES = 1 << 21
_FILE_HEADER, _INFO_HEADER = 14, 40  # bytes
_GREYS = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))
_USUAL_DPI = (96.0, 96.0)


def size_of(height: int, width: int, channels: int) -> int:
    """Bytes of the whole file."""
    return _FILE_HEADER + _INFO_HEADER + len(_palette(channels)) + height * _stride(width, channels)


def write_bmp(stream: BinaryIO, bands: Iterable[Pixels], layout: Layout, metadata: Metadata) -> None:
    """The file begins at the start of ``stream``, which must be seekable: the rows are stored from the bottom up.

    Alpha is left out and 16 bits are rounded.
    """
    width, height, colours = layout.width, layout.height, _colours(layout.channels)
    stride, palette = _stride(width, colours), _palette(colours)
    start = _FILE_HEADER + _INFO_HEADER + len(palette)
    across, down = (round(dpi / 0.0254) for dpi in metadata.dpi or _USUAL_DPI)
    used = len(palette) // 4
    stream.write(struct.pack("<2sIII", b"BM", size_of(height, width, colours), 0, start))
    stream.write(struct.pack("<IiiHHII", _INFO_HEADER, width, height, 1, 8 * colours, 0, height * stride))
    stream.write(struct.pack("<iiII", across, down, used, used))
    stream.write(palette)
    below = height

    def stored(strip: Pixels) -> Pixels:
        rows = np.zeros((len(strip), stride), np.uint8)
        blue_first = without_alpha(to_8bit(strip))[::-1, :, ::-1]
        rows[:, : width * colours] = blue_first.reshape(len(strip), -1)
        return rows

    for rows in encoded(bands, layout, layout.rows_within(_STRIP_BYTES), stored):
        below -= len(rows)
        stream.seek(start + below * stride)
        stream.write(rows.data)


def _colours(channels: int) -> int:
    return 1 if channels < 3 else 3


def _stride(width: int, channels: int) -> int:
    """Bytes of a row, a multiple of four."""
    return -(-width * _colours(channels) // 4) * 4


def _palette(channels: int) -> bytes:
    return _GREYS if channels < 3 else b""
