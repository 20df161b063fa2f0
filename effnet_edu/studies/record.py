"""Results on disk: one json file each, with where it came from and the code that made it.

A record is written once, atomically, and read strictly. What is in `data` is the business of who wrote it:
a study, or a measurement recorded on a device that the reader may not have.
"""

import dataclasses
import importlib.metadata
import json
import math
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from effnet_edu.checkpoints.atomic import write_atomically
from effnet_edu.studies.code import ROOT, code_hashes, combined

if TYPE_CHECKING:
    import torch

#: `study`: a full study. `quick_study`: its short version. `measurement`: numbers recorded on a device.
Kind = Literal["study", "quick_study", "measurement"]
KINDS: tuple[str, ...] = get_args(Kind)
RESULTS = Path(__file__).parent / "results"
#: Raised when the layout of the file changes.
FORMAT = 1
_LINE = 110  # characters up to which a list or mapping stands on one line
_VERSIONS_OF = ("torch", "numpy", "matplotlib", "kornia")


class RecordError(ValueError):
    """A file of results that is damaged, incomplete or of another format."""


@dataclass(frozen=True)
class Provenance:
    """Where a result came from.

    Attributes:
        started: Date and time of the start, ISO 8601 in UTC.
        command: What to type to make it again.
        start: The module, or module:definition, that made it.
        code: Each module that it depends on, with the hash of what is used of it.
        code_sha256: One hash of all of them.
        commit: Commit of the repository at the start, or None outside of one.
        dirty: Whether code in the package differed from the commit, or None outside of a repository.
        device: Name of the device.
        driver: Version of its driver, or None where there is none.
        system: Operating system and processor architecture.
        versions: Versions of Python, effnet_edu, torch and the packages that make or change images.
        seeds: Every seed used.
        wall_seconds: How long it took, waiting included; the sum over resumed parts.
        peak_memory_bytes: Highest memory of one process, or None where it was not measured.
        note: What else a reader must know, such as how many ran at once.
    """

    started: str
    command: str
    start: str
    code: Mapping[str, str]
    code_sha256: str
    commit: str | None
    dirty: bool | None
    device: str
    driver: str | None
    system: str
    versions: Mapping[str, str]
    seeds: tuple[int, ...]
    wall_seconds: float
    peak_memory_bytes: int | None
    note: str = ""

    def finished(self, wall_seconds: float, peak_memory_bytes: int | None) -> "Provenance":
        """Return it with what is only known at the end.

        Args:
            wall_seconds: How long it took.
            peak_memory_bytes: Highest memory of one process, or None.
        """
        return dataclasses.replace(self, wall_seconds=wall_seconds, peak_memory_bytes=peak_memory_bytes)

    def __str__(self) -> str:
        return f"{self.device}, {self.started[:10]}, torch {self.versions.get('torch', 'unknown')}"


@dataclass(frozen=True)
class Record:
    """One result.

    Attributes:
        kind: `"study"`, `"quick_study"` or `"measurement"`.
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
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(map(repr, KINDS))}.")
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(
                f"name is {self.name!r}; it must be one word of letters, digits and underscores."
            )


def begin(
    start: str, device: "torch.device", seeds: Sequence[int] = (), command: str | None = None, note: str = ""
) -> Provenance:
    """Return where a result that starts now will have come from.

    Args:
        start: The module, or module:definition, that makes it.
        device: Where it runs.
        seeds: Every seed used.
        command: What to type to make it again; this process's own command by default.
        note: What else a reader must know.

    Raises:
        ValueError: There is no such module.
    """
    # Results are read where there is no torch; only where they are made does a device have a name.
    from effnet_edu.profiling.device import device_name, driver_version

    code = code_hashes(start)
    commit, dirty = _repository()
    return Provenance(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or _own_command(),
        start=start,
        code=code,
        code_sha256=combined(code),
        commit=commit,
        dirty=dirty,
        device=device_name(device),
        driver=driver_version(device),
        system=f"{platform.system()} {platform.machine()}",
        versions=_versions(),
        seeds=tuple(seeds),
        wall_seconds=0.0,
        peak_memory_bytes=None,
        note=note,
    )


def _own_command() -> str:
    """Return this process's command, without the folders of this machine."""
    program, *words = sys.orig_argv
    kept = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return shlex.join([Path(program).name, *kept])


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("effnet-edu", *_VERSIONS_OF):
        try:
            versions[package.replace("-", "_")] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(ROOT), *words],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _repository() -> tuple[str | None, bool | None]:
    """Return the commit, and whether the package's code differs from it; results themselves do not count."""
    commit = _git("rev-parse", "HEAD")
    # An installed package can lie inside of somebody's own repository.
    if commit is None or not _git("ls-files", "--", "__init__.py"):
        return None, None
    changes = _git("status", "--porcelain", "--", ".", ":(exclude)studies/results")
    return commit, bool(changes)


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
    """Write one json file; whoever reads it sees the old one or the new one, never half of one.

    Args:
        path: Where; folders are made as needed.
        value: Mappings, lists, text and finite numbers.

    Raises:
        ValueError: Something in it is not one of these.
    """
    write_atomically(path, _lines(_plain(value, path.stem)) + "\n")


def write(record: Record, folder: Path = RESULTS) -> Path:
    """Write a record as NAME.json and return where it is.

    Args:
        record: The result.
        folder: Where results are kept.

    Raises:
        ValueError: The data holds something that json cannot hold exactly.
    """
    path = folder / f"{record.name}.json"
    write_json(path, {"format": FORMAT, **dataclasses.asdict(record)})
    return path


def read(name: str, folder: Path = RESULTS) -> Record:
    """Return the record of this name.

    Args:
        name: Its name, as in `list_records()`.
        folder: Where results are kept.

    Raises:
        FileNotFoundError: There is no such record.
        RecordError: The file is damaged, incomplete or of another format.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(list_records(folder)) or "none"
        raise FileNotFoundError(f"There is no result named {name!r}; recorded here: {known}.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path.name} is damaged: {error}.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise RecordError(f"{path.name} is not a result of format {FORMAT}.")
    where = _checked(Provenance, found.get("provenance"), path.name)
    if not where["code"] or combined(where["code"]) != where["code_sha256"]:
        raise RecordError(f"{path.name}: code_sha256 is not the hash of the modules in code.")
    parts = _checked(Record, {key: value for key, value in found.items() if key != "format"}, path.name)
    provenance = Provenance(**{**where, "seeds": tuple(where["seeds"])})
    try:
        record = Record(**{**parts, "provenance": provenance})
    except ValueError as error:
        raise RecordError(f"{path.name}: {error}") from error
    if record.name != name:
        raise RecordError(f"{path.name} holds the result {record.name!r}.")
    return record


#: What json may hold for each annotation of the two classes.
_ALLOWED: dict[Any, tuple[type, ...]] = {
    str: (str,),
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
        missing = sorted(set(fields) ^ set(found if isinstance(found, dict) else ()))
        raise RecordError(f"{file}: {made.__name__.lower()} lacks, or has beyond what it should: {missing}.")
    for name, value in found.items():
        if not isinstance(value, _ALLOWED[fields[name].type]):
            raise RecordError(f"{file}: {name} is {value!r}, which is not what belongs there.")
    return dict(found)


def list_records(folder: Path = RESULTS) -> tuple[str, ...]:
    """Return the names of all records.

    Args:
        folder: Where results are kept.
    """
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def changed_modules(record: Record) -> tuple[str, ...]:
    """Return the modules whose code is no longer what made this result; none if it is up to date.

    Args:
        record: The result.
    """
    then = record.provenance.code
    try:
        now = code_hashes(record.provenance.start)
    except ValueError:
        return (record.provenance.start,)
    return tuple(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))


def check(folder: Path = RESULTS) -> dict[str, tuple[str, ...]]:
    """Return every record with the modules that changed since it was made.

    Args:
        folder: Where results are kept.

    Raises:
        RecordError: A file is damaged, incomplete or of another format.
    """
    return {name: changed_modules(read(name, folder)) for name in list_records(folder)}
