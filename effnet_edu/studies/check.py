"""What `study --check` says of every recorded result: whether it is whole, and of the method of today."""

from dataclasses import dataclass
from pathlib import Path

from effnet_edu.studies import record
from effnet_edu.studies.record import RESULTS, Record, RecordError
from effnet_edu.studies.registry import DEVICE_METHODS, list_studies, study
from effnet_edu.studies.result import as_result


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one file."""

    name: str
    sentence: str
    is_damaged: bool


def method_of(found: Record) -> int | None:
    """Return today's method number of what a record holds; None where nothing makes such a record."""
    if found.kind == "measurement":
        return DEVICE_METHODS.get(found.name)
    return study(found.name).method if found.name in list_studies() else None


def verdicts(folder: Path | None = None) -> list[Verdict]:
    """Return a sentence on every record in a folder, and on those of the devices below it."""
    folder = folder or RESULTS
    paths = sorted(folder.glob("*.json")) + sorted(folder.glob("devices/*/*.json"))
    return [_verdict(path, path.relative_to(folder).with_suffix("").as_posix()) for path in paths]


def _verdict(path: Path, name: str) -> Verdict:
    try:
        found = record.read(path.stem, path.parent)
        if found.kind != "measurement":
            as_result(found)
    except RecordError as error:
        return Verdict(name, str(error), is_damaged=True)
    then, now = found.provenance.method, method_of(found)
    if now is None:
        return Verdict(name, "nothing makes it any more", is_damaged=False)
    if then < now:
        again = f"`{found.provenance.command}` makes it again"
        return Verdict(name, f"older than its method: {then}, now {now}; {again}", is_damaged=False)
    return Verdict(name, f"up to date, method {then}", is_damaged=False)
