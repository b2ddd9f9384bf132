"""The graph of a network with instance normalisation, told by which statistics to normalise.

Such a network brings every channel to the mean 0 and the variance 1 that it has over the whole image, so a tile of
an image is not treated as the image is. This rewrites the bytes of an ONNX file: batch normalisation stands where
instance normalisation did, by the statistics that all images of a batch have together, or by those that are inputs.
With the latter what is left of the network has a finite receptive field. Ordinary use pays nothing for this: the
file as it is stays plain.
"""

from collections.abc import Iterator
from typing import NamedTuple

from imgen.errors import ModelError
from imgen.runtime.protobuf import Part, fields, message, packed

_FLOAT, _INT64 = 1, 7  # of TensorProto.DataType
_AXES, _FLAT = "normalisation.axes", "normalisation.flat"  # constants


class Norm(NamedTuple):
    """The values of a rewritten graph that belong to one norm."""

    mean: str  # C values, an input where statistics are given
    variance: str
    measured: str  # an output where they are not: 1 x C x 2 x 1, mean and variance of what the norm was given


def rewrite(where: str, data: bytes, *, given: bool) -> tuple[bytes, list[Norm]]:
    """A graph that takes the statistics to normalise by, or else measures them over a whole batch and gives them out.

    Args:
        where: names the file in errors.
        data: of a file that ``onnxfile.read`` has accepted.
        given: take statistics.

    Returns:
        The file, and what was added to it, norm by norm in the order of use.

    Raises:
        ModelError: there is no instance normalisation in it.
    """
    norms: list[Norm] = []
    graph: list[Part] = []
    model = list(fields(memoryview(data)))
    for number, value in fields(next(message(value) for number, value in model if number == 7)):
        if number == 1 and _operator(message(value)) == b"InstanceNormalization":
            name = f"normalisation.{len(norms)}"
            norm = Norm(f"{name}.mean", f"{name}.variance", f"{name}.measured")
            graph.extend((1, node) for node in ([] if given else _measuring(message(value), norm)))
            graph.append((1, _by_statistics(message(value), norm)))
            norms.append(norm)
        else:
            graph.append((number, value))
    if not norms:
        raise ModelError(f"{where}: says that it normalises, but has no InstanceNormalization; export it again")
    if given:
        graph.extend((11, _value(name, 1)) for norm in norms for name in (norm.mean, norm.variance))
    else:
        graph.extend((5, _integers(name, values)) for name, values in ((_AXES, (0, 2, 3)), (_FLAT, (-1,))))
        graph.extend((12, _value(norm.measured, 4)) for norm in norms)
    return packed((number, packed(graph) if number == 7 else value) for number, value in model), norms


def _by_statistics(node: memoryview, norm: Norm) -> bytes:
    """Batch normalisation in place of instance normalisation; its epsilon stays."""
    others = [(number, value) for number, value in fields(node) if number != 4]
    taken = [(1, norm.mean.encode()), (1, norm.variance.encode())]
    return packed([*others, (4, b"BatchNormalization"), *taken])


def _measuring(node: memoryview, norm: Norm) -> Iterator[bytes]:
    """What makes the statistics of the input of a norm."""
    x = next(bytes(message(value)).decode() for number, value in fields(node) if number == 1)
    mean, variance, centred, squares = (f"{norm.measured}.{part}" for part in ("mean", "variance", "centred", "square"))
    yield _node("ReduceMean", [x, _AXES], mean)
    yield _node("Sub", [x, mean], centred)
    yield _node("Mul", [centred, centred], squares)
    yield _node("ReduceMean", [squares, _AXES], variance)
    axis = packed([(1, b"axis"), (3, 2), (20, 2)])  # AttributeProto: name, i, type INT
    yield _node("Concat", [mean, variance], norm.measured, axis)
    yield _node("Reshape", [mean, _FLAT], norm.mean)
    yield _node("Reshape", [variance, _FLAT], norm.variance)


def _node(operator: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    ends = [*((1, name.encode()) for name in inputs), (2, output.encode()), (4, operator.encode())]
    return packed([*ends, *((5, attribute) for attribute in attributes)])


def _integers(name: str, values: tuple[int, ...]) -> bytes:
    """A TensorProto: the values of a constant vector."""
    raw = b"".join(value.to_bytes(8, "little", signed=True) for value in values)
    return packed([(1, len(values)), (2, _INT64), (8, name.encode()), (9, raw)])


def _value(name: str, axes: int) -> bytes:
    """A ValueInfoProto of floats, all axes free."""
    shape = packed([(1, b"")] * axes)
    return packed([(1, name.encode()), (2, packed([(1, packed([(1, _FLOAT), (2, shape)]))]))])


def _operator(node: memoryview) -> bytes:
    return next((bytes(message(value)) for number, value in fields(node) if number == 4), b"")
