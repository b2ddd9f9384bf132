"""From a photo to an aligned crop of a face, and what a network changes there back into the photo.

What goes back is a difference, enlarged: what of the photo is finer than the crop, or was lost on the way through the
network, stays as it was, but where the new face differs too much for it to fit, as teeth do from closed lips. The
difference is weighted by an ellipse about the face that fades out before the crop ends, so there is no seam, and
outside no bit changes.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ImageError
from imgen.image import face as frame
from imgen.image.tensor import to_nchw, to_pixels
from imgen.runtime.model import Array
from imgen_apps.face_finding import Face
from imgen_apps.pipeline import GREY, Pixels
from imgen_apps.transparency import opaque

_MIDDLE, _AXES = (64.0, 68.0), (52.0, 58.0)  # of the ellipse, in a crop of frame.SIDE pixels; within it, all of it
_FADE = 0.22  # of its radius: over which its rim fades out
_OTHER = 0.06  # difference, in 0..1, from which on the fine detail of the photo no longer fits what replaces it
_LIGHT = 16  # to the side of a crop: the standard deviation of the blur that leaves light and colour
_MARGIN = 3  # pixels beyond a window that interpolation looks at
_SLAB_ROWS = 256  # that are worked on at once

Matrix = NDArray[np.float64]  # 2 x 3; from x, y in one image to x, y in another, the corner of the first pixel at 0, 0


class Window(NamedTuple):
    """A rectangle of a photo."""

    left: int
    top: int
    right: int
    bottom: int


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The rotation, uniform scale and shift that bring points nearest to others, in the mean of the squares.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns", eq. 40 to 42.

    Args:
        source: K x 2, of which two differ.
        target: K x 2.
    """
    from_, to = source.mean(0), target.mean(0)
    a, b = source - from_, target - to
    u, d, v = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v)) or 1.0])  # never a mirror
    scale = (d * sign).sum() / a.var(0).sum()
    turn = scale * (u * sign) @ v
    return np.column_stack([turn, to - turn @ from_])


def crop(pixels: Pixels, face: Face, size: int) -> Array:
    """A face as networks take it: upright, its points where ``imgen.image.face.POINTS`` has them.

    What lies beyond the photo is mirrored. Of the photo only the part about the face is touched.

    Args:
        pixels: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1.
        face: in the photo.
        size: side of the crop in pixels.

    Returns:
        1 x 3 x size x size in 0..1.

    Raises:
        ImageError: the face has no size, or lies outside.
    """
    matrix = _to_photo(face, size)
    corners = matrix[:, :2] @ np.array([[0, size, 0, size], [0, 0, size, size]]) + matrix[:, 2:]
    scale = _scale(matrix)
    window = _window(pixels, corners.min(1), corners.max(1), _MARGIN * max(1.0, scale))
    part = np.ascontiguousarray(opaque(pixels[window.top : window.bottom, window.left : window.right]))
    height, width = part.shape[:2]
    if scale > 1:  # by the mean, so that nothing aliases
        reduced = (max(1, round(width / scale)), max(1, round(height / scale)))
        part = cv2.resize(part, reduced, interpolation=cv2.INTER_AREA).reshape(*reduced[::-1], -1)
    factor = np.array([part.shape[1] / width, part.shape[0] / height])[:, None]
    values = to_nchw(part if part.shape[2] == 3 else part.repeat(3, 2))[0].transpose(1, 2, 0)
    here = factor * (matrix - [[0, 0, window.left], [0, 0, window.top]])
    made = _warped(values, here, (size, size), cv2.BORDER_REFLECT).clip(0, 1)  # cubic kernels overshoot
    return np.ascontiguousarray(made.transpose(2, 0, 1)[None])


def paste(pixels: Pixels, face: Face, before: Array, after: Array) -> None:
    """Carry what a network changed in a crop back into the photo, in place.

    Outside the face, and wherever nothing was changed, every bit stays as it was, and so does alpha.

    Args:
        pixels: the photo, as for ``crop``.
        face: in the photo.
        before: 1 x 3 x S x S in 0..1: the crop, or what the network made of it unchanged, ``in_the_light_of`` it.
        after: the same changed.

    Raises:
        ImageError: the face has no size, or lies outside.
    """
    size = before.shape[-1]
    old, new = _plane(before), _plane(after)
    planes = [new - old, old, _otherness(old, new)[..., None]]
    matrix = _to_photo(face, size)
    scale = _scale(matrix)
    change = np.concatenate(planes, 2)
    if scale < 1:
        side = max(1, round(size * scale))
        change = np.stack(
            [cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA) for plane in _split(change)], 2
        )
    middle, axes = (np.array(each) * size / frame.SIDE for each in (_MIDDLE, _AXES))
    centre, reach = matrix[:, :2] @ middle + matrix[:, 2], np.hypot(*(matrix[:, :2] * axes).T)
    window = _window(pixels, centre - reach, centre + reach, 1)
    to_change = _inverse(matrix) * (len(change) / size)
    for top in range(window.top, window.bottom, _SLAB_ROWS):
        slab = Window(window.left, top, window.right, min(top + _SLAB_ROWS, window.bottom))
        weight = _ellipse(slab, to_change, len(change) / frame.SIDE)
        if weight.any():
            _add(pixels[slab.top : slab.bottom, slab.left : slab.right], _laid(change, to_change, slab), weight)


def in_the_light_of(crop: Array, *made: Array) -> list[Array]:
    """What a network made of a crop, the first unchanged, with the light and the colours that it lost on the way.

    Args:
        crop: 1 x 3 x S x S in 0..1.
        made: of the same shape.
    """
    lost = _plane(crop) - _plane(made[0])
    light = cv2.GaussianBlur(lost, (0, 0), len(lost) / _LIGHT).transpose(2, 0, 1)
    return [each + light for each in made]


def in_the_colours_of(crop: Array, made: Array) -> Array:
    """Another face with the mean colour of a crop's, and its contrast, channel by channel; both are 1 x 3 x S x S."""
    old, new = _plane(crop), _plane(made)
    size = len(old)
    weight = _ellipse(Window(0, 0, size, size), np.eye(2, 3), size / frame.SIDE)[..., None]
    total = weight.sum()
    means = [(weight * each).sum((0, 1)) / total for each in (old, new)]
    spreads = [
        np.sqrt((weight * (each - mean) ** 2).sum((0, 1)) / total) + np.float32(1e-3)
        for each, mean in zip((old, new), means, strict=True)
    ]
    gain = np.clip(spreads[0] / spreads[1], 0.7, 1.4)
    matched = new + ((gain - 1) * (new - means[1]) + (means[0] - means[1]))
    return np.asarray(matched, np.float32).transpose(2, 0, 1)[None]


def _add(part: Pixels, change: Array, weight: Array) -> None:
    """Add a change to some pixels in place: h x w x 7, colours, what was there and how much of its detail goes."""
    colours = 1 if part.shape[2] < 3 else 3
    most = np.iinfo(part.dtype).max if part.dtype.kind == "u" else 1
    mine = part[..., :colours]
    difference, gone = change[..., :3], change[..., 6:].clip(0, 1)
    if gone.any():
        there = mine.astype(np.float32) / np.float32(most)
        difference = difference - gone * (there - change[..., 3:6])
    if colours == 1:
        difference = (difference @ GREY)[..., None]
    step = (weight[..., None] * difference * np.float32(most)).astype(np.float64 if part.itemsize > 2 else np.float32)
    made = np.clip(mine + step, 0, most)
    np.copyto(mine, np.rint(made) if most > 1 else made, where=step != 0, casting="unsafe")


def _plane(crop: Array) -> Array:
    """1 x 3 x S x S to S x S x 3."""
    return np.ascontiguousarray(crop[0].transpose(1, 2, 0))


def _otherness(old: Array, new: Array) -> Array:
    """How little the fine detail of one crop fits the other, 0..1, H x W: by what differs but light and colour."""
    sigma = len(old) / 32
    luma = ((new - old) @ GREY).astype(np.float32)
    structure = luma - cv2.GaussianBlur(luma, (0, 0), 2 * sigma)
    power = cv2.GaussianBlur(structure * structure, (0, 0), sigma)
    return np.asarray(1 - np.exp(-power / np.float32(_OTHER**2)), np.float32)


def _to_photo(face: Face, size: int) -> Matrix:
    """From a crop of some size to the photo."""
    points = np.asarray(face.points, np.float64)
    if not (np.isfinite(points).all() and np.ptp(points, 0).max() >= 1):
        raise ImageError("the face is smaller than a pixel; choose another, or give a larger box")
    return similarity(np.array(frame.POINTS) * size / frame.SIDE, points)


def _scale(matrix: Matrix) -> float:
    """Pixels of the photo to one of the crop."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _inverse(matrix: Matrix) -> Matrix:
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def _window(pixels: Pixels, first: Matrix, last: Matrix, margin: float) -> Window:
    height, width = pixels.shape[:2]
    left, top = (int(np.floor(max(n - margin, 0))) for n in first)
    right, bottom = (int(np.ceil(min(n + margin, most))) for n, most in zip(last, (width, height), strict=True))
    if left >= right or top >= bottom:
        raise ImageError(f"the face lies outside the {width} x {height} pixels; give a box within them")
    return Window(left, top, right, bottom)


def _ellipse(window: Window, to_change: Matrix, factor: float) -> Array:
    """How much of a change is to be taken, h x w in 0..1; 0 at its borders and beyond."""
    across, down = np.arange(window.left, window.right) + 0.5, np.arange(window.top, window.bottom)[:, None] + 0.5
    x, y = ((row[0] * across + row[1] * down + row[2]).astype(np.float32) for row in to_change)
    square = ((x / factor - _MIDDLE[0]) / _AXES[0]) ** 2 + ((y / factor - _MIDDLE[1]) / _AXES[1]) ** 2
    inside = np.clip((1 - np.sqrt(square)) / _FADE, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


def _laid(change: Array, to_change: Matrix, window: Window) -> Array:
    """A change as it lies in a window of the photo, h x w x C."""
    here = to_change.copy()
    here[:, 2] += to_change[:, :2] @ (window.left, window.top)
    return _warped(change, here, (window.right - window.left, window.bottom - window.top), cv2.BORDER_REPLICATE)


def _warped(values: Array, matrix: Matrix, size: tuple[int, int], border: int) -> Array:
    """Sampled at where a matrix leads to, cubic; width and height of the result; OpenCV's first pixel is at 0."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.stack(
        [cv2.warpAffine(plane, centred, size, flags=flags, borderMode=border) for plane in _split(values)], 2
    )


def _split(values: Array) -> list[Array]:
    """The channels of H x W x C, of which OpenCV takes four at most together."""
    return [np.ascontiguousarray(values[..., channel]) for channel in range(values.shape[2])]


def in_the_form_of(pixels: Pixels, made: Array) -> Pixels:
    """A crop, 1 x 3 x S x S, with the channels and the type of an image."""
    channels = pixels.shape[2]
    if channels < 3:
        made = np.tensordot(made, GREY, (1, 0))[:, None]
    if channels in (2, 4):
        made = np.concatenate([made, np.ones_like(made[:, :1])], axis=1)
    return to_pixels(made, pixels.dtype)
