"""What a learner has done, kept in one file on the learner's own machine. Nothing is sent anywhere."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from effnet_edu.checkpoints.atomic import write_atomically

_LOCK_SECONDS = 2
Record = dict[str, Any]


def progress_file() -> Path:
    """Return where progress is kept.

    EFFNET_EDU_PROGRESS names the file itself; without it, it lies in the folder effnet_edu of XDG_DATA_HOME,
    or of ~/.local/share.
    """
    if own := os.environ.get("EFFNET_EDU_PROGRESS"):
        return Path(own).expanduser()
    shared = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(shared).expanduser() / "effnet_edu" / "progress.json"


def read_record() -> Record:
    """Return what was done: `exercises` by name and `answers` by lesson and question.

    A file that is not there is an empty record. So is one that is damaged; the next check puts it aside.

    Raises:
        OSError: The file is there and cannot be read.
    """
    return _read() or {"exercises": {}, "answers": {}}


def _read() -> Record | None:
    """Return what the file holds; None if it is damaged or not there."""
    try:
        found = json.loads(progress_file().read_text(encoding="utf-8"))
        entries = [
            *found["exercises"].values(),
            *(e for quiz in found["answers"].values() for e in quiz.values()),
        ]
        whole = all({"tries", "right_since"} <= entry.keys() for entry in entries)
    except (FileNotFoundError, ValueError, LookupError, AttributeError, TypeError):
        return None
    return found if whole else None


def note_check(name: str, right: bool) -> None:
    """Note that an exercise was checked. Where the file cannot be written, nothing is noted.

    Args:
        name: Name of the exercise.
        right: Whether the answer was right.
    """
    _change(lambda record: _note(record["exercises"], name, right))


def note_answer(lesson: str, question: str, right: bool) -> None:
    """Note that a question of a quiz was answered. Where the file cannot be written, nothing is noted.

    Args:
        lesson: Name of the lesson.
        question: Text of the question; a question that is worded anew is a new question.
        right: Whether the answer was right.
    """
    _change(lambda record: _note(record["answers"].setdefault(lesson, {}), question, right))


def reset_progress() -> None:
    """Forget everything that was done, in all lessons."""
    progress_file().unlink(missing_ok=True)


def _note(entries: Record, name: str, right: bool) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = entries.setdefault(name, {"tries": 0, "right_since": None})
    entry["tries"] += 1
    entry["last"] = now
    entry["right_since"] = entry["right_since"] or (now if right else None)


def _change(change: Callable[[Record], None]) -> None:
    """Read, change and write the file, alone among all notebooks that are open."""
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            if _read() is None and path.exists():
                path.replace(path.with_suffix(".damaged.json"))
            record = read_record()
            change(record)
            write_atomically(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    except OSError:  # a full disk or a home that is read-only must not stand between a learner and the check
        return
