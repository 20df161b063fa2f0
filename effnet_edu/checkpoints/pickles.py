"""What torch.save wrote, read as data: names, numbers and tensors. Nothing that a file asks for is called.

A pickle is a small program that builds objects by calling what it names. Here every name stands for something
that does nothing: tensors are noted and made afterwards, within the bounds of their storage, and any other
object becomes a `LeftOut`. `torch.load(weights_only=True)` refuses a whole file for one `argparse.Namespace`.
"""

import io
import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from effnet_edu.ground.checks import quoted

#: The most bytes and the most reads of one pickle. Weights, their average and an optimizer's state of the
#: largest network here take 2 MB and 0.8 million; the numbers themselves lie outside of the pickle.
_MOST_BYTES, _MOST_READS = 2**23, 2_000_000

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}
#: Of Python's own library, only what holds data is passed over; what acts (os.system, eval) refuses the file.
_BUILTINS = {
    *("object", "set", "frozenset", "complex", "bytearray", "slice", "range", "list", "dict", "tuple"),
    *("int", "long", "float", "str", "bool"),
}
_HOLD_DATA = {
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS,
    "argparse": {"Namespace"},
    "types": {"SimpleNamespace"},
    "copyreg": {"_reconstructor"},
    "copy_reg": {"_reconstructor"},
    "_codecs": {"encode"},
    "collections": {"defaultdict", "Counter", "deque"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "functools": {"partial"},
    "logging": {"getLogger"},
    "operator": {"attrgetter", "itemgetter"},
    "random": {"Random"},
    "re": {"_compile"},
    "uuid": {"UUID"},
    "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"},
    "pathlib._local": {"PosixPath", "WindowsPath"},
}


class RefusedPickleError(ValueError):
    """A pickle that weights do not need; its message follows the name of the file."""


class LeftOut:
    """Stands for an object that is no tensor and no plain data: it takes whatever the file does to it."""

    name = "an object"

    def __new__(cls, *_: Any, **__: Any) -> "LeftOut":  # noqa: D102
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def __setstate__(self, _: Any) -> None: ...
    def __setitem__(self, _: Any, __: Any) -> None: ...
    def append(self, _: Any) -> None: ...  # noqa: D102 - as below, what a pickle calls by itself
    def extend(self, _: Any) -> None: ...  # noqa: D102
    def add(self, _: Any) -> None: ...  # noqa: D102

    def __call__(self, *_: Any, **__: Any) -> "LeftOut":  # noqa: D102
        return self


class _Names(dict[Any, Any]):
    """An OrderedDict without its attributes, which `state_dict` gives one."""

    def __setstate__(self, _: Any) -> None: ...


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: torch.dtype
    numel: int

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize

    def __setstate__(self, _: Any) -> None: ...


@dataclass(frozen=True)
class _Noted:
    """A tensor as the file describes it."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, _: Any) -> None: ...


@dataclass(frozen=True)
class _Kind:
    """The class of a storage."""

    dtype: torch.dtype

    def __setstate__(self, _: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class _Call:
    """One of the few functions that a tensor needs; a file cannot set anything on it."""

    run: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.run(*arguments)

    def __setstate__(self, _: Any) -> None: ...


def _note_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Noted:
    numbers = (offset, *size, *stride)
    if not isinstance(storage, _Storage) or any(type(number) is not int or number < 0 for number in numbers):
        raise RefusedPickleError("describes a tensor with something that is no storage or no size.")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if all(size) and last >= storage.numel:
        raise RefusedPickleError("describes a tensor that reaches beyond its storage.")
    return _Noted(storage, offset, tuple(size), tuple(stride))


_KNOWN: dict[str, Callable[[], Any]] = {
    "collections.OrderedDict": lambda: _Call(lambda *_: _Names()),
    "torch.Size": lambda: _Call(lambda *sides: tuple(*sides)),
    "torch._utils._rebuild_tensor": lambda: _Call(_note_tensor),
    "torch._utils._rebuild_tensor_v2": lambda: _Call(_note_tensor),
    "torch._utils._rebuild_parameter": lambda: _Call(lambda noted, *_: noted),
    "torch._utils._rebuild_parameter_with_state": lambda: _Call(lambda noted, *_: noted),
    **{f"torch.{name}": lambda dtype=dtype: _Kind(dtype) for name, dtype in _STORAGES.items()},  # type: ignore[misc]
}


class _Bounded:
    """A file that stops a pickle after so many bytes and reads."""

    def __init__(self, file: io.BytesIO) -> None:
        self.file, self.bytes, self.reads = file, _MOST_BYTES, _MOST_READS

    def _count(self, read: bytes) -> bytes:
        self.bytes -= len(read)
        self.reads -= 1
        if self.bytes < 0 or self.reads < 0:
            raise RefusedPickleError("holds far more beside its tensors than weights need.")
        return read

    def read(self, size: int) -> bytes:
        return self._count(self.file.read(size))

    def readline(self) -> bytes:
        return self._count(self.file.readline(_MOST_BYTES))


# The one written in Python: the other takes the file's word for how large its tables have to be.
class _Unpickler(pickle._Unpickler):
    """Follows a pickle without calling anything that it names."""

    def __init__(self, file: io.BytesIO, most_bytes: int) -> None:
        super().__init__(_Bounded(file), encoding="utf-8")
        self.storages: dict[str, _Storage] = {}
        self._left = most_bytes

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _KNOWN:
            return _KNOWN[full]()
        of_python = module.partition(".")[0] in (*sys.stdlib_module_names, "__builtin__", "copy_reg")
        if of_python and name not in _HOLD_DATA.get(module, ()):
            raise RefusedPickleError(
                f"refers to {quoted(full)}; weights need tensors alone, so it is not read."
            )
        return type("LeftOut", (LeftOut,), {"name": full[:80]})

    def persistent_load(self, pid: Any) -> _Storage:
        word, kind, key, _, numel, *view = pid
        if word != "storage" or not isinstance(kind, _Kind) or type(key) is not str or any(view):
            raise RefusedPickleError("describes a storage in a way that torch.save does not.")
        if key not in self.storages:
            found = _Storage(key, kind.dtype, numel)
            self._left -= found.nbytes
            if type(numel) is not int or numel < 0 or self._left < 0:
                raise RefusedPickleError("announces more numbers than it has bytes.")
            self.storages[key] = found
        return self.storages[key]


@dataclass
class _Made:
    """Makes tensors of what was noted, those of one storage from the same memory."""

    content: Callable[[_Storage], bytes]
    kept: dict[str, Tensor] = field(default_factory=dict)

    def tensor(self, noted: _Noted) -> Tensor:
        storage = noted.storage
        if storage.key not in self.kept:
            values = bytearray(self.content(storage))
            if len(values) < storage.nbytes:
                raise RefusedPickleError("announces more numbers than it has bytes.")
            empty = torch.empty(0, dtype=storage.dtype)
            self.kept[storage.key] = (
                torch.frombuffer(values, dtype=storage.dtype, count=storage.numel) if storage.numel else empty
            )
        return self.kept[storage.key].as_strided(noted.size, noted.stride, noted.offset)

    def tree(self, found: Any, depth: int = 0) -> Any:
        """Return the same with tensors in it; what lies very deep is nobody's weights."""
        if isinstance(found, _Noted):
            return self.tensor(found)
        if isinstance(found, Mapping) and depth < 6:
            return {key: self.tree(value, depth + 1) for key, value in found.items()}
        return found


def read_zip(archive: zipfile.ZipFile, content: bytes) -> Any:
    """Return what the archive of a `torch.save` holds; its members were checked before."""
    (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
    root = pickled.removesuffix("/data.pkl")
    if f"{root}/byteorder" in archive.namelist() and archive.read(f"{root}/byteorder") != b"little":
        raise RefusedPickleError("holds numbers in big-endian order; save it again on a usual machine.")
    reader = _Unpickler(io.BytesIO(archive.read(pickled)), len(content))
    found = reader.load()
    return _Made(lambda storage: archive.read(f"{root}/data/{storage.key}")).tree(found)


def read_legacy(content: bytes) -> Any:
    """Return what a file of `torch.save` from before torch 1.6 holds: five pickles, then the numbers."""
    file = io.BytesIO(content)

    def load() -> Any:
        return _Unpickler(file, len(content)).load()

    if load() != _MAGIC or load() != _PROTOCOL:
        raise RefusedPickleError(
            "is a pickle, and none of torch.save; write it with torch.save(net.state_dict(), ...)."
        )
    system = load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise RefusedPickleError("holds numbers in an order that is not read here.")
    reader = _Unpickler(file, len(content))
    found, keys = reader.load(), load()
    values: dict[str, bytes] = {}
    for key in keys:
        storage = reader.storages[key]
        if int.from_bytes(file.read(8), "little", signed=True) != storage.numel:
            raise RefusedPickleError("holds a storage of another length than it says.")
        values[key] = file.read(storage.nbytes)
    return _Made(lambda storage: values[storage.key]).tree(found)
