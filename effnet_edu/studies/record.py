"""Results on disk: one json file each, with where it came from and a hash of its numbers.

A record is written once, atomically, and read strictly. What is in `data` is the business of who wrote it:
a study, or a measurement recorded on a device that the reader may not have.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.reading import read_at_most
from effnet_edu.studies.provenance import Provenance

#: `study`: a full study. `quick_study`: its short version. `run`: one run of a study that is not finished.
#: `measurement`: numbers recorded on a device.
Kind = Literal["study", "quick_study", "run", "measurement"]
KINDS: tuple[str, ...] = get_args(Kind)
RESULTS = Path(__file__).parent / "results"
#: Raised when the layout of the file changes.
FORMAT = 2
#: Of the largest file of results that is read; ours have some hundred kB.
MOST_BYTES = 2**25
_LINE = 110  # characters up to which a list or mapping stands on one line


class RecordError(ValueError):
    """A file of results that is damaged, incomplete or of another format."""


@dataclass(frozen=True)
class Record:
    """One result.

    Attributes:
        kind: `"study"`, `"quick_study"`, `"run"` or `"measurement"`.
        name: Its name, and that of its file.
        provenance: Where it came from.
        data: The result itself: what json can hold, with finite numbers only.

    Raises:
        ValueError: The kind is unknown, or the name is no plain word.
    """

    kind: Kind
    name: str
    provenance: Provenance
    data: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {quoted(self.kind)}; it must be one of {', '.join(map(repr, KINDS))}.")
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(
                f"name is {quoted(self.name)}; it must be one word of letters, digits and underscores."
            )


def _plain(value: Any, where: str) -> Any:
    """Return what json holds exactly, and name the place of anything else."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part, f"{where}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}; a result holds finite numbers only.")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(
        f"{where} is a {type(value).__name__}; a result holds numbers, text, lists and mappings."
    )


def _lines(value: Any, indent: str = "") -> str:
    """Return json that a person can read and git can compare: short things on one line."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= _LINE or not isinstance(value, dict | list):
        return line
    inner = indent + " "
    if isinstance(value, dict):
        parts = [
            f"{inner}{json.dumps(key, ensure_ascii=False)}: {_lines(part, inner)}"
            for key, part in value.items()
        ]
        return "{\n" + ",\n".join(parts) + "\n" + indent + "}"
    return "[\n" + ",\n".join(inner + _lines(part, inner) for part in value) + "\n" + indent + "]"


def write_json(path: Path, value: Any) -> None:
    """Write one json file atomically; what json cannot hold exactly is refused with its place."""
    write_atomically(path, _lines(_plain(value, path.stem)) + "\n")


def read_json(path: Path) -> Any:
    """Return what a json file holds; NaN and infinity, which Python would accept, are damage too."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"it holds {constant}, and a result holds finite numbers only")

    try:
        return json.loads(read_at_most(path, MOST_BYTES).decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path.name} is damaged: {error}.") from error


def data_hash(data: Any) -> str:
    """Return a sha256 of numbers and words, however the file is laid out."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def write(record: Record, folder: Path = RESULTS) -> Path:
    """Write a record as NAME.json and return where it is."""
    path = folder / f"{record.name}.json"
    data = _plain(record.data, f"{record.name}.data")
    found = {"format": FORMAT, **dataclasses.asdict(record)}
    del found["data"]
    write_json(path, {**found, "data_sha256": data_hash(data), "data": data})
    return path


def read(name: str, folder: Path = RESULTS) -> Record:
    """Return the record of this name.

    Raises:
        FileNotFoundError: There is no such record.
        RecordError: The file is damaged, incomplete, of another format, or its numbers were changed.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(list_records(folder)) or "none"
        raise FileNotFoundError(f"There is no result named {quoted(name)}; recorded here: {known}.")
    found = read_json(path)
    if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
        raise RecordError(f"{path.name} is not a result of format {FORMAT}.")
    written = found.pop("data_sha256", None)
    parts = _checked(Record, found, path.name)
    if data_hash(parts["data"]) != written:
        raise RecordError(f"{path.name} was changed after it was written: data_sha256 is not that of data.")
    where = _checked(Provenance, parts["provenance"], path.name)
    if where["method"] < 1:
        raise RecordError(f"{path.name}: method is {where['method']}; it must be 1 or more.")
    provenance = Provenance(**{**where, "seeds": tuple(where["seeds"])})
    try:
        record = Record(**{**parts, "provenance": provenance})
    except ValueError as error:
        raise RecordError(f"{path.name}: {error}") from error
    if record.name != name:
        raise RecordError(f"{path.name} holds the result {quoted(record.name)}.")
    return record


#: What the members of a list or mapping are.
_INSIDE: dict[Any, type] = {tuple[int, ...]: int, Mapping[str, str]: str}
#: What json may hold for each annotation of the two classes.
_ALLOWED: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    str | None: (str, type(None)),
    bool | None: (bool, type(None)),
    int | None: (int, type(None)),
    tuple[int, ...]: (list,),
    Mapping[str, str]: (dict,),
    Mapping[str, Any]: (dict,),
    Kind: (str,),
    Provenance: (dict,),
}


def _checked(made: type, found: Any, file: str) -> dict[str, Any]:
    """Return the fields of a class as they stand in a file, after comparing names and types."""
    fields = {part.name: part for part in dataclasses.fields(made)}
    if not isinstance(found, dict) or set(found) != set(fields):
        wrong = sorted(set(fields) ^ set(found if isinstance(found, dict) else ()))
        raise RecordError(
            f"{file}: {made.__name__.lower()} lacks, or has beyond what it should: {quoted(wrong)}."
        )
    for name, value in found.items():
        allowed = _ALLOWED[fields[name].type]
        is_allowed = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
        if is_allowed and (of := _INSIDE.get(fields[name].type)) is not None:
            is_allowed = all(
                type(one) is of for one in (value.values() if isinstance(value, dict) else value)
            )
        if not is_allowed:
            raise RecordError(f"{file}: {name} is {quoted(value)}, which is not what belongs there.")
    return dict(found)


def list_records(folder: Path = RESULTS) -> tuple[str, ...]:
    """Return the names of all records in a folder."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))
