"""From the bytes of a file to arrays of pixels."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from imgen.errors import ImageError, ImgenError
from imgen.image.deep import is_deep_colour, read_deep_colour
from imgen.image.metadata import orientation_of
from imgen.image.pixels import Pixels, as_stored, has_alpha, to_rgba, without_alpha

# Called directly and not through Image.open: that knows fifty formats, among them some that run other
# programs, and has a limit of its own for all threads. The extra pictures inside a phone's JPEG
# (depth, gain map), which Pillow shows as frames of an "MPO", are left alone.
_READERS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WEBP": WebPImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
}
# Tags of TIFF.
_SUBFILE_TYPE, _PHOTOMETRIC = 254, 262
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 273, 279, 324, 325
_STRIP_PIXELS = 1 << 20


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns whatever Pillow raises over a hostile file (nearly anything) into one line."""
    try:
        yield
    except (ImgenError, MemoryError):
        raise
    except Exception as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: cannot be decoded, it is damaged or cut short ({detail})") from error


def open_image(stream: BinaryIO, name: str) -> ImageFile:
    """The file's header, nothing decoded yet.

    Raises:
        ImageError: empty, or none of the formats that imgen reads.
    """
    prefix = stream.read(16)
    if not prefix:
        raise ImageError(f"{name}: is empty (0 bytes)")
    for format_, reader in _READERS.items():
        accept = Image.OPEN[format_][1]
        if accept is None or accept(prefix) is True:
            stream.seek(0)
            return reader(stream)
    raise ImageError(f"{name}: is not an image that imgen can read; it reads {', '.join(_READERS)}")


def frames_of(image: ImageFile, stream: BinaryIO, name: str, max_pixels: int) -> tuple[list[Pixels], list[float]]:
    """All frames of an animation or pages of a TIFF, upright, and their durations in milliseconds (0 if unknown).

    Raises:
        ImageError: together more than ``max_pixels``, or pixels that imgen cannot hold.
    """
    count = getattr(image, "n_frames", 1)
    animated = count > 1 and image.format != "TIFF"  # the pages of a TIFF differ in size
    check_size(name, image.size, count if animated else 1, max_pixels)
    frames: list[Pixels] = []
    durations: list[float] = []
    for index in range(count):
        image.seek(index)
        if isinstance(image, TiffImageFile):
            if index and image.tag_v2.get(_SUBFILE_TYPE, 0) & 1:
                continue  # a smaller copy of another page, outdated as soon as that is edited
            _check_whole(image, stream, name)
            check_size(name, image.size, 1, max_pixels - sum(f.shape[0] * f.shape[1] for f in frames))
        frames.append(_decode(image, stream, name, index))
        durations.append(float(image.info.get("duration") or 0))
    if image.format == "GIF":  # its frames come in several modes
        frames = _alike(frames)
    return frames, durations


def check_size(name: str, size: tuple[int, int], count: int, max_pixels: int) -> None:
    """Refuse what would need too much memory, before any of it is decoded."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name}: has no pixels ({width} x {height})")
    if width * height * count > max_pixels:
        frames = f" x {count} frames" if count > 1 else ""
        raise ImageError(
            f"{name}: {width} x {height}{frames} is more than the limit of {max_pixels:,} pixels; "
            "raise it with --max-pixels if you trust the file"
        )


def _check_whole(image: TiffImageFile, stream: BinaryIO, name: str) -> None:
    """Refuse a page whose data lie beyond the file's end, of which both decoders would print complaints."""
    tags = image.tag_v2
    offsets, sizes = tags.get(_STRIPS, tags.get(_TILES, ())), tags.get(_STRIP_SIZES, tags.get(_TILE_SIZES, ()))
    length = stream.seek(0, os.SEEK_END)
    if any(offset + size > length for offset, size in zip(offsets, sizes, strict=False)):
        raise ImageError(f"{name}: is cut short; copy or download it again")


def _decode(image: ImageFile, stream: BinaryIO, name: str, index: int) -> Pixels:
    """The current frame, upright."""
    if is_deep_colour(image, stream):
        stored = read_deep_colour(image, stream, name, index)
        if image.format == "TIFF":  # OpenCV turns these itself, as Pillow does
            return stored
        orientation = orientation_of(image)
        if orientation == 1:
            return stored
        upright = _empty_upright(stored.shape[:2], stored.shape[2], stored.dtype, orientation)
        as_stored(upright, orientation)[:] = stored
        return upright
    if image.mode in {"I", "F", "LAB", "HSV"}:
        raise ImageError(f"{name}: pixels of kind {image.mode!r} are not supported; convert it to 8-bit RGB or 16-bit")
    image.load()
    convert = _conversion(image)
    first = np.asarray(convert(image.crop((0, 0, 1, 1))))
    channels = 1 if first.ndim == 2 else first.shape[2]
    dtype = np.dtype(np.uint16 if first.dtype.itemsize == 2 else np.uint8)
    orientation = orientation_of(image)
    upright = _empty_upright((image.height, image.width), channels, dtype, orientation)
    stored = as_stored(upright, orientation)
    # Strip by strip: converting a large image at once would hold it four times over.
    step = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, step):
        strip = convert(image.crop((0, top, image.width, min(top + step, image.height))))
        stored[top : top + step] = np.asarray(strip).reshape(-1, image.width, channels)
    if dtype == np.uint16 and isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0:  # white is 0
        np.invert(upright, out=upright)
    if dtype == np.uint16 and "transparency" in image.info:  # one grey level is transparent
        alpha = np.where(upright == image.info["transparency"], 0, 65535).astype(np.uint16)
        return np.concatenate([upright, alpha], axis=2)
    return upright


def _empty_upright(stored: tuple[int, ...], channels: int, dtype: np.dtype[np.generic], orientation: int) -> Pixels:
    height, width = stored if orientation <= 4 else stored[::-1]
    return np.empty((height, width, channels), dtype)


def _conversion(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What turns an image of this mode into one that numpy can hold: grey, RGB, with or without alpha."""
    if image.mode == "CMYK":
        return _cmyk_conversion(image.info.get("icc_profile"))
    if image.mode.startswith("I;16") or image.mode in {"LA", "RGBA"}:
        return lambda strip: strip
    grey = image.mode in {"1", "L", "La"}
    alpha = image.has_transparency_data
    mode = ("LA" if alpha else "L") if grey else ("RGBA" if alpha else "RGB")
    return lambda strip: strip.convert(mode)


def _cmyk_conversion(profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """CMYK to sRGB through the image's own profile; by the plain formula when it has none that works."""
    if profile:
        try:
            transform = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), "CMYK", "RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            return lambda strip: ImageCms.applyTransform(strip, transform) or strip
    return lambda strip: strip.convert("RGB")


def _alike(frames: list[Pixels]) -> list[Pixels]:
    """8-bit frames all as RGB, or all as RGBA if one of them has alpha."""
    whole = [to_rgba(frame) for frame in frames]
    if any(has_alpha(frame) for frame in whole):
        return whole
    return [without_alpha(frame).copy() for frame in whole]
