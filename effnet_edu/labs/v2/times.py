"""Time over MACs of fused stages: as published, as recorded, and as measured in this session."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from effnet_edu.labs.frame.guessing import guess_marks
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.recorded import recorded_run
from effnet_edu.labs.v2.numbers import (
    FUSING,
    TABLE_3,
    V2Setting,
    counted_at,
    label,
    listed,
    published_macs,
    published_step,
)
from effnet_edu.labs.v2.places import Place, under
from effnet_edu.labs.v2.results import FusedTimes, V2Result, whole_step
from effnet_edu.pictures.axis import MarkedAxis
from effnet_edu.pictures.chart import arrow, axes, marker
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark, text
from effnet_edu.published import Row, read

V2 = LabLogic[V2Setting, V2Result]

_FACTORS = (0.25, 0.5, 1, 2, 4, 8, 16)
#: Width of a chart whose title has room for the kind of its numbers.
_ROOM_FOR_KIND = 280.0
_DEVICES = (("v100", "V100", "o"), ("tpu_core", "TPUv3", "s"))


def times_of(logic: V2, setting: V2Setting) -> FusedTimes | None:
    """Return what was measured of a setting's fused stages."""
    record = logic.newest(setting)
    found = None if record is None else record.measurement
    return found if isinstance(found, FusedTimes) else None


@dataclass(frozen=True)
class RecordedStep:
    """A training step of B4 as it was recorded.

    Attributes:
        fused: Stages counted from 1.
        macs: MACs over those of none fused.
        time: Time over that of none fused.
    """

    fused: tuple[int, ...]
    macs: float
    time: float


def recorded_steps() -> tuple[str, tuple[RecordedStep, ...]]:
    """Return a recorded device, and its training steps of B4 with fused stages."""
    device, rows = recorded_run("fused_networks")
    none = next(row for row in rows if row["stages_fused"] == 0)
    steps = (
        RecordedStep(tuple(range(1, row["stages_fused"] + 1)), row["macs"] / none["macs"], 1 / row["speed"])
        for row in rows
        if row["stages_fused"] and row.get("kernel") is None
    )
    return device, tuple(steps)


@cache
def _table_rows() -> tuple[tuple[tuple[int, ...], Row], ...]:
    """Return the rows of table 3 with fused stages."""
    table = read("v2_table3_fused")
    return tuple((stages, table.row(variant=name)) for stages, name in TABLE_3.items() if stages)


def _lit(stages: Iterable[int], *more: str) -> tuple[str, ...]:
    return (*(f"stage {n}" for n in stages), *more)


def times_chart(logic: V2, place: Place) -> Iterator[Mark]:
    """Draw time over that of the network without fused stages, against MACs over its MACs."""
    x = MarkedAxis(0.85, 11, *place.across, logarithmic=True, marks=_FACTORS)
    y = _time_axis(logic, place)
    drawn = list(_times(logic, x, y))
    yield from drawn
    yield from guess_marks(logic, y, x(macs_ratio(logic.setting)), place.across, among=drawn)


def _times(logic: V2, x: MarkedAxis, y: MarkedAxis) -> Iterator[Mark]:
    setting, pinned = logic.setting, logic.pinned
    title = "time / none fused   ○ V100   □ TPUv3"
    if x.end - x.start > _ROOM_FOR_KIND:
        title += ", published"
    yield from under("times", axes(x, y, "MACs / none fused", title))
    labels = Labels(x.start + 2, x.end, y.end - 4, y.start - 2)
    end = min(x.high, y.high)
    diagonal = (x(1), y(1), x(end), y(end))
    labels.keep_line_free(diagonal)
    yield Mark("times/as the MACs", "line", diagonal, "roof dashed")
    here = x(macs_ratio(setting))
    yield Mark("times/here", "line", (here, y.start, here, y.end), "guide")
    if pinned is not None and pinned.part == FUSING:
        there = x(macs_ratio(pinned))
        yield Mark("times/A line", "line", (there, y.start, there, y.end), "ghost")
    measured = list(_measured(logic, x, y))
    points = [*_published(x, y), *([] if logic.MEASURES else _recorded(x, y)), *measured]
    for mark in points:
        if mark.words:
            labels.keep_free(*_centre(mark), 6)
    yield from points
    if not measured and logic.MEASURES:
        for n, words in enumerate(logic.unmeasured):  # right of the diagonal, above what is published
            none = text(f"times/none {n}", x.end, y.end + 31 + 15 * n, words, style="words soft end over")
            labels.keep_words_free(none)
            yield none
    yield from _named(logic, x, y, labels)


def _time_axis(logic: V2, place: Place) -> MarkedAxis:
    """Return an axis that reaches whatever was measured."""
    found = [one.measurement for one in logic.history if isinstance(one.measurement, FusedTimes)]
    ratios = [ratio for one in found for ratio in (one.step_ratio, one.inference_ratio) if ratio is not None]
    high = next((end for end in (4.2, 8.4, 16.8) if max(ratios, default=1) <= end), 16.8)
    low = 0.45 if min(ratios, default=1) >= 0.45 else 0.2
    return MarkedAxis(low, high, *place.upright, logarithmic=True, marks=_FACTORS)


def _centre(mark: Mark) -> tuple[float, float]:
    """Return the middle of a marker."""
    if mark.shape == "circle":
        return mark.place[0], mark.place[1]
    across, upright = mark.place[::2], mark.place[1::2]
    return (min(across) + max(across)) / 2, (min(upright) + max(upright)) / 2


def macs_ratio(setting: V2Setting) -> float:
    """Return the MACs of a setting's network over those with none fused."""
    return counted_at(setting).macs / counted_at(setting, fused=()).macs


def _published(x: MarkedAxis, y: MarkedAxis) -> Iterator[Mark]:
    for stages, row in _table_rows():
        for column, device, shape in reversed(_DEVICES):
            time = published_step(row, column)
            words = (
                f"B4, stages {listed(stages)} fused: {time:.2f} times the time on a {device}\n"
                "Published (arXiv:2104.00298v3, table 3)\nClick to fuse these"
            )
            key = f"times/{listed(stages)}/{device}"
            at = x(published_macs(row)), y(time)
            sets = {"network": "B4", "fused": list(stages)}
            with_ = _lit(stages, f"times/{listed(stages)}")
            yield marker(key, shape, *at, 4.5, "published", words, sets=sets, with_=with_)


def _recorded(x: MarkedAxis, y: MarkedAxis) -> Iterator[Mark]:
    device, steps = recorded_steps()
    for step in steps:
        words = (
            f"B4, stages {listed(step.fused)} fused: {step.time:.2f} times the time\nRecorded on {device}\n"
            "Click to fuse these"
        )
        sets = {"network": "B4", "fused": list(step.fused)}
        key, at = f"times/{listed(step.fused)}/recorded", (x(step.macs), y(step.time))
        with_ = _lit(step.fused, f"times/{listed(step.fused)}")
        yield marker(key, "D", *at, 5, "measured", words, sets=sets, with_=with_)


def _measured(logic: V2, x: MarkedAxis, y: MarkedAxis) -> Iterator[Mark]:
    """Draw what was measured in this session, and an arrow from A to the present setting."""
    present = logic.newest(logic.setting)
    ends: dict[str, tuple[float, float]] = {}
    for n, record in enumerate(logic.history):
        found = record.measurement
        if not isinstance(found, FusedTimes):
            continue
        at, style = x(macs_ratio(record.setting)), "now" if record is present else "past"
        inference, none = found.chosen.inference, found.plain.inference.median_ms
        key, said = f"times/{n}", f"{label(record.setting)}, batch {record.setting.batch_size}"
        span = (at, y(inference.low_ms / none), at, y(inference.high_ms / none))
        yield Mark(f"{key}/inference range", "line", span, "range")
        words = f"{said}\nInference: {found.inference_ratio:.2f} times as long as with none fused"
        yield marker(f"{key}/inference", "s", at, y(found.inference_ratio), 4.5, style, words, with_=(key,))
        yield from _measured_step(record, found, key, said, at, y, style)
        ends["B" if record is present else str(n)] = at, y(_shown_ratio(found))
    if logic.pinned is not None and "B" in ends:
        before = times_of(logic, logic.pinned)
        if before is not None:
            a = x(macs_ratio(logic.pinned)), y(_shown_ratio(before))
            yield from arrow("times/arrow", a, ends["B"])


def _shown_ratio(found: FusedTimes) -> float:
    """Return the ratio that matters: that of training steps where they were timed."""
    return found.inference_ratio if found.step_ratio is None else found.step_ratio


def _measured_step(
    record: Record[V2Setting, V2Result],
    found: FusedTimes,
    key: str,
    said: str,
    at: float,
    y: MarkedAxis,
    style: str,
) -> Iterator[Mark]:
    """Draw the time of a training step over that of none fused, where it was timed."""
    chosen, plain = found.chosen.training, found.plain.training
    if chosen is None or plain is None or found.step_ratio is None:
        return
    low, high = (end / whole_step(plain).median for end in whole_step(chosen).interval)
    yield Mark(f"{key}/step range", "line", (at, y(low), at, y(high)), "range")
    words = f"{said}\nTraining step: {found.step_ratio:.2f} times as long as with none fused"
    with_ = _lit(record.setting.fused, key)
    yield marker(f"{key}/training", "o", at, y(found.step_ratio), 6, style, words, with_=with_)


def _named(logic: V2, x: MarkedAxis, y: MarkedAxis, labels: Labels) -> Iterator[Mark]:
    """Write names beside the points, where they find room."""
    found = times_of(logic, logic.setting)
    wanted: list[tuple[str, float, float, str, str]] = []
    if found is not None:
        here = x(macs_ratio(logic.setting))
        if found.step_ratio is not None:
            wanted.append(("training", here, y(found.step_ratio), "training", "words bold over"))
        wanted.append(("inference", here, y(found.inference_ratio), "inference", "words over"))
    if logic.pinned is not None and logic.pinned.part == FUSING:
        before = times_of(logic, logic.pinned)
        ratio = y.high if before is None else _shown_ratio(before)
        wanted.insert(0, ("A", x(macs_ratio(logic.pinned)), y(ratio), "A", "title over"))
    for stages, row in _table_rows():
        at, said = (x(published_macs(row)), y(published_step(row, "v100"))), listed(stages)
        wanted.append((f"{said}/said", *at, said, "words small soft over"))
    wanted.append(("as the MACs said", x(2.2), y(2.2), "as the MACs", "words small soft over"))
    for key, across, upright, words, style in wanted:
        if (mark := labels.place(f"times/{key}", across, upright, words, style)) is not None:
            yield mark


# ---------------------------------------------------------------- in words


def times_in_words(logic: V2) -> str:
    """Return what the chart shows."""
    return f"{_table_in_words()} {_recorded_in_words(logic)}{_measured_in_words(logic)}"


@cache
def _table_in_words() -> str:
    said = "; ".join(
        f"stages {listed(stages)}: {published_macs(row):.2f} times the MACs, "
        f"{published_step(row, 'v100'):.2f} times the time on a V100, "
        f"{published_step(row, 'tpu_core'):.2f} on a TPUv3"
        for stages, row in _table_rows()
    )
    return f"The paper's B4 in training, published: {said}."


def _recorded_in_words(logic: V2) -> str:
    if logic.MEASURES:
        return ""
    device, steps = recorded_steps()
    said = ", ".join(f"stages {listed(step.fused)} {step.time:.2f} times the time" for step in steps)
    return f"B4 in training, recorded on {device}: {said}. "


def _measured_in_words(logic: V2) -> str:
    found = times_of(logic, logic.setting)
    if found is None:
        return "Not measured here at this setting."
    step = "" if found.step_ratio is None else f"{found.step_ratio:.2f} times the time in training, "
    return (
        f"Measured on {found.chosen.inference.device_name}: {step}{found.inference_ratio:.2f} in inference."
    )
