"""Files of weights into tensors. A file is data: nothing in it is ever run."""

import hashlib
import pickletools
import zipfile
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from effnet_edu.checkpoints.keras_files import SIGNATURE, read_hdf5

#: The only names that a file of tensors written by torch.save may refer to.
_ALLOWED_GLOBALS = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    *(f"torch {kind}Storage" for kind in ("Float", "Double", "Half", "BFloat16", "Long")),
}
_MEMO_WRITES = {"BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"}
_ZIP_START = b"PK\x03\x04"
_LEGACY_PICKLES = 5  # magic number, protocol, system, the object, the keys of its storages


class UnreadableCheckpointError(ValueError):
    """A file of weights that is damaged, hostile, or of another kind."""


class HashMismatchError(ValueError):
    """A file that is not the one that was published."""


def check_hash(path: Path, hashes: Collection[str]) -> None:
    """Raise unless a file has one of the accepted hashes; where there are none, anything passes.

    Args:
        path: The file.
        hashes: Each as `algorithm:hex`, where hex may be the first digits only.

    Raises:
        FileNotFoundError: There is no such file.
        HashMismatchError: The file has none of the hashes.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    if not hashes:
        return
    found = {}
    for algorithm in {accepted.partition(":")[0] for accepted in hashes}:
        with path.open("rb") as file:
            found[algorithm] = f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
    if not any(found[accepted.partition(":")[0]].startswith(accepted.lower()) for accepted in hashes):
        raise HashMismatchError(
            f"{path.name} has the hash {' and '.join(found.values())}, "
            f"where {' or '.join(hashes)} is expected."
        )


def read_tensors(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """Return the tensors of a file of weights, on the CPU.

    Args:
        path: A safetensors file, one that torch.save wrote, or one that Keras wrote.
        max_bytes: The largest size, packed and unpacked, that a file for this network can have.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableCheckpointError: The file is too large, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    _check_size(path, path.stat().st_size, max_bytes)
    try:
        found = _read(path, max_bytes)
    except (UnreadableCheckpointError, ModuleNotFoundError):
        raise
    # Readers of damaged files raise nearly anything; to a caller it is one thing.
    except Exception as error:
        raise UnreadableCheckpointError(
            f"{path} could not be read as weights; it is damaged or of another kind "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no detail'})."
        ) from error
    return flat_tensors(found, str(path))


def _read(path: Path, max_bytes: int) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    with path.open("rb") as file:
        start = file.read(len(SIGNATURE))
    if start == SIGNATURE:
        return read_hdf5(path, max_bytes)
    # torch decides by the first bytes too; two opinions on one file would leave half of it unchecked.
    if start.startswith(_ZIP_START):
        _check_zip(path, max_bytes)
    else:
        with path.open("rb") as file:
            for _ in range(_LEGACY_PICKLES):
                _check_pickle(file, path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _check_size(path: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise UnreadableCheckpointError(
            f"{path} holds {size:,} bytes; weights of this network take at most {max_bytes:,}."
        )


def _check_zip(path: Path, max_bytes: int) -> None:
    """Refuse an archive that torch.save would not have written, before anything is unpacked."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _check_size(path, sum(member.file_size for member in members), max_bytes)
        names = [member.filename for member in members]
        if len(set(names)) < len(names) or sum(name.endswith("/data.pkl") for name in names) != 1:
            raise UnreadableCheckpointError(f"{path} is an archive, but not one that torch.save writes.")
        for member in members:
            if member.filename.startswith("/") or ".." in member.filename or "\\" in member.filename:
                raise UnreadableCheckpointError(
                    f"{path} names a place outside itself ({member.filename!r}); it is not read."
                )
            if member.compress_type != zipfile.ZIP_STORED:
                raise UnreadableCheckpointError(f"{path} is compressed inside; torch.save never does that.")
        damaged = archive.testzip()
        if damaged is not None:
            raise UnreadableCheckpointError(f"{path} is damaged: {damaged!r} fails its checksum.")
        for member in members:
            if member.filename.endswith(".pkl"):
                with archive.open(member) as file:
                    _check_pickle(file, path)


def _check_pickle(file: IO[bytes], path: Path) -> None:
    """Read one pickle's instructions without following them, and refuse what tensors do not need."""
    size, elements = path.stat().st_size, 0
    recent: deque[tuple[str, Any]] = deque(maxlen=3)  # the last instructions that are not about the memo
    for operation, argument, _ in pickletools.genops(file):
        if operation.name in ("GLOBAL", "INST") and argument not in _ALLOWED_GLOBALS:
            raise UnreadableCheckpointError(
                f"{path} refers to {str(argument).replace(' ', '.')!r}; "
                "weights need tensors alone, so it is not read."
            )
        if operation.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID"):
            raise UnreadableCheckpointError(
                f"{path} holds the instruction {operation.name}, which torch.save does not write for tensors."
            )
        if operation.name == "BINPERSID":
            length = _storage_length(recent)
            elements += length
            if length < 0 or elements > size:
                raise UnreadableCheckpointError(f"{path} announces more numbers than it has bytes.")
        if operation.name not in _MEMO_WRITES:
            recent.append((operation.name, argument))


def _storage_length(recent: Collection[tuple[str, Any]]) -> int:
    """Return how many numbers a storage has: the last in the tuple before it, bar a None; -1 if unclear."""
    *before, (last, _) = recent
    if before and before[-1][0] == "NONE":
        before.pop()
    if last == "TUPLE" and before and before[-1][0].startswith(("BININT", "LONG1")):
        return int(before[-1][1])
    return -1


def flat_tensors(found: Any, origin: str) -> dict[str, Tensor]:
    """Return the state dict in what a file held: itself, or under `state_dict` or `model`.

    Prefixes that wrappers add (`module.` of DataParallel, `_orig_mod.` of torch.compile) are taken off, and
    the counters that thop leaves behind are dropped.

    Args:
        found: A mapping of names to tensors, perhaps inside another mapping.
        origin: What to call it in a sentence.

    Raises:
        UnreadableCheckpointError: Something in it is not a tensor of numbers.
    """
    for key in ("state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping):
        raise UnreadableCheckpointError(f"{origin} holds a {type(found).__name__}, not names with tensors.")
    tensors: dict[str, Tensor] = {}
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise UnreadableCheckpointError(
                f"{origin} holds a {type(value).__name__} under {key!r}; "
                "weights are names with tensors alone."
            )
        name = key
        for prefix in ("module.", "_orig_mod."):
            name = name.removeprefix(prefix)
        if name in tensors:
            raise UnreadableCheckpointError(f"{origin} holds {name!r} twice, with and without a prefix.")
        if name.rpartition(".")[2] not in ("total_ops", "total_params"):
            tensors[name] = value.detach()
    return tensors
