"""Graphs that compute in half precision where that is safe: layers with weights, and what lies between them.

Norms, divisions, exponentials, comparisons, coordinates and all that was not made by a layer stay in single precision,
with a Cast where the two meet, so that a graph takes and gives what it did.

onnxruntime computes such graphs in single precision on most CPUs and takes away casts that follow each other: neither
the overflow nor the rounding of a GPU shows there. So a graph is rehearsed: the same nodes in single precision, every
value that would be half rounded to its 11 bits of significance, and the largest of each given out. What comes near to
the largest number of half precision stays in single precision, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference

from imgen.errors import ModelError
from imgen_export.compact import copied
from imgen_export.compare import Difference, compare
from imgen_export.form import Form

LARGEST = 65504.0
"""Of half precision."""
HEADROOM = 4.0
"""Photographs may give larger values than what a graph is rehearsed with, by as much."""
LEAST_PSNR = 40.0
"""Of a graph in half precision against torch, in decibels."""

_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
# Half where all that they are given is.
_BETWEEN = frozenset(
    {"Add", "Clip", "Concat", "LeakyRelu", "Mul", "PRelu", "Relu", "Sigmoid", "Sub", "Tanh"}
    | {"AveragePool", "BatchNormalization", "MaxPool", "Pad"}
    | {"DepthToSpace", "Expand", "Flatten", "Identity", "Reshape", "Slice", "SpaceToDepth", "Split"}
    | {"Squeeze", "Transpose", "Unsqueeze"}
)
_SPLITTER = 2.0**13 + 1  # Dekker 1971: x * s - (x * s - x) is x rounded to 24 - 13 bits


def lower(model: onnx.ModelProto, form: Form, outputs: tuple[str, ...]) -> tuple[onnx.ModelProto, Difference, float]:
    """A graph in half precision, rehearsed.

    Args:
        model: in single precision, its weights initializers.
        form: what it was traced from.
        outputs: its names for what torch gives.

    Returns:
        The graph, how far it is from torch, and the largest value inside.

    Raises:
        ModelError: results too far from torch's.
    """
    large: set[str] = set()
    while True:
        rehearsal, watched = _Rewriting(model, large).rehearsed()
        names = [f"{name}.largest" for name in watched]
        difference = compare(rehearsal, form, outputs, watched=names)
        found = {name for name, most in zip(watched, difference.watched, strict=True) if not most * HEADROOM <= LARGEST}
        if not found:
            break
        large |= found
    if difference.psnr < LEAST_PSNR:
        far = f"{difference.psnr:.1f} dB from torch, less than {LEAST_PSNR:g}"
        raise ModelError(f"half precision is {far}; not written, take fp32")
    lowered = _Rewriting(model, large).lowered()
    compare(lowered, form, outputs)
    return lowered, difference, float(difference.watched.max(initial=0))


@dataclass
class _Rewriting:
    """A copy of a graph, its nodes one after the other."""

    source: onnx.ModelProto
    large: set[str]  # values that are too much for half precision
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    added: dict[str, onnx.TensorProto] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)  # by the name of a value: what it is called in half precision
    inside: set[str] = field(default_factory=set)  # of those, what came out of nodes in half precision

    def __post_init__(self) -> None:
        graph = shape_inference.infer_shapes(self.source).graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        values = (*graph.input, *graph.output, *graph.value_info)
        kinds = {value.name: value.type.tensor_type.elem_type for value in values}
        kinds |= {name: tensor.data_type for name, tensor in self.weights.items()}
        self.floats = {name for name, kind in kinds.items() if kind == TensorProto.FLOAT}

    def lowered(self) -> onnx.ModelProto:
        """In half precision."""
        raised: set[str] = set()
        for each in self.source.graph.node:
            node = copied(each)
            if self._is_half(node):
                for place, name in self._floats_of(node.input):
                    node.input[place] = self._entered(name)
                for place, name in self._floats_of(node.output):
                    node.output[place] = self.made[name] = f"{name}.half"
                    self.inside.add(name)
            else:
                self._leave(node.input, raised)
            self.nodes.append(node)
        self._leave([value.name for value in self.source.graph.output], raised)
        return self._finished()

    def rehearsed(self) -> tuple[onnx.ModelProto, list[str]]:
        """In single precision, rounded; and the names of values: for each, NAME.largest is one more output."""
        self.added["half.splitter"] = numpy_helper.from_array(np.array(_SPLITTER, np.float32), "half.splitter")
        watched: dict[str, str] = {}  # value, and where it is before it is rounded
        for each in self.source.graph.node:
            node = copied(each)
            if not self._is_half(node):
                self.nodes.append(node)
                continue
            for place, name in self._floats_of(node.input):
                if name not in self.made:
                    self.made[name] = f"{name}.rounded"
                    if name in self.weights:
                        values = numpy_helper.to_array(self.weights[name]).astype(np.float16).astype(np.float32)
                        self.added[name] = numpy_helper.from_array(values, self.made[name])
                    else:
                        self.nodes.extend(_rounding(name, self.made[name]))
                        watched[name] = name
                node.input[place] = self.made[name]
            self.nodes.append(node)
            for place, name in self._floats_of(node.output):
                node.output[place] = f"{name}.exact"
                self.nodes.extend(_rounding(node.output[place], name))
                self.made[name] = name
                self.inside.add(name)
                watched[name] = node.output[place]
        for name, exact in watched.items():
            self.nodes.append(helper.make_node("Abs", [exact], [f"{name}.size"]))
            self.nodes.append(helper.make_node("ReduceMax", [f"{name}.size"], [f"{name}.largest"], keepdims=0))
        model = self._finished()
        model.graph.output.extend(
            helper.make_tensor_value_info(f"{name}.largest", TensorProto.FLOAT, []) for name in watched
        )
        return model, list(watched)

    def _is_half(self, node: onnx.NodeProto) -> bool:
        """Whether it computes in half precision, given what those before it do."""
        if node.domain or not self._floats_of(node.output):
            return False
        taken = [name for _, name in self._floats_of(node.input)]
        if not self.large.isdisjoint([*taken, *node.output]):
            return False
        weights = [name for name in taken if name in self.weights]
        if not all(_fits(numpy_helper.to_array(self.weights[name])) for name in weights):
            return False
        if node.op_type in _LAYERS:
            return node.input[1] in weights
        others = [name for name in taken if name not in weights]
        return node.op_type in _BETWEEN and bool(others) and self.inside.issuperset(others)

    def _floats_of(self, names: Sequence[str]) -> list[tuple[int, str]]:
        return [(place, name) for place, name in enumerate(names) if name in self.floats]

    def _entered(self, name: str) -> str:
        """What a value is called in half precision, made so if it is not yet."""
        if name not in self.made:
            self.made[name] = f"{name}.half"
            if name in self.weights:
                half = numpy_helper.to_array(self.weights[name]).astype(np.float16)
                self.added[name] = numpy_helper.from_array(half, self.made[name])
            else:
                self.nodes.append(helper.make_node("Cast", [name], [self.made[name]], to=TensorProto.FLOAT16))
        return self.made[name]

    def _leave(self, names: Iterable[str], raised: set[str]) -> None:
        """Make single precision of those that there are in half precision only."""
        for name in names:
            if name in self.inside and name not in raised:
                self.nodes.append(helper.make_node("Cast", [self.made[name]], [name], to=TensorProto.FLOAT))
                raised.add(name)

    def _finished(self) -> onnx.ModelProto:
        model = copied(self.source)
        del model.graph.node[:]
        del model.graph.value_info[:]
        del model.graph.initializer[:]
        model.graph.node.extend(self.nodes)
        taken = {name for node in self.nodes for name in node.input}
        stored = (*self.source.graph.initializer, *self.added.values())
        model.graph.initializer.extend(tensor for tensor in stored if tensor.name in taken)
        return model


def _rounding(name: str, rounded: str) -> list[onnx.NodeProto]:
    """What brings single precision to the significance of half precision, which no optimiser sees through."""
    scaled, rest = f"{rounded}.scaled", f"{rounded}.rest"
    return [
        helper.make_node("Mul", [name, "half.splitter"], [scaled]),
        helper.make_node("Sub", [scaled, name], [rest]),
        helper.make_node("Sub", [scaled, rest], [rounded]),
    ]


def _fits(values: NDArray[np.float32]) -> bool:
    """Whether half precision neither overflows at weights nor makes nothing of them."""
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return bool(np.isfinite(half).all() and (half.any() or not values.any()))
