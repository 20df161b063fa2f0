"""Files of tensors with notes: read and not mapped, for a mapped file that somebody cuts ends the process."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: Of the names, shapes and notes together; ours have some ten kB.
_MOST_HEADER_BYTES = 2**25


def notes_of(path: Path) -> dict[str, str]:
    """Return the notes in a safetensors file, without its tensors.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return _notes(file.read(size)) if size <= _MOST_HEADER_BYTES else {}


def tensors_and_notes(path: Path) -> tuple["dict[str, Tensor]", dict[str, str]]:
    """Return the tensors of a safetensors file, and its notes.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        ValueError: Its notes are damaged.
        SafetensorError: Something else of it is.
    """
    from safetensors.torch import load

    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return load(content), _notes(content[8 : 8 + size])


def _notes(header: bytes) -> dict[str, str]:
    try:
        found = json.loads(header)["__metadata__"]
    except (RecursionError, TypeError, KeyError) as error:
        raise ValueError("it has no notes") from error
    if not isinstance(found, dict):
        raise ValueError("its notes are none")
    return found
