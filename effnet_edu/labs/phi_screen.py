"""What the phi lab draws: the network, MACs against phi, and measured time against MACs."""

from collections.abc import Iterable

from effnet_edu.labs.drawing import Axis, Drawing, circle, drawing, frame, line, two_lines
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import Record
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_numbers import Setting
from effnet_edu.labs.phi_pictures import (
    CHARTS_SIZE,
    EXACT_NOTE,
    MACS_ACROSS,
    letter,
    macs_chart,
    macs_in_words,
    networks,
    time_axis,
)
from effnet_edu.labs.tables import plain_table
from effnet_edu.profiling.measurement import Measurement


def charts(logic: PhiLogic) -> Drawing:
    """Draw MACs against phi, and measured time against MACs.

    Args:
        logic: The lab.
    """
    parts = [*macs_chart(logic.setting, logic.pinned), *_times(logic)]
    words = f"Left: {macs_in_words(logic.setting)} Right: {times_in_words(logic)}"
    return drawing(CHARTS_SIZE, words, parts)


def _per_image(record: Record[Setting, Measurement], ms: float) -> float:
    return ms / record.setting.batch_size


def _time_axis(records: Iterable[Record[Setting, Measurement]]) -> Axis:
    spans = [
        (_per_image(one, one.measurement.low_ms), _per_image(one, one.measurement.high_ms)) for one in records
    ]
    return time_axis((low for low, _ in spans), (high for _, high in spans))


def _times(logic: PhiLogic) -> list[str]:
    y = _time_axis(logic.history)
    parts = frame(MACS_ACROSS, y, "MACs, billions", "ms an image")
    present = logic.newest(logic.setting)
    lettered = () if logic.pinned is None else (("A", logic.newest(logic.pinned)), ("B", present))
    for record in logic.history:
        measured = record.measurement
        x = MACS_ACROSS(measured.macs / 1e9)
        low, high = y(_per_image(record, measured.low_ms)), y(_per_image(record, measured.high_ms))
        middle = y(_per_image(record, measured.median_ms))
        parts.append(line(x, low, x, high, "range"))
        hover = f"{logic.label(record.setting)}: {measured}"
        parts.append(circle(x, middle, 5, "now" if record is present else "past", hover))
        parts += letter(x, middle, ", ".join(name for name, one in lettered if one is record))
    if not logic.history:
        x = (MACS_ACROSS.start + MACS_ACROSS.end) / 2
        parts += two_lines(x, 88, logic.UNMEASURED)
    return parts


def times_in_words(logic: PhiLogic) -> str:
    """Return what was measured, as a sentence.

    Args:
        logic: The lab.
    """
    if logic.latest is None:
        return "nothing measured yet."
    return f"{len(logic.history)} measured; the newest is {logic.latest.measurement}."


def pictures(logic: PhiLogic) -> tuple[Drawing, ...]:
    """Draw the network, or two of them where A is pinned, and the charts.

    Args:
        logic: The lab.
    """
    return (*networks(logic.setting, logic.pinned), charts(logic))


def session_table(logic: PhiLogic) -> str:
    """Return what was measured of the present network, by device, precision and batch, or nothing if once.

    Args:
        logic: The lab.
    """
    records = logic.same_network()[-5:]
    if len(records) < 2:
        return ""
    rows = [
        (
            f"{record.setting.device}, {record.setting.precision}, {record.setting.batch_size}",
            digits(_per_image(record, record.measurement.median_ms)),
            digits(record.measurement.images_per_second),
        )
        for record in records
    ]
    return plain_table(
        "measured, this network", ("device, type, batch", "ms/image", "images/s"), rows, "ee-session"
    )


NOTE = f"{EXACT_NOTE} Filled: measured, with its interval."


def screen(logic: PhiLogic) -> Screen:
    """Return the network and its charts; the note gives way where two networks are compared.

    Args:
        logic: The lab.
    """
    return Screen(pictures(logic), NOTE if logic.pinned is None else "", session_table(logic))
