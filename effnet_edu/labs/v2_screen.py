"""What the V2 lab draws of fused stages: the network, and time against MACs beside the paper's table 3."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from effnet_edu.labs.drawing import Axis, Drawing, circle, drawing, line, mark, rectangle, text, two_lines
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import Record
from effnet_edu.labs.network_picture import WIDTH_PX, network_picture
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.tables import plain_table
from effnet_edu.labs.v2_logic import Found, FusedTimes, V2Logic, whole_step
from effnet_edu.labs.v2_setting import (
    FUSING,
    NETWORKS,
    TABLE_3,
    Setting,
    counted_at,
    fused_network,
    listed,
    published_macs,
    published_step,
)
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import spec
from effnet_edu.published import read

# For the tallest slab, alone and where two networks are drawn; this lab has more rows under it than others.
_ROOM, _LITTLE_ROOM = 104, 54
_TIMES_SIZE = (WIDTH_PX, 176)
_MACS = Axis(0.8, 12.5, 40, 388, logarithmic=True)
_TIME = Axis(0.4, 8, 138, 22, logarithmic=True)
_TICKS = (0.5, 1.0, 2.0, 4.0, 8.0)

FUSING_NOTE = (
    "Hatched: Fused-MBConv. Hollow: the paper's B4, training on a V100 (circles) and a TPUv3 (squares). "
    "Filled: measured here, training (circles) and inference (squares), with intervals."
)


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


@cache
def _largest(network: str) -> NetworkSpec:
    """Return what fills the picture: B0 to B4 share a scale, every V2 has its own."""
    name = NETWORKS["B4" if network.startswith("B") else network]
    return replace(spec(name), resolution=512)


def _shares(setting: Setting) -> list[tuple[str, list[str]]]:
    """Return what share of all parameters and MACs each stage has, as rows of words."""
    found = counted_at(setting).cost
    rows = []
    for name, by_stage, total in (
        ("params, %", found.by_stage(lambda row: row.parameters), found.parameters),
        ("MACs, %", found.by_stage(), found.macs),
    ):
        stages = (by_stage[f"stages.{n}"] for n in range(len(found.spec.stages)))
        rows.append(
            (name, [digits(100 * count / total, 0 if count >= total / 100 else 1) for count in stages])
        )
    return rows


def network_of(setting: Setting, title: str = "", room: int = _ROOM) -> Drawing:
    """Draw the network of a setting with its fused stages hatched.

    Args:
        setting: Any setting.
        title: What stands above it.
        room: Height of the tallest slab, in pixels.
    """
    network = replace(fused_network(setting.network, setting.fused), resolution=setting.side)
    return network_picture(
        network, title, room, largest=_largest(setting.network), by_operation=True, rows=_shares(setting)
    )


@cache
def _times_frame() -> str:
    parts = [line(_MACS.start, _TIME(tick), _MACS.end, _TIME(tick), "grid") for tick in _TICKS]
    parts += [text(_MACS.start - 6, _TIME(tick) + 4, f"{tick:g}", "soft", "end") for tick in _TICKS]
    parts += [text(_MACS(tick), 154, f"{tick:g}", "soft", "middle") for tick in _TICKS[1:]]
    parts.append(line(_MACS.start, _TIME.start, _MACS.end, _TIME.start, "axis"))
    parts.append(line(_MACS(0.8), _TIME(0.8), _MACS(8), _TIME(8), "reference"))
    parts.append(text(_MACS(7.4), _TIME(7.6) + 4, "as the MACs", "soft", "end"))
    parts.append(text(4, 12, "time over that of none fused", "soft"))
    parts.append(text(_MACS.end, 170, "MACs over those of none fused", "soft", "end"))
    for stages, name in TABLE_3.items():
        row = read("v2_table3_fused").row(variant=name)
        x, speeds = _MACS(published_macs(row)), [published_step(row, one) for one in ("v100", "tpu_core")]
        if stages:
            hover = f"stages {listed(stages)} fused, published (arXiv:2104.00298v3, table 3)"
            parts.append(rectangle(x - 4, _TIME(speeds[1]) - 4, 8, 8, "published"))
            parts.append(circle(x, _TIME(speeds[0]), 4, "published", hover))
            parts.append(text(x, _TIME(min(speeds)) + 17, listed(stages), "soft", "middle"))
    return "".join(parts)


def times(logic: V2Logic, recorded: tuple[RecordedStep, ...] = ()) -> Drawing:
    """Draw time over that of the network without fused stages, against MACs over its MACs.

    Args:
        logic: The lab.
        recorded: Steps of another day, drawn where nothing can be measured.
    """
    setting, parts = logic.setting, [_times_frame()]
    now, none = counted_at(setting), counted_at(setting, fused=())
    ratio = now.macs / none.macs
    parts.append(line(_MACS(ratio), _TIME.end, _MACS(ratio), _TIME.start, "here"))
    fresh = logic.newest(setting)
    for record in logic.history:
        if isinstance(record.measurement, FusedTimes):
            parts += _ratios(record, record.measurement, record is fresh)
    for step in recorded:
        hover = f"stages {listed(step.fused)} fused, recorded: {step.time:.2f} times the time"
        parts.append(mark("D", _MACS(step.macs), _TIME(step.time), 5, 'class="measured"', hover))
    if not recorded and not any(isinstance(record.measurement, FusedTimes) for record in logic.history):
        parts += two_lines(_MACS(2.0), _TIME(5.4), logic.UNMEASURED)
    label = (
        f"Time over that of none fused, against MACs over those of none fused. With stages "
        f"{listed(setting.fused)} fused, {setting.network} at {setting.side} px has {ratio:.2f} times the "
        f"MACs. {_table_in_words()} {_recorded_in_words(recorded) or _fused_in_words(fresh)}"
    )
    return drawing(_TIMES_SIZE, label, parts)


def _ratios(record: Record[Setting, Found], found: FusedTimes, is_fresh: bool) -> Iterator[str]:
    x = _MACS(counted_at(record.setting).macs / counted_at(record.setting, fused=()).macs)
    css = "step" if is_fresh else "past"
    inference, none = found.chosen.inference, found.plain.inference.median_ms
    yield line(x, _TIME(inference.low_ms / none), x, _TIME(inference.high_ms / none), "range")
    yield rectangle(x - 4, _TIME(found.inference_ratio) - 4, 8, 8, css)
    low, high = whole_step(found.chosen.training).interval
    step = whole_step(found.plain.training).median
    yield line(x, _TIME(low / step), x, _TIME(high / step), "range")
    hover = f"{record.setting.network}, stages {listed(record.setting.fused)} fused, {record.setting.side} px"
    yield circle(x, _TIME(found.step_ratio), 5, css, hover)


@cache
def _table_in_words() -> str:
    rows = [(stages, read("v2_table3_fused").row(variant=name)) for stages, name in TABLE_3.items() if stages]
    said = "; ".join(
        f"stages {listed(stages)}: {published_macs(row):.2f} times the MACs, "
        f"{published_step(row, 'v100'):.2f} times the time on a V100, "
        f"{published_step(row, 'tpu_core'):.2f} on a TPUv3"
        for stages, row in rows
    )
    return f"The paper's B4 in training, published: {said}."


def _recorded_in_words(recorded: tuple[RecordedStep, ...]) -> str:
    said = ", ".join(f"stages {listed(step.fused)} {step.time:.2f} times the time" for step in recorded)
    return f"Recorded, B4 in training: {said}." if said else ""


def _fused_in_words(record: Record[Setting, Found] | None) -> str:
    found = None if record is None else record.measurement
    if not isinstance(found, FusedTimes):
        return "Not measured here at this setting."
    return (
        f"Measured on {found.chosen.training.device_name}: {found.step_ratio:.2f} times the time in "
        f"training, {found.inference_ratio:.2f} in inference."
    )


def table_3() -> str:
    """Return the paper's table as a table of the page, for beside the numbers."""
    rows = [
        (
            listed(stages),
            *(
                digits(read("v2_table3_fused").row(variant=name).number(column))
                for column in (
                    "parameters_millions",
                    "macs_billions",
                    "top1_percent",
                    "training_images_per_second_v100",
                )
            ),
        )
        for stages, name in TABLE_3.items()
    ]
    heads = ("fused", "M par.", "B MACs", "top-1", "img/s")
    return plain_table("published, table 3: B4, V100", heads, rows, "ee-table-3")


def fusing_pictures(logic: V2Logic, recorded: tuple[RecordedStep, ...] = ()) -> tuple[Drawing, ...]:
    """Draw the network, or two of them where A is pinned, and the times.

    Args:
        logic: The lab.
        recorded: Steps of another day, drawn where nothing can be measured.
    """
    setting, pinned = logic.setting, logic.pinned
    if pinned is None or pinned.part != FUSING:
        return network_of(setting), times(logic, recorded)
    pair = (
        network_of(one, f"{letter}: {logic.label(one)}", _LITTLE_ROOM)
        for letter, one in (("A", pinned), ("B", setting))
    )
    return (*pair, times(logic, recorded))


def fusing_screen(logic: V2Logic, recorded: tuple[RecordedStep, ...] = ()) -> Screen:
    """Return the pictures of fused stages; note and table give way where two settings are compared.

    Args:
        logic: The lab.
        recorded: Steps of another day, drawn where nothing can be measured.
    """
    alone = logic.pinned is None
    return Screen(fusing_pictures(logic, recorded), FUSING_NOTE if alone else "", table_3() if alone else "")
