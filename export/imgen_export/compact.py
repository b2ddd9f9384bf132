"""Weights stored in half of the bytes, where that loses nothing.

A float32 tensor whose values are all those of some float16 one is stored as that one, and a Cast makes it what it was:
runtimes do so once, when they load a file.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

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
