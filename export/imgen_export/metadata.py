"""The description of a model inside its ONNX file, and beside it as JSON.

The file inside is what imgen reads; the JSON beside it is for runtimes that do not show a file's
metadata (onnxruntime's JavaScript API does not).
"""

import json
from pathlib import Path
from typing import Any

import onnx

from imgen.image.atomic import atomic
from imgen.spec import KEY, Spec


def describe(model: onnx.ModelProto, spec: Spec) -> None:
    """Put ``spec`` into the model and take out what the exporter leaves there.

    torch's exporter writes source lines with absolute paths into every node.
    """
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph, model):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.producer_name, model.producer_version = "imgen", ""
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, spec.to_json()


def write_sidecar(path: Path, model: onnx.ModelProto, spec: Spec, sha256: str) -> Path:
    """Write ``<name>.json`` beside an ONNX file: its description, inputs, outputs, size and hash."""
    described: dict[str, Any] = json.loads(spec.to_json())
    described["file"] = {"name": path.name, "sha256": sha256, "bytes": path.stat().st_size}
    described["opset"] = model.opset_import[0].version
    described["io"] = {value.name: _tensor(value) for value in (*model.graph.input, *model.graph.output)}
    sidecar = path.with_suffix(".json")
    with atomic(sidecar) as file:
        file.write(json.dumps(described, indent=2, sort_keys=True).encode() + b"\n")
    return sidecar


def _tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    kind = value.type.tensor_type
    dtype = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    return {"dtype": dtype, "shape": [d.dim_param or d.dim_value for d in kind.shape.dim]}
