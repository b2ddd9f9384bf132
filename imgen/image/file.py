"""Read and write image files: PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import features
from PIL.ImageFile import ImageFile

from imgen.errors import ImageError, ImgenError, UsageError
from imgen.image.atomic import atomic
from imgen.image.decode import explained, frames_of, open_image
from imgen.image.encode import check, check_quality, encode
from imgen.image.metadata import Metadata, metadata_of, orientation_of
from imgen.image.pixels import Pixels, has_alpha, luminance_over_black, to_8bit
from imgen.lookup import find

DEFAULT_MAX_PIXELS = 100_000_000

Source = Path | str | bytes | BinaryIO
"""A path, the bytes of a file, or a file open for reading."""

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
    ".bmp": "BMP",
} | ({".avif": "AVIF"} if features.check("avif") else {})
"""The format that each suffix stands for; the first suffix of a format is its usual one."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before a pixel is decoded."""

    format: str  # Pillow's name: "PNG", "JPEG", ...
    width: int  # of the upright image
    height: int
    frames: int  # or pages


@dataclass
class Picture:
    """Decoded pixels and all that is needed to write them back as they came."""

    frames: list[Pixels]  # H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; upright, contiguous, writable
    format: str  # Pillow's name of the format they were read from
    metadata: Metadata

    @property
    def pixels(self) -> Pixels:
        """The first frame."""
        return self.frames[0]


def probe(source: Source) -> Header:
    """The header alone; nothing is decoded.

    Raises:
        ImageError: missing, not a file, empty, or not an image that imgen reads.
    """
    with _opened(source) as (name, _, image), explained(name):
        width, height = image.size
        if orientation_of(image) > 4:
            width, height = height, width
        return Header(image.format or "", width, height, getattr(image, "n_frames", 1))


def read(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """All frames, upright.

    Palettes become RGB or RGBA, 1 bit becomes 8 bits grey, CMYK becomes sRGB through its own profile;
    16 bits stay 16 bits. Of a JPEG with several pictures (depth, gain map) only the main one is read.

    Args:
        source: a path, the bytes of a file, or a file open for reading.
        max_pixels: more than this, all frames together, is refused by the header, before decoding.

    Raises:
        ImageError: missing, unreadable, damaged, too large, or pixels of a kind imgen does not hold
            (32-bit integers and floats, LAB).
    """
    with _opened(source) as (name, stream, image), explained(name):
        frames, durations = frames_of(image, stream, name, max_pixels)
        return Picture(frames, image.format or "", metadata_of(image, stream, frames, durations))


def read_mask(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> NDArray[np.uint8]:
    """The first frame of an image of any mode as H x W, 0..255: how white each pixel is.

    Whiteness is the luminance (ITU-R BT.601) of the image laid over black, so strokes painted on a
    transparent layer are a mask; where the whole layer has one colour, be it black, its alpha is the mask.

    Raises:
        ImageError: as ``read``.
    """
    pixels = read(source, max_pixels=max_pixels).pixels
    if pixels.shape[2] in {2, 4}:
        one_colour = bool((pixels[..., :-1] == pixels[0, 0, :-1]).all())
        if one_colour and has_alpha(pixels):
            return to_8bit(pixels[..., -1])
    return luminance_over_black(pixels)


def format_named(name: str) -> str:
    """Pillow's name of the format that a user calls "jpg", "JPEG", ".tif", ...

    Raises:
        UnknownNameError: imgen does not write it.
    """
    names = {suffix[1:]: format_ for suffix, format_ in SUFFIXES.items()}
    return find(names, name.lower().removeprefix("."), "image format")


def suffix_for(format_: str) -> str:
    """The usual suffix of one of Pillow's names: ".jpg" of "JPEG"."""
    return next(suffix for suffix, name in SUFFIXES.items() if name == format_)


def format_for(target: Path | BinaryIO | None, wanted: str | None, source_format: str) -> str:
    """The format to write a file in.

    Args:
        target: of a path the suffix decides, where it is a known one; nothing else has a suffix.
        wanted: Pillow's name of the format asked for; must agree with a known suffix.
        source_format: taken where there is no suffix.

    Raises:
        UsageError: suffix and format contradict each other, or imgen does not write what the suffix says.
    """
    if not isinstance(target, Path):
        return wanted or source_format
    by_suffix = SUFFIXES.get(target.suffix.lower())
    if wanted and by_suffix and wanted != by_suffix:
        raise UsageError(
            f"{target}: the name says {by_suffix} and the format asked for is {wanted}; "
            f"leave one out, or call the file {target.stem}{suffix_for(wanted)}"
        )
    if target.suffix and not by_suffix and not wanted:
        raise UsageError(f"{target}: imgen does not write {target.suffix}; use one of {', '.join(SUFFIXES)}")
    return wanted or by_suffix or source_format


def write(
    picture: Picture,
    target: Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002
    quality: int | None = None,
    strip_metadata: bool = False,
) -> None:
    """Write all frames; a path is written whole or not at all, over an existing file too.

    What a format cannot hold is refused, but for three things: EXIF and XMP where there is no place for
    them (BMP, GIF; beyond 64 kB in JPEG), and 16 bits, which are rounded when ``format`` is given.

    Args:
        picture: what to write.
        target: a path, whose suffix says the format, or a file open for writing.
        format: the format's name as users or Pillow write it; None takes the suffix's, or the picture's own.
        quality: 1..100 for JPEG, WebP and AVIF, the others ignore it; None writes a JPEG that was read as
            JPEG with its own quantisation, so that blocks nobody touched come back as they were.
        strip_metadata: leave out ICC profile, EXIF, XMP and resolution.

    Raises:
        ImageError: the format cannot hold the picture, or the file cannot be written.
        UsageError: format, suffix or quality make no sense.
    """
    check_quality(quality)
    wanted = format_named(format) if format else None
    name = str(target) if isinstance(target, Path) else "the output"
    chosen = format_for(target, wanted, picture.format)
    check(name, picture.frames, picture.format, chosen, may_round=wanted is not None)
    metadata = picture.metadata.stripped() if strip_metadata else picture.metadata
    if isinstance(target, Path):
        with atomic(target) as stream, _encoding(name, chosen):
            encode(stream, picture.frames, chosen, metadata, quality)
    else:
        buffer = BytesIO()  # encoders seek, a pipe does not
        with _encoding(name, chosen):
            encode(buffer, picture.frames, chosen, metadata, quality)
        target.write(buffer.getbuffer())


@contextmanager
def _encoding(name: str, format_: str) -> Iterator[None]:
    try:
        yield
    except (ImgenError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, which atomic explains
            raise
        raise ImageError(f"{name}: cannot be written as {format_} ({error})") from error


@contextmanager
def _opened(source: Source) -> Iterator[tuple[str, BinaryIO, ImageFile]]:
    """What to call the source in messages, its bytes, and its header."""
    if not isinstance(source, str | Path):
        stream = BytesIO(source if isinstance(source, bytes) else source.read())
        with explained("the image"):
            image = open_image(stream, "the image")
        yield "the image", stream, image
        return
    path = Path(source)
    try:
        if path.exists() and not path.is_file():
            raise ImageError(f"{path}: is {'a directory' if path.is_dir() else 'not a regular file'}; name an image")
        stream_ = path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except PermissionError as error:
        raise ImageError(f"{path}: permission denied; make the file readable") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise ImageError(f"{path}: cannot be opened ({getattr(error, 'strerror', None) or error})") from error
    with stream_:
        with explained(str(path)):
            image = open_image(stream_, str(path))
        yield str(path), stream_, image
