"""Every face of a photo: where it is, how large, how it is turned.

The network knows faces of one range of sizes, so it looks at the photo several times, each time at half the size. What
it gives is a similarity, from which follow the box and, for a typical face, the five points that faces are aligned by.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.errors import ModelError
from imgen.image import face
from imgen.image.tensor import pad_to_multiple, to_nchw
from imgen.runtime import Model, onnxfile
from imgen.runtime.model import Array
from imgen_apps.pipeline import Pipeline, Pixels
from imgen_apps.transparency import opaque

LONG_SIDE = 640
"""Pixels to which a photo is reduced: faces are found from about 20 pixels of them on."""
CLOSER = (2, 4)
"""Factors by which a larger photo is looked at more closely, one after the other, where no face was found."""
SURE = 0.5
"""The least score of a face."""
_SMALLEST = 24  # pixels of the long side at which the last look is taken
_SAME = 0.35  # of two boxes: what they share as a part of both together, from which on they are one face

Values = NDArray[np.float64]


class Face(NamedTuple):
    """A face, in pixels of the photo; the top left corner of its first pixel is 0, 0."""

    box: tuple[float, float, float, float]  # left, top, width, height: from mid-forehead to chin, from ear to ear
    score: float  # 0..1: how sure it is
    points: Values  # 5 x 2: x and y of what imgen.image.face.POINTS names, in this order


class FaceFinder(Pipeline):
    """Finds the faces of images.

    >>> import imgen
    >>> FaceFinder(imgen.load_model("face-detector"))(pixels)[0].box  # doctest: +SKIP
    (180.3, 52.9, 81.1, 103.8)

    Args:
        model: of task "detect-face".
        sure: the least score of a face, 0..1.

    Raises:
        ModelError: the model was made for another task.
    """

    task = "detect-face"

    def __init__(self, model: Model, *, sure: float = SURE):
        super().__init__(model)
        self.sure = sure

    def __call__(self, pixels: Pixels) -> list[Face]:
        """The faces of an image, the largest first; none if there are none.

        Args:
            pixels: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1.

        Raises:
            ModelError: the network cannot run.
            MemoryError: too little memory.
        """
        longest = max(pixels.shape[:2])
        found = self._look(pixels, LONG_SIDE)
        for factor in CLOSER:
            if found or longest < LONG_SIDE * factor / 1.5:
                break
            found = self._look(pixels, LONG_SIDE * factor)
        return found

    def _look(self, pixels: Pixels, long_side: int) -> list[Face]:
        """The faces to be seen at one size and at all smaller ones."""
        height, width = pixels.shape[:2]
        view = _reduced(pixels, long_side / max(height, width))
        parts = []
        while True:
            padded, _ = pad_to_multiple(view, self.model.spec.multiple)
            maps = self.model(padded)[0]
            found = decode(maps[0], maps[1:], padded.shape[2] // maps.shape[1], self.sure)
            factor = np.array([1, width / view.shape[3], height / view.shape[2]])
            parts.append(found * factor[[0, 1, 2, 2, 0]] if len(found) else found)
            if max(view.shape[2:]) < 2 * _SMALLEST:
                break
            view = _halved(view)
        every = np.concatenate(parts)
        return largest_first([_face(*every[each]) for each in separate(boxes(every), every[:, 0])])


def decode(score: Array, pose: Array, stride: int, least: float) -> Values:
    """The faces that a detector's maps show.

    Args:
        score: h x w, 0..1.
        pose: 5 x h x w; see ``imgen.networks.face_detector.FaceDetector``.
        stride: pixels from one place to the next.
        least: score of a face.

    Returns:
        K x 5: score, x and y of the middle and height in pixels of the image, roll in radians, clockwise.
    """
    peaks = (score >= least) & (score >= cv2.dilate(score, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(peaks)
    right, below, size, cos, sin = pose[:, rows, columns].astype(np.float64)
    x, y = stride * (columns + 0.5 + right), stride * (rows + 0.5 + below)
    height = stride * np.exp(np.clip(size, -3, 5))
    return np.stack([score[rows, columns].astype(np.float64), x, y, height, np.arctan2(sin, cos)], 1)


def boxes(found: Values) -> Values:
    """K x 4: left, top, width and height about faces as ``decode`` gives them, which are ellipses."""
    _, x, y, height, roll = found.T
    high, wide = height / 2, height / 2 * face.WIDTH / face.HEIGHT
    right = np.hypot(wide * np.cos(roll), high * np.sin(roll))
    down = np.hypot(wide * np.sin(roll), high * np.cos(roll))
    return np.stack([x - right, y - down, 2 * right, 2 * down], 1)


def separate(boxes: Values, scores: Values) -> list[int]:
    """Which boxes to keep so that none is much the same as one of a higher score; the highest score first.

    Args:
        boxes: K x 4: left, top, width and height.
        scores: K.
    """
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom, area = left + boxes[:, 2], top + boxes[:, 3], boxes[:, 2] * boxes[:, 3]
    waiting, kept = np.argsort(-scores, kind="stable"), []
    while len(waiting):
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        wide = np.minimum(right[best], right[waiting]) - np.maximum(left[best], left[waiting])
        high = np.minimum(bottom[best], bottom[waiting]) - np.maximum(top[best], top[waiting])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        # One within the other is a part of a face that was taken for another.
        same = (shared > _SAME * (area[best] + area[waiting] - shared)) | (shared > 0.7 * area[waiting])
        waiting = waiting[~same]
    return kept


def largest_first(faces: Sequence[Face]) -> list[Face]:
    """By the area of their boxes."""
    return sorted(faces, key=lambda each: -each.box[2] * each.box[3])


def face_of_box(box: tuple[float, float, float, float]) -> Face:
    """An upright face that someone has drawn a box about.

    Args:
        box: left, top, width and height: from mid-forehead to chin, from ear to ear.
    """
    left, top, width, height = box
    side = np.sqrt(width * height * face.HEIGHT / face.WIDTH)  # the height of a face of that area
    return Face(box, 1.0, _points(left + width / 2, top + height / 2, side, 0.0))


def yunet(path: Path, *, sure: float = 0.6) -> Callable[[Pixels], list[Face]]:
    """A detector of others, as ``FaceFinder`` is one of ours.

    Args:
        path: an ONNX file as OpenCV's ``FaceDetectorYN`` takes it (Wu et al. 2023, "YuNet: A Tiny Millisecond-level
            Face Detector"): its outputs are called cls_8, obj_8, bbox_8, kps_8, and so on for 16 and 32.
        sure: the least score of a face, 0..1.

    Raises:
        ModelError: the file cannot be read, or is another kind of network.
    """
    data, _ = onnxfile.read(path)
    if not set(onnxfile.output_names(data)) >= {
        f"{kind}_{n}" for kind in ("cls", "obj", "bbox", "kps") for n in (8, 16, 32)
    }:
        raise ModelError(f"{path}: no face detector of YuNet's format; give one, or leave it out for the built-in one")
    try:
        detector = cv2.FaceDetectorYN.create(str(path), "", (LONG_SIDE, LONG_SIDE), sure)
    except cv2.error as error:
        raise ModelError(f"{path}: OpenCV cannot load it ({' '.join(str(error).split())[:200]})") from error
    lock = threading.Lock()  # it holds the size of the image that it is at

    def find(pixels: Pixels) -> list[Face]:
        height, width = pixels.shape[:2]
        view = _reduced(pixels, LONG_SIDE / max(height, width))[0].transpose(1, 2, 0)
        bgr = np.rint(view[..., ::-1] * 255).astype(np.uint8)
        with lock:
            try:
                detector.setInputSize((bgr.shape[1], bgr.shape[0]))
                found: Any = detector.detect(bgr)[1]
            except cv2.error as error:
                raise ModelError(f"{path}: OpenCV cannot run it ({' '.join(str(error).split())[:200]})") from error
        factor = np.array([width / bgr.shape[1], height / bgr.shape[0]])
        rows = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        faces = []
        for row in rows:
            left, top, wide, high = (row[:4].reshape(2, 2) * factor).ravel().tolist()
            faces.append(Face((left, top, wide, high), float(row[14]), row[4:14].reshape(5, 2) * factor))
        return largest_first(faces)

    return find


def _face(score: float, x: float, y: float, height: float, roll: float) -> Face:
    left, top, wide, high = boxes(np.array([[score, x, y, height, roll]]))[0].tolist()
    return Face((left, top, wide, high), float(score), _points(x, y, height, roll))


def _points(x: float, y: float, height: float, roll: float) -> Values:
    """Where a typical face has the five points."""
    away = (np.array(face.POINTS) - face.CENTRE) * height / face.HEIGHT
    cos, sin = np.cos(roll), np.sin(roll)
    return np.asarray(away @ np.array([[cos, sin], [-sin, cos]]) + (x, y))


def _reduced(pixels: Pixels, factor: float) -> Array:
    """An image as a network looks at it, 1 x 3 x H x W, made smaller if the factor is below 1."""
    colours = np.ascontiguousarray(opaque(pixels))
    if factor < 1:
        height, width = (max(1, round(n * factor)) for n in pixels.shape[:2])
        small = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA)
        colours = small.reshape(height, width, -1)
    return to_nchw(colours if colours.shape[2] == 3 else colours.repeat(3, 2))


def _halved(view: Array) -> Array:
    """1 x C x H x W at half the size."""
    height, width = (max(1, (n + 1) // 2) for n in view.shape[2:])
    small = cv2.resize(view[0].transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None])
