"""The IDX format of MNIST and its successors: bounded when it is unpacked, strict when it is read."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_BYTES = 8  # the format's code for unsigned bytes


def unpack(path: Path, max_bytes: int) -> bytes:
    """Return what a gzip file holds.

    Args:
        path: The file.
        max_bytes: The most that it can hold; one that holds more is not unpacked further.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, no gzip file, or holds more.
    """
    try:
        with gzip.open(path) as file:
            content = file.read(max_bytes + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged or no gzip file ({error}).") from error
    if len(content) > max_bytes:
        raise ValueError(f"{path} holds more than {max_bytes:,} bytes; this file cannot.")
    return content


def parse_idx(content: bytes, name: str) -> Tensor:
    """Return the numbers of an IDX file: uint8, in the shape that it says.

    Args:
        content: The whole file, unpacked.
        name: What a sentence calls it.

    Raises:
        ValueError: It is no IDX file of bytes, or is longer or shorter than it says.
    """
    dimensions = content[3] if len(content) >= 4 else 0
    start = 4 + 4 * dimensions
    if content[:3] != bytes((0, 0, _BYTES)) or not dimensions or len(content) < start:
        raise ValueError(f"{name} is no IDX file of unsigned bytes; it starts with {content[:4].hex(' ')}.")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    if math.prod(shape) != len(content) - start:
        raise ValueError(
            f"{name} says that it has the shape {shape}, and holds {len(content) - start:,} bytes."
        )
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy())
