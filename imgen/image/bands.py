"""Write an image of which only a band of rows is in memory at a time."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike

from imgen.errors import ImageError
from imgen.image.atomic import atomic, reason_of
from imgen.image.bmp import write_bmp
from imgen.image.encode import check, check_quality, check_size, jpeg_options
from imgen.image.jpeg_strips import write_jpeg
from imgen.image.metadata import Metadata
from imgen.image.pixels import Pixels
from imgen.image.png import write_png
from imgen.image.strips import Layout
from imgen.image.tiff import write_tiff_bands

_WRITERS: dict[str, Callable[[BinaryIO, Iterable[Pixels], Layout, Metadata], None]] = {
    "PNG": write_png,
    "TIFF": write_tiff_bands,
    "BMP": write_bmp,
}
STREAMED = {*_WRITERS, "JPEG"}
"""The formats (Pillow's names) that can be written band by band."""


def write_bands(
    bands: Iterable[Pixels],
    target: Path | BinaryIO,
    *,
    height: int,
    width: int,
    channels: int,
    dtype: DTypeLike,
    source: Metadata,
    format: str,  # noqa: A002
    quality: int | None = None,
    strip_metadata: bool = False,
) -> None:
    """Write an image as ``imgen.image.file.write`` would write the whole: a path is written whole or not at all.

    One band is encoded, in threads, while the next one is taken from ``bands``; more are never in memory. All that
    can be known before is refused before the first is taken. 16 bits are rounded where the format holds 8.

    Args:
        bands: h x ``width`` x ``channels`` of ``dtype``, from top to bottom, of any heights that make ``height``
            together; not to be changed once given.
        target: a path, or a file open for writing, which need not be seekable.
        height: of the image.
        width: of the image.
        channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
        dtype: uint8 or uint16.
        source: what goes along; see ``Metadata.resized``.
        format: one of ``STREAMED``.
        quality: 1..100 for JPEG, the others ignore it; None as in ``imgen.image.file.write``.
        strip_metadata: leave out ICC profile, EXIF, XMP and resolution.

    Raises:
        ImageError: the format cannot hold the image, or the file cannot be written.
        UsageError: ``quality`` is not within 1..100.
        ValueError: the bands do not make the image that was announced.
    """
    name = str(target) if isinstance(target, Path) else "the output"
    layout = Layout(height, width, channels, np.dtype(dtype))
    check_quality(quality)
    check_size(name, height, width, format)
    checked = _checked(bands, layout, name, format)
    metadata = source.stripped() if strip_metadata else source
    with atomic(target) if isinstance(target, Path) else _temporary(target) as stream:
        if format == "JPEG":
            write_jpeg(stream, checked, layout, jpeg_options(metadata, quality))
        else:
            _WRITERS[format](stream, checked, layout, metadata)


def _checked(bands: Iterable[Pixels], layout: Layout, name: str, format_: str) -> Iterator[Pixels]:
    rows = 0
    for band in bands:
        rows += len(band)
        if band.shape[1:] != (layout.width, layout.channels) or band.dtype != layout.dtype or rows > layout.height:
            raise ValueError(f"a band of shape {band.shape} and type {band.dtype}, up to row {rows} of {layout}")
        check(name, [band], format_, format_, may_round=True)
        yield band
    if rows < layout.height:
        raise ValueError(f"bands of {rows} rows in all for {layout}")


@contextmanager
def _temporary(target: BinaryIO) -> Iterator[BinaryIO]:
    """A file that is copied to ``target`` when the block ends well: writers seek, a pipe does not."""
    try:
        with TemporaryFile() as stream:
            yield stream
            stream.seek(0)
            shutil.copyfileobj(stream, target)
    except OSError as error:
        raise ImageError(f"the output: cannot be written, {reason_of(error)}") from error
