"""What an image file holds beside its pixels, and what of it is carried to the file written."""

import math
import re
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from imgen.image.jpeg import JpegCoding, coding_of
from imgen.image.pixels import Pixels, colours_of
from imgen.image.provenance import exif_naming, xmp_naming

# What stays true of a TIFF's tags when its pixels are written anew; the rest describes its layout.
_DESCRIPTIVE = {
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
    ExifTags.IFD.Exif,
    ExifTags.IFD.GPSInfo,
}
# The orientation has been applied, and a thumbnail would still show what has been edited away.
_OUTDATED_XMP = re.compile(
    rb'\s*tiff:Orientation="\d+"|<tiff:Orientation>\d+</tiff:Orientation>|<xmp:Thumbnails>.*?</xmp:Thumbnails>',
    re.DOTALL,
)


@dataclass(frozen=True)
class Metadata:
    """Carried from the file read to the file written."""

    icc: bytes | None = None
    exif: bytes | None = None  # without orientation (applied) and thumbnail (outdated)
    xmp: bytes | None = None  # likewise
    dpi: tuple[float, float] | None = None
    durations: tuple[float, ...] = ()  # of an animation: milliseconds, one a frame
    loop: int | None = None  # how often an animation plays: 0 is for ever, None once
    default_image: bool = False  # of an animated PNG: the first frame is no part of the animation
    palettes: tuple[bytes, ...] = ()  # of a GIF: the colours of each frame, see imgen.image.palette
    jpeg: JpegCoding | None = None
    lossless: bool = False  # of a WebP
    edited: str = ""  # what made the image into another than was taken, in words; see ``edited_with``

    def stripped(self) -> "Metadata":
        """Without what tells of the image, but for what has edited it; with what its pixels are written by."""
        bare = replace(self, icc=None, exif=None, xmp=None, dpi=None, edited="")
        return bare.edited_with(self.edited) if self.edited else bare

    def edited_with(self, text: str) -> "Metadata":
        """Of an image that shows another than this one did: EXIF, XMP and the comment of a GIF say so, stripped too."""
        return replace(self, exif=exif_naming(text, self.exif), xmp=xmp_naming(text, self.xmp), edited=text)

    def resized(self, height: int, width: int) -> "Metadata":
        """Of an image made from this one in another size: EXIF says that size, and no pixel is as a JPEG coded it."""
        return replace(self, exif=_exif_of_size(self.exif, height, width), jpeg=None)

    def recoloured(self) -> "Metadata":
        """Of an image in colour made from a grey one: without the profile of greys, and no pixel is as it was coded."""
        return replace(self, icc=None, jpeg=None)


def metadata_of(image: ImageFile, stream: BinaryIO, frames: list[Pixels], durations: list[float]) -> Metadata:
    """What the file behind ``image`` and ``stream`` holds beside its ``frames``, which have all been decoded."""
    info = image.info
    animated = len(frames) > 1 and image.format != "TIFF"
    return Metadata(
        # The pixels of a CMYK image have been converted to sRGB, so its profile is no longer theirs.
        icc=info.get("icc_profile") or None if image.mode != "CMYK" else None,
        exif=_exif(image),
        xmp=_xmp(image),
        dpi=_dpi(info.get("dpi")),
        durations=tuple(durations) if animated else (),
        loop=info.get("loop") if animated else None,
        default_image=animated and bool(info.get("default_image")),
        palettes=tuple(colours_of(frame).tobytes() for frame in frames) if image.format == "GIF" else (),
        jpeg=_jpeg_coding(image, stream) if isinstance(image, JpegImageFile) else None,
        lossless=image.format == "WEBP" and _is_lossless_webp(stream),
    )


def orientation_of(image: ImageFile) -> int:
    """1..8 as in EXIF; 1 when there is none, or when it cannot be read.

    Not by way of PngImageFile, whose getexif decodes the whole image.
    """
    if image.format == "TIFF":  # Pillow turns these itself
        return 1
    try:
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # the damage of an EXIF block is no reason to refuse the pixels
        return 1
    return value if value in range(1, 9) else 1


def _exif(image: ImageFile) -> bytes | None:
    try:
        exif = Image.Image.getexif(image)
        for tag in list(exif):
            if tag == ExifTags.Base.Orientation or (image.format == "TIFF" and tag not in _DESCRIPTIVE):
                del exif[tag]
        return exif.tobytes() if len(exif) else None  # without the thumbnail: Pillow leaves it out
    except Exception:  # as above
        return None


def _exif_of_size(data: bytes | None, height: int, width: int) -> bytes | None:
    """The block with new numbers where it says how large the image is."""
    if data is None:
        return None
    exif = Image.Exif()
    exif.load(data)
    for values in (exif, exif.get_ifd(ExifTags.IFD.Exif)):
        for tag, size in (
            (ExifTags.Base.ImageWidth, width),
            (ExifTags.Base.ImageLength, height),
            (ExifTags.Base.ExifImageWidth, width),
            (ExifTags.Base.ExifImageHeight, height),
        ):
            if tag in values:
                values[tag] = size
    return exif.tobytes()


def _xmp(image: ImageFile) -> bytes | None:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return _OUTDATED_XMP.sub(b"", xmp) if xmp else None


def _dpi(value: tuple[float, float] | None) -> tuple[float, float] | None:
    try:
        across, down = (float(v) for v in value or ())
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # What a JPEG can hold; and 1 is what Pillow says of a TIFF that does not say.
    usable = all(math.isfinite(v) and 1 < v < 65536 for v in (across, down))
    return (across, down) if usable else None


def _jpeg_coding(image: JpegImageFile, stream: BinaryIO) -> JpegCoding | None:
    stream.seek(0)
    return coding_of(image, orientation_of(image), stream.read())


def _is_lossless_webp(stream: BinaryIO) -> bool:
    """Whether the first bitstream is VP8L. Chunks: four letters, size, content, padding to even."""
    position = 12  # behind "RIFF", size, "WEBP"
    while True:
        stream.seek(position)
        head = stream.read(8)
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind in {b"VP8 ", b"VP8L"} or len(head) < 8:
            return kind == b"VP8L"
        position += 8 + 16 if kind == b"ANMF" else 8 + size + size % 2  # a frame's own chunks are inside
