"""16 bits in more than one channel: Pillow would drop eight of them, so these files are read here."""

from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from imgen.errors import ImageError
from imgen.image.pixels import Pixels

_BITS_PER_SAMPLE, _EXTRA_SAMPLES = 258, 338  # tags of TIFF


def is_deep_colour(image: ImageFile, stream: BinaryIO) -> bool:
    """Whether the current frame has 16 bits in more than one channel, of which Pillow would drop eight."""
    if image.mode == "CMYK":  # becomes 8-bit RGB anyway
        return False
    if isinstance(image, TiffImageFile):
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))
        return len(bits) > 1 and max(bits) == 16
    return image.format == "PNG" and _png_depth_and_colour(stream) in {(16, 2), (16, 4), (16, 6)}


def _png_depth_and_colour(stream: BinaryIO) -> tuple[int, int]:
    position = stream.tell()
    stream.seek(24)
    depth, colour = stream.read(2)
    stream.seek(position)
    return depth, colour


def read_deep_colour(image: ImageFile, stream: BinaryIO, name: str, index: int) -> Pixels:
    """16-bit grey + alpha, RGB or RGBA through OpenCV."""
    import cv2

    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise ImageError(f"{name}: a 16-bit animation is not supported; convert it to 8 bits")
    if isinstance(image, TiffImageFile) and 1 in image.tag_v2.get(_EXTRA_SAMPLES, ()):
        raise ImageError(f"{name}: 16-bit colours multiplied with alpha are not supported; save it with straight alpha")
    stream.seek(0)
    content = stream.read()
    data = np.frombuffer(content, np.uint8)
    if image.format == "PNG":
        PngImageFile(BytesIO(content)).verify()  # OpenCV would print its complaints
        decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    else:
        _, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
        decoded = pages[0] if pages else None
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise ImageError(f"{name}: cannot be decoded, it is damaged or of a rare kind; convert it to PNG")
    if image.format == "PNG" and _png_depth_and_colour(stream)[1] == 4:
        return np.ascontiguousarray(decoded[..., [0, 3]]).astype(np.uint16, copy=False)
    for row in decoded:  # BGR to RGB without a second copy of the image
        row[:, [0, 2]] = row[:, [2, 0]]
    wanted = 4 if image.has_transparency_data else 3  # the fourth channel of some TIFFs means nothing
    return decoded[..., :wanted].astype(np.uint16, copy=False)
