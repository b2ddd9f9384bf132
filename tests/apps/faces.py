"""A stand-in for a network that edits faces, and photos with faces for it: who a face is, is the hue of its brow."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from imgen.image import face
from imgen.spec import KEY, Spec
from imgen_apps.face_finding import Face, face_of_box

CELLS = 8  # across and down: how a face looks is the light in so many squares
MOUTH = (6, slice(2, 6))
RED, GREEN = (50, -20, -30), (-40, 50, -10)  # by how much the upper half differs from the lower
BOX = (69.0, 62.0, face.WIDTH, face.HEIGHT)  # of the face in a photo
CROP = (slice(30, 158), slice(40, 168))  # of that photo, what the network sees of it


def _light(where: Any, amount: float) -> list[float]:
    cells = np.zeros((CELLS, CELLS))
    cells[where] = amount
    return cells.ravel().tolist()


SPEC = Spec(
    "tiny-face",
    "face",
    "CC0-1.0",
    inputs=("identity", "attributes", "keep", "shift"),
    outputs=("result", "identity_code", "attribute_code"),
    size=face.SIDE,
    multiple=face.SIDE,
    face={
        "identity": 3,
        "attributes": CELLS**2,
        "directions": {"smile": _light(MOUTH, 0.1), "pale": _light(slice(4), 0.4)},
        "frontal": _light((slice(None), 3), 0.1),
        "threshold": 0.6,
    },
)


def write_face_model(path: Path, **changes: Any) -> Path:
    """Identity: colour of the upper half less the lower; attributes: light of 8 x 8 squares less each half's mean."""
    constants = {
        "half": np.float32(0.5),
        "space": np.array([2, 3]),
        "one": np.array([1]),
        "top": np.array([32, 29]),
        "middle_right": np.array([64, 99]),
        "middle": np.array([64, 29]),
        "bottom": np.array([120, 99]),
        "last": np.array([-1]),
        "halves": np.array([0, 2, CELLS**2 // 2]),
        "cells": np.array([0, CELLS**2]),
        "colour": np.array([0, 3, 1, 1]),
        "grid": np.array([0, 1, CELLS, CELLS]),
        "half_face": np.float32([1, 1, 64, 128]),
        "parts": np.array([3, CELLS**2]),
        "scales": np.float32([1, 1, 16, 16]),
        "zero": np.float32(0),
        "most": np.float32(1),
    }
    node, side = helper.make_node, face.SIDE // CELLS
    nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    nodes = [
        node("Slice", ["identity", "top", "middle_right", "space"], ["brow"]),
        node("Slice", ["identity", "middle", "bottom", "space"], ["chin"]),
        node("ReduceMean", ["brow", "space"], ["upper"], keepdims=0),
        node("ReduceMean", ["chin", "space"], ["lower"], keepdims=0),
        node("Sub", ["upper", "lower"], ["identity_code"]),
        node("AveragePool", ["attributes"], ["squares"], kernel_shape=[side, side], strides=[side, side]),
        node("ReduceMean", ["squares", "one"], ["grey"], keepdims=1),
        node("Reshape", ["grey", "halves"], ["parted"]),
        node("ReduceMean", ["parted", "last"], ["level"], keepdims=1),
        node("Sub", ["parted", "level"], ["light"]),
        node("Reshape", ["light", "cells"], ["attribute_code"]),
        node("Split", ["keep"], ["keep_who", "keep_how"], axis=1, num_outputs=2),
        node("Split", ["shift", "parts"], ["more_who", "more_how"], axis=1),
        node("Mul", ["identity_code", "keep_who"], ["kept_who"]),
        node("Mul", ["attribute_code", "keep_how"], ["kept_how"]),
        node("Add", ["kept_who", "more_who"], ["who"]),
        node("Add", ["kept_how", "more_how"], ["how"]),
        node("Reshape", ["who", "colour"], ["colours"]),
        node("Mul", ["colours", "half"], ["above"]),
        node("Neg", ["above"], ["below"]),
        node("Concat", ["above", "below"], ["two"], axis=2),
        node("Resize", ["two", "", "half_face"], ["skin"], **nearest),
        node("Reshape", ["how", "grid"], ["small"]),
        node("Resize", ["small", "", "scales"], ["large"], **nearest),
        node("Add", ["large", "skin"], ["face"]),
        node("Add", ["face", "half"], ["raised"]),
        node("Clip", ["raised", "zero", "most"], ["result"]),
    ]
    value, floats = helper.make_tensor_value_info, TensorProto.FLOAT
    picture, codes = ["n", 3, face.SIDE, face.SIDE], 3 + CELLS**2
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            value("identity", floats, picture),
            value("attributes", floats, picture),
            value("keep", floats, ["n", 2]),
            value("shift", floats, ["n", codes]),
        ],
        [
            value("result", floats, picture),
            value("identity_code", floats, ["n", 3]),
            value("attribute_code", floats, ["n", CELLS**2]),
        ],
        [onnx.numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {KEY: replace(SPEC, **changes).to_json()})
    onnx.save(model, path)
    return path


def write_recogniser(path: Path, side: int = 112, channels: int = 3) -> Path:
    """A face recogniser of others: the mean colour of the image it is given, one at a time."""
    node = helper.make_node("ReduceMean", ["image", "axes"], ["vector"], keepdims=0)
    value, floats = helper.make_tensor_value_info, TensorProto.FLOAT
    graph = helper.make_graph(
        [node],
        "tiny",
        [value("image", floats, [1, channels, side, side])],
        [value("vector", floats, [1, channels])],
        [onnx.numpy_helper.from_array(np.array([2, 3]), "axes")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def photo(hue: tuple[int, int, int] = RED, height: int = 220, width: int = 210) -> np.ndarray:
    """Noise, and about BOX a face with fine detail and light from the left."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (height, width, 3), np.uint8)
    skin = 120 + random.integers(-6, 7, (128, 128, 3)) + np.linspace(30, -30, 128)[:, None]
    skin[:64] += np.array(hue)
    pixels[CROP] = skin.clip(0, 255)
    return pixels


MARKS = {(255, 0, 255): 1.0, (0, 255, 255): 0.5}
"""Of the colour of one pixel: the corner of a face's box, and how large that is."""


def marked(pixels: np.ndarray, *places: tuple[int, int, float]) -> np.ndarray:
    """The photo with marks by which ``find_marks`` finds faces: left, top and 1.0 or 0.5."""
    result = pixels.copy()
    for left, top, size in places:
        result[top, left] = next(colour for colour, large in MARKS.items() if large == size)
    return result


def find_marks(pixels: np.ndarray) -> list[Face]:
    """A stand-in for a detector."""
    found = []
    for colour, size in MARKS.items():
        for top, left in np.argwhere((pixels[..., :3] == colour).all(2)):
            found.append(face_of_box((float(left), float(top), size * face.WIDTH, size * face.HEIGHT)))
    return found
