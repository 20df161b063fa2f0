"""The charts of progressive learning: the side of each stage, with both ends to drag, and an epoch's cost."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from effnet_edu.labs.frame.guessing import guess_marks
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.v2.numbers import V2Setting, epoch_macs, label, schedule_of
from effnet_edu.labs.v2.places import Place, places, under
from effnet_edu.labs.v2.results import StageTimes, epoch_hours, whole_step
from effnet_edu.labs.v2.times import V2
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import axes, marker
from effnet_edu.pictures.scene import Drag, Mark, Scene, text

if TYPE_CHECKING:
    from effnet_edu.profiling.training_cost import TrainingMeasurement

#: From where to where a side goes, by how much a key moves it, and how long a bar is over its column.
_SMALLEST, _LARGEST_SIDE, _STEP = 32, 512, 4
_BAR = 0.56


def timed_stages(logic: V2, setting: V2Setting) -> StageTimes | None:
    """Return what was measured of a setting's schedule."""
    record = logic.newest(setting)
    found = None if record is None else record.measurement
    return found if isinstance(found, StageTimes) else None


def stages_charts(logic: V2, a: V2Setting | None) -> Scene:
    """Draw both side by side, or below each other where there is little room."""
    found, height = places(logic.room, 2)
    marks = (*_sides(logic.setting, a, found[0]), *_epochs(logic, a, found[1]))
    title = f"Costs of {label(logic.setting)}"
    return Scene(logic.room, height, title, _in_words(logic), marks)


def _in_words(logic: V2) -> str:
    setting = logic.setting
    macs, stages = epoch_macs(setting), schedule_of(setting).stages
    said = ", ".join(
        f"{one / 1e15:.3g} peta MACs at {stage.side} px" for one, stage in zip(macs, stages, strict=True)
    )
    found = timed_stages(logic, setting)
    hours = [] if found is None else [f"{epoch_hours(one)[0]:.3g}" for one in found.stages]
    measured = f"Measured hours of an epoch: {', '.join(hours)}." if hours else "Not measured yet."
    return (
        f"One epoch of ImageNet at each stage: {said}. All stages together need "
        f"{sum(macs) / (len(macs) * macs[-1]):.2f} times the MACs of a training at full size. {measured}"
    )


def _columns(count: int, place: Place) -> tuple[list[float], float]:
    """Return the middle of each stage's column, and how wide one is."""
    start, end = place.across
    each = (end - start) / count
    return [start + (n + 0.5) * each for n in range(count)], each


# ---------------------------------------------------------------- the side of each stage


def _sides(setting: V2Setting, a: V2Setting | None, place: Place) -> Iterator[Mark]:
    sides = [stage.side for stage in schedule_of(setting).stages]
    y = MarkedAxis(0, _LARGEST_SIDE, *place.upright, marks=(0, 128, 256, 384, 512))
    x = MarkedAxis(0, 1, *place.across)
    hint = ": drag its ends" if place.right - place.left > 240 else ""
    yield from under("sides", axes(x, y, "stage", f"side of the images, px{hint}"))
    if a is not None:
        old = [stage.side for stage in schedule_of(a).stages]
        across, _ = _columns(len(old), place)
        yield Mark("sides/A line", "line", _path(across, old, y), "ghost")
        yield text("sides/A", across[-1] + 12, y(old[-1]) + 4, "A", style="title over")
    centres, each = _columns(len(sides), place)
    yield Mark("sides/line", "line", _path(centres, sides, y), "resolution-line strong")
    drag = Axis(_SMALLEST, _LARGEST_SIDE, y(_SMALLEST), y(_LARGEST_SIDE))
    for n, (centre, side) in enumerate(zip(centres, sides, strict=True)):
        key, name = f"stage {n + 1}", _dragged(n, len(sides))
        at = (centre, y(side))
        yield text(f"{key}/number", centre, y.start + 16, f"{n + 1}", style="words soft middle")
        above = y(side) - 11 if side < 440 else y(side) + 21
        yield text(f"{key}/side said", centre, above, f"{side}", style="words middle resolution-words over")
        if not name:
            yield marker(f"{key}/dot", "^", *at, 4, "resolution-filled")
        column = (centre - each / 2, y.end, each, y.start - y.end)
        words = f"{key}: {side} px"
        yield Mark(f"{key}/column", "box", column, "touch", words=words, with_=(key,))
    for n, (centre, side) in enumerate(zip(centres, sides, strict=True)):
        if name := _dragged(n, len(sides)):
            key = f"stage {n + 1}"
            drags = (Drag(name, drag, getattr(setting, name), _STEP, upright=True),)
            yield Mark(f"{key}/halo", "circle", (centre, y(side), 13), "halo")
            words = f"{name.replace('_', ' ')}: {side} px\nDrag it, or press an arrow key"
            yield marker(
                f"{key}/handle",
                "^",
                centre,
                y(side),
                7,
                "resolution-filled",
                words,
                drag=drags,
                with_=(key,),
                leads=_leads(n, len(sides)),
            )


def _dragged(n: int, count: int) -> str:
    """Return the setting that follows the side of a stage, or nothing for those in between."""
    return "side" if n == count - 1 else "first_side" if n == 0 else ""


def _leads(n: int, count: int) -> dict[str, tuple[float, ...]]:
    """Return what goes with a dragged end: the other stages by their share of the way."""
    shares = [1 - abs(n - other) / max(count - 1, 1) for other in range(count)]
    leads: dict[str, tuple[float, ...]] = {"sides/line": tuple(way for share in shares for way in (0, share))}
    for other, share in enumerate(shares, 1):
        leads |= {f"stage {other}/{name}": (0, share) * 3 for name in ("dot", "handle") if share}
        leads |= {f"stage {other}/{name}": (0, share) for name in ("halo", "side said") if share}
    return leads


def _path(across: Sequence[float], sides: Sequence[int], y: Axis) -> tuple[float, ...]:
    return tuple(n for x, side in zip(across, sides, strict=True) for n in (x, y(side)))


# ---------------------------------------------------------------- what an epoch costs


def _interval(one: "TrainingMeasurement", last: float) -> tuple[float, float]:
    low, high = whole_step(one).interval
    return 100 * low / last, 100 * high / last


def _epochs(logic: V2, a: V2Setting | None, place: Place) -> Iterator[Mark]:
    """Draw MACs and measured time of an epoch at each stage, over those of the last stage."""
    setting = logic.setting
    macs, stages = epoch_macs(setting), schedule_of(setting).stages
    old = () if a is None else epoch_macs(a)
    found = timed_stages(logic, setting)
    timed = () if found is None else found.stages
    last = whole_step(timed[-1]).median if timed else 1.0
    highest = max(
        100.0, *(100 * one / macs[-1] for one in (*macs, *old)), *(_interval(one, last)[1] for one in timed)
    )
    y = MarkedAxis(0, 1.25 * highest, *place.upright, marks=_marks(highest))
    x = MarkedAxis(0, 1, *place.across)
    yield from under("epochs", axes(x, y, "stage, with peta MACs", "an epoch, % of the last stage"))
    yield Mark("epochs/all", "line", (x.start, y(100), x.end, y(100)), "roof dashed")
    centres, each = _columns(len(stages), place)
    width = min(_BAR * each, 64.0)
    if len(old) == len(stages):
        for n, (centre, one) in enumerate(zip(centres, old, strict=True), 1):
            top = y(100 * one / macs[-1])
            yield Mark(f"stage {n}/A", "box", (centre - width / 2, top, width, y.start - top), "ghost")
    for n, (centre, one) in enumerate(zip(centres, macs, strict=True)):
        key, top = f"stage {n + 1}", y(100 * one / macs[-1])
        yield Mark(f"{key}/bar", "box", (centre - width / 2, top, width, y.start - top), "bar")
        said = f"{n + 1}: {digits(one / 1e15)}" if each >= 56 else digits(one / 1e15)
        yield text(f"{key}/macs", centre, y.start + 16, said, style="words soft middle")
        words = f"{key}, {stages[n].side} px: {digits(one / 1e15)} peta MACs an epoch, computed"
        if timed:
            low, high = _interval(timed[n], last)
            middle = whole_step(timed[n]).median
            hours, step = epoch_hours(timed[n])[0], f"{1000 * middle:.0f} ms a step of {timed[n].batch_size}"
            yield Mark(f"{key}/range", "line", (centre, y(low), centre, y(high)), "range")
            yield marker(f"{key}/time", "o", centre, y(100 * middle / last), 5, "now")
            words += f"\n{digits(hours)} hours here, measured: {step} images"
        column = (centre - each / 2, y.end, each, y.start - y.end + 20)
        yield Mark(f"{key}/epoch touch", "box", column, "touch", words=words, with_=(key,))
    said = "filled: measured time" if timed else " ".join(logic.unmeasured)
    if 6.6 * len(said) > x.end - x.start:
        said = logic.unmeasured[0].rstrip(":,")
    yield (words_ := text("epochs/said", x.start + 6, y(100) - 5, said, style="words small soft over"))
    yield from guess_marks(logic, y, centres[0], place.across, among=[words_])


def _marks(highest: float) -> tuple[int, ...]:
    return (
        (0, 50, 100) if highest <= 150 else tuple(range(0, int(highest) + 1, 100 if highest < 500 else 500))
    )
