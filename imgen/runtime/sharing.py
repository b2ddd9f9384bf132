"""Two ONNX files with the same weights: stored in one of them, and taken from there by the other.

The embed graph of a built-in model has the weights of its core graph, which lies beside it. A tensor of an ONNX file
may name a place in another file ("external data"): here the place in the core graph's file where its bytes are. What
leaves the folder is made whole again. Done on the bytes of the files, with neither onnx nor torch.
"""

from collections.abc import Callable
from pathlib import Path

from imgen.runtime.protobuf import Part, fields, message, packed

_LEAST = 1024  # bytes of a tensor that is worth a reference
_GRAPH, _INITIALIZER, _RAW, _EXTERNAL, _LOCATION = 7, 5, 9, 13, 14  # numbers of fields, as in onnx.proto


def share(data: bytes, other: bytes, name: str) -> bytes:
    """A model whose weights are taken from another file, wherever the same bytes are there.

    Args:
        data: an ONNX file, with all its weights.
        other: the other file.
        name: of the other file, which is to lie in the same folder.
    """

    def shared(parts: list[Part]) -> list[Part]:
        raw = next((bytes(message(value)) for number, value in parts if number == _RAW), b"")
        if len(raw) < _LEAST or (place := other.find(raw)) < 0:
            return parts
        where = {"location": name, "offset": str(place), "length": str(len(raw))}
        entries = [(_EXTERNAL, packed([(1, key.encode()), (2, text.encode())])) for key, text in where.items()]
        return [*(part for part in parts if part[0] != _RAW), *entries, (_LOCATION, 1)]

    return _with_tensors(data, shared)


def whole(path: Path) -> bytes:
    """A model's file with all its weights inside, to the byte what ``share`` was given.

    Raises:
        OSError: the file, or the one it takes weights from, cannot be read.
        ValueError: it is no ONNX file.
    """
    others: dict[str, bytes] = {}

    def unshared(parts: list[Part]) -> list[Part]:
        entries = [dict(fields(message(value))) for number, value in parts if number == _EXTERNAL]
        where = {bytes(message(each[1])).decode(): bytes(message(each[2])).decode() for each in entries}
        if not where:
            return parts
        name, start = where["location"], int(where["offset"])
        if name not in others:
            others[name] = path.with_name(name).read_bytes()
        kept = [part for part in parts if part[0] not in (_EXTERNAL, _LOCATION)]
        return [*kept, (_RAW, others[name][start : start + int(where["length"])])]

    return _with_tensors(path.read_bytes(), unshared)


def _with_tensors(data: bytes, change: Callable[[list[Part]], list[Part]]) -> bytes:
    """The model with each tensor of its graph changed."""

    def graph(value: memoryview) -> bytes:
        return packed(
            (number, packed(change(list(fields(message(part))))) if number == _INITIALIZER else part)
            for number, part in fields(value)
        )

    return packed(
        (number, graph(message(value)) if number == _GRAPH else value) for number, value in fields(memoryview(data))
    )
