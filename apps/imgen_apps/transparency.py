"""Images with transparency through networks that know none, without fringes.

A transparent pixel has no colour of its own (files hold black, white or anything there), so it takes that of what is
visible around it before a network looks at it. Alpha goes through the network too, as a grey image: on logos that is
3 dB better than to interpolate it.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from imgen.image.tensor import Size, to_nchw, to_pixels
from imgen.runtime.model import Array
from imgen_apps.pipeline import Pixels
from imgen_apps.rows import Rows

_REACHES = (1, 2, 4, 8, 16, 32)  # pixels; as far as the networks look
_STRIP_ROWS = 256
_SLAB_ROWS = 64  # that are converted at once


def planes(frame: Pixels) -> Rows:
    """A frame, H x W x C of any depth, as networks take it: N x 3 x H x W in 0..1, converted as it is read.

    N is 1, or 2 where the frame is not opaque: its alpha then is the second image. Grey is repeated.
    """
    height, width, channels = frame.shape
    translucent = _translucent(frame)
    colours = opaque(frame)

    def bands() -> Iterator[Array]:
        for top in range(0, height, _SLAB_ROWS):
            rows = slice(top, top + _SLAB_ROWS)
            parts = [to_nchw(colours[rows] if channels > 2 else colours[rows].repeat(3, 2))]
            if translucent:
                parts.append(to_nchw(frame[rows, :, -1:].repeat(3, 2)))
            yield np.concatenate(parts)

    return Rows(bands(), (1 + translucent, 3, height, width))


def opaque(frame: Pixels) -> Pixels:
    """The colours of a frame: a view of them, or, where it is not opaque, those that ``bleed`` gives."""
    channels = frame.shape[2]
    return bleed(frame) if _translucent(frame) else frame[..., : channels - (channels in (2, 4))]


def bleed(pixels: Pixels) -> Pixels:
    """The colours of an image with alpha, where those that are visible spread over those that are not.

    Args:
        pixels: H x W x C, C = 2 grey + alpha, 4 RGBA; the alpha is straight, not multiplied with the colours.

    Returns:
        H x W x (C - 1) of the same type: where alpha is 0, the mean of the colours around it, weighted by their
        alpha, over the smallest square that has any; all else is as it was.
    """
    colours = pixels[..., :-1].copy()
    for top in range(0, len(pixels), _STRIP_ROWS):
        first = max(0, top - _REACHES[-1])
        seen = pixels[first : top + _STRIP_ROWS + _REACHES[-1]]
        hidden = seen[..., -1] == 0
        if hidden.any():
            inside = slice(top - first, top - first + _STRIP_ROWS)
            mixed = _mixed(seen)[inside]
            colours[top : top + _STRIP_ROWS][hidden[inside]] = mixed[hidden[inside]]
    return colours


def multiplied(planes: Array) -> Array:
    """Colours and alpha, 2 x C x h x w, with the colours multiplied by alpha: what may be averaged."""
    return planes * np.stack([planes[1], np.ones_like(planes[1])])


def divided(planes: Array) -> Array:
    """Undoes ``multiplied``; colours are 0 where alpha is."""
    alpha = np.where(planes[1] > 0, planes[1], 1)
    return np.clip(planes / np.stack([alpha, np.ones_like(alpha)]), 0, 1)


def clamped(alpha: Array, source: Pixels, size: Size, top: int) -> Array:
    """Some rows of an upscaled alpha, kept between the least and the most that the source has within a pixel.

    So what is opaque stays opaque, and no ghosts appear where nothing was.

    Args:
        alpha: h x width, 0..1.
        source: H x W x C, whose last channel is the alpha that was upscaled.
        size: height and width of the whole result.
        top: where in it the rows begin.
    """
    height, width = source.shape[:2]
    rows = ((np.arange(top, top + len(alpha)) + 0.5) * (height / size[0])).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * (width / size[1])).astype(int)
    first = max(0, rows[0] - 1)
    seen = to_nchw(source[first : rows[-1] + 2, :, -1])[0, 0]
    around = np.ones((3, 3), np.uint8)
    low, high = (change(seen, around)[np.ix_(rows - first, columns)] for change in (cv2.erode, cv2.dilate))
    return np.clip(alpha, low, high)


def _translucent(frame: Pixels) -> bool:
    full = 1 if frame.dtype.kind == "f" else np.iinfo(frame.dtype).max
    return frame.shape[2] in (2, 4) and bool(frame[..., -1].min() < full)


def _mixed(pixels: Pixels) -> Pixels:
    """For every pixel the mean colour around it; as stored where nothing near is visible."""
    planes = to_nchw(pixels)[0].transpose(1, 2, 0)
    alpha = planes[..., -1:]
    weighed = np.concatenate([planes[..., :-1] * alpha, alpha], axis=2)
    mixed = planes[..., :-1].copy()
    missing = np.ones(alpha.shape[:2], bool)
    for reach in _REACHES:
        sums = cv2.boxFilter(weighed, -1, (2 * reach + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT)
        found = missing & (sums[..., -1] > 1e-5)  # less than the least alpha of 16 bits: what rounding leaves of none
        mixed[found] = sums[found][:, :-1] / sums[found][:, -1:]
        missing &= ~found
    return to_pixels(mixed.transpose(2, 0, 1)[None], pixels.dtype)
