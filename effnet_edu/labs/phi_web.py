"""The phi lab for a page without a kernel: the exact half is counted, times are those of a recorded run.

It runs in the reader's browser, where there is Python and nothing else; it speaks JSON with the page.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from effnet_edu.labs.drawing import Drawing, drawing, frame, line, mark, text
from effnet_edu.labs.layout import side_by_side
from effnet_edu.labs.numbers import compare, digits
from effnet_edu.labs.phi_numbers import (
    FORMULA,
    Setting,
    cost_at,
    followed,
    giga,
    label,
    mega,
    network_at,
    numbers,
)
from effnet_edu.labs.phi_pictures import (
    CHARTS_SIZE,
    EXACT_NOTE,
    MACS_ACROSS,
    macs_chart,
    macs_in_words,
    networks,
    time_axis,
)
from effnet_edu.labs.tables import comparison_table, numbers_table
from effnet_edu.model.scaling import ALPHA, BETA, GAMMA

#: What the page shows before anything was moved, and without Python for good.
START = Setting(1.0, ALPHA, BETA, GAMMA, 1, "fp32", FORMULA, "")


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


@dataclass(frozen=True)
class Recorded:
    """The recorded run that stands in for a device.

    Attributes:
        device: Which, and when.
        times: One each network.
    """

    device: str
    times: tuple[RecordedTime, ...]

    @classmethod
    def from_json(cls, text: str) -> "Recorded":
        """Return what `to_json` wrote.

        Args:
            text: The JSON.
        """
        known = json.loads(text)
        return cls(known["device"], tuple(RecordedTime(**time) for time in known["times"]))

    def to_json(self) -> str:
        """Return it for the page."""
        return json.dumps(asdict(self))


class WebPhiLab:
    """Answers the page: a changed setting in, picture and numbers out.

    Args:
        recorded: The run that is shown instead of a measurement.
    """

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded

    def answer(self, request: str) -> str:
        """Return what the page shows at a setting, as JSON.

        Args:
            request: JSON with `setting`, `changed` (the name of what was moved) and `pinned` (A, or null).
        """
        asked = json.loads(request)
        setting = followed(_setting(asked["setting"]), asked["changed"])
        pinned = None if asked["pinned"] is None else _setting(asked["pinned"])
        shown = {
            "setting": asdict(setting),
            "screen": self.screen(setting, pinned),
            "words": in_words(setting),
            "code": code(setting),
        }
        return json.dumps(shown)

    def screen(self, setting: Setting, pinned: Setting | None = None) -> str:
        """Return picture and numbers as HTML.

        Args:
            setting: The present one.
            pinned: A, or None.
        """
        found = numbers(setting)
        if pinned is None:
            tables = numbers_table(found)
        else:
            tables = comparison_table(compare(numbers(pinned), found), label(pinned), label(setting))
        note = f"{EXACT_NOTE} Diamonds: recorded on {self.recorded.device}." if pinned is None else ""
        drawings = (*networks(setting, pinned), self._charts(setting, pinned))
        return side_by_side(drawings, note, tables, compares=pinned is not None)

    def _charts(self, setting: Setting, pinned: Setting | None) -> Drawing:
        parts = [*macs_chart(setting, pinned), *_times(self.recorded.times, cost_at(setting).macs)]
        times = ", ".join(f"{time.name} {digits(time.median_ms)} ms" for time in self.recorded.times)
        right = f"time of an image, recorded on {self.recorded.device}: {times}."
        return drawing(CHARTS_SIZE, f"Left: {macs_in_words(setting)} Right: {right}", parts)


def _setting(values: Mapping[str, Any]) -> Setting:
    """Return a setting from what a page sends, rounded as a slider's 2.3000000000000003 must be."""
    rounded: dict[str, Any] = {
        name: round(float(values[name]), 6) for name in ("phi", "alpha", "beta", "gamma")
    }
    return replace(START, **rounded, variant=str(values["variant"]))


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
        yield mark("D", x, y(time.median_ms), 4.5, 'class="mark filled"', hover)
    for time in times[:1] + times[-1:]:
        yield text(MACS_ACROSS(time.macs / 1e9), y(time.low_ms) + 14, time.name, "soft", "middle")


def in_words(setting: Setting) -> str:
    """Return the lab in one sentence.

    Args:
        setting: The present one.
    """
    network, counted = network_at(setting), cost_at(setting)
    return (
        f"{label(setting)}: {network.layers} blocks, {network.resolution} x {network.resolution} pixels, "
        f"{mega(counted.parameters)} parameters, {giga(counted.macs)} MACs."
    )


def code(setting: Setting) -> str:
    """Return the line of Python that opens the lab at a setting.

    Args:
        setting: The present one.
    """
    start, values = asdict(replace(START, phi=0.0)), asdict(setting)
    chosen = (f"{name}={value!r}" for name, value in values.items() if value != start[name])
    return f"ee.labs.PhiLab({', '.join(chosen)})"
