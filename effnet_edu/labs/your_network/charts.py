"""The charts of the lab of your own network: accuracy over labels, and what each precision costs."""

import math
from collections.abc import Iterable, Iterator, Mapping

from effnet_edu.labs.frame.guessing import axis_with_room, guess_marks
from effnet_edu.labs.frame.layout import ROOMY
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.your_network.numbers import (
    BITS,
    CLASSES,
    FRESH,
    LITE0,
    MOST,
    LabelsFound,
    PrecisionFound,
    YourNetworkFound,
    YourNetworkSetting,
    label,
    recorded,
    recorded_int8,
    weight_bytes,
)
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import axes, marker, panels
from effnet_edu.pictures.scene import Mark, Scene, text

YourNetwork = LabLogic[YourNetworkSetting, YourNetworkFound]
Ends = tuple[float, float]

_TOP, _PLOT, _BELOW, _GAP = 22.0, 104.0, 36.0, 8.0
_LEFT, _RIGHT = 42.0, 12.0
_ROW = 34.0
#: What the ways of the study are called, and how each is marked.
_WAYS = {"scratch": ("from scratch", "^"), "frozen": ("Lite0 frozen", "D"), "all": ("all of Lite0", "s")}
_COUNTS = (1, 3, 10, 30, 100)
_PERCENT = (0, 25, 50, 75, 100)
#: Of the study's accuracies: their axis ends at whole tens.
_TEN = 10


def way_named(way: str) -> str:
    """Return what a way of the study is called."""
    return _WAYS[way][0]


def _under(name: str, marks: Iterable[Mark]) -> Iterator[Mark]:
    return (mark.moved(0, 0, name) for mark in marks)


# ---------------------------------------------------------------- accuracy over labels


def labels_charts(logic: YourNetwork) -> Scene:
    """Draw what was measured here, and beside it what a study recorded."""
    (first, second), plot = panels(logic.room, 2, 300), _PLOT if logic.room < ROOMY else 1.6 * _PLOT
    height = _TOP + plot + _BELOW
    tops = [place[2] * (height + _GAP) + _TOP for place in (first, second)]
    marks = [
        *_measured(logic, _across(first), (tops[0] + plot, tops[0])),
        *_recorded(logic, _across(second), (tops[1] + plot, tops[1])),
    ]
    return Scene(
        logic.room, tops[1] + plot + _BELOW, "Accuracy over labels", _labels_said(logic), tuple(marks)
    )


def _across(place: tuple[float, float, int]) -> Ends:
    return place[0] + _LEFT, place[1] - _RIGHT


def _points(logic: YourNetwork) -> list[tuple[Record[YourNetworkSetting, YourNetworkFound], LabelsFound]]:
    found = ((record, record.measurement) for record in logic.history)
    return [(record, one) for record, one in found if isinstance(one, LabelsFound)]


def _labels_said(logic: YourNetwork) -> str:
    measured = "; ".join(f"{label(r.setting)} {one.accuracy.mean:.1%}" for r, one in _points(logic))
    where, every = recorded()
    study = "; ".join(
        f"{way_named(arm.way)}, {arm.pictures} a class {arm.accuracy.mean:.1%}" for arm in every
    )
    return (
        f"Accuracy over labelled pictures of each class. Measured here: {measured or 'nothing yet'}. "
        f"Recorded on {where} with Fashion-MNIST: {study}."
    )


def _measured(logic: YourNetwork, across: Ends, upright: Ends) -> Iterator[Mark]:
    x = MarkedAxis(1, MOST, *across, logarithmic=True, marks=_COUNTS)
    y = MarkedAxis(0, 100, *upright, marks=_PERCENT)
    # Named in the title: below the line or above it, a mark could lie on the word.
    title = "% right; dashed: guessing"
    yield from _under("measured", axes(x, y, "labelled pictures of each class", title))
    chance = y(100 / len(CLASSES))
    yield Mark("measured/chance", "line", (x.start, chance, x.end, chance), "roof dashed")
    if logic.is_unmeasured:
        for n, words in enumerate(logic.unmeasured):
            middle = ((x.start + x.end) / 2, (y.start + y.end) / 2 - 20 + 17 * n)
            yield text(f"measured/none {n}", *middle, words, style="words soft middle")
    present, a = logic.newest(logic.setting), None if logic.pinned is None else logic.newest(logic.pinned)
    for n, (record, found) in enumerate(_points(logic)):
        at, accuracy = x(record.setting.pictures), found.accuracy.scaled(100)
        key, style = f"measured/{n}", "now" if record is present else "past"
        yield Mark(f"{key}/range", "line", (at, y(accuracy.low), at, y(accuracy.high)), "range")
        shape = "o" if record.setting.features == LITE0 else "s"
        words = (
            f"{label(record.setting)}: {accuracy.mean:.1f} %\nMeasured here, {accuracy.low:.1f} to "
            f"{accuracy.high:.1f} over choices of pictures"
        )
        sets = {"pictures": record.setting.pictures, "features": record.setting.features}
        yield marker(f"{key}/mark", shape, at, y(accuracy.mean), 6, style, words, sets=sets, with_=(key,))
        if record is a and record is not present:
            yield text(f"{key}/A", at - 9, y(accuracy.mean) - 8, "A", style="title end over")
    yield from guess_marks(logic, y, x(logic.setting.pictures), across)


def _recorded(logic: YourNetwork, across: Ends, upright: Ends) -> Iterator[Mark]:
    where, every = recorded()
    fewest, most = min(arm.pictures for arm in every), max(arm.pictures for arm in every)
    low = _TEN * math.floor(100 * min(arm.accuracy.low for arm in every) / _TEN)
    high = _TEN * math.ceil(100 * max(arm.accuracy.high for arm in every) / _TEN)
    x = MarkedAxis(fewest, most, *across, logarithmic=True, marks=_COUNTS)
    y = MarkedAxis(low, high, *upright, marks=tuple(range(low, high + 1, _TEN)))
    yield from _under("recorded", axes(x, y, "labelled pictures of each class", "% right, recorded: clothes"))
    if fewest <= logic.setting.pictures <= most:
        here = x(logic.setting.pictures)
        yield Mark("recorded/here", "line", (here, y.start, here, y.end), "guide")
    for way, (name, shape) in _WAYS.items():
        of_way = [arm for arm in every if arm.way == way]
        line = tuple(n for arm in of_way for n in (x(arm.pictures), y(100 * arm.accuracy.mean)))
        if len(of_way) > 1:
            yield Mark(f"recorded/{way}/line", "line", line, "roof")
        for arm in of_way:
            accuracy, key = arm.accuracy.scaled(100), f"recorded/{way} {arm.pictures}"
            at = x(arm.pictures)
            yield Mark(f"{key}/range", "line", (at, y(accuracy.low), at, y(accuracy.high)), "range")
            words = (
                f"{name}, {arm.pictures} a class: {accuracy.mean:.1f} %, {arm.seconds.mean:.1f} s of a "
                f"processor\nRecorded on {where}"
            )
            sets = {"pictures": arm.pictures} if arm.pictures <= MOST else None
            yield marker(
                f"{key}/mark", shape, at, y(accuracy.mean), 5, "measured", words, sets=sets, with_=(key,)
            )
    for row, (name, shape) in enumerate(_WAYS.values()):
        top = y.start - 12 - 15 * (len(_WAYS) - 1 - row)
        yield marker(f"recorded/key {shape}", shape, x.end - 92, top, 4, "measured")
        yield text(f"recorded/key {shape} said", x.end - 82, top + 4, name, style="words soft over")


# ---------------------------------------------------------------- precision


def precision_charts(logic: YourNetwork) -> Scene:
    """Draw size, time and accuracy, a row for each precision."""
    places = panels(logic.room, 3, 230)
    height = _TOP + _ROW * len(BITS) + 6
    marks: list[Mark] = []
    for draw, (left, right, row) in zip((_sizes, _times, _accuracies), places, strict=True):
        marks += draw(logic, (left + 44, right - 64), row * (height + 10) + _TOP)
    end = places[-1][2] * (height + 10) + height
    return Scene(logic.room, end, "Size, time and accuracy", _precision_said(logic), tuple(marks))


def of_precisions(logic: YourNetwork) -> dict[str, PrecisionFound]:
    """Return the newest measurement of each precision on the present device."""
    found: dict[str, PrecisionFound] = {}
    for record in logic.history:
        if isinstance(record.measurement, PrecisionFound) and record.setting.device == logic.setting.device:
            found[record.setting.precision] = record.measurement
    return found


def _precision_said(logic: YourNetwork) -> str:
    said = "; ".join(
        f"{name}: file {one.file_bytes / 2**20:.2f} MiB, {1000 * one.picture.median:.2f} ms a picture, "
        f"{one.correct} of {FRESH} right"
        for name, one in of_precisions(logic).items()
    )
    words = f"Size, time and accuracy in each precision. Measured here: {said or 'nothing yet'}."
    if logic.MEASURES:
        return words
    change = recorded_int8().scaled(100)
    return f"{words} Recorded: int8 changes accuracy by {change.mean:+.2f} points."


def _rows(
    logic: YourNetwork,
    name: str,
    title: str,
    across: Ends,
    top: float,
    values: dict[str, tuple[float, str]],
    x: Axis,
    ranges: Mapping[str, Ends] = {},
) -> Iterator[Mark]:
    """Draw a bar for each precision with its number; touching a row chooses the precision."""
    yield text(f"{name}/title", across[0] - 44, top - 8, title, style="words soft")
    for row, precision in enumerate(BITS):
        y, key = top + _ROW * row, f"{name}/{precision}"
        is_now = precision == logic.setting.precision
        yield text(f"{key}/name", across[0] - 44, y + 17, precision, style=f"words{' bold' * is_now}")
        if precision in values:
            value, said = values[precision]
            end = x(value)
            style = "compound-filled" if is_now else "bar"
            yield Mark(f"{key}/bar", "box", (x.start, y + 4, max(end - x.start, 1), 18), style)
            if precision in ranges:
                least, most = (x(value) for value in ranges[precision])
                yield Mark(f"{key}/range", "line", (least, y + 13, most, y + 13), "range")
                end = max(end, most)
            yield text(f"{key}/said", max(end, x.start) + 5, y + 17, said, style="words")
        words = (
            f"{precision}: {values[precision][1]}" if precision in values else f"{precision}: not measured"
        )
        box = (across[0] - 44, y, across[1] + 64 - across[0] + 44, _ROW - 2)
        yield Mark(
            f"{key}/touch", "box", box, "touch", words=words, sets={"precision": precision}, with_=(key,)
        )


def _sizes(logic: YourNetwork, across: Ends, top: float) -> Iterator[Mark]:
    found = of_precisions(logic)
    files = {name: one.file_bytes / 2**20 for name, one in found.items()}
    sizes = files or {name: weight_bytes(name) / 2**20 for name in BITS}
    x = Axis(0, max(sizes.values()), *across)
    said = {name: (size, f"{size:.1f} MiB") for name, size in sizes.items()}
    title = "size: file, measured" if found else "size: weights, computed"
    yield from _rows(logic, "size", title, across, top, said, x)


def _times(logic: YourNetwork, across: Ends, top: float) -> Iterator[Mark]:
    times = {name: one.picture for name, one in of_precisions(logic).items()}
    ranges = {name: (1000 * one.interval[0], 1000 * one.interval[1]) for name, one in times.items()}
    axis = axis_with_room(logic, max((high for _, high in ranges.values()), default=0.0), across, 20.0)
    said = {name: (1000 * one.median, f"{digits(1000 * one.median)} ms") for name, one in times.items()}
    yield from _rows(logic, "time", "time a picture, measured", across, top, said, axis, ranges)
    yield from _none("time", logic, across, top)
    at = top + _ROW * list(BITS).index(logic.setting.precision) + 13
    yield from guess_marks(logic, axis, at, (at - 13, at + 17), upright=False)


def _accuracies(logic: YourNetwork, across: Ends, top: float) -> Iterator[Mark]:
    if not logic.MEASURES:
        yield from _changes(logic, across, top)
        return
    shares = {name: one.accuracy.scaled(100) for name, one in of_precisions(logic).items()}
    x = Axis(0, 100, *across)
    said = {name: (share.mean, f"{share.mean:.1f} %") for name, share in shares.items()}
    ranges = {name: (share.low, share.high) for name, share in shares.items()}
    yield from _rows(logic, "accuracy", f"right of {FRESH}, measured", across, top, said, x, ranges)
    yield from _none("accuracy", logic, across, top)


def _changes(logic: YourNetwork, across: Ends, top: float) -> Iterator[Mark]:
    """Draw what int8 changed in the recorded networks, over fp32."""
    change = recorded_int8().scaled(100)
    reach = next(end for end in (0.5, 1, 2, 5, 10, 100) if max(-change.low, change.high) <= end)
    x = Axis(-reach, reach, *across)
    yield from _rows(logic, "accuracy", "change of accuracy, points, recorded", across, top, {}, x)
    rows = {precision: top + _ROW * row for row, precision in enumerate(BITS)}
    yield Mark("accuracy/same", "line", (x(0), top, x(0), top + _ROW * len(BITS) - 6), "axis")
    yield text("accuracy/fp32/said", x(0) + 8, rows["fp32"] + 17, "0", style="words over")
    y, key = rows["int8"] + 13, "accuracy/int8"
    yield Mark(f"{key}/range", "line", (x(change.low), y, x(change.high), y), "range")
    yield marker(f"{key}/mark", "D", x(change.mean), y, 4.5, "measured")
    yield text(f"{key}/said", x(change.high) + 8, y + 4, f"{change.mean:+.2f}", style="words over")


def _none(name: str, logic: YourNetwork, across: Ends, top: float) -> Iterator[Mark]:
    if not logic.is_unmeasured or logic.asks:
        return
    for n, words in enumerate(logic.unmeasured):
        yield text(f"{name}/none {n}", across[0], top + _ROW - 6 + 15 * n, words, style="words soft")
