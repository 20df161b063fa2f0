"""The charts of the phi lab: MACs over phi, time over MACs, and the share of each stage."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.labs.frame.guessing import guess_marks
from effnet_edu.labs.frame.layout import ROOMY
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.phi.numbers import (
    FORMULA,
    VARIANTS,
    PhiSetting,
    cost_at,
    giga,
    implied_phi,
    label,
    largest_phi,
    stage_shares,
)
from effnet_edu.labs.phi.times import Phi, ms_an_image, recorded_times, times_in_words
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import compound
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import arrow, axes, marker, panels
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Drag, Mark, Scene, text
from effnet_edu.published import read

#: Ends of an axis, in pixels.
Ends = tuple[float, float]
#: Billions of MACs that the charts reach; what lies beyond is drawn at the edge, and says so.
LEAST, MOST = 0.2, 200.0
_TOP, _PLOT, _BELOW = 22.0, 92.0, 36.0
_LEFT, _RIGHT = 42.0, 10.0
_STEP = 0.25
#: Room for the name of B0 left of the axis that it lies on.
_BESIDE_AXIS = 26.0
#: Room for the longest tick of a stage.
_WIDEST_TICK = 38.0


@dataclass(frozen=True)
class PublishedPoint:
    """A published network and the phi that each of its multipliers implies.

    Attributes:
        name: `B0` to `B7`.
        low: Smallest of the three.
        middle: The one between.
        high: Largest.
        macs: Multiply-adds as the paper prints them.
    """

    name: str
    low: float
    middle: float
    high: float
    macs: float

    @property
    def span(self) -> str:
        """What they imply, in words."""
        low, high = f"{self.low:.2f}", f"{self.high:.2f}"
        return low if low == high else f"from {low} to {high}"


@lru_cache(maxsize=64)
def published_points(alpha: float, beta: float, gamma: float) -> tuple[PublishedPoint, ...]:
    """Return B0 to B7 where their multipliers imply phi; none under a base of 1, which says nothing of it.

    Source: MACs from arXiv:1905.11946v5, table 2 (there called FLOPs).
    """
    printed, points = read("effnet_table2"), []
    for name in VARIANTS:
        if (implied := implied_phi(name, alpha, beta, gamma)) is None:
            return ()
        parts = implied.parts
        low, middle, high = sorted((parts.depth, parts.width, parts.resolution))
        macs = 1e9 * printed.row(network=f"EfficientNet-{name}").number("macs_billions")
        points.append(PublishedPoint(name, low, middle, high, macs))
    return tuple(points)


@lru_cache(maxsize=64)
def macs_curve(alpha: float, beta: float, gamma: float) -> tuple[tuple[float, float], ...]:
    """Return phi and billions of MACs along the formula, up to where it or the chart ends."""
    end = largest_phi(alpha)
    points: list[tuple[float, float]] = []
    for phi in sorted({*(_STEP * n for n in range(math.floor(end / _STEP) + 1)), end}):
        macs = cost(compound(phi, alpha, beta, gamma)).macs / 1e9
        if macs > MOST:
            (phi_before, before) = points[-1]
            share = math.log(MOST / before) / math.log(macs / before)
            points.append((phi_before + share * (phi - phi_before), MOST))
            break
        points.append((phi, macs))
    return tuple(points)


def charts(logic: Phi) -> Scene:
    """Draw the charts side by side, or below each other where there is little room."""
    marks: list[Mark] = []
    places = panels(logic.room, 3, 230)
    plot = _PLOT if logic.room < ROOMY else 1.6 * _PLOT
    height = _TOP + plot + _BELOW
    for draw, (left, right, row) in zip((_macs, _times, _shares), places, strict=True):
        top = row * (height + 8) + _TOP
        marks += draw(logic, (left + _LEFT, right - _RIGHT), (top + plot, top))
    return Scene(
        logic.room,
        (places[-1][2] + 1) * (height + 8) - 8,
        f"Costs at {label(logic.setting)}",
        _in_words(logic),
        tuple(marks),
    )


def _in_words(logic: Phi) -> str:
    macs = giga(cost_at(logic.setting).macs)
    shares = ", ".join(f"{name} {share:.0%}" for name, share in stage_shares(logic.setting))
    return (
        f"MACs against phi: at {label(logic.setting)} the network has {macs} MACs. Published B0 to B7 lie "
        f"near the curve. Time of an image against MACs: {_times_said(logic)} Shares of the MACs: {shares}."
    )


def _times_said(logic: Phi) -> str:
    if logic.MEASURES or logic.history:
        return times_in_words(logic)
    device, times = recorded_times()
    listed = ", ".join(f"{time.name} {digits(time.median_ms)} ms" for time in times)
    return f"recorded on {device}: {listed}."


def _under(name: str, marks: Iterable[Mark]) -> Iterator[Mark]:
    return (mark.moved(0, 0, name) for mark in marks)


# ---------------------------------------------------------------- MACs over phi


def _macs(logic: Phi, across: Ends, upright: Ends) -> Iterator[Mark]:
    setting, pinned = logic.setting, logic.pinned
    bases = (setting.alpha, setting.beta, setting.gamma)
    x, y = Axis(0, 7, *across), Axis(LEAST, MOST, *upright, logarithmic=True)
    yield from _under("macs", axes(x, y, "phi", "MACs, billions (hollow: published)"))
    points = tuple(n for phi, macs in macs_curve(*bases) for n in (x(phi), y(macs)))
    yield Mark("macs/curve", "line", points, "curve")
    for point in published_points(*bases):
        at = y(point.macs / 1e9)
        words = (
            f"{point.name}, published: {point.macs / 1e9:g} billion MACs\nDepth, width and resolution imply "
            f"phi {point.span} (arXiv:1905.11946v5, table 2)"
        )
        yield Mark(f"macs/{point.name}/range", "line", (x(point.low), at, x(point.high), at), "range")
        yield marker(
            f"macs/{point.name}/mark",
            "o",
            x(point.middle),
            at,
            4.5,
            "published",
            words,
            sets={"variant": point.name},
            with_=(f"macs/{point.name}",),
        )
    both = [one for one in (pinned, setting) if one is not None]
    beyond = [_beyond("now", setting, x, y)]
    if pinned is not None and pinned != setting:
        beyond.append(_beyond("A", pinned, x, y, line=1))
    said = tuple(filter(None, beyond))
    names, labels = _names(bases, across, upright, said)
    yield from (*names, *said)
    labels = labels.copy()
    for one in both:
        labels.keep_free(x(one.phi), y(cost_at(one).macs / 1e9), 8)
    if pinned is not None:
        yield from _setting_marks("A", pinned, x, y, labels)
    name = "B" if pinned is not None else ""
    yield from _setting_marks(name, setting, x, y, labels, largest_phi(setting.alpha))


@lru_cache(maxsize=64)
def _names(
    bases: tuple[float, float, float], across: Ends, upright: Ends, said: tuple[Mark, ...]
) -> tuple[tuple[Mark, ...], Labels]:
    """Return the names of the published networks beside their marks, and where words have room with them."""
    x, y = Axis(0, 7, *across), Axis(LEAST, MOST, *upright, logarithmic=True)
    labels = Labels(x.start - _BESIDE_AXIS, x.end + 8, y.end, y.start + 1)
    # No digit reaches below its line.
    labels.keep_words_free(*(mark.moved(0, -3, "") for mark in axes(x, y, "", "") if mark.text))
    labels.keep_words_free(*said)
    labels.keep_line_free(tuple(n for phi, macs in macs_curve(*bases) for n in (x(phi), y(macs))))
    places = {point.name: (x(point.middle), y(point.macs / 1e9)) for point in published_points(*bases)}
    for at in places.values():
        labels.keep_free(*at, 5)
    named = []
    for name, at in places.items():
        # Only what lies on the axis is named beside it: another name would be read as one of its numbers.
        labels.stay_right_of(x.start - _BESIDE_AXIS if at[0] <= x.start else x.start + 1)
        named.append(labels.place_along(f"macs/{name}/name", [at], name, "words soft over"))
    labels.stay_right_of(x.start - _BESIDE_AXIS)  # A and B are no numbers
    return tuple(filter(None, named)), labels


def _beyond(name: str, setting: PhiSetting, x: Axis, y: Axis, line: int = 0) -> Mark | None:
    """Return in words what lies beyond the chart, beside its mark at the edge."""
    macs = cost_at(setting).macs / 1e9
    if LEAST <= macs <= MOST:
        return None
    at = x(setting.phi)
    place, anchor = (at - 12, " end") if at > (x.start + x.end) / 2 else (at + 12, "")
    words, height = f"beyond: {digits(macs)} billion", y(macs) + 20 + 16 * line
    return text(f"macs/{name}/beyond", place, height, words, style=f"words bold over{anchor}")


def _setting_marks(
    name: str, setting: PhiSetting, x: Axis, y: Axis, labels: Labels, most: float | None = None
) -> Iterator[Mark]:
    """Mark a setting, filled on the formula and a ring on a published network; the present one moves."""
    key, macs = f"macs/{'A' if most is None else 'now'}", cost_at(setting).macs / 1e9
    at = (x(setting.phi), y(macs))
    if most is not None:
        yield Mark(f"{key}/guide", "line", (at[0], at[1], at[0], y.start), "guide")
        yield Mark(f"{key}/halo", "circle", (*at, 13), "halo")
    style = "chosen" if setting.variant != FORMULA else "past" if most is None else "now"
    drag = () if most is None else (Drag("phi", Axis(0, most, x.start, x(most)), setting.phi, 0.1),)
    words = f"{label(setting)}: {giga(macs * 1e9)} MACs, computed"
    hint = "\nDrag it along phi" if drag else ""
    with_ = () if most is None else (f"{key}/halo", f"{key}/guide")
    leads = {f"{key}/mark": (1, 1), f"{key}/halo": (1, 1), f"{key}/guide": (1, 1, 1), f"{key}/name": (1, 1)}
    yield marker(
        f"{key}/mark",
        "o",
        *at,
        7,
        style,
        words + hint,
        drag=drag,
        with_=with_,
        leads=leads,
        along="macs/curve",
    )
    if name and (named := labels.place_along(f"{key}/name", [at], name, "title over")):
        yield named


# ---------------------------------------------------------------- time over MACs


def _time_axis(logic: Phi, upright: Ends) -> Axis:
    """Return the upright axis of times in ms, in whole decades, with room for a guess."""
    ends = [end for record in logic.history for end in ms_an_image(record)[1:]]
    if not logic.MEASURES:
        ends += [end for time in recorded_times()[1] for end in (time.low_ms, time.high_ms)]
    elif logic.predicts:
        ends += [1.0] if not ends else []  # an accelerator may need no more
    if logic.predicts and logic.committed is not None:
        ends.append(logic.committed)
    least, most = min(ends, default=10.0), max(ends, default=1000.0)
    low, high = 10.0, 1000.0
    while least < low:
        low /= 10
    while most > high:
        high *= 10
    return Axis(low, high, *upright, logarithmic=True)


def _times(logic: Phi, across: Ends, upright: Ends) -> Iterator[Mark]:
    x = Axis(LEAST, MOST, *across, logarithmic=True)
    y = _time_axis(logic, upright)
    drawn = list(_measured(logic, x, y) if logic.MEASURES else _recorded(logic, x, y))
    yield from drawn
    yield from guess_marks(logic, y, x(cost_at(logic.setting).macs / 1e9), across, among=drawn)


def _in_proportion(x: Axis, y: Axis, macs: float, ms: float, guess: float | None) -> Iterator[Mark]:
    """Draw the times that there were if they followed the MACs from one point on; the words avoid a guess."""
    last = min(x.high, macs * y.high / ms)
    if last <= 1.5 * macs:
        return
    yield Mark("times/proportion", "line", (x(macs), y(ms), x(last), y(ms * last / macs)), "roof dashed")
    words = "dashed: if time followed MACs"
    height = y.start - 8
    if guess is not None and y(guess) > height - 26:
        height = y(guess) - 18  # above the ring
    yield text("times/proportion said", x.end, height, words, style="words soft end over")


def _guess(logic: Phi) -> float | None:
    return (logic.guess if logic.asks else logic.committed) if logic.predicts else None


def _measured(logic: Phi, x: Axis, y: Axis) -> Iterator[Mark]:
    yield from _under("times", axes(x, y, "MACs, billions", "ms an image, measured here"))
    if not logic.history:
        for n, words in enumerate(logic.unmeasured):
            middle = (x.start + x.end) / 2
            height = (y.start + y.end) / 2 - 6 + 17 * n
            yield text(f"times/none {n}", middle, height, words, style="words soft middle")
        return
    first = min(logic.history, key=lambda one: one.measurement.macs)
    if logic.pinned is not None:
        first = logic.newest(logic.pinned) or first
    yield from _in_proportion(x, y, first.measurement.macs / 1e9, ms_an_image(first)[0], _guess(logic))
    yield from _points(logic, x, y)


def _points(logic: Phi, x: Axis, y: Axis) -> Iterator[Mark]:
    """Draw what was measured in this session, and an arrow from A to the present setting."""
    present = logic.newest(logic.setting)
    before = None if logic.pinned is None else logic.newest(logic.pinned)
    places = []
    for n, record in enumerate(logic.history):
        median, low, high = map(y, ms_an_image(record))
        at, key = x(record.measurement.macs / 1e9), f"times/{n}"
        places.append((at, median, low, high))
        yield Mark(f"{key}/range", "line", (at, low, at, high), "range")
        style = "now" if record is present else "past"
        words = f"{label(record.setting)}: {record.measurement}"
        yield marker(f"{key}/mark", "o", at, median, 6, style, words, with_=(key,))
    if before is None or present is None or before is present:
        return
    labels = Labels(x.start + 2, x.end + _RIGHT, y.end - _TOP / 2, y.start - 2)
    for at, median, low, high in places:
        labels.keep_free(at, median, 7)
        labels.keep_line_free((at, low, at, high))
    for time in () if logic.MEASURES else recorded_times()[1]:
        labels.keep_free(x(time.macs / 1e9), y(time.median_ms), 5)
    numbers = [logic.history.index(one) for one in (before, present)]
    a, b = ((places[n][0], places[n][1]) for n in numbers)
    for name, n, point in zip("AB", numbers, (a, b), strict=True):
        if said := labels.place_along(f"times/{n}/name", [point], name, "title over"):
            yield said
    yield from arrow("times/arrow", a, b)


def _recorded(logic: Phi, x: Axis, y: Axis) -> Iterator[Mark]:
    """Draw recorded times over MACs, and where the present network would stand."""
    device, times = recorded_times()
    here = x(cost_at(logic.setting).macs / 1e9)
    yield from _under("times", axes(x, y, "MACs, billions", "ms an image (diamonds: recorded)"))
    yield from _in_proportion(x, y, times[0].macs / 1e9, times[0].median_ms, _guess(logic))
    yield Mark("times/here", "line", (here, y.start, here, y.end), "guide")
    for time in times:
        at = x(time.macs / 1e9)
        words = f"{time.name}: {digits(time.median_ms)} ms\nRecorded on {device}"
        yield Mark(f"times/{time.name}/range", "line", (at, y(time.low_ms), at, y(time.high_ms)), "range")
        yield marker(
            f"times/{time.name}/mark",
            "D",
            at,
            y(time.median_ms),
            4.5,
            "measured",
            words,
            sets={"variant": time.name},
            with_=(f"times/{time.name}", f"macs/{time.name}"),
        )
    for time in times[:1] + times[-1:]:
        corner = (x(time.macs / 1e9), y(time.median_ms) - 10)
        yield text(f"times/{time.name}/name", *corner, time.name, style="words soft end over")
    yield from _points(logic, x, y)


# ---------------------------------------------------------------- shares of the stages


def _shares(logic: Phi, across: Ends, upright: Ends) -> Iterator[Mark]:
    """Draw the share of the MACs that each stage has, beside that of A where there is one."""
    shares = stage_shares(logic.setting)
    before = dict(stage_shares(logic.pinned)) if logic.pinned is not None else {}
    most = 10 * math.ceil(10 * max(*before.values(), *(share for _, share in shares)))
    y = MarkedAxis(0, most, *upright, marks=range(0, most + 1, 10 if most <= 40 else 20))
    left, right = across
    each = (right - left) / len(shares)
    x = MarkedAxis(0, 1, left, right)
    is_tight = each < _WIDEST_TICK
    yield from _under("shares", axes(x, y, "stage", "share of the MACs, %, computed"))
    for n, (name, share) in enumerate(shares):
        at, middle = left + (n + 0.18) * each, left + (n + 0.5) * each
        short = name.removeprefix("stage ")
        if name in before:
            old = 100 * before[name]
            yield Mark(f"{name}/before", "box", (at, y(old), 0.64 * each, y.start - y(old)), "ghost")
        box = (at, y(100 * share), 0.64 * each, y.start - y(100 * share))
        yield Mark(f"{name}/bar", "box", box, "bar")
        below = 32 if is_tight and not short.isdigit() else 16  # beside the title
        yield text(f"{name}/tick", middle, y.start + below, short, style="words soft middle")
        top = y(100 * max(share, before.get(name, 0)))
        yield text(f"{name}/share", middle, top - 5, f"{100 * share:.0f}", style="words middle over")
        yield Mark(
            f"{name}/column",
            "box",
            (left + n * each, y.end, each, y.start - y.end),
            "touch",
            words=f"{name}: {share:.1%} of the MACs",
            sets={"opened": int(short)} if short.isdigit() else None,
            with_=(name,),
        )
