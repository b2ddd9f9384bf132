"""Write an edited JPEG so that what was not edited stays as it was."""

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from imgen.image.pixels import Pixels

_BLOCK = 16  # pixels a side: the most that is coded together, with chroma halved both ways
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was quantised, of the upright image, and the file itself."""

    tables: tuple[tuple[int, ...], ...]  # one of 64 steps for each kind of component, not in zigzag order
    subsampling: int  # Pillow's number: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0
    progressive: bool
    rgb: bool  # stored as RGB, not as YCbCr
    orientation: int = field(compare=False)  # 1..8, of the file
    source: bytes = field(compare=False, repr=False)


def coding_of(image: JpegImageFile, orientation: int, source: bytes) -> JpegCoding | None:
    """How ``image``, the header of the file ``source``, was quantised; None of a CMYK file, which is written as RGB."""
    if image.mode == "CMYK":
        return None
    tables = [np.array(image.quantization[key]).reshape(8, 8) for key in sorted(image.quantization)]
    subsampling = max(get_sampling(image), 0)  # what Pillow cannot write, 4:1:1 for one, loses nothing as 4:4:4
    if orientation > 4:  # rows have become columns
        tables = [table.T for table in tables]
        subsampling = 0 if subsampling == 1 else subsampling
    return JpegCoding(
        tables=tuple(tuple(table.ravel().tolist()) for table in tables),
        subsampling=subsampling,
        progressive=bool(image.info.get("progressive")),
        rgb=image.mode == "RGB" and image.info.get("adobe_transform") == 0,
        orientation=orientation,
        source=source,
    )


def can_recode(pixels: Pixels, coding: JpegCoding) -> bool:
    """Whether ``pixels`` are an edited version of the file: same size, and the same grid of blocks."""
    height, width, channels = pixels.shape
    with JpegImageFile(BytesIO(coding.source)) as original:
        size = original.size[::-1] if coding.orientation > 4 else original.size
    same_grid = coding.orientation in {1, 5} or (height % _BLOCK == 0 and width % _BLOCK == 0)
    return channels == 3 and not coding.rgb and size == (width, height) and min(size) > 1 and same_grid


def recoded(pixels: NDArray[np.uint8], coding: JpegCoding) -> Image.Image:
    """RGB pixels that ``can_recode`` as an image of mode "YCbCr" to be written with the tables of ``coding``.

    By way of RGB, blocks nobody touched would not come back as they were: a decoder smooths halved chroma
    between its samples, and every writing would smooth it again. So those blocks take their luma and the
    chroma samples themselves from the file; edited ones are converted.
    """
    height, width = pixels.shape[:2]
    touched = _touched_blocks(pixels, coding)
    result = _decoded(coding, "YCbCr")
    # Decoded at half the size, a file with halved chroma gives each of its samples once.
    samples = _decoded(coding, "YCbCr", reduce=2) if coding.subsampling == 2 else None
    for row, top in enumerate(range(0, height, _BLOCK)):
        strip = pixels[top : top + _BLOCK]
        planes = np.array(result.crop((0, top, width, top + len(strip))))
        if samples:
            halves = np.asarray(samples.crop((0, top // 2, samples.width, (top + len(strip) + 1) // 2)))
            planes[..., 1:] = halves[..., 1:].repeat(2, axis=0).repeat(2, axis=1)[: len(strip), :width]
        if touched[row].any():
            edited = touched[row].repeat(_BLOCK)[:width]
            planes[:, edited] = np.asarray(Image.fromarray(strip).convert("YCbCr"))[:, edited]
        result.paste(Image.frombytes("YCbCr", (width, len(strip)), planes.tobytes()), (0, top))
    return result


def _touched_blocks(pixels: NDArray[np.uint8], coding: JpegCoding) -> NDArray[np.bool_]:
    """For each block, row by row, whether any of its pixels differs from the file's."""
    height, width = pixels.shape[:2]
    original = _decoded(coding, "RGB")
    columns = np.arange(0, width, _BLOCK)
    rows = []
    for top in range(0, height, _BLOCK):
        strip = pixels[top : top + _BLOCK]
        differs = (np.asarray(original.crop((0, top, width, top + len(strip)))) != strip).any(axis=(0, 2))
        rows.append(np.logical_or.reduceat(differs, columns))
    return np.array(rows)


def _decoded(coding: JpegCoding, mode: str, reduce: int = 1) -> Image.Image:
    image = JpegImageFile(BytesIO(coding.source))
    image.draft(mode, (image.width // reduce, image.height // reduce))
    image.load()
    return image.transpose(_TURN[coding.orientation]) if coding.orientation > 1 else image
