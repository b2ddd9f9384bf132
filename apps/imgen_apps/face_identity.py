"""How much two faces look like one person: the cosine of the codes that a network gives them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from imgen.errors import ImageError, ModelError, UsageError
from imgen.image import face
from imgen.runtime import onnxfile
from imgen.runtime.model import Array, one_line
from imgen.runtime.ort import CPU, open_session
from imgen_apps.face_model import FaceModel

_FRAME = (5, 3, 123, 122)
"""Left, top, right and bottom, in a crop of ``imgen.image.face.SIDE``, of the square that face recognisers see.

It brings the points of a face to where they are in crops of 112 x 112 pixels by the template that Deng et al. 2019
("ArcFace", arXiv:1801.07698) and those after them train on.
"""
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
"""Of the colours of ImageNet, by which such networks are normalised."""
_HALVINGS = 6  # of the strength of an edit, where it has to be lowered: to within 1/64

T = TypeVar("T")


class Identity(NamedTuple):
    """What tells people apart."""

    name: str
    embed: Callable[[Array], Array]  # aligned crops, N x 3 x S x S in 0..1, to N x D
    threshold: float | None  # the cosine from which two count as one person, where it is known

    def is_same(self, score: float) -> bool | None:
        """Whether faces of such a cosine count as one person; None where it is not known from where on they do."""
        return None if self.threshold is None else score >= self.threshold


def cosine(first: Array, second: Array) -> float:
    """Of the angle between two codes, 1 x D: 1 for one direction, -1 for opposite ones; 0 if one is zero."""
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) / lengths if lengths else 0.0


def own(model: FaceModel) -> Identity:
    """The identity code of the model that edits."""
    return Identity(model.model.spec.name, lambda crops: model.encode(crops).identity, model.threshold)


def recogniser(path: str | Path, *, threads: int | None = None) -> Identity:
    """A face recogniser of others: an ONNX file with one image, 1 x 3 x H x W, in and one vector out.

    It is given RGB, normalised by the mean and the deviation of ImageNet's colours, of an aligned crop at its own size.

    Raises:
        ModelError: the file is missing, not plain, or another kind of network.
    """
    path = Path(path)
    data, _ = onnxfile.read(path)
    try:
        session = open_session(data, [(CPU, {})], threads)
    except Exception as error:  # onnxruntime's own classes have no base in common
        raise ModelError(f"{path}: onnxruntime cannot load it ({one_line(error)}); export it again") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shape = inputs[0].shape
    sides = [side for side in shape[2:] if isinstance(side, int)]
    plain = len(inputs) == len(outputs) == 1 and inputs[0].type == "tensor(float)" and len(shape) == 4
    if not plain or shape[1] != 3 or len(sides) != 2 or len(outputs[0].shape) != 2:
        found = ", ".join(f"{node.name} {node.type} {node.shape}" for node in inputs)
        raise ModelError(
            f"{path}: not a face recogniser: it takes {found} and gives {len(outputs)} results instead of one "
            "vector of one image, 1 x 3 x 112 x 112"
        )

    def embed(crops: Array) -> Array:
        seen = (_seen(crop, sides[0], sides[1]) for crop in crops)
        return np.concatenate([session.run(None, {inputs[0].name: image})[0] for image in seen])

    return Identity(path.stem, embed, None)


def check_least(least: float | None) -> None:
    """Refuse what is no least score.

    Raises:
        UsageError: not within 0..1.
    """
    if least is not None and not 0 <= least <= 1:
        raise UsageError(f"min-identity is {least:g}, but it must be from 0 to 1 (the very same face)")


def strongest(attempt: Callable[[float], tuple[T, float]], least: float | None) -> tuple[T, float, float]:
    """An edit as strong as it can be with a score of at least ``least``: what it makes, its score, its strength.

    Args:
        attempt: what is made at a strength, 0..1, and its score.
        least: of the score; None: any will do.

    Raises:
        ImageError: the score is below it however small the strength.
    """
    made, score = attempt(1.0)
    if least is None or score >= least:
        return made, score, 1.0
    low, high, best = 0.0, 1.0, None
    for _ in range(_HALVINGS):
        strength = (low + high) / 2
        made, score = attempt(strength)
        if score >= least:
            low, best = strength, (made, score, strength)
        else:
            high = strength
    if best is None:
        raise ImageError(f"however little is changed, the identity is {score:.2f}, below {least:g}; ask for less")
    return best


def _seen(crop: Array, height: int, width: int) -> Array:
    """An aligned crop, 3 x S x S, as a recogniser takes it."""
    left, top, right, bottom = (round(place * crop.shape[-1] / face.SIDE) for place in _FRAME)
    image = crop[:, top:bottom, left:right].transpose(1, 2, 0)
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    normalised = (resized - _MEAN) / _DEVIATION
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], dtype=np.float32)
