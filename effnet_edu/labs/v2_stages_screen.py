"""What the V2 lab draws of progressive learning: photographs at each stage, and what an epoch costs there."""

from collections.abc import Iterator

from effnet_edu.labs.drawing import Drawing, circle, drawing, line, rectangle, text
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.network_picture import WIDTH_PX
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.tables import plain_table
from effnet_edu.labs.v2_images import Example, examples
from effnet_edu.labs.v2_logic import StageTimes, V2Logic, epoch_hours, whole_step
from effnet_edu.labs.v2_setting import OWN, PROGRESSIVE, Setting, epoch_macs, schedule_of
from effnet_edu.profiling.training_cost import TrainingMeasurement

_LEFT, _LARGEST = 70, 80
_BAR, _LITTLE_BAR = 70, 38

STAGES_NOTE = (
    "Always the same draw of RandAugment, at each stage's magnitude; sides in proportion. Bars: MACs of an "
    "epoch (computed). Dots: its time (measured, with interval). 100%: the last stage."
)


def _centres(count: int) -> list[float]:
    width = (WIDTH_PX - _LEFT) / count
    return [_LEFT + width * (n + 0.5) for n in range(count)]


def _image(example: Example, x: float, y: float, side: float) -> str:
    return (
        f'<image href="{example.url}" x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" '
        f'preserveAspectRatio="none"/>'
    )


def photographs(setting: Setting) -> Drawing:
    """Draw two photographs as each stage of the schedule trains on them.

    Args:
        setting: Any setting.
    """
    stages = schedule_of(setting).stages
    shown = [examples(stage) for stage in stages]
    largest = max(stage.side for stage in stages)
    most = min(_LARGEST, (WIDTH_PX - _LEFT) / len(stages) - 5)
    floors = (24 + most, 30 + 2 * most)
    parts = [text(0, 15, "side, px", "soft")]
    for words, floor in zip(_said_of_rows(shown[-1]), floors, strict=True):
        parts += [text(0, floor - 14 * below, line_, "soft") for below, line_ in enumerate(reversed(words))]
    for stage, centre, pair in zip(stages, _centres(len(stages)), shown, strict=True):
        parts.append(text(centre, 15, f"{stage.side}", "title", "middle"))
        side = most * stage.side / largest
        parts += [
            _image(one, centre - side / 2, floor - side, side)
            for one, floor in zip(pair, floors, strict=True)
        ]
    said = "; ".join(
        f"stage {n}: {stage}, targets {' and '.join(one.words for one in pair)}"
        for n, (stage, pair) in enumerate(zip(stages, shown, strict=True), 1)
    )
    label = f"Two photographs as each of {len(stages)} stages trains on them. {said}."
    return drawing((WIDTH_PX, round(floors[1]) + 4), label, parts)


def _said_of_rows(last: tuple[Example, ...]) -> Iterator[list[str]]:
    """Yield, for each photograph, what its target says in the last stage, a line a class."""
    for example in last:
        yield example.words.split(", ")


def epochs(logic: V2Logic, setting: Setting, title: str = "", room: int = _BAR) -> Drawing:
    """Draw MACs and measured time of an epoch at each stage, over those of the last stage.

    Args:
        logic: The lab.
        setting: The present setting, or the pinned one.
        title: What stands above it.
        room: Height of the last stage's bar, in pixels.
    """
    macs, stages = epoch_macs(setting), schedule_of(setting).stages
    record = logic.newest(setting)
    found = record.measurement if record else None
    timed = found.stages if isinstance(found, StageTimes) else ()
    shares = [one / macs[-1] for one in macs]
    highest = max(1.0, *shares, *(_interval(timed, n)[1] for n in range(len(timed))))
    scale = room / highest
    floor = room + (42 if title else 18)
    parts = [text(0, 18, title, "title")] if title else []
    parts.append(line(_LEFT, floor - scale, WIDTH_PX, floor - scale, "reference"))
    parts.append(text(_LEFT - 6, floor - scale + 4, "100%", "soft", "end"))
    parts.append(line(_LEFT, floor, WIDTH_PX, floor, "axis"))
    parts.append(text(0, floor + 16, "peta MACs", "soft"))
    parts.append(text(0, floor + 32, "hours here", "soft"))
    width = min(34.0, (WIDTH_PX - _LEFT) / len(stages) - 14)
    for n, centre in enumerate(_centres(len(stages))):
        height = scale * shares[n]
        parts.append(rectangle(centre - width / 2, floor - height, width, height, "stage-bar"))
        parts.append(text(centre, floor + 16, digits(macs[n] / 1e15), "", "middle"))
        hours = digits(epoch_hours(timed[n])[0]) if timed else "–"
        parts.append(text(centre, floor + 32, hours, "", "middle"))
        if timed:
            low, high = _interval(timed, n)
            middle = whole_step(timed[n]).median / whole_step(timed[-1]).median
            parts.append(line(centre, floor - scale * low, centre, floor - scale * high, "range"))
            hover = f"{1000 * whole_step(timed[n]).median:.0f} ms a step of {timed[n].batch_size} images"
            parts.append(circle(centre, floor - scale * middle, 5, "step", hover))
    return drawing((WIDTH_PX, floor + 38), _in_words(setting, macs, timed, title), parts)


def _interval(timed: tuple[TrainingMeasurement, ...], n: int) -> tuple[float, float]:
    last = whole_step(timed[-1]).median
    low, high = whole_step(timed[n]).interval
    return low / last, high / last


def _in_words(
    setting: Setting, macs: tuple[int, ...], timed: tuple[TrainingMeasurement, ...], title: str
) -> str:
    stages = zip(macs, schedule_of(setting).stages, strict=True)
    said = ", ".join(f"{one / 1e15:.3g} peta MACs at {stage.side} px" for one, stage in stages)
    total = sum(macs) / (len(macs) * macs[-1])
    hours = ", ".join(f"{epoch_hours(one)[0]:.3g}" for one in timed)
    measured = f"Measured hours of an epoch: {hours}." if timed else "Not measured yet."
    named = f"{title}. " if title else ""
    return (
        f"{named}One epoch of ImageNet at each stage: {said}. All stages together need {total:.2f} times the "
        f"MACs of a training at full size. {measured}"
    )


def schedule_table(setting: Setting) -> str:
    """Return what holds in each stage as a table of the page, for beside the numbers.

    Args:
        setting: Any setting.
    """
    rows = []
    for n, stage in enumerate(schedule_of(setting).stages, 1):
        mix = " ".join([f"{stage.mixup:.2g}", *([f"+{stage.cutmix:.2g}"] if stage.cutmix else [])])
        rows.append((f"{n}", f"{stage.side}", f"{stage.randaugment:.3g}", mix, f"{stage.dropout or 0:.2g}"))
    caption = "published schedule" if setting.schedule != OWN else "your schedule"
    return plain_table(caption, ("stage", "px", "RandAug.", "mix", "dropout"), rows, "ee-schedule")


def stages_pictures(logic: V2Logic) -> tuple[Drawing, ...]:
    """Draw the photographs, and the cost of epochs; of A as well where it is pinned.

    Args:
        logic: The lab.
    """
    setting, pinned = logic.setting, logic.pinned
    if pinned is None or pinned.part != PROGRESSIVE:
        return photographs(setting), epochs(logic, setting)
    pair = (
        epochs(logic, one, f"{letter}: {logic.label(one)}", _LITTLE_BAR)
        for letter, one in (("A", pinned), ("B", setting))
    )
    return (photographs(setting), *pair)


def stages_screen(logic: V2Logic) -> Screen:
    """Return the pictures of a schedule; note and table give way where two settings are compared.

    Args:
        logic: The lab.
    """
    alone = logic.pinned is None
    table = schedule_table(logic.setting) if alone else ""
    return Screen(stages_pictures(logic), STAGES_NOTE if alone else "", table)
