"""Write TIFF: 8 and 16 bits, grey to RGBA, any number of pages or in bands of rows, with all the metadata.

Pillow's own writer knows no 16-bit colour and loses part of the tags when it compresses.
"""

import os
import zlib
from collections.abc import Iterable
from itertools import accumulate
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import AppendingTiffWriter, ImageFileDirectory_v2

from imgen.image.metadata import Metadata
from imgen.image.pixels import Pixels, to_rgba
from imgen.image.strips import Layout, encoded, layout_of

_STRIP_BYTES = 1 << 20
_LEVEL = 4  # of deflate: four times faster than its default, and a photograph hardly more than a tenth larger
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PREDICTOR, _EXTRA = 273, 277, 278, 279, 317, 338
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _XMP, _ICC = 282, 283, 296, 700, 34675
_DEFLATE, _HORIZONTAL, _INCH, _STRAIGHT_ALPHA = 8, 2, 2, 2
_LONG8 = 16  # a type: 64 bits
_CLASSIC, _BIG = b"II*\0\0\0\0\0", b"II+\0\x08\0\0\0" + bytes(8)
_CLASSIC_BYTES = 4_000_000_000  # of pixels: what positions of 32 bits reach, less what deflate and metadata may add


def write_tiff(stream: BinaryIO, frames: list[Pixels], metadata: Metadata) -> None:
    """One page a frame, deflated; the metadata goes to the first."""
    if len(frames) == 1:
        write_tiff_bands(stream, frames, layout_of(frames[0]), metadata)
        return
    with AppendingTiffWriter(stream) as pages:
        for index, frame in enumerate(frames):
            described = metadata if index == 0 else Metadata(icc=metadata.icc)
            write_tiff_bands(pages, [frame], layout_of(frame), described)
            pages.newFrame()


def write_tiff_bands(stream: BinaryIO, bands: Iterable[Pixels], layout: Layout, metadata: Metadata) -> None:
    """A single page, at the start of ``stream``; a BigTIFF if it may need one."""
    grey_alpha = layout.channels == 2 and layout.dtype == np.uint16  # few programs, Pillow not among them, read that
    channels = 4 if grey_alpha else layout.channels
    rows = layout.rows_within(_STRIP_BYTES)
    big = layout.height * layout.width * channels * layout.dtype.itemsize > _CLASSIC_BYTES
    directory = ImageFileDirectory_v2(_BIG if big else _CLASSIC)
    _describe(directory, metadata)
    directory[_WIDTH], directory[_LENGTH] = layout.width, layout.height
    directory[_BITS] = (8 * layout.dtype.itemsize,) * channels
    directory[_SAMPLES] = channels
    directory[_PHOTOMETRIC] = 1 if channels < 3 else 2
    if channels in {2, 4}:
        directory[_EXTRA] = _STRAIGHT_ALPHA
    directory[_COMPRESSION], directory[_PREDICTOR] = _DEFLATE, _HORIZONTAL
    directory[_ROWS] = rows
    if big:
        directory.tagtype[_OFFSETS] = _LONG8
    directory[_COUNTS] = directory[_OFFSETS] = (0,) * -(-layout.height // rows)
    directory.save(stream)  # once to keep its place, and again when it is known how large the strips are
    sizes = []
    for strip in encoded(bands, layout, rows, _compressed):
        stream.write(strip)
        sizes.append(len(strip))
    directory[_COUNTS] = tuple(sizes)
    directory[_OFFSETS] = (0, *accumulate(sizes[:-1]))  # Pillow adds where they begin
    stream.seek(0)
    directory.save(stream)
    stream.seek(0, os.SEEK_END)


def _compressed(strip: Pixels) -> bytes:
    """Rows as differences from pixel to pixel, little-endian, deflated."""
    if strip.shape[2] == 2 and strip.dtype == np.uint16:
        strip = to_rgba(strip)
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<"), copy=False).data, _LEVEL)


def _describe(directory: ImageFileDirectory_v2, metadata: Metadata) -> None:
    if metadata.exif:
        exif = Image.Exif()
        exif.load(metadata.exif)
        for tag in exif:
            directory[tag] = exif.get_ifd(tag) if tag in {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo} else exif[tag]
    if metadata.dpi:
        directory[_X_RESOLUTION], directory[_Y_RESOLUTION] = metadata.dpi
        directory[_RESOLUTION_UNIT] = _INCH
    if metadata.xmp:
        directory[_XMP] = metadata.xmp
    if metadata.icc:
        directory[_ICC] = metadata.icc
