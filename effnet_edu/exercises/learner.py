"""What a learner's code was given, and how it stopped, in sentences."""

import linecache
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from effnet_edu.exercises.outcome import Outcome, not_attempted


def written(arguments: Iterable[str], given: Iterable[Any]) -> str:
    """Return a call's arguments as a learner would write them.

    Args:
        arguments: Their names.
        given: Their values.
    """
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in zip(arguments, given, strict=True)
    )


def stopped(error: BaseException, given: str, where: str) -> Outcome:
    """Return the outcome of an answer that raised, with its input and the learner's own line.

    Args:
        error: What it raised. If three dots were the reason, the answer is not attempted.
        given: The input, as `written` returns it.
        where: What to replace, if it was three dots.
    """
    try:
        said = str(error)
    except Exception:  # an exception of the learner's own may fail to describe itself
        said = ""
    if "ellipsis" in said:  # the name of their type: somebody computed with the dots
        return not_attempted(where)
    line = _own_line(error.__traceback__)
    return Outcome(
        "wrong",
        f"With {given} it stops with {type(error).__name__}{': ' * bool(said)}{said.rstrip('.')}"
        f"{f', in the line `{line}`' * bool(line)}.",
    )


def _own_line(traceback: TracebackType | None) -> str:
    """Return the last line that was written in a notebook: neither of this package nor of another."""
    line = ""
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if "ipykernel" in name or name.startswith("<"):
            line = linecache.getline(name, traceback.tb_lineno).strip() or line
        traceback = traceback.tb_next
    return line
