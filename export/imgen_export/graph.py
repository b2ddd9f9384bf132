"""Write a network's graph as ONNX, run it at sizes it was not traced at, compare, or refuse.

Two graphs of the same network:

* *core*: float32 NCHW in 0..1, sizes divisible by the network's multiple; what imgen's own pipelines
  run, around which they do cropping, colour depth and compositing.
* *embed*: uint8 NHWC in and out at any size, with padding, scaling to 0..1, compositing and rounding
  inside; for programs that have nothing but an ONNX runtime.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import ModelError, UsageError
from imgen.image.atomic import atomic
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_export.metadata import describe, write_sidecar

OPSET = 18
TOLERANCE = {"core": 1e-4, "embed": 1.0}  # of values 0..1; of levels 0..255
GRAPHS = tuple(TOLERANCE)
# Sizes to compare at, in multiples for the core graph: odd ones, flat ones, none of them traced.
_CHECKED = ((1, 5, 3), (3, 3, 7), (1, 9, 2), (2, 13, 11))


class Embed(nn.Module):
    """An inpainting network from uint8 to uint8: image N x H x W x 3 and mask N x H x W, above 127 = fill."""

    def __init__(self, network: Network, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Filled image, N x H x W x 3; outside the mask the bytes are those of the input."""
        height, width = image.shape[1], image.shape[2]
        extra = (0, -width % self.multiple, 0, -height % self.multiple)
        hole = (mask > 127).unsqueeze(1)
        values = F.pad(image.permute(0, 3, 1, 2).float() / 255, extra, "replicate")
        holes = F.pad(hole.float(), extra, "replicate")  # a hole at the edge goes on: it is not known beyond
        filled = self.network(values, holes)[:, :, :height, :width]
        levels = (filled.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        return torch.where(hole.permute(0, 2, 3, 1), levels, image)


def export(network: Network, path: Path, spec: Spec, graph: str = "core") -> Spec:
    """Write ``path`` and its JSON sidecar, after the graph has proved equal to torch.

    Args:
        network: with the inputs that ``spec.inputs`` names.
        path: ends in .onnx.
        spec: of the network; the graph, precision and measured parity are filled in.
        graph: "core" or "embed".

    Returns:
        The description that was written.

    Raises:
        ModelError: the graph is not what was asked for, or differs from torch; nothing is written.
        UsageError: an unknown graph, or a task that has no embed graph.
    """
    if graph not in GRAPHS:
        raise UsageError(f"graph must be one of {', '.join(GRAPHS)}, got {graph!r}")
    if graph == "embed" and spec.task != "inpaint":
        raise UsageError(f"the embed graph is written for inpaint, {spec.name!r} is for {spec.task!r}; take core")
    network = network.eval()
    module: nn.Module = network if graph == "core" else Embed(network, spec.multiple)
    make = _core_inputs if graph == "core" else _embed_inputs
    example = make(spec, 2, 8 * spec.multiple, 6 * spec.multiple)
    model = _trace(module, example, spec.inputs, graph, spec.multiple)
    _check_form(model, path, graph)
    worst, sizes = _compare(model, module, spec, graph)
    if worst > TOLERANCE[graph]:
        raise ModelError(f"{path}: differs from torch by {worst:.1e}, more than {TOLERANCE[graph]:.0e}; not written")
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


def _trace(
    module: nn.Module, example: Sequence[Tensor], names: Sequence[str], graph: str, multiple: int
) -> onnx.ModelProto:
    batch = torch.export.Dim("batch", min=1, max=64)
    rows = torch.export.Dim("rows", min=1, max=16384)
    columns = torch.export.Dim("columns", min=1, max=16384)
    free = {0: batch, 2: multiple * rows, 3: multiple * columns} if graph == "core" else {0: batch, 1: rows, 2: columns}
    with warnings.catch_warnings():  # of the exporter about its own internals
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(example),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=["result"],
            dynamic_shapes=tuple(dict(free) for _ in names),
            external_data=False,
        )
    if program is None:
        raise ModelError("torch returned no ONNX program; update torch")
    return program.model_proto


def _check_form(model: onnx.ModelProto, path: Path, graph: str) -> None:
    """Free axes where asked, the opset asked for, standard operators only."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("") != OPSET or any(node.domain for node in model.graph.node):
        raise ModelError(f"{path}: operators {versions} instead of opset {OPSET} of the standard ones; not written")
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        fixed = [i for i in ((0, 2, 3) if graph == "core" else (0, 1, 2)) if not dims[i].dim_param]
        if fixed:
            raise ModelError(f"{path}: axes {fixed} of {value.name!r} came out fixed; not written")


def _compare(
    model: onnx.ModelProto, module: nn.Module, spec: Spec, graph: str
) -> tuple[float, list[tuple[int, int, int]]]:
    """The worst difference between onnxruntime and torch, and the sizes (batch, height, width) tried."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    worst, sizes = 0.0, []
    for batch, high, wide in _CHECKED:
        # An embed graph takes any size: off the grid by some pixels.
        off = (0, 0) if graph == "core" else (-3, 5)
        height, width = high * spec.multiple + off[0], wide * spec.multiple + off[1]
        inputs = (_core_inputs if graph == "core" else _embed_inputs)(spec, batch, height, width)
        with torch.inference_mode():
            wanted = module(*inputs).numpy()
        feed: dict[str, NDArray[Any]] = {n: t.numpy() for n, t in zip(spec.inputs, inputs, strict=True)}
        (got,) = session.run(None, feed)
        if got.shape != wanted.shape:
            raise ModelError(f"the graph gives {got.shape} where torch gives {wanted.shape}; not written")
        worst = max(worst, float(np.abs(got.astype(np.float64) - wanted.astype(np.float64)).max()))
        sizes.append((batch, height, width))
    return worst, sizes


def _core_inputs(spec: Spec, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
    """Smooth colours, and for an inpainting model a hole that also touches an edge."""
    generator = torch.Generator().manual_seed(height * 7919 + width)
    coarse = torch.rand(batch, 3, 4, 4, generator=generator)
    image = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)
    if spec.inputs == ("image",):
        return (image,)
    mask = torch.zeros(batch, 1, height, width)
    mask[..., height // 4 : height // 2 + 1, : width // 2 + 1] = 1
    return image, mask


def _embed_inputs(spec: Spec, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
    image, mask = _core_inputs(spec, batch, height, width)
    return (image * 255).byte().permute(0, 2, 3, 1).contiguous(), (mask[:, 0] * 255).byte()
