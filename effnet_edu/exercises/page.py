"""Exercises in a page: the same checks, where there is Python and no torch."""

import functools
import importlib
import json
import linecache
import math
import statistics
from typing import Any

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.outcome import Outcome
from effnet_edu.ground.checks import quoted

#: The lesson whose exercises are all modules and tensors.
_WITH_TORCH = "07"
#: What a cell is called, so that a message can quote its line.
_CELL = "<cell>"


def on_pages(lesson: str) -> dict[str, Exercise]:
    """Return the exercises of a lesson that a page can check, by name: those that need no torch.

    Args:
        lesson: Name of a lesson, such as `"02_compound_scaling"`.
    """
    if lesson.startswith(_WITH_TORCH):
        return {}
    room = importlib.import_module(f"effnet_edu.exercises.lesson_{lesson[:2]}")
    return {each.name: each for each in room.EXERCISES if isinstance(each, Exercise)}


def check(lesson: str, name: str, source: str) -> str:
    """Run what stands in an exercise's cell, check it, and return the state and the verdict as JSON.

    Args:
        lesson: Name of the lesson.
        name: Name of one of its exercises on pages.
        source: The code.
    """
    outcome = _checked(on_pages(lesson)[name], source)
    return json.dumps({"state": outcome.state, "html": outcome._repr_html_()})


def _checked(exercise: Exercise, source: str) -> Outcome:
    lent: dict[str, Any] = {each.__name__: each for each in (functools, math, statistics)}
    lent |= {"ee": importlib.import_module("effnet_edu"), "mean": statistics.mean}
    linecache.cache[_CELL] = (len(source), None, source.splitlines(keepends=True), _CELL)
    try:
        exec(compile(source, _CELL, "exec"), lent)  # noqa: S102 - the reader's own code in their own browser
    except SyntaxError as error:
        return Outcome("wrong", f"Line {error.lineno} is no Python: {error.msg}.")
    except BaseException as error:  # it may raise anything
        return Outcome("wrong", f"The code stops with {type(error).__name__}: {quoted(error)}.")
    if exercise.name not in lent:
        return Outcome("wrong", f"The code defines no `{exercise.name}`; keep the name.")
    return exercise.judge(lent[exercise.name])
