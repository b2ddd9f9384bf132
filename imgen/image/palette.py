"""True colours back to the 256 of a GIF, those it came with first."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgen.image.pixels import packed, unpacked

_SIZE = 256
_CHUNK = 4096


def indexed(pixels: NDArray[np.uint8], known: NDArray[np.uint32]) -> Image.Image:
    """``pixels`` (H x W x C, alpha 0 or 255) as an image of mode "P", without dithering.

    Args:
        pixels: what to reduce.
        known: packed colours of the frame as it was read: pixels that still have one of them keep it
            exactly; only new colours are approximated when there are too many.
    """
    colours, index = np.unique(packed(pixels), return_inverse=True)
    table = colours
    if len(colours) > _SIZE:
        is_known = np.isin(colours, np.append(known, np.uint32(0)))  # 0, the transparent one, must stay too
        kept, new = colours[is_known][:_SIZE], colours[~is_known]
        table = np.unique(np.concatenate([kept, _representatives(new, _SIZE - len(kept))]))
        index = _nearest(colours, table)[index]
    image = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8))
    image.putpalette(unpacked(table)[:, :3].tobytes())
    if table[0] == 0:
        image.info["transparency"] = 0
    return image


def _representatives(colours: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    if count == 0 or len(colours) == 0:
        return colours[:0]
    row = Image.fromarray(np.ascontiguousarray(unpacked(colours)[None, :, :3]))
    palette = np.array(row.quantize(count).getpalette(), np.uint8).reshape(1, -1, 3)[:, :count]
    return packed(palette)[0]


def _nearest(colours: NDArray[np.uint32], table: NDArray[np.uint32]) -> NDArray[np.intp]:
    """For each colour the index of the closest in the table; its own when it is there."""
    found = np.empty(len(colours), np.intp)
    targets = unpacked(table).astype(np.float32)
    for start in range(0, len(colours), _CHUNK):
        some = unpacked(colours[start : start + _CHUNK]).astype(np.float32)
        distances = (targets**2).sum(axis=1) - 2 * some @ targets.T  # the square of ``some`` is the same for all
        found[start : start + _CHUNK] = distances.argmin(axis=1)
    return found
