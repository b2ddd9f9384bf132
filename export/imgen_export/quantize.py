"""Graphs whose convolutions compute in 8 bits, kept only if they lose little and are faster here.

Static quantisation as QuantizeLinear and DequantizeLinear around convolutions (Jacob et al. 2018, arXiv:1712.05877):
weights by channels, symmetrical, in -127..127; what goes in by tensors, in 0..255, from the least to the largest value
that photographs give. The first layer and the last two stay as they are: most of what quantisation loses is lost there.
Where it still loses more than is allowed, the second and then the third stay, too.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from imgen.errors import ModelError, UsageError
from imgen.runtime.ort import CPU, open_session
from imgen.spec import Spec
from imgen_export.calibration import TASKS, Example, examples
from imgen_export.compact import SMALLEST, copied
from imgen_export.quiet import quiet
from imgen_export.variant import Variant

MOST_KEPT = 5
"""Layers at the front that may stay as they are."""

ROUNDS = 9
"""In which two graphs take turns."""


def quantize(model: onnx.ModelProto, spec: Spec, variant: Variant) -> tuple[onnx.ModelProto, dict[str, float]]:
    """A graph in 8 bits, and what it costs.

    Args:
        model: in single precision, its weights initializers.
        spec: of it, with its graph.
        variant: says where photographs are, and how much may be lost.

    Returns:
        The graph; ``loss`` in decibels on photographs that it has not seen, ``truth_psnr`` in single precision,
        ``faster`` times than that here, and how many ``photos`` the figures are from.

    Raises:
        UsageError: a task without a truth to measure against, or too few photographs.
        ModelError: it loses too much, or is not faster.
    """
    if spec.task not in TASKS or variant.photos is None:
        known = ", ".join(TASKS)
        raise UsageError(f"{spec.name!r} is for {spec.task}; what int8 loses is known of {known} only: take fp16")
    learnt, held = examples(spec, variant.photos, variant.size)
    session = open_session(model.SerializeToString(), [(CPU, {})], None)
    before = _mean_score(session, held)
    for kept in range(1, MOST_KEPT + 1):
        quantised = in_int8(model, learnt, kept)
        other = open_session(quantised.SerializeToString(), [(CPU, {})], None)
        loss = before - _mean_score(other, held)
        if loss <= variant.max_loss:
            break
    faster = speed_ratio(session, other, held[0])
    figures = f"{loss:.2f} dB of {before:.2f} lost on {len(held)} photos, {faster:.2f} times as fast as fp32"
    if not loss <= variant.max_loss:
        raise ModelError(f"int8: {figures}; --max-loss allows {variant.max_loss:g} dB; not written, take fp16")
    if faster <= 1:
        raise ModelError(f"int8: {figures} on this processor; not written, take fp32")
    return quantised, {"loss": loss, "truth_psnr": before, "faster": faster, "photos": len(held)}


def in_int8(model: onnx.ModelProto, learnt: Sequence[Example], kept: int = 1) -> onnx.ModelProto:
    """The graph with its inner convolutions quantised by what some photographs give, without the first ``kept``.

    Raises:
        UsageError: there are no inner convolutions.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    model = copied(model)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node.{number}"
    inner = inner_layers(model)
    if not inner:
        raise UsageError("there is no convolution between the first and the last; int8 has nothing to do, take fp16")
    with TemporaryDirectory() as folder, quiet():
        path = Path(folder, "int8.onnx")
        quantize_static(
            model,
            path,
            _Reader(learnt),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=inner[min(kept, len(inner)) - 1 :],
        )
        quantised = onnx.load(path)
    used = {node.domain for node in quantised.graph.node}
    imports = [entry for entry in quantised.opset_import if entry.domain in used]
    del quantised.opset_import[:]
    quantised.opset_import.extend(imports)
    return quantised


def inner_layers(model: onnx.ModelProto) -> list[str]:
    """The names of the learnt convolutions with another before them and two behind, one after the other."""
    weights = {tensor.name for tensor in model.graph.initializer if _is_learnt(tensor)}
    nodes = list(model.graph.node)
    layers = {node.name for node in nodes if node.op_type == "Conv" and node.input[1] in weights}
    before = _reached(nodes, layers)
    backwards = [_turned(node) for node in reversed(nodes)]
    behind = _reached(backwards, layers & _reached(backwards, layers))
    return [node.name for node in nodes if node.name in layers & before & behind]


def _is_learnt(tensor: onnx.TensorProto) -> bool:
    """Whether these are weights of a layer, by the name that torch gives them; fixed kernels must stay exact."""
    return bool(np.prod(tensor.dims) >= SMALLEST) and tensor.name.endswith(".weight")


def speed_ratio(first: Any, second: Any, example: Example) -> float:
    """How many times faster the second session is: medians of rounds in which the two take turns."""
    times: list[list[float]] = [[], []]
    for session in (first, second):
        _result(session, example)
    for _ in range(ROUNDS):
        for session, own in zip((first, second), times, strict=True):
            start = time.perf_counter()
            _result(session, example)
            own.append(time.perf_counter() - start)
    return median(times[0]) / median(times[1])


class _Reader:
    """Examples one by one, as onnxruntime asks for them."""

    def __init__(self, learnt: Sequence[Example]) -> None:
        self._left: Iterator[Example] = iter(learnt)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """One more; None: that was all."""
        example = next(self._left, None)
        return None if example is None else example.feed


def _mean_score(session: Any, held: Sequence[Example]) -> float:
    return fmean(each.score(_result(session, each)) for each in held)


def _result(session: Any, example: Example) -> NDArray[Any]:
    """The first output: what the task is about."""
    result: NDArray[Any] = session.run(None, example.feed)[0]
    return result


def _reached(nodes: Sequence[onnx.NodeProto], layers: set[str]) -> set[str]:
    """The names of the nodes that are given something that came through one of the layers."""
    marked: set[str] = set()
    found = set()
    for node in nodes:
        behind = not marked.isdisjoint(node.input)
        if behind:
            found.add(node.name)
        if behind or node.name in layers:
            marked.update(node.output)
    return found


def _turned(node: onnx.NodeProto) -> onnx.NodeProto:
    """With inputs and outputs exchanged."""
    return onnx.helper.make_node(node.op_type, list(node.output), list(node.input), name=node.name)
