"""From arrays of pixels to the bytes of a file."""

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imgen.errors import ImageError, UsageError
from imgen.image.bmp import LARGEST, size_of, write_bmp
from imgen.image.jpeg import can_recode, recoded
from imgen.image.metadata import Metadata
from imgen.image.palette import indexed
from imgen.image.pixels import Pixels, has_alpha, to_8bit, without_alpha
from imgen.image.png import write_png
from imgen.image.strips import layout_of
from imgen.image.tiff import write_tiff

OPAQUE = {"JPEG", "BMP"}
"""The formats that hold no alpha."""

_DEFAULT_QUALITY = {"JPEG": 95, "WEBP": 90, "AVIF": 90}
_LONGEST_SIDE = {"JPEG": 65500, "GIF": 65535, "WEBP": 16383, "AVIF": 65535}
_ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
_JPEG_SEGMENT = 65533 - 29  # bytes, less the header of XMP: what does not fit is left out


class _Sink:
    """A stream without a file number: given one, Pillow writes past Python and cannot say why it failed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write
        self.flush = stream.flush
        self.seek = stream.seek
        self.tell = stream.tell


def check(name: str, frames: list[Pixels], source_format: str, target_format: str, *, may_round: bool) -> None:
    """Refuse what the format would lose.

    Args:
        name: of the target, for the message.
        frames: what is to be written.
        source_format: what the frames were read from; those of a TIFF are pages, all others an animation.
        target_format: Pillow's name.
        may_round: 16 bits may become 8.

    Raises:
        ImageError: alpha, 16 bits, frames or a size that ``target_format`` cannot hold.
    """
    for frame in frames:
        check_size(name, frame.shape[0], frame.shape[1], target_format)
    if len(frames) > 1 and target_format not in ({"TIFF"} if source_format == "TIFF" else _ANIMATED):
        choice = "tiff" if source_format == "TIFF" else "gif, webp, avif or png"
        raise ImageError(f"{name}: there are {len(frames)} frames, which {target_format} cannot hold; choose {choice}")
    holds_deep = target_format == "TIFF" or (target_format == "PNG" and len(frames) == 1)
    if not (may_round or holds_deep) and any(frame.dtype == np.uint16 for frame in frames):
        there = " in an animation" if len(frames) > 1 else ""
        raise ImageError(
            f"{name}: the image has 16 bits, {target_format} holds 8{there}; choose png or tiff, "
            f"or say --format {target_format.lower()} to round it"
        )
    if target_format in OPAQUE and any(has_alpha(frame) for frame in frames):
        raise ImageError(f"{name}: the image has transparency, which {target_format} cannot hold; choose png or webp")
    if target_format == "GIF" and any(_is_translucent(frame) for frame in frames):
        raise ImageError(f"{name}: the image is translucent, GIF knows only all or nothing; choose png or webp")


def check_size(name: str, height: int, width: int, target_format: str) -> None:
    """Refuse a size that the format cannot hold.

    Raises:
        ImageError: a side is too long for ``target_format``, or all of it too much.
    """
    longest = _LONGEST_SIDE.get(target_format, width + height)
    if max(height, width) > longest:
        raise ImageError(
            f"{name}: {width} x {height} is too large for {target_format} (at most {longest}); choose png or tiff"
        )
    if target_format == "BMP" and size_of(height, width, 3) > LARGEST:
        raise ImageError(f"{name}: {width} x {height} is too large for BMP (at most 4 GiB); choose png or tiff")


def check_quality(quality: int | None) -> None:
    """Refuse what is no quality.

    Raises:
        UsageError: not within 1..100.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"quality is {quality}; it goes from 1 to 100")


def encode(stream: BinaryIO, frames: list[Pixels], format_: str, metadata: Metadata, quality: int | None) -> None:
    """Write the file; the frames have passed ``check``.

    Args:
        stream: where to; readable and seekable too.
        frames: one, or those of an animation.
        format_: Pillow's name.
        metadata: what goes along.
        quality: 1..100 for JPEG, WebP and AVIF (the others lose nothing and ignore it); None writes a
            JPEG as it was quantised, a lossless WebP without loss, and all else at a high quality.
    """
    if format_ == "TIFF":
        write_tiff(stream, frames, metadata)
    elif format_ == "JPEG" and metadata.jpeg and not quality and can_recode(frames[0], metadata.jpeg):
        image = recoded(to_8bit(frames[0]), metadata.jpeg)
        image.save(_Sink(stream), format_, **jpeg_options(metadata, None))  # type: ignore[arg-type]
    elif format_ == "PNG" and len(frames) == 1 and frames[0].dtype == np.uint16:
        write_png(stream, frames, layout_of(frames[0]), metadata)
    elif format_ == "BMP":
        write_bmp(stream, frames, layout_of(frames[0]), metadata)
    else:
        options = _OPTIONS[format_](metadata, quality)
        if len(frames) > 1:
            options |= _animation(metadata, format_)
        if format_ == "GIF":
            palettes = metadata.palettes if len(metadata.palettes) == len(frames) else [b""] * len(frames)
            images = [indexed(to_8bit(f), np.frombuffer(p, np.uint32)) for f, p in zip(frames, palettes, strict=True)]
            options["disposal"] = 2 if any(has_alpha(frame) for frame in frames) else 1
        else:
            images = [image_of(to_8bit(frame), opaque=format_ in OPAQUE) for frame in frames]
        images[0].save(_Sink(stream), format_, append_images=images[1:], **options)  # type: ignore[arg-type]


def image_of(pixels: NDArray[np.uint8], *, opaque: bool) -> Image.Image:
    """As Pillow holds it; without alpha if it is to be ``opaque``."""
    kept = without_alpha(pixels) if opaque else pixels
    return Image.fromarray(np.ascontiguousarray(kept[..., 0] if kept.shape[2] == 1 else kept))


def _is_translucent(pixels: Pixels) -> bool:
    if not has_alpha(pixels):
        return False
    alpha = to_8bit(pixels[..., -1])
    return bool(((alpha > 0) & (alpha < 255)).any())


def _animation(metadata: Metadata, format_: str) -> dict[str, Any]:
    durations = metadata.durations
    options: dict[str, Any] = {"save_all": True}
    if format_ == "PNG":
        options["default_image"] = metadata.default_image
        durations = durations[1:] if metadata.default_image else durations
    if durations:
        options["duration"] = [round(d) for d in durations]
    if metadata.loop is not None:
        options["loop"] = metadata.loop
    return options


def jpeg_options(metadata: Metadata, quality: int | None) -> dict[str, Any]:
    """What Pillow is told to write a JPEG; arguments as those of ``encode``."""
    options: dict[str, Any] = {"icc_profile": metadata.icc, "dpi": metadata.dpi or (0, 0)}
    options |= {
        key: data
        for key, data in (("exif", metadata.exif), ("xmp", metadata.xmp))
        if data and len(data) <= _JPEG_SEGMENT
    }
    coding = metadata.jpeg
    if coding is None:
        return options | {"quality": quality or _DEFAULT_QUALITY["JPEG"], "subsampling": 0}
    options |= {"subsampling": coding.subsampling, "progressive": coding.progressive, "keep_rgb": coding.rgb}
    return options | ({"quality": quality} if quality else {"qtables": [list(table) for table in coding.tables]})


def _png(metadata: Metadata, _: int | None) -> dict[str, Any]:
    text = PngInfo()
    if metadata.xmp:
        text.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode(errors="replace"))
    return _known({"icc_profile": metadata.icc, "exif": metadata.exif, "dpi": metadata.dpi}) | {"pnginfo": text}


def _webp(metadata: Metadata, quality: int | None) -> dict[str, Any]:
    options = _known({"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp})
    if metadata.lossless and quality is None:
        return options | {"lossless": True, "exact": True}  # exact: colours under full transparency too
    return options | {"quality": quality or _DEFAULT_QUALITY["WEBP"]}


def _avif(metadata: Metadata, quality: int | None) -> dict[str, Any]:
    options = _known({"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp})
    return options | {"quality": quality or _DEFAULT_QUALITY["AVIF"]}


def _gif(metadata: Metadata, _: int | None) -> dict[str, Any]:
    said = {"comment": metadata.edited} if metadata.edited else {}
    return {"optimize": False, **said}  # which would reorder the palettes


def _known(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


_OPTIONS: dict[str, Callable[[Metadata, int | None], dict[str, Any]]] = {
    "JPEG": jpeg_options,
    "PNG": _png,
    "WEBP": _webp,
    "AVIF": _avif,
    "GIF": _gif,
}
