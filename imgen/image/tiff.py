"""Write TIFF: 8 and 16 bits, grey to RGBA, any number of pages, with all the metadata.

Pillow's own writer knows no 16-bit colour and loses part of the tags when it compresses.
"""

import zlib
from itertools import accumulate
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import AppendingTiffWriter, ImageFileDirectory_v2

from imgen.image.metadata import Metadata
from imgen.image.pixels import Pixels, to_rgba

_STRIP_BYTES = 1 << 20
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PREDICTOR, _EXTRA = 273, 277, 278, 279, 317, 338
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _XMP, _ICC = 282, 283, 296, 700, 34675
_DEFLATE, _HORIZONTAL, _INCH, _STRAIGHT_ALPHA = 8, 2, 2, 2


def write_tiff(stream: BinaryIO, frames: list[Pixels], metadata: Metadata) -> None:
    """One page a frame, deflated; the metadata goes to the first."""
    if len(frames) == 1:
        _page(stream, frames[0], metadata)
        return
    with AppendingTiffWriter(stream) as pages:
        for index, frame in enumerate(frames):
            _page(pages, frame, metadata if index == 0 else Metadata(icc=metadata.icc))
            pages.newFrame()


def _page(stream: BinaryIO, pixels: Pixels, metadata: Metadata) -> None:
    if pixels.shape[2] == 2 and pixels.dtype == np.uint16:
        pixels = to_rgba(pixels)  # few programs, Pillow not among them, read 16-bit grey + alpha
    height, width, channels = pixels.shape
    pixel_bytes = channels * pixels.dtype.itemsize
    rows = max(1, _STRIP_BYTES // (width * pixel_bytes))
    strips = [_compressed(pixels[top : top + rows]) for top in range(0, height, rows)]
    sizes = [len(strip) for strip in strips]

    directory = ImageFileDirectory_v2(prefix=b"II")
    _describe(directory, metadata)
    directory[_WIDTH], directory[_LENGTH] = width, height
    directory[_BITS] = (8 * pixels.dtype.itemsize,) * channels
    directory[_SAMPLES] = channels
    directory[_PHOTOMETRIC] = 1 if channels < 3 else 2
    if channels in {2, 4}:
        directory[_EXTRA] = _STRAIGHT_ALPHA
    directory[_COMPRESSION], directory[_PREDICTOR] = _DEFLATE, _HORIZONTAL
    directory[_ROWS] = rows
    directory[_COUNTS] = tuple(sizes)
    directory[_OFFSETS] = (0, *accumulate(sizes[:-1]))  # Pillow adds where they begin
    directory.save(stream)
    for strip in strips:
        stream.write(strip)


def _compressed(strip: Pixels) -> bytes:
    """Rows as differences from pixel to pixel, little-endian, deflated."""
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<"), copy=False).data)


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
