"""Files of weights into names and tensors. A file is data: it is read once, and nothing in it is ever run."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from torch import Tensor

from effnet_edu.checkpoints.keras_files import SIGNATURE, read_hdf5
from effnet_edu.checkpoints.pickles import RefusedPickleError, read_legacy, read_zip
from effnet_edu.ground.checks import quoted

_ZIP_START = b"PK\x03\x04"
#: How files begin that people take for weights, and what to do instead.
_OTHERS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file; fetch that with git lfs pull",
    b"<!doctype": "is a web page; fetch the file behind it",
    b"<html": "is a web page; fetch the file behind it",
}
_GZIP_START = b"\x1f\x8b"
_KERAS_WEIGHTS = "model.weights.h5"
_MOST_SHARDS = 100
#: Of the names and shapes in a safetensors file: ours have some 100 kB; a MB takes a third of a second.
_MOST_HEADER_BYTES = 2**23


class UnreadableCheckpointError(ValueError):
    """A file of weights that is damaged, hostile, or of another kind."""


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return a file's content, read once: what is hashed and what is used are then the same."""
    if path.is_dir():
        kind = " a TensorFlow SavedModel; save its weights with model.save_weights('net.weights.h5')"
        saved = kind if (path / "saved_model.pb").exists() else " a folder; name the file of weights in it"
        raise FileNotFoundError(f"{path} is{saved}.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    _check_size(path.name, path.stat().st_size, max_bytes)
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    _check_size(path.name, len(content), max_bytes)
    return content


def is_index(path: Path) -> bool:
    """Whether this is the index of a checkpoint in several files, as Hugging Face's libraries write it."""
    return path.name.endswith(".index.json")


def read_shards(path: Path, max_bytes: int) -> dict[str, Any]:
    """Return the tensors of all files that an index names; they lie beside it."""
    try:
        places = json.loads(read_file(path, 2**24))["weight_map"]
        names = sorted(set(places.values()))
        plain = all(re.fullmatch(r"[\w-][\w.-]*", name) for name in names)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableCheckpointError(
            f"{path.name} is no index of weights; it needs a weight_map of names to files."
        ) from error
    if not plain or len(names) > _MOST_SHARDS:
        raise UnreadableCheckpointError(f"{path.name} names files outside its folder, or too many.")
    tensors: dict[str, Any] = {}
    for name in names:
        content = read_file(path.parent / name, max_bytes)
        max_bytes -= len(content)
        tensors |= parse(content, name, max_bytes + len(content))
    return tensors


def read_tensors(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """Return what a file of at most so many bytes holds: names with tensors, where it is one of weights."""
    found: dict[str, Tensor] = parse(read_file(path, max_bytes), path.name, max_bytes)
    return found


def parse(content: bytes, name: str, max_bytes: int) -> Any:
    """Return what a file's content holds: tensors in the mappings in which it has them, on the CPU."""
    try:
        return _parse(content, name, max_bytes)
    except (UnreadableCheckpointError, ModuleNotFoundError):
        raise
    except RefusedPickleError as error:
        raise UnreadableCheckpointError(f"{name} {error}") from error
    # Readers of damaged files raise nearly anything; to a caller it is one thing.
    except Exception as error:
        detail = quoted(str(error).partition("\n")[0])[1:-1] or "no detail"
        raise UnreadableCheckpointError(
            f"{name} could not be read as weights; it is damaged or of another kind "
            f"({type(error).__name__}: {detail})."
        ) from error


def _parse(content: bytes, name: str, max_bytes: int) -> Any:
    for start, words in _OTHERS.items():
        if content[: len(start)].lower() == start:
            raise UnreadableCheckpointError(f"{name} {words}.")
    if not content:
        raise UnreadableCheckpointError(f"{name} is empty.")
    if name.endswith(".safetensors"):
        from safetensors.torch import load

        # A length beyond the file is damage, which its own reader sees at once.
        if len(content) >= (header := int.from_bytes(content[:8], "little")) > _MOST_HEADER_BYTES:
            raise UnreadableCheckpointError(f"{name} has names of {header:,} bytes; no network has.")
        return load(content)
    if content.startswith(_GZIP_START):
        raise UnreadableCheckpointError(f"{name} is packed with gzip; unpack it first.")
    if content.startswith(SIGNATURE):
        return read_hdf5(content, name, max_bytes)
    if not content.startswith(_ZIP_START):
        return read_legacy(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_members(archive, name, max_bytes)
        if _KERAS_WEIGHTS in archive.namelist():
            return read_hdf5(archive.read(_KERAS_WEIGHTS), name, max_bytes)
        return read_zip(archive, content)


def _check_size(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise UnreadableCheckpointError(
            f"{name} holds {size:,} bytes; weights of this network take at most {max_bytes:,}."
        )


def _check_members(archive: zipfile.ZipFile, name: str, max_bytes: int) -> None:
    """Refuse an archive that neither torch.save nor Keras would have written, before anything is unpacked."""
    members = archive.infolist()
    _check_size(name, sum(member.file_size for member in members), max_bytes)
    names = [member.filename for member in members]
    if any(member.rpartition("/")[2] == "constants.pkl" for member in names):
        raise UnreadableCheckpointError(
            f"{name} is a TorchScript program; if you trust it, give torch.jit.load(...).state_dict()."
        )
    pickles = sum(member.endswith("/data.pkl") for member in names)
    if len(set(names)) < len(names) or pickles + (_KERAS_WEIGHTS in names) != 1:
        raise UnreadableCheckpointError(f"{name} is an archive, but not one that torch.save or Keras writes.")
    for member in members:
        if member.filename.startswith("/") or ".." in member.filename or "\\" in member.filename:
            raise UnreadableCheckpointError(
                f"{name} names a place outside itself ({quoted(member.filename)}); it is not read."
            )
        if member.compress_type != zipfile.ZIP_STORED:
            raise UnreadableCheckpointError(
                f"{name} is compressed inside; torch.save and Keras never do that."
            )
