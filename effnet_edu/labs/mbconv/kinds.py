"""MACs and time of the three kinds of one shape."""

from collections.abc import Iterator

from effnet_edu.labs.frame.guessing import axis_with_room, guess_marks, ring_said
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.mbconv.numbers import KINDS, MBConvSetting, abbreviated, cost_of
from effnet_edu.labs.mbconv.shares import Found, MBConv
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.scene import Mark, text
from effnet_edu.profiling.repeats import Timing

#: To where the axis of times reaches for the first guess.
_FIRST_GUESS_MS = 4.0
#: Height of a row, and room for the names.
_ROW, _NAMES = 33.0, 116.0


def kinds_chart(
    logic: MBConv,
    record: Found | None,
    ends: tuple[float, float],
    top: float,
    height: float,
    *,
    is_stale: bool,
) -> Iterator[Mark]:
    """Yield MACs and time of the three kinds of the present shape; a click draws one."""
    setting, pinned = logic.setting, logic.pinned
    left, right = ends
    found = {} if record is None else record.measurement.blocks
    times = {kind: one.timing() for kind, one in found.items()}
    every = [cost_of(one, kind).macs for one in (setting, pinned) if one for kind in KINDS]
    start, end = left + _NAMES, right - 62
    x = Axis(0, max(every), start, end)
    slowest = max((1000 * timing.interval[1] for timing in times.values()), default=0.0)
    ms = axis_with_room(logic, slowest, (start, end), _FIRST_GUESS_MS)
    is_narrow, has_bars = right - left < 280, logic.has_times or logic.asks
    legend = "line: MACs   bar: time here" if logic.has_times else "MACs, computed"
    if ring := ring_said(logic):
        legend = f"{'bar: time' if is_narrow else legend}{ring}"
    title = "" if is_narrow else "three kinds   "
    yield text("kinds/title", left, top + 12, title, (legend, "soft"), style="words bold")
    pitch, said_times = (height - 26) / len(KINDS), []
    for n, kind in enumerate(KINDS):
        y, key, macs = top + 22 + pitch * n + (pitch - _ROW) / 2, f"kind {kind}", cost_of(setting, kind).macs
        middle = y + (9 if has_bars else _ROW / 2)  # a bar for the time stands below
        is_drawn = kind == setting.kind
        if is_drawn:
            yield Mark(f"{key}/chosen", "box", (left, y, right - left, _ROW), "well")
        yield text(f"{key}/name", left + 6, y + 20, kind, style=f"words {'bold' if is_drawn else 'soft'}")
        if pinned is not None:
            was = cost_of(pinned, kind).macs
            yield Mark(f"{key}/A", "box", (start, middle - 5.5, x(was) - start, 11), "ghost")
        yield Mark(f"{key}/macs", "line", (start, middle, x(macs), middle), "computed")
        yield Mark(f"{key}/macs end", "line", (x(macs), middle - 4.5, x(macs), middle + 4.5), "computed")
        yield text(f"{key}/macs said", x(macs) + 6, middle + 4.5, abbreviated(macs), style="words over")
        timing = None if is_drawn and logic.asks else times.get(kind)  # there a guess goes
        if timing is not None:
            low, high = (ms(1000 * one) for one in timing.interval)
            style = "past" if is_stale else "bar"
            yield Mark(f"{key}/time", "box", (start, y + 18, ms(1000 * timing.median) - start, 9), style)
            yield Mark(f"{key}/range", "line", (low, y + 22.5, high, y + 22.5), "range")
            said = f"{digits(1000 * timing.median)} ms"
            style = f"words over{' soft' * is_stale}"
            said_times.append(text(f"{key}/time said", high + 6, y + 27, said, style=style))
        elif record is not None and kind in record.measurement.left_out:
            yield text(f"{key}/time said", start, y + 27, "would take too long", style="words soft")
        told = f"{kind}: {abbreviated(macs)} MACs an image{_said_time(times.get(kind), is_stale=is_stale)}"
        told += "" if is_drawn else "\nClick to draw it"
        area = (left, y, right - left, _ROW)
        yield Mark(f"{key}/touch", "box", area, "touch", words=told, sets={"kind": kind}, with_=(key,))
        if is_drawn:
            guess = tuple(guess_marks(logic, ms, y + 22.5, (y, y + _ROW), upright=False))
    yield from guess
    yield from said_times  # a line from the guess to the truth runs below them


def _said_time(timing: Timing | None, *, is_stale: bool) -> str:
    if timing is None:
        return ""
    return f" in {digits(1000 * timing.median)} ms{', measured before' if is_stale else ''}"


def kinds_in_words(record: Found | None, setting: MBConvSetting, *, is_stale: bool) -> str:
    """Return what `kinds_chart` shows."""
    found = {} if record is None else record.measurement.blocks
    said = []
    for kind in KINDS:
        timing = found[kind].timing() if kind in found else None
        macs = abbreviated(cost_of(setting, kind).macs)
        said.append(f"{kind} {macs} MACs{_said_time(timing, is_stale=is_stale)}")
    return f"{'; '.join(said)}."
