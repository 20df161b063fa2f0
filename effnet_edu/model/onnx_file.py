"""The bytes of an ONNX file: protobuf's wire format, and the few messages of onnx.proto3 used here. No torch.

A message is a list of pieces, joined once at the end, so that weights of gigabytes are copied once.
"""

import math
import struct
from collections.abc import Iterable, Sequence

Pieces = list[bytes]
Attribute = int | float | str | Sequence[int]

FLOAT, UINT8, INT64, DOUBLE = 1, 2, 7, 11  # TensorProto.DataType
_IR_VERSION, _OPSET = 8, 18  # of onnx 1.13: the oldest with all that is written here
#: Protobuf reads no message larger than this.
LARGEST_FILE = 2**31 - 1


def varint(value: int) -> bytes:
    """Return a whole number of 0 or more as seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def integer(field: int, value: int) -> bytes:
    """Return a field that holds a whole number of 0 or more."""
    return varint(field << 3) + varint(value)


def delimited(field: int, *content: bytes) -> Pieces:
    """Return a field that holds text, raw bytes or another message."""
    return [varint(field << 3 | 2) + varint(sum(map(len, content))), *content]


def text(field: int, value: str) -> bytes:
    """Return a field that holds text."""
    return b"".join(delimited(field, value.encode("utf-8")))


def floats(*values: float) -> bytes:
    """Return numbers as the raw data of a tensor."""
    return struct.pack(f"<{len(values)}f", *values)


def integers(*values: int) -> bytes:
    """Return whole numbers as the raw data of a tensor."""
    return struct.pack(f"<{len(values)}q", *values)


def tensor(name: str, kind: int, shape: Iterable[int], raw: bytes) -> Pieces:
    """Return a TensorProto."""
    return [*(integer(1, side) for side in shape), integer(2, kind), text(8, name), *delimited(9, raw)]


def _attribute(name: str, value: Attribute | Pieces) -> Pieces:
    if isinstance(value, int):
        return [text(1, name), integer(3, value), integer(20, 2)]
    if isinstance(value, float):
        return [text(1, name), varint(2 << 3 | 5), floats(value), integer(20, 1)]
    if isinstance(value, str):
        return [text(1, name), text(4, value), integer(20, 3)]
    if isinstance(value, list):
        return [text(1, name), *delimited(5, *value), integer(20, 4)]
    return [text(1, name), *(integer(8, one) for one in value), integer(20, 7)]


def node(
    kind: str, inputs: Iterable[str], output: str, name: str = "", **attributes: Attribute | Pieces
) -> Pieces:
    """Return a NodeProto; an attribute is a number, text, a tuple of whole numbers, or a tensor."""
    written = [*(text(1, one) for one in inputs), text(2, output), text(4, kind)]
    written += [text(3, name)] if name else []
    for key, value in attributes.items():
        written += delimited(5, *_attribute(key, value))
    return written


def value_info(name: str, kind: int, shape: Iterable[int | str]) -> Pieces:
    """Return a ValueInfoProto of a tensor; a side that is text may have any length."""
    sides: Pieces = []
    for side in shape:
        sides += delimited(1, integer(1, side) if isinstance(side, int) else text(2, side))
    return [text(1, name), *delimited(2, *delimited(1, integer(1, kind), *delimited(2, *sides)))]


def model(
    name: str, nodes: Iterable[Pieces], initializers: Iterable[Pieces], given: Pieces, *answers: Pieces
) -> bytes:
    """Return the bytes of a ModelProto.

    Raises:
        ValueError: They are more than an ONNX file can hold.
    """
    graph: Pieces = []
    for one in nodes:
        graph += delimited(1, *one)
    graph.append(text(2, name))
    for one in initializers:
        graph += delimited(5, *one)
    graph += delimited(11, *given)
    for one in answers:
        graph += delimited(12, *one)
    size = sum(map(len, graph))
    if size + 100 > LARGEST_FILE:
        raise ValueError(
            f"{name} with its weights is {size / 2**30:.1f} GiB; one ONNX file holds less than "
            f"{math.ceil(LARGEST_FILE / 2**30)} GiB."
        )
    written = [integer(1, _IR_VERSION), text(2, "effnet_edu"), *delimited(7, *graph)]
    return b"".join([*written, *delimited(8, integer(2, _OPSET))])
