"""The phi lab for a page without a kernel: times are those of a recorded run."""

from collections.abc import Iterable
from dataclasses import dataclass

from effnet_edu.labs.drawing import Drawing, drawing, frame, line, mark, text
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_numbers import giga, mega
from effnet_edu.labs.phi_pictures import (
    CHARTS_SIZE,
    EXACT_NOTE,
    MACS_ACROSS,
    macs_chart,
    macs_in_words,
    networks,
    time_axis,
)
from effnet_edu.labs.web import NoDevice, Page, recorded_run


@dataclass(frozen=True)
class RecordedTime:
    """How long a network took on another day.

    Attributes:
        name: Such as `B0`.
        macs: Multiply-adds of an image.
        median_ms: Time of an image.
        low_ms: Lower end of its interval.
        high_ms: Upper end.
    """

    name: str
    macs: int
    median_ms: float
    low_ms: float
    high_ms: float


class WebPhi(NoDevice, PhiLogic):
    """The phi lab where nothing can be measured.

    Args:
        device: Of no use here.
        settings: Any of the lab.
    """


def recorded_times() -> tuple[str, tuple[RecordedTime, ...]]:
    """Return a recorded device, and its times of B0 to B7."""
    device, rows = recorded_run("networks")
    times = (
        RecordedTime(
            row["network"].removeprefix("efficientnet_").upper(),
            *(row[name] for name in ("macs", "median_ms", "low_ms", "high_ms")),
        )
        for row in rows
        if row["network"].startswith("efficientnet_b") and row["batch_size"] == 1
    )
    return device, tuple(times)


def screen(logic: PhiLogic) -> Screen:
    """Return the network, or two of them where A is pinned, and the charts.

    Args:
        logic: The lab.
    """
    note = f"{EXACT_NOTE} Diamonds: recorded on {recorded_times()[0]}." if logic.pinned is None else ""
    return Screen((*networks(logic.setting, logic.pinned), _charts(logic)), note)


def _charts(logic: PhiLogic) -> Drawing:
    device, times = recorded_times()
    parts = [*macs_chart(logic.setting, logic.pinned), *_times(times, logic.cost.macs)]
    listed = ", ".join(f"{time.name} {digits(time.median_ms)} ms" for time in times)
    right = f"time of an image, recorded on {device}: {listed}."
    return drawing(CHARTS_SIZE, f"Left: {macs_in_words(logic.setting)} Right: {right}", parts)


def _times(times: tuple[RecordedTime, ...], macs: int) -> Iterable[str]:
    """Draw recorded times over MACs, and where the present network would stand."""
    y = time_axis((time.low_ms for time in times), (time.high_ms for time in times))
    here = MACS_ACROSS(macs / 1e9)
    yield from frame(MACS_ACROSS, y, "MACs, billions", "ms an image")
    yield line(here, y.start, here, y.end, "here")
    for time in times:
        x = MACS_ACROSS(time.macs / 1e9)
        yield line(x, y(time.low_ms), x, y(time.high_ms), "range")
        hover = f"{time.name}, recorded: {digits(time.median_ms)} ms"
        yield mark("D", x, y(time.median_ms), 4.5, 'class="measured"', hover)
    for time in times[:1] + times[-1:]:
        yield text(MACS_ACROSS(time.macs / 1e9), y(time.low_ms) + 14, time.name, "soft", "middle")


def in_words(logic: PhiLogic) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    return (
        f"{logic.label(logic.setting)}: {logic.spec.layers} blocks, "
        f"{logic.spec.resolution} x {logic.spec.resolution} pixels, "
        f"{mega(logic.cost.parameters)} parameters, {giga(logic.cost.macs)} MACs."
    )


def page() -> Page[WebPhi]:
    """Return the lab for a page; it begins where something can be seen to have grown."""
    return Page(WebPhi(phi=1.0), screen, in_words)
