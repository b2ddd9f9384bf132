"""Upscalers for tests: one of plain numpy, and one of random convolutions as an ONNX file."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from imgen.runtime import Model
from imgen.runtime.model import Array
from imgen.spec import KEY, Spec
from imgen_apps.rows import Rows

SPEC = Spec("blur", "upscale", "CC0-1.0", scale=2, size=0, receptive_field="finite", radius=2)


class Blur(Model):
    """Repeats each pixel twice by twice, mixed with those 2 to its left and right, above and below."""

    def __init__(self, device: str = "cpu", limit: int = 1 << 40, **changes: Any) -> None:
        super().__init__(replace(SPEC, **changes), device, "numpy")
        self.limit = limit  # of pixels at once
        self.seen: list[tuple[int, ...]] = []

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        (image,) = inputs
        if image[:, 0].size > self.limit:
            raise MemoryError
        self.seen.append(image.shape)
        height, width = image.shape[2:]
        padded = np.pad(image, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
        mixed = (
            padded[:, :, 2:-2, :width] + padded[:, :, 2:-2, 4:] + padded[:, :, :height, 2:-2] + padded[:, :, 4:, 2:-2]
        )
        return ((mixed + 4 * image) / 8).repeat(2, axis=2).repeat(2, axis=3)


def rows(image: NDArray[np.float32], height: int = 7) -> Rows:
    """An image, N x C x H x W, in bands of some height."""
    bands = (image[:, :, top : top + height] for top in range(0, image.shape[2], height))
    return Rows(bands, image.shape)


def write_convolutions(path: Path, depth: int = 3, width: int = 16, scale: int = 2) -> Path:
    """Random 3 x 3 convolutions with ReLU and a pixel shuffle, each of which carries a lot: radius ``depth``."""
    rng = np.random.default_rng(0)
    widths = [3, *[width] * (depth - 1), 3 * scale**2]
    nodes, weights, value = [], [], "image"
    for layer, (into, out) in enumerate(pairwise(widths)):
        kernel = rng.normal(0, (2 / (9 * into)) ** 0.5, (out, into, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel{layer}"))
        nodes.append(helper.make_node("Conv", [value, f"kernel{layer}"], [f"conv{layer}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"conv{layer}"], [f"relu{layer}"]))
        value = f"relu{layer}"
    nodes[-1] = helper.make_node("DepthToSpace", [f"conv{depth - 1}"], ["result"], blocksize=scale, mode="CRD")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("image", "result")]
    graph = helper.make_graph(nodes, "random", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    spec = replace(SPEC, name="random", scale=scale, radius=depth)
    helper.set_model_props(model, {KEY: spec.to_json()})
    onnx.save(model, path)
    return path
