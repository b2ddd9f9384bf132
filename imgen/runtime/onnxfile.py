"""Look into an ONNX file before anything runs it.

A model file is data from somewhere else. This reads the few parts of the protobuf message that say
what the file is and whether it is plain: one file, standard operators, no loops. It needs neither
onnx nor onnxruntime, and takes milliseconds. Field numbers are those of ``onnx.proto`` (IR 3 on).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from imgen.errors import ModelError
from imgen.runtime.protobuf import Value, fields, message
from imgen.spec import FORMAT, KEY, Spec

MAX_BYTES = 1 << 30  # a file beyond this is not one of ours
MAX_SIDECAR_BYTES = 1 << 20
_RANGES = {"scale": (1, 16), "multiple": (1, 4096), "size": (0, 1 << 16), "radius": (0, 1 << 16)}  # of a spec


class OnnxFile(NamedTuple):
    """A model that was found to be plain, ready for an engine."""

    where: str  # its path, for errors
    data: bytes
    spec: Spec


class Weight(NamedTuple):
    """An initializer of a graph."""

    about: list[tuple[int, int | bytes]]  # number and value of all fields but the values: shape, type, name
    values: memoryview  # raw, little-endian; empty if the file stores them in another way

    @property
    def floats(self) -> str | None:
        """How the values of a layer are stored, as NumPy names it; None: those of a shape or an index."""
        return "<f4" if (2, 1) in self.about else "<f2" if (2, 10) in self.about else None


def read(path: Path) -> tuple[bytes, Spec | None]:
    """The file's bytes, found to be plain, and its description; None if there is none, inside or beside it.

    Raises:
        ModelError: unreadable, too large, corrupt, not plain, or a graph that is not for imgen's own pipelines.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path}: over {MAX_BYTES >> 20} MiB, which no imgen model is; refused")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    try:
        problem, description = _inspect(memoryview(data))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path}: not an ONNX file, or cut short; download or export it again") from error
    if problem:
        raise ModelError(f"{path}: {problem}, which imgen refuses to run; export the model again")
    spec = _beside(path) if description is None else Spec.from_json(description, str(path))
    if spec is None:
        return data, None
    _check_spec(spec, path)
    if spec.graph != "core":
        raise ModelError(f"{path}: a {spec.graph!r} graph, made for other programs; give imgen the core graph")
    if spec.fixed:
        raise ModelError(f"{path}: made for one size of image alone; give imgen one that was exported without --size")
    return data, spec


def _check_spec(spec: Spec, path: Path) -> None:
    """Refuse numbers and names with which no image could go through the network.

    Raises:
        ModelError: one is of another type, or out of its range.
    """
    for name, (least, most) in _RANGES.items():
        value = getattr(spec, name)
        if type(value) is not int or not least <= value <= most:
            raise ModelError(f"{path}: says {name} {value!r}, but it is a whole number of {least} to {most}; mend that")
    for name in ("inputs", "outputs"):
        value = getattr(spec, name)
        if not value or not all(isinstance(each, str) for each in value):
            raise ModelError(f"{path}: says {name} {value!r}, but they are names in a list; mend that")


def check_ends(where: str, spec: Spec, inputs: list[tuple[str, str]], outputs: list[str]) -> None:
    """Refuse a graph whose ends are not those of its spec: inputs, as (name, onnxruntime's type), and outputs.

    Raises:
        ModelError: they differ.
    """
    whole = ("label",) if spec.task == "generate" else ()
    expected = [(name, "tensor(int64)" if name in whole else "tensor(float)") for name in spec.inputs]
    if inputs != expected:
        found, wanted = (", ".join(f"{name} {kind}" for name, kind in each) for each in (inputs, expected))
        raise ModelError(f"{where}: takes {found} but says {wanted}; export it again")
    if outputs != list(spec.outputs):
        found, wanted = ", ".join(outputs), ", ".join(spec.outputs)
        raise ModelError(f"{where}: gives {found} but says outputs {wanted}; export it again")


def structure(data: bytes | bytearray) -> list[tuple[int, bytes]]:
    """What a graph computes, whatever its weights: its nodes, inputs and outputs as they are stored."""
    return [(field, bytes(message(value))) for field, value in _graph(data) if field in (1, 11, 12)]


def output_names(data: bytes | bytearray) -> list[str]:
    """What a graph calls its outputs."""
    return [bytes(message(dict(fields(message(value)))[1])).decode() for field, value in _graph(data) if field == 12]


def weights(data: bytes | bytearray) -> dict[str, Weight]:
    """The initializers of a graph by name; their values are views of ``data``."""
    found = {}
    for field, value in _graph(data):
        if field == 5:
            parts = list(fields(message(value)))
            about = [(number, part if isinstance(part, int) else bytes(part)) for number, part in parts if number != 9]
            values = [message(part) for number, part in parts if number == 9]
            name = next((bytes(message(part)).decode() for number, part in parts if number == 8), "")
            found[name] = Weight(about, values[0] if values else memoryview(b""))
    return found


def _beside(path: Path) -> Spec | None:
    """What ``model.json`` says of a ``model.onnx`` of others, which needs no more than the task and what is unusual.

    Raises:
        ModelError: it cannot be read, is not JSON, or names its ends in another way than by lists.
    """
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        return None
    try:
        if sidecar.stat().st_size > MAX_SIDECAR_BYTES:
            raise ModelError(f"{sidecar}: over {MAX_SIDECAR_BYTES >> 20} MiB, which no description is; refused")
        said = json.loads(sidecar.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{sidecar}: cannot be read as JSON; mend it, or move it away from {path.name}") from error
    if not isinstance(said, dict) or not isinstance(said.get("task"), str):
        return None  # JSON of another program
    for name in ("inputs", "outputs"):
        if not isinstance(said.get(name, []), list):
            raise ModelError(f"{sidecar}: says {name} {said[name]!r}, but they are names in a list; mend that")
    usual = {"format": FORMAT, "name": path.stem, "licence": "unknown"}
    return Spec.from_json(json.dumps(usual | said), str(sidecar))


def _graph(data: bytes | bytearray) -> Iterator[tuple[int, Value]]:
    """The fields of the one graph in a file that ``read`` has accepted."""
    return next(fields(message(value)) for field, value in fields(memoryview(data)) if field == 7)


def _inspect(model: memoryview) -> tuple[str | None, str | None]:
    """What is not plain about a ModelProto, if anything, and imgen's entry of its metadata."""
    problem = None if len(model) else "empty"
    description = None
    graphs = 0
    for field, value in fields(model):
        if field == 7:  # graph
            graphs += 1
            problem = problem or _graph_problem(message(value))
        elif field == 8:  # opset_import: every domain that a node uses must be listed here
            domain = dict(fields(message(value))).get(1, b"")
            if bytes(message(domain)) not in (b"", b"ai.onnx"):
                problem = problem or f"operators of {bytes(message(domain)).decode()!r}"
        elif field == 14:  # metadata_props
            entry = dict(fields(message(value)))
            if bytes(message(entry.get(1, b""))) == KEY.encode():
                description = bytes(message(entry.get(2, b""))).decode()
        elif field == 25:  # functions
            problem = problem or "functions of its own"
    if graphs != 1:
        raise ValueError("no graph")
    return problem, description


def _graph_problem(graph: memoryview) -> str | None:
    for field, value in fields(graph):
        if field == 5 and _is_external(message(value)):  # initializer
            return "weights in another file"
        if field == 15:  # sparse_initializer
            return "sparse weights"
        if field == 1:  # node
            for node_field, attribute in fields(message(value)):
                if node_field == 5 and (problem := _attribute_problem(message(attribute))):
                    return problem
    return None


def _attribute_problem(attribute: memoryview) -> str | None:
    for field, value in fields(attribute):
        if field in (6, 11):  # g, graphs: the body of a Loop, Scan or If, which may never end
            return "loops or branches"
        if field in (5, 10) and _is_external(message(value)):  # t, tensors
            return "weights in another file"
        if field in (22, 23):  # sparse_tensor, sparse_tensors
            return "sparse weights"
    return None


def _is_external(tensor: memoryview) -> bool:
    return any(field == 13 or (field == 14 and value) for field, value in fields(tensor))
