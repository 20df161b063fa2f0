"""What B, the present setting, has of the pinned A: what was changed, what that costs, what it takes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.numbers import Comparison, digits

#: How many numbers a sentence names.
_MOST = 3
#: What a time depends on beside the network that a label names.
_CONDITIONS = ("batch_size", "precision", "engine", "device")
_TIMES = ("ms", "s", "h")
#: Within this factor a time goes as its work does.
_ALIKE = 1.05


def against(logic: LabLogic[Any, Any]) -> tuple[str, ...]:
    """Return a sentence each: what was changed from A to B, how exact numbers follow, and measured ones."""
    if logic.setting == logic.pinned:
        return ("B is still A: move something, and what that changes stands here.",)
    rows = {row.name: row for row in logic.compared()}
    large = [rows[name] for name in logic.headline() if name in rows]
    large = [row for row in large if row.ratio is not None and row.unit != "×"]
    exact = [row for row in large if "measured" not in row.kinds][:_MOST]
    kinds = " and ".join(dict.fromkeys(row.kinds for row in exact))
    return (
        f"From A to B: {_changed(logic)}.",
        f"{kinds.capitalize()}: {', '.join(map(_from_to, exact))}."
        if exact
        else "A and B have no exact number in common.",
        _measured(logic, [row for row in large if row.kinds == "measured"]),
    )


def _changed(logic: LabLogic[Any, Any]) -> str:
    """Return how the label changed, and the conditions of a time; where neither did, whatever else."""
    a, b = logic.label(logic.pinned), logic.label(logic.setting)
    before, now = asdict(logic.pinned), asdict(logic.setting)
    labelled = [] if a == b else [f"{a} becomes {b}"]
    moved = [
        f"{name.replace('_', ' ')} {_said(before[name])} becomes {_said(value)}"
        for name, value in now.items()
        if value != before[name] and (a == b or name in _CONDITIONS)
    ]
    return ", ".join((*labelled, *moved[:_MOST]))


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _from_to(row: Comparison) -> str:
    """Return a number at A and at B, with its factor where a factor says something."""
    assert row.a is not None and row.b is not None  # noqa: S101, PT018 - it has a ratio
    a, b = digits(row.a.value, row.a.decimals), digits(row.b.value, row.b.decimals)
    unit = row.unit if row.unit in ("", "%") else f" {row.unit}"
    if a == b:
        return f"{row.name} {b}{unit} in both"
    factor = f" (× {digits(row.ratio or 0)})" if row.unit != "%" else ""
    return f"{row.name} {a} to {b}{unit}{factor}"


def _measured(logic: LabLogic[Any, Any], rows: Sequence[Comparison]) -> str:
    """Return what was measured of both, and why the time does not go as the work does."""
    both = {"A": logic.pinned, "B": logic.setting}
    missing = [letter for letter, setting in both.items() if not logic.newest(setting)]
    if missing:
        return f"Not measured here: {' and '.join(missing)}."
    if not rows:
        return "Nothing was measured here of both."
    if logic.measurement_key(logic.pinned) == logic.measurement_key(logic.setting):
        return "Their times are one measurement, which does not depend on what was changed."
    said = f"Measured: {', '.join(map(_from_to, rows[:2]))}"
    time = next((row for row in rows if row.unit in _TIMES), None)
    work_a, work_b = logic.macs_behind(logic.pinned), logic.macs_behind(logic.setting)
    if time is None or time.a is None or time.b is None or not work_a or not work_b:
        return f"{said}."
    (low_a, high_a), (low_b, high_b) = (one.interval or (one.value,) * 2 for one in (time.a, time.b))
    if low_a <= high_b and low_b <= high_a:
        return f"{said}; the intervals of the two times overlap."
    work = work_b / work_a
    speed = work / (time.b.value / time.a.value)
    if 1 / _ALIKE < speed < _ALIKE:
        return f"{said}; the time goes as the work does (× {digits(work)})."
    beside = "the work is the same" if digits(work) == "1" else f"the work is {digits(work)} times as much"
    return f"{said}; {beside}, and B does {digits(speed)} times as many MACs a second."
