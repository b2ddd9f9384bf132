"""Protocol buffers as ONNX files are made of: taken apart and put together, without knowing what the fields mean."""

from collections.abc import Iterable, Iterator

Value = int | memoryview
"""Of a field: a number, or bytes, which may be a message."""

Part = tuple[int, int | bytes | memoryview]
"""Number and value of a field."""


def message(value: Value | bytes) -> memoryview:
    """A value that has to be a message or text.

    Raises:
        ValueError: it is a number.
    """
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return memoryview(value)


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of each field of a message; large values are views, not copies.

    Raises:
        ValueError: it is no message, or cut short.
    """
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        wire = key & 7
        if wire == 0:
            value: Value
            value, position = _varint(data, position)
        elif wire in (1, 2, 5):
            size, position = _varint(data, position) if wire == 2 else ({1: 8, 5: 4}[wire], position)
            value = data[position : position + size]
            position += size
        else:
            raise ValueError(f"wire type {wire}")
        if position > len(data):
            raise ValueError("cut short")
        yield key >> 3, value


def packed(parts: Iterable[Part]) -> bytes:
    """The message of some fields, none of which is a number of fixed length (32 or 64 bits, as floats are)."""
    whole = bytearray()
    for number, value in parts:
        if isinstance(value, int):
            whole += _number(number << 3) + _number(value)
        else:
            whole += _number(number << 3 | 2) + _number(len(value)) + value
    return bytes(whole)


def _number(value: int) -> bytes:
    """A number of any length: 7 bits a byte, the lowest first."""
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("cut short")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("number too long")
