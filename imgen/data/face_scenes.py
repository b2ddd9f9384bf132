"""Scenes with faces whose places are known: aligned faces pasted into photographs that show none.

What is pasted is not to be known by its seam: other pieces, of photographs and of faces taken apart, are pasted in the
very same way. Everything is a function of the random generator.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.data.degrade import real_world
from imgen.data.photos import Photos
from imgen.image.face import CENTRE, HEIGHT, SIDE, WIDTH

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

_REDUCTION = (0.5, 5.0)  # of the photographs behind


class Scene(NamedTuple):
    """An image and the faces in it."""

    image: Pixels  # S x S x 3, RGB
    faces: Plane  # K x 5: x and y of the middle, height, roll (radians, clockwise), 1 or 0: hardly to be seen


class Place(NamedTuple):
    """Where an aligned square comes to lie."""

    x: float  # of the middle of its face
    y: float
    height: float  # of its face
    roll: float  # radians, clockwise

    def matrix(self, side: int) -> NDArray[np.float64]:
        """From the pixels of a square of this side to those of the scene, 2 x 3; middles of pixels are at halves."""
        scale = self.height / HEIGHT * SIDE / side
        cos, sin = scale * np.cos(self.roll), scale * np.sin(self.roll)
        turn = np.array([[cos, -sin], [sin, cos]])
        half = np.full(2, 0.5)  # OpenCV has the middle of the first pixel at 0
        move = np.array([self.x, self.y]) - half - turn @ (np.array(CENTRE) * side / SIDE - half)
        return np.column_stack([turn, move])

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright rectangle about the face, an ellipse."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        high, wide = self.height / 2, self.height / 2 * WIDTH / HEIGHT
        right, down = np.hypot(wide * cos, high * sin), np.hypot(wide * sin, high * cos)
        return self.x - right, self.y - down, self.x + right, self.y + down


class FaceScenes:
    """Draws scenes.

    Args:
        faces: squares of one view each, a face in the middle as in ``imgen.image.face``; of any size.
        photos: without faces.
        heights: smallest and largest height of a pasted face, in pixels.
    """

    def __init__(self, faces: Photos, photos: Photos, heights: tuple[float, float] = (16.0, 110.0)) -> None:
        self.faces, self.photos, self.heights = faces, photos, heights

    def draw(self, rng: np.random.Generator, size: int) -> Scene:
        """One of size x size pixels, with up to four faces and up to three pieces that are none."""
        scene = self.photos.crop(rng, size, _REDUCTION)
        count = int(rng.choice(5, p=[0.2, 0.45, 0.2, 0.1, 0.05]))
        kinds = [True] * count + [False] * int(rng.integers(0, 4))
        placed: list[tuple[Place, float]] = []  # and how much of its box is to be seen
        faces: list[bool] = []
        for is_face in rng.permutation(np.array(kinds, bool)):
            place = self._place(rng, size)
            if any(_overlap(place.box(), other.box()) > 0.05 for other, _ in placed):
                continue
            piece = self._face(rng) if is_face else self._other(rng)
            cover = paste(scene, _lit(piece, rng), _outline(len(piece), rng), place)
            placed = [(other, seen - _share(cover, other.box())) for other, seen in placed]
            seen = _inside(place.box(), size)
            if is_face and seen > 0.5 and rng.random() < 0.2:
                seen -= self._hide(scene, place, rng)
            placed.append((place, seen))
            faces.append(bool(is_face))
        image = _finished(scene, rng)
        rows = [(*place, float(seen > 0.6)) for (place, seen), face in zip(placed, faces, strict=True) if face]
        return Scene(image, np.array(rows, np.float32).reshape(-1, 5))

    def _place(self, rng: np.random.Generator, size: int) -> Place:
        low, high = np.log(self.heights)
        height = float(np.exp(rng.uniform(low, min(high, np.log(1.1 * size)))))
        roll = rng.uniform(-0.7, 0.7) if rng.random() < 0.6 else rng.normal(0, 0.12)
        if rng.random() < 0.04:
            roll = rng.uniform(-1.2, 1.2)
        margin = 0.2 * height
        x, y = rng.uniform(min(margin, size / 2), max(size - margin, size / 2), 2)
        return Place(float(x), float(y), height, float(roll))

    def _face(self, rng: np.random.Generator) -> Pixels:
        face = self.faces.images[int(rng.integers(len(self.faces)))]
        return face[:, ::-1] if rng.random() < 0.5 else face

    def _other(self, rng: np.random.Generator) -> Pixels:
        """A piece of a photograph, or a face whose parts are not where they belong."""
        kind = rng.random()
        if kind < 0.6:
            return self.photos.crop(rng, SIDE, (0.3, 4.0))
        face = self._face(rng)
        half = len(face) // 2
        if kind < 0.75:  # quarters of it at the corners
            return np.roll(face, (half, half), (0, 1))
        if kind < 0.85:  # its lower half above its upper one
            return np.roll(face, half, 0)
        if kind < 0.93:  # a part of it, much enlarged
            top, left = rng.integers(0, len(face) - half // 2, 2)
            return face[top : top + half // 2, left : left + half // 2]
        return np.ascontiguousarray(cv2.GaussianBlur(face, (0, 0), len(face) / 7))  # its colours alone

    def _hide(self, scene: Pixels, place: Place, rng: np.random.Generator) -> float:
        """Lay something over a part of a face; returns the share of its box."""
        left, top, right, bottom = place.box()
        share = rng.uniform(0.1, 0.4)
        side, size = int(rng.integers(4)), len(scene)
        if side == 0:
            bottom = top + share * (bottom - top)
        elif side == 1:
            top = bottom - share * (bottom - top)
        elif side == 2:
            right = left + share * (right - left)
        else:
            left = right - share * (right - left)
        x0, x1 = (int(np.clip(round(x), 0, size)) for x in (left, right))
        y0, y1 = (int(np.clip(round(y), 0, size)) for y in (top, bottom))
        if x1 > x0 and y1 > y0:
            cover = self.photos.crop(rng, SIDE, (0.5, 4.0))
            scene[y0:y1, x0:x1] = cv2.resize(cover, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        return float(share)


def paste(scene: Pixels, piece: Pixels, mask: Plane, place: Place) -> Plane:
    """Lay a square piece over a scene, in place.

    Args:
        scene: H x W x 3.
        piece: n x n x 3.
        mask: n x n; 1: the piece covers the scene, 0: it is not to be seen.
        place: where; its height is that of a face that would lie in the piece as ``imgen.image.face`` has it.

    Returns:
        The mask as it lies in the scene, H x W.
    """
    scale = place.height / HEIGHT * SIDE / len(piece)
    if scale < 1:  # first made smaller by the mean, so that nothing aliases
        side = max(4, round(len(piece) * scale))
        piece = np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    height, width = scene.shape[:2]
    matrix = place.matrix(len(piece))
    # Beyond its edge a piece goes on as it is there: the mask alone says where it ends.
    laid = cv2.warpAffine(piece, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = np.asarray(cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)
    scene[:] = np.rint(scene + cover[..., None] * (laid.astype(np.float32) - scene)).astype(np.uint8)
    return cover


def _outline(side: int, rng: np.random.Generator) -> Plane:
    """What of a piece is to be seen: an ellipse about a head, hard or feathered, or all of it."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    kind = rng.random()
    if kind < 0.35:
        mask[:] = 1
        if kind < 0.15:  # fading out at its edges
            mask[:4] = mask[-4:] = 0
            mask[:, :4] = mask[:, -4:] = 0
    else:
        axes = (rng.uniform(40, 60), rng.uniform(50, 62))
        middle = (64 + rng.uniform(-3, 3), 66 + rng.uniform(-4, 4))
        cv2.ellipse(mask, (middle, (2 * axes[0], 2 * axes[1]), 0), 1.0, -1)
    if rng.random() < 0.7 and kind > 0.1:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(np.exp(rng.uniform(0, np.log(8))))), np.float32)
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _lit(piece: Pixels, rng: np.random.Generator) -> Pixels:
    """In another light, most of the time."""
    if rng.random() < 0.3:
        return piece
    gamma = np.exp(rng.normal(0, 0.25))
    gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.06, 3))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gain
    table = np.clip(np.rint(255 * levels), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(piece), table[None]), np.uint8)


def _finished(scene: Pixels, rng: np.random.Generator) -> Pixels:
    """As a camera and a web site might leave it: light, grey, blur, noise, JPEG."""
    if rng.random() < 0.5:
        scene = _lit(scene, rng)
    if rng.random() < 0.12:
        scene = np.repeat(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    return real_world(scene, 1, rng) if rng.random() < 0.5 else scene


def _inside(box: tuple[float, float, float, float], size: int) -> float:
    """The share of a box that lies in the scene."""
    left, top, right, bottom = box
    seen = max(0.0, min(right, size) - max(left, 0)) * max(0.0, min(bottom, size) - max(top, 0))
    return seen / ((right - left) * (bottom - top))


def _share(cover: Plane, box: tuple[float, float, float, float]) -> float:
    """The share of a box that is covered."""
    left, top, right, bottom = (max(0, round(n)) for n in box)
    part = cover[top:bottom, left:right]
    return float(part.mean()) if part.size else 0.0


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """What two boxes share, as a part of the smaller one."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return max(0.0, wide) * max(0.0, high) / smaller
