"""What an image file holds beside its pixels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metadata:
    """Carried from the file read to the file written."""

    icc: bytes | None = None
    exif: bytes | None = None  # without its orientation, which has been applied
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    durations: tuple[float, ...] = ()  # milliseconds, one a frame
    loop: int | None = None  # how often an animation plays; 0 is for ever
