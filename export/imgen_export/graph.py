"""Write a network's graph as ONNX, run it at sizes it was not traced at, compare, or refuse."""

import hashlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from imgen.errors import ModelError
from imgen.image.atomic import atomic
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_export.compact import halve
from imgen_export.form import Form, Size
from imgen_export.forms import form_of
from imgen_export.metadata import describe, write_sidecar

OPSET = 18


def export(network: Network, path: Path, spec: Spec, graph: str = "core") -> Spec:
    """Write ``path`` and its JSON sidecar, after the graph has proved equal to torch.

    Args:
        network: with the inputs that ``spec.inputs`` names, and the outputs that ``spec.outputs`` does.
        path: ends in .onnx.
        spec: of the network; the graph, precision and measured parity are filled in.
        graph: "core" or "embed"; see ``imgen_export.forms``.

    Returns:
        The description that was written.

    Raises:
        ModelError: the graph is not what was asked for, or differs from torch; nothing is written.
        UsageError: an unknown graph, or a task that has no embed graph.
    """
    form = form_of(network.eval(), spec, graph)
    spec = replace(spec, inputs=form.names)
    model = _trace(form, spec, path)
    _check(model, path, form)
    halve(model)
    worst = _compare(model, form, spec)
    if worst > form.tolerance:
        raise ModelError(f"{path}: differs from torch by {worst:.1e}, more than {form.tolerance:.0e}; not written")
    sizes: list[Size] = list(form.compared)
    described = replace(spec, graph=graph, parity={"max_difference": worst, "sizes": sizes, "opset": OPSET})
    if graph == "embed":
        described = replace(described, multiple=1)
    describe(model, described)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    with atomic(path) as file:
        file.write(data)
    write_sidecar(path, model, described, hashlib.sha256(data).hexdigest())
    return described


def _trace(form: Form, spec: Spec, path: Path) -> onnx.ModelProto:
    try:
        with _quiet():
            program = torch.onnx.export(
                form.module,
                form.inputs(*form.traced),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=list(spec.inputs),
                output_names=list(spec.outputs),
                dynamic_shapes=tuple(dict(axes) for axes in form.free),
                external_data=False,
            )
    except torch.onnx.OnnxExporterError as error:  # its message is a page, the cause's begins with the reason
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise ModelError(f"{path}: torch cannot write this network ({reason}); not written") from error
    if program is None:
        raise ModelError("torch returned no ONNX program; update torch")
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the pages that torch writes about its internals and about what it cannot trace."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.ERROR)
        try:
            yield
        finally:
            logging.disable(disabled)


def _check(model: onnx.ModelProto, path: Path, form: Form) -> None:
    """Free axes where asked, the opset asked for, standard operators only."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("") != OPSET or any(node.domain for node in model.graph.node):
        raise ModelError(f"{path}: operators {versions} instead of opset {OPSET} of the standard ones; not written")
    for value, free in zip(model.graph.input, form.free, strict=True):
        dims = value.type.tensor_type.shape.dim
        fixed = [axis for axis in free if not dims[axis].dim_param]
        if fixed:
            raise ModelError(f"{path}: axes {fixed} of {value.name!r} came out fixed; not written")


def _compare(model: onnx.ModelProto, form: Form, spec: Spec) -> float:
    """The worst difference between onnxruntime and torch at the sizes that the form compares at."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for size in form.compared:
        inputs = form.inputs(*size)
        with torch.inference_mode():
            made = form.module(*inputs)
        feed = {name: tensor.numpy() for name, tensor in zip(spec.inputs, inputs, strict=True)}
        results = session.run(list(spec.outputs), feed)
        for got, tensor in zip(results, made if isinstance(made, tuple) else (made,), strict=True):
            wanted = tensor.numpy()
            if got.shape != wanted.shape:
                raise ModelError(f"the graph gives {got.shape} where torch gives {wanted.shape}; not written")
            difference = float(np.abs(got.astype(np.float64) - wanted.astype(np.float64)).max())
            if not np.isfinite(difference):
                raise ModelError("the graph gives values that are no numbers, or torch does; not written")
            worst = max(worst, difference)
    return worst
