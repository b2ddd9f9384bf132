"""The graph of a network with instance normalisation, told by which statistics to normalise.

Such a network brings every channel to the mean 0 and the variance 1 that it has over the whole image, so a tile of
an image is not treated as the image is. This rewrites the bytes of an ONNX file: what each norm would take from its
input is given out, and with ``given`` what it is to take instead comes in. Batch normalisation, by statistics that
are inputs, then stands where instance normalisation did; what is left of the network has a finite receptive field.
Ordinary use pays nothing for this: the file as it is stays plain.
"""

from collections.abc import Iterator
from typing import NamedTuple

from imgen.errors import ModelError
from imgen.runtime.protobuf import Part, fields, message, packed

_FLOAT, _INT64 = 1, 7  # of TensorProto.DataType
_AXES = "normalisation.axes"


class Norm(NamedTuple):
    """The ends of a rewritten graph that belong to one norm."""

    mean: str  # inputs, of C values each
    variance: str
    measured: str  # an output, N x C x 2 x 1: mean and variance of what the norm was given


def rewrite(where: str, data: bytes, *, given: bool) -> tuple[bytes, list[Norm]]:
    """A graph that gives out the statistics of its norms, and, with ``given``, takes those to normalise by.

    Args:
        where: names the file in errors.
        data: of a file that ``onnxfile.read`` has accepted.
        given: take statistics, and look at none of the image's own.

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
            norms.append(Norm(f"{name}.mean", f"{name}.variance", f"{name}.measured"))
            graph.extend((1, node) for node in _nodes(message(value), norms[-1], given))
        else:
            graph.append((number, value))
    if not norms:
        raise ModelError(f"{where}: says that it normalises, but has no InstanceNormalization; export it again")
    two, three = (bytes([axis, *[0] * 7]) for axis in (2, 3))
    graph.append((5, packed([(1, 2), (2, _INT64), (8, _AXES.encode()), (9, two + three)])))
    graph.extend((12, _value(norm.measured, 4)) for norm in norms)
    if given:
        graph.extend((11, _value(name, 1)) for norm in norms for name in (norm.mean, norm.variance))
    return packed((number, packed(graph) if number == 7 else value) for number, value in model), norms


def _nodes(norm: memoryview, names: Norm, given: bool) -> Iterator[bytes]:
    """What measures the input of a norm, and the norm itself."""
    parts = list(fields(norm))
    x = next(bytes(message(value)) for number, value in parts if number == 1)
    mean, centred, squares, variance = (f"{names.measured}.{part}".encode() for part in ("m", "c", "s", "v"))
    yield _node("ReduceMean", [x, _AXES.encode()], mean)
    yield _node("Sub", [x, mean], centred)
    yield _node("Mul", [centred, centred], squares)
    yield _node("ReduceMean", [squares, _AXES.encode()], variance)
    axis = packed([(1, b"axis"), (3, 2), (20, 2)])  # AttributeProto: name, i, type INT
    yield _node("Concat", [mean, variance], names.measured.encode(), axis)
    if not given:
        yield bytes(norm)
        return
    others = [(number, value) for number, value in parts if number != 4]  # its epsilon stays
    taken = [(1, names.mean.encode()), (1, names.variance.encode())]
    yield packed([*others, (4, b"BatchNormalization"), *taken])


def _node(operator: str, inputs: list[bytes], output: bytes, *attributes: bytes) -> bytes:
    ends = [*((1, name) for name in inputs), (2, output), (4, operator.encode())]
    return packed([*ends, *((5, attribute) for attribute in attributes)])


def _value(name: str, axes: int) -> bytes:
    """A ValueInfoProto of floats, all axes free."""
    shape = packed([(1, b"")] * axes)
    return packed([(1, name.encode()), (2, packed([(1, packed([(1, _FLOAT), (2, shape)]))]))])


def _operator(node: memoryview) -> bytes:
    return next((bytes(message(value)) for number, value in fields(node) if number == 4), b"")
