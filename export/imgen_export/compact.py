"""Weights stored in half of the bytes, where that loses nothing.

A float32 tensor whose values are all those of some float16 one is stored as that one, and a Cast makes it what it was:
runtimes do so once, when they load a file.
"""

from typing import TypeVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

Message = TypeVar("Message", onnx.ModelProto, onnx.NodeProto)

SMALLEST = 256
"""Values of a kernel or matrix that is worth a Cast."""


def halve(model: onnx.ModelProto) -> None:
    """Store what can be stored in float16 without loss, in place."""
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2 or np.prod(tensor.dims) < SMALLEST:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.array_equal(half, values):
            name = f"{tensor.name}.half"
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(half, name))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def restore(model: onnx.ModelProto) -> None:
    """Undo ``halve``, in place: all weights are initializers in float32 again."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    others = []
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            tensor = stored[node.input[0]]
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, node.output[0]))
        else:
            others.append(node)
    del graph.node[:]
    graph.node.extend(others)


def copied(message: Message) -> Message:
    """Another of the same."""
    other = type(message)()
    other.CopyFrom(message)
    return other
