"""How far a graph's results are from torch's."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgen.errors import ModelError
from imgen_export.form import Form

BEST = 150.0
"""PSNR, in decibels, of equal results: JSON has no infinity."""
_PHOTOS = frozenset({"image", "identity", "attributes"})  # inputs that may be as hard as black beside white


class Difference(NamedTuple):
    """Between a graph and torch, at all sizes and over all outputs."""

    worst: float  # of a single value
    psnr: float  # dB, of the output that is the farthest away, to the largest value that it has, 1 or 255 at least
    watched: NDArray[np.float64]  # the largest of each value that was watched


def compare(
    model: onnx.ModelProto, form: Form, outputs: Sequence[str], *, watched: Sequence[str] | None = None
) -> Difference:
    """Run a graph as the form says and set it against torch.

    Args:
        model: with the inputs that the form names.
        form: what was traced, and where to compare.
        outputs: of the graph, in torch's order.
        watched: of a rehearsal, more outputs of one value each. It is run as it is, unoptimised; and to watch it also
            at random black and white pixels, where what looks for alike patches may find others than torch does.

    Raises:
        ModelError: another shape, or values that are no numbers.
    """
    hard, watched = watched is not None, list(watched or ())
    session = _session(model, optimised=not hard)
    worst, errors, peaks = 0.0, [0.0] * len(outputs), [1.0] * len(outputs)
    counts, most = [0] * len(outputs), np.zeros(len(watched))
    for inputs, judged in _cases(form, hard=hard):
        feed = {name: tensor.numpy() for name, tensor in zip(form.names, inputs, strict=True)}
        results = session.run([*outputs, *watched], feed)
        most = np.maximum(most, np.array(results[len(outputs) :], np.float64))
        if not judged:
            continue
        with torch.inference_mode():
            made = form.module(*inputs)
        pairs = zip(results[: len(outputs)], made if isinstance(made, tuple) else (made,), strict=True)
        for each, (got, tensor) in enumerate(pairs):
            wanted = tensor.numpy()
            difference = _difference(got, wanted)
            worst = max(worst, float(difference.max()))
            errors[each] += float(np.square(difference).sum())
            counts[each] += difference.size
            peaks[each] = max(peaks[each], 255.0 if wanted.dtype == np.uint8 else float(np.abs(wanted).max()))
    ratios = (p**2 * count / error if error else np.inf for p, count, error in zip(peaks, counts, errors, strict=True))
    return Difference(worst, min(BEST, *(10 * float(np.log10(ratio)) for ratio in ratios)), most)


def _session(model: onnx.ModelProto, *, optimised: bool) -> Any:
    """A session on the CPU.

    Raises:
        ModelError: onnxruntime cannot run it.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        data = model.SerializeToString()
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes have no base in common
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"onnxruntime cannot run this graph ({reason}); not written") from error


def _cases(form: Form, *, hard: bool) -> Iterator[tuple[tuple[Tensor, ...], bool]]:
    """What a graph is tried with, and whether its results count; thrice at a size that is the only one it takes."""
    for size in form.compared:
        if any(form.free):
            given = [form.inputs(*size)]
        else:
            several = form.inputs(3, *size[1:])
            given = [tuple(tensor[each : each + 1] for tensor in several) for each in range(3)]
        for inputs in given:
            yield inputs, True
            if hard:
                pairs = zip(form.names, inputs, strict=True)
                yield tuple(_black_and_white(x) if name in _PHOTOS else x for name, x in pairs), False


def _difference(got: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """How far every value is away.

    Raises:
        ModelError: the shapes differ, or not all are numbers.
    """
    if got.shape != wanted.shape:
        raise ModelError(f"the graph gives {got.shape} where torch gives {wanted.shape}; not written")
    difference = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
    if not np.isfinite(difference).all():
        raise ModelError("the graph gives values that are no numbers, or torch does; not written")
    return difference


def _black_and_white(image: Tensor) -> Tensor:
    """Random pixels, each colour all or nothing."""
    generator = torch.Generator().manual_seed(image.numel())
    chosen = torch.rand(image.shape, generator=generator) > 0.5
    return chosen.to(image.dtype) * (255 if image.dtype == torch.uint8 else 1)
