"""What the V2 lab shows of progressive learning: images as each stage trains on them, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_edu.labs.frame.layout import ROOMY, LiveScreen
from effnet_edu.labs.frame.numbers import digits, in_times
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.labs.v2.numbers import (
    OWN,
    PROGRESSIVE,
    V2Setting,
    epoch_macs,
    label,
    listed,
    schedule_of,
)
from effnet_edu.labs.v2.results import StageTimes, epoch_hours
from effnet_edu.labs.v2.stages_charts import stages_charts, timed_stages
from effnet_edu.labs.v2.times import V2
from effnet_edu.pictures.scene import Mark, Scene, text
from effnet_edu.training.progressive import Stage

#: Room for the names of the rows, and for the photographs where they stand beside each other or below.
_NAMES, _LINE = 84.0, 16.0
_BESIDE, _LARGEST, _STACKED = 56.0, 90.0, 64.0


@dataclass(frozen=True)
class Photograph:
    """One image as a stage would train on it.

    Attributes:
        url: The image as a data URL.
        words: What its target says, such as `83% cat, 17% cup`.
    """

    url: str
    words: str


#: For each stage two photographs; empty where there are none.
Photographs = Sequence[tuple[Photograph, ...]]


def pinned_schedule(logic: V2) -> V2Setting | None:
    """Return A where it is about progressive learning as well."""
    a: V2Setting | None = logic.pinned
    return a if a is not None and a.part == PROGRESSIVE else None


# ---------------------------------------------------------------- in words


def stages_finding(logic: V2) -> str:
    """Return how much of the MACs, and of the time, a training at full size would take."""
    setting, a = logic.setting, pinned_schedule(logic)
    stages, macs = schedule_of(setting).stages, epoch_macs(setting)
    timed = timed_stages(logic, setting)
    if a is not None:
        return _against(logic, a)
    if len({stage.side for stage in stages}) == 1:
        return (
            f"Every stage sees {setting.side} px: {digits(macs[-1] / 1e15)} peta MACs an epoch of ImageNet."
        )
    share = sum(macs) / (len(macs) * macs[-1])
    grown = f"{stages[0].side} to {stages[-1].side} px: {share:.2f} times the MACs"
    if timed is None:
        return f"{grown} of all at {stages[-1].side}."
    return f"{grown}, {_mean(timed.shares):.2f} times the time of all at {stages[-1].side}."


def _against(logic: V2, a: V2Setting) -> str:
    b = logic.setting
    if a == b:
        return f"This is A: {label(a)}."
    ratio = _mean(epoch_macs(b)) / _mean(epoch_macs(a))
    more = in_times(ratio, "the MACs of A", "As many MACs as A")
    before, after = timed_stages(logic, a), timed_stages(logic, b)
    if before is None or after is None:
        return f"{more}, {label(a)}."
    slower = _hours(after) / _hours(before)
    return f"{more}, {in_times(slower, 'its time', 'the same time')} an epoch."


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _hours(found: StageTimes) -> float:
    """Return the mean hours of an epoch over all stages, as they stand among the numbers."""
    return _mean([epoch_hours(one)[0] for one in found.stages])


def _aside(logic: V2) -> str:
    setting = logic.setting
    named = f"{setting.network}, fused {listed(setting.fused)}"
    said = f"{named}. Sides in proportion; RandAugment: always the same draw."
    if not logic.MEASURES:
        return f"{said} Photographs and times are in JupyterLab."
    return f"{said} Measured at batch {setting.batch_size}."


# ---------------------------------------------------------------- the images


def images(logic: V2, photographs: Photographs) -> Scene:
    """Draw the images of each stage in proportion, before the outlines of A, with what holds in it below."""
    setting, a, width = logic.setting, pinned_schedule(logic), float(logic.room)
    stages = schedule_of(setting).stages
    old = () if a is None else schedule_of(a).stages
    largest = max(stage.side for stage in (*stages, *old))
    column = (width - _NAMES) / len(stages)
    beside = min(_LARGEST if width < ROOMY else 190.0, (column - 14) / 2)
    is_stacked = beside < _BESIDE
    size = min(_STACKED, column - 8) if is_stacked else beside
    down = size + 6 if is_stacked else 0.0
    floor = 8 + size + down
    rows = _rows(stages, photographs)
    below = [floor + 20 + _LINE * line for line in range(len(rows))]
    marks = [
        text(f"row {name}", 0, y, name, style=f"words {style}")
        for y, (name, style, _) in zip(below, rows, strict=True)
    ]
    touches = []
    for n, stage in enumerate(stages):
        key, left = f"stage {n + 1}", _NAMES + n * column
        centre, side = left + column / 2, size * stage.side / largest
        for index in range(2):
            x = centre - side / 2 if is_stacked else centre - side - 3 + index * (side + 6)
            place = (x, floor - side - down * is_stacked * (1 - index), side, side)
            if photographs:
                marks.append(Mark(f"{key}/image {index}", "image", place, "", href=photographs[n][index].url))
            else:
                marks.append(Mark(f"{key}/image {index}", "box", place, "resolution-slab"))
        if len(old) == len(stages):
            before = size * old[n].side / largest
            x = centre - before / 2 if is_stacked else centre - before - 3
            marks.append(Mark(f"{key}/ghost", "box", (x, floor - before, before, before), "ghost"))
        pair = photographs[n] if photographs else ()
        marks += [
            text(f"{key}/{name}", centre, y, cells[n], style=f"words middle {style}")
            for y, (name, style, cells) in zip(below, rows, strict=True)
        ]
        words = f"{key}: {stage}" + "".join(f"\n{one.words}" for one in pair)
        area = (left, 0, column, floor + 8 + _LINE * len(rows))
        touches.append(Mark(f"{key}/touch", "box", area, "touch", words=words, with_=(key,)))
    said = "; ".join(
        f"stage {n}: {stage}"
        + (f", targets {' and '.join(one.words for one in photographs[n - 1])}" if photographs else "")
        for n, stage in enumerate(stages, 1)
    )
    description = f"Two photographs as each of {len(stages)} stages trains on them. {said}."
    height = floor + 12 + _LINE * len(rows)
    return Scene(width, height, f"Images of {label(setting)}", description, (*marks, *touches))


def _rows(stages: Sequence[Stage], photographs: Photographs) -> list[tuple[str, str, list[str]]]:
    """Return what holds in the stages: a name, its style, and what each stage has."""
    rows = [
        ("side, px", "resolution-words", [f"{stage.side}" for stage in stages]),
        ("RandAugment", "soft", [f"{stage.randaugment:.3g}" for stage in stages]),
        ("mixup", "soft", [f"{stage.mixup:.2g}" for stage in stages]),
    ]
    if any(stage.cutmix for stage in stages):
        rows.append(("cutmix", "soft", [f"{stage.cutmix:.2g}" for stage in stages]))
    rows.append(("dropout", "soft", [f"{stage.dropout or 0:.2g}" for stage in stages]))
    if photographs and _is_mixed(stages):
        shares = [_target(pair)[0] for pair in photographs]
        rows.append((f"target: {_target(photographs[0])[1]}", "soft", shares))
    return rows


def _target(pair: tuple[Photograph, ...]) -> tuple[str, str]:
    """Return the largest share in the target of the first photograph, and of what."""
    share, _, name = pair[0].words.split(", ")[0].partition(" ")
    return share, name


def _is_mixed(stages: Sequence[Stage]) -> bool:
    """Return whether a stage trains on more than one photograph at once."""
    return any(stage.mixup or stage.cutmix for stage in stages)


def _mixed(stage: Stage) -> str:
    """Return the strength of mixup, and of cutmix where it is used."""
    return " ".join([f"{stage.mixup:.2g}", *([f"+{stage.cutmix:.2g}"] if stage.cutmix else [])])


# ---------------------------------------------------------------- all of it


def schedule_table(setting: V2Setting) -> str:
    """Return what holds in each stage as a table of the page."""
    rows = [
        (f"{n}", f"{stage.side}", f"{stage.randaugment:.3g}", _mixed(stage), f"{stage.dropout or 0:.2g}")
        for n, stage in enumerate(schedule_of(setting).stages, 1)
    ]
    caption = "published schedule" if setting.schedule != OWN else "your schedule"
    return plain_table(caption, ("stage", "px", "RandAug.", "mix", "dropout"), rows, "ee-schedule")


def stages_screen(logic: V2, photographs: Photographs = ()) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(
        stages_finding(logic),
        images(logic, photographs),
        lambda: stages_charts(logic, pinned_schedule(logic)),
        _aside(logic),
        schedule_table(logic.setting),
    )
