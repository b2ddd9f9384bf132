"""Write JPEG from bands of rows: strips are coded apart and joined by restart markers (ITU-T T.81, section E.1.4).

The coder forgets all at such a marker, so a strip coded as an image of its own has the very same data, and a
decoder gets the very pixels of the image coded at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from imgen.image.encode import image_of
from imgen.image.pixels import Pixels, to_8bit
from imgen.image.strips import Layout, encoded

_ROWS = 16  # of a strip: whole blocks, also where chroma is halved; and few enough for the 16 bits of an interval
_BLOCK = 8
_START_OF_FRAME = {0xC0, 0xC1}  # of 8 bits, coded in one pass; the second with large quantisation steps
_START_OF_SCAN, _RESTART = 0xDA, 0xD0
_CODING = {"quality", "qtables", "subsampling", "keep_rgb"}  # the options that decide on the data


def write_jpeg(stream: BinaryIO, bands: Iterable[Pixels], layout: Layout, options: Mapping[str, Any]) -> None:
    """A JPEG coded in one pass, whether or not a progressive one is asked for; ``stream`` need not be seekable.

    Alpha is left out and 16 bits are rounded.

    Args:
        stream: where to.
        bands: of pixels.
        layout: what they make.
        options: of Pillow, as ``imgen.image.encode.jpeg_options`` gives them.
    """
    coding = {key: value for key, value in options.items() if key in _CODING}
    blank = np.zeros((_ROWS, layout.width, layout.channels), layout.dtype)
    stream.write(_header(_coded(blank, {**options, "progressive": False}), layout))
    for index, data in enumerate(encoded(bands, layout, _ROWS, partial(_coded, options=coding))):
        if index:
            stream.write(bytes([0xFF, _RESTART + (index - 1) % 8]))
        *_, (_, _, start) = _segments(data)
        stream.write(data[start:-2])  # without the marker of the end
    stream.write(b"\xff\xd9")


def _coded(strip: Pixels, options: Mapping[str, Any]) -> bytes:
    stream = BytesIO()
    image_of(to_8bit(strip), opaque=True).save(stream, "JPEG", **options)
    return stream.getvalue()


def _header(strip: bytes, layout: Layout) -> bytes:
    """All that comes before the data: that of one strip, but with the image's height and with restart markers."""
    header = bytearray(strip[:2])
    interval = 0
    for marker, start, end in _segments(strip):
        segment = bytearray(strip[start:end])
        if marker in _START_OF_FRAME:
            segment[5:7] = layout.height.to_bytes(2, "big")
            across, down = segment[11] >> 4, segment[11] & 15  # of luma, which is never sampled less than chroma
            interval = -(-layout.width // (_BLOCK * across)) * (_ROWS // (_BLOCK * down))
        elif marker == _START_OF_SCAN:
            header += b"\xff\xdd\x00\x04" + interval.to_bytes(2, "big")
        header += segment
    return bytes(header)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the one that the data follow."""
    position, marker = 2, 0
    while marker != _START_OF_SCAN:
        marker, start = data[position + 1], position
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, start, position
