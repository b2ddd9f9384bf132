"""The network between two of one architecture, by interpolation of their weights.

Wang et al. 2019, "Deep Network Interpolation for Continuous Imagery Effect Transition", arXiv:1811.10515: two
networks of which one was trained on from the other can be blended weight by weight, and what the blend
makes goes from the first's look to the second's. Done on the bytes of the ONNX files: neither torch nor onnx is needed.
"""

from dataclasses import replace

import numpy as np

from imgen.errors import ModelError
from imgen.runtime.onnxfile import OnnxFile, Weight, structure, weights


def blend(first: OnnxFile, second: OnnxFile, amount: float) -> OnnxFile:
    """The graph of both with the weights (1 - amount) * first + amount * second.

    Raises:
        ModelError: the graphs differ in more than the values of floating-point weights.
    """
    data = bytearray(first.data)
    ours, theirs = weights(data), weights(second.data)
    if structure(data) != structure(second.data) or any(_differ(ours.get(k), theirs.get(k)) for k in ours | theirs):
        raise ModelError(f"{second.where}: not of the architecture of {first.where}; only two of one can be blended")
    for name, weight in ours.items():
        if weight.floats:
            values, other = (np.frombuffer(each.values, weight.floats) for each in (weight, theirs[name]))
            values[:] = (1 - amount) * values.astype(np.float32) + amount * other.astype(np.float32)
    spec = replace(
        first.spec,
        name=f"{first.spec.name} with {amount:g} of {second.spec.name}",
        licence=" AND ".join(sorted({first.spec.licence, second.spec.licence})),
        metrics={},
        parity={},
        weights_sha256="",
    )
    return OnnxFile(f"{first.where}, blended with {second.where}", bytes(data), spec)


def _differ(first: Weight | None, second: Weight | None) -> bool:
    """Whether two initializers differ in more than the values of a layer."""
    if first is None or second is None or first.about != second.about:
        return True
    return len(first.values) != len(second.values) if first.floats else first.values != second.values
