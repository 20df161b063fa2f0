"""What a learner has done, kept in one file on the learner's own machine. Nothing is sent anywhere."""

import itertools
import json
import math
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from effnet_edu.exercises.prediction import MOST_CHARACTERS
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.guesses import Verdict
from effnet_edu.ground.home import kept_in
from effnet_edu.ground.locks import file_lock

_LOCK_SECONDS = 2
#: A record of the whole course has 20 kB.
_MAX_BYTES = 2**22
_MAX_TRIES = 10**9
Record = dict[str, Any]


def progress_file() -> Path:
    """Return where progress is kept.

    EFFNET_EDU_PROGRESS names the file itself; without it, it lies in the folder effnet_edu of XDG_DATA_HOME,
    or of ~/.local/share.
    """
    if own := os.environ.get("EFFNET_EDU_PROGRESS"):
        return Path(own).expanduser()
    shared = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return kept_in(shared, "your progress", "EFFNET_EDU_PROGRESS") / "progress.json"


def read_record() -> tuple[Record, str]:
    """Return what was done, and a sentence if not all of it can be read.

    It has `exercises` by name, and `answers` and `predictions` by lesson and question. A file that is not
    there is empty. Of one that is damaged, whatever makes sense is read; the next check puts the file aside.
    """
    try:
        path = _real_file()
        record, whole = _parsed(_content(path))
    except FileNotFoundError:
        return _parsed(b"")[0], ""
    except OSError as error:
        return _parsed(b"")[0], f"What was done before cannot be read: {error}."
    return record, "" if whole else f"{path} is damaged; what could be read of it is shown."


def _real_file() -> Path:
    """Return the file behind links, so that a link stays one."""
    try:
        return progress_file().resolve()
    except RuntimeError as error:  # nobody knows the home behind a `~`, or links lead in a circle
        raise OSError(str(error)) from None


def _content(path: Path) -> bytes:
    """Return what a file holds, and nothing if it is larger than any record."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no file")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    return content if len(content) <= _MAX_BYTES else b""


def _parsed(content: bytes) -> tuple[Record, bool]:
    """Return the entries of a file that make sense, and whether these are all."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    there = _dictionary(found)
    record = {
        **there,
        "exercises": _entries(there.get("exercises")),
        "answers": {name: _entries(quiz) for name, quiz in _dictionary(there.get("answers")).items()},
        "predictions": {
            lesson: {what: entry for what, entry in _dictionary(guesses).items() if _is_guess(entry)}
            for lesson, guesses in _dictionary(there.get("predictions")).items()
        },
    }
    if "predictions" not in there:  # an edition before predictions wrote it
        found = {**_dictionary(found), "predictions": {}} if isinstance(found, dict) else found
    return record, record == found


def _entries(found: Any) -> Record:
    return {name: entry for name, entry in _dictionary(found).items() if _is_entry(entry)}


def _dictionary(found: Any) -> Record:
    return found if isinstance(found, dict) else {}


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and type(entry.get("tries")) is int
        and 0 <= entry["tries"] <= _MAX_TRIES
        and isinstance(entry.get("right_since", 0), str | None)
    )


def _is_guess(entry: Any) -> bool:
    factor = entry.get("factor") if isinstance(entry, dict) else 0
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("guess"), str)
        and len(entry["guess"]) <= MOST_CHARACTERS
        and type(entry.get("close")) is bool
        and (factor is None or (type(factor) in (int, float) and 1 <= factor < math.inf))
        and isinstance(entry.get("at"), str)
    )


def note_check(name: str, right: bool) -> str:
    """Note that an exercise was checked; return a sentence where that cannot be kept."""
    return _change(lambda record: _note(record["exercises"], name, right))


def note_answer(lesson: str, question: str, right: bool) -> str:
    """Note that a question of a quiz was answered; return a sentence where that cannot be kept.

    A question that is worded anew is a new question.
    """
    return _change(lambda record: _note(record["answers"].setdefault(lesson, {}), question, right))


def note_prediction(lesson: str, what: str, guess: str, verdict: Verdict) -> str:
    """Note a guess unless an earlier one is kept; return a sentence where that cannot be kept."""
    entry = {"guess": guess, "close": verdict.is_close, "factor": verdict.factor, "at": _now()}
    return _change(lambda record: record["predictions"].setdefault(lesson, {}).setdefault(what, entry))


def add_progress(path: str | Path) -> None:
    """Add what was done elsewhere, such as on the course's pages, to what was done here.

    Of two entries, that of this machine stays unless the other alone was right.

    Args:
        path: A file that a page saved, or another machine's progress.json.

    Raises:
        ValueError: It is no such file.
        OSError: It cannot be read, or nothing can be kept here.
    """
    found, whole = _parsed(_content(Path(path)))
    if not whole:
        raise ValueError(f"{quoted(str(path))} is damaged, or no progress of this course.")
    if hindrance := _change(lambda record: _merge(record, found)):
        raise OSError(hindrance)


def _merge(record: Record, found: Record) -> None:
    pairs = [(record["exercises"], found["exercises"])]
    for part in ("answers", "predictions"):
        pairs += [(record[part].setdefault(lesson, {}), new) for lesson, new in found[part].items()]
    for entries, new in pairs:
        for name, entry in new.items():
            if name not in entries or (not entries[name].get("right_since") and entry.get("right_since")):
                entries[name] = entry


def reset_progress() -> None:
    """Forget everything that was done, in all lessons.

    Raises:
        OSError: The file cannot be removed.
    """
    path = _real_file()
    for file in (path, *_unfinished(path)):
        file.unlink(missing_ok=True)


def _note(entries: Record, name: str, right: bool) -> None:
    now = _now()
    entry = entries.setdefault(name, {"tries": 0, "right_since": None})
    entry["tries"] += 1
    entry["last"] = now
    entry["right_since"] = entry["right_since"] or (now if right else None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _change(change: Callable[[Record], object]) -> str:
    """Read, change and write the file, alone among all notebooks that are open; return what hinders that."""
    try:
        path = _real_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(path.with_suffix(".lock")).acquire(timeout=_LOCK_SECONDS):
            for file in _unfinished(path):  # left by a program that was killed
                file.unlink(missing_ok=True)
            try:
                record, whole = _parsed(_content(path))
            except FileNotFoundError:
                record, whole = _parsed(b"")[0], True
            if not whole:
                path.replace(_free_name(path))
            change(record)
            write_atomically(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    except OSError as error:  # a full disk must not stand between a learner and the check
        return f"Your progress cannot be kept: {error}."
    return ""


def _free_name(path: Path) -> Path:
    """Return where a damaged file goes: beside the others."""
    names = (path.with_suffix(f".damaged{f'-{number}' * (number > 1)}.json") for number in itertools.count(1))
    return next(name for name in names if not os.path.lexists(name))


def _unfinished(path: Path) -> Iterator[Path]:
    return path.parent.glob(f".{path.name}.*.partial")
