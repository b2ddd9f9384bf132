"""Write a network's graph as ONNX, run it at sizes it was not traced at, compare, or refuse."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import onnx.version_converter
import torch

from imgen.errors import ModelError
from imgen.image.atomic import atomic
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_export.compact import halve, restore
from imgen_export.compare import compare
from imgen_export.form import Form, Size, fixed
from imgen_export.forms import form_of
from imgen_export.half import lower
from imgen_export.metadata import describe, write_sidecar
from imgen_export.quantize import quantize
from imgen_export.quiet import quiet
from imgen_export.variant import OPSET, Variant

DEFAULT = Variant()
"""Single precision, and sizes that are free."""


def export(
    network: Network,
    path: Path,
    spec: Spec,
    graph: str = "core",
    *,
    variant: Variant = DEFAULT,
    stored: Path | None = None,
) -> Spec:
    """Write ``path`` and its JSON sidecar, after the graph has proved equal to torch.

    Args:
        network: with the inputs that ``spec.inputs`` names, and the outputs that ``spec.outputs`` does.
        path: ends in .onnx.
        spec: of the network; the graph, precision and measured parity are filled in.
        graph: "core" or "embed"; see ``imgen_export.forms``.
        variant: precision, opset and size. Half precision has to come near to torch; int8, which is for tasks that
            have a truth, near to that, and has to be faster here.
        stored: what this has written of the same network and graph, in single precision and of free size: to begin
            with, since tracing takes long.

    Returns:
        The description that was written.

    Raises:
        ModelError: the graph is not what was asked for, or differs from torch; nothing is written.
        UsageError: an unknown graph, a task that has no embed graph, or a variant that it cannot have.
    """
    form = form_of(network.eval(), spec, graph)
    if variant.size is not None:
        form = fixed(form, spec, graph, variant.size)
    spec = replace(spec, inputs=form.names)
    if stored is not None and variant.size is None:
        model = onnx.load(stored)
        restore(model)
    else:
        model = _trace(form, spec, path)
    model = _of_opset(model, variant.opset, path)
    _check(model, path, form, variant.opset)
    sizes: list[Size] = list(form.compared)
    model, parity = _in_precision(model, form, replace(spec, graph=graph), variant, path)
    described = replace(
        spec,
        graph=graph,
        precision=variant.precision,
        fixed=sizes[0] if variant.size else (),
        multiple=1 if graph == "embed" else spec.multiple,
        parity=parity | {"sizes": sizes, "opset": variant.opset},
    )
    describe(model, described)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    with atomic(path) as file:
        file.write(data)
    write_sidecar(path, model, described, hashlib.sha256(data).hexdigest())
    return described


def _in_precision(
    model: onnx.ModelProto, form: Form, spec: Spec, variant: Variant, path: Path
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The graph as the variant has it, and what was measured of it."""
    if variant.precision == "fp16":
        model, found, largest = lower(model, form, spec.outputs)
        return model, {"max_difference": found.worst, "psnr": found.psnr, "largest_inside": largest}
    if variant.precision == "fp32":
        halve(model)
    worst = compare(model, form, spec.outputs).worst
    if worst > form.tolerance:
        raise ModelError(f"{path}: differs from torch by {worst:.1e}, more than {form.tolerance:.0e}; not written")
    if variant.precision == "fp32":
        return model, {"max_difference": worst}
    model, quality = quantize(model, spec, variant)
    halve(model)
    found = compare(model, form, spec.outputs)
    return model, {"max_difference": found.worst, "psnr": found.psnr, **quality}


def _trace(form: Form, spec: Spec, path: Path) -> onnx.ModelProto:
    try:
        with quiet():
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


def _of_opset(model: onnx.ModelProto, opset: int, path: Path) -> onnx.ModelProto:
    """The same in another version of the operators."""
    if opset == OPSET:
        return model
    try:
        return onnx.version_converter.convert_version(model, opset)
    except Exception as error:  # of many classes, C++'s among them
        reason = " ".join(str(error).split()).rsplit("failed: ", 1)[-1][:200]
        raise ModelError(f"{path}: opset {opset} cannot say what opset {OPSET} does ({reason}); not written") from error


def _check(model: onnx.ModelProto, path: Path, form: Form, opset: int) -> None:
    """Free axes where asked and no others, the opset asked for, standard operators only."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("") != opset or any(node.domain for node in model.graph.node):
        raise ModelError(f"{path}: operators {versions} instead of opset {opset} of the standard ones; not written")
    for value, free in zip(model.graph.input, form.free, strict=True):
        dims = value.type.tensor_type.shape.dim
        stuck = [axis for axis in free if not dims[axis].dim_param]
        if stuck:
            raise ModelError(f"{path}: axes {stuck} of {value.name!r} came out fixed; not written")
        if not free and any(dim.dim_param for dim in dims):
            raise ModelError(f"{path}: axes of {value.name!r} came out free; not written")
