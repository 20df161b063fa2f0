"""The charts of the scaling problem lab: where the budget goes, what each way costs, and what others got."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.ground.palette import SCALINGS
from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.guessing import axis_with_room, guess_marks, ring_said
from effnet_edu.labs.frame.layout import is_low
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.scaling_problem.evidence import Point, published, recorded, span
from effnet_edu.labs.scaling_problem.numbers import (
    MIX,
    SLIDERS,
    WEIGHTS,
    Price,
    ScalingProblemSetting,
    as_way,
    bought,
    growth,
    percents,
    prices,
    published_near,
    recorded_near,
)
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import Place, arrow, axes, marker, panels, places
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark, Mix, Scene, text
from effnet_edu.studies.networks import WAYS, Way

ScalingProblem = ForwardLogic[ScalingProblemSetting]

_HEIGHT, _TOP, _BELOW, _LEFT, _RIGHT = 238.0, 34.0, 42.0, 38.0, 10.0
#: The same where all stand in one row on a low screen, and what each has of the width.
_LOW_HEIGHT, _SHARES = 206.0, (0.26, 0.27, 0.235, 0.235)
#: By how many pixels marks with intervals are moved, so that they stand beside each other.
_BESIDE: dict[Way, float] = {"depth": -4.5, "width": -1.5, "resolution": 1.5, "compound": 4.5}
#: To where the axis of times reaches for the first guess.
_FIRST_GUESS_MS = 400.0
#: The way that each corner of the triangle is: above, left and right.
_CORNERS: tuple[Way, ...] = ("depth", "width", "resolution")


def charts(logic: ScalingProblem) -> Scene:
    """Draw all four, side by side where there is room."""
    marks: list[Mark] = []
    rooms = _places(logic.room)
    for draw, place in zip((_triangle, _prices, _paper, _ours), rooms, strict=True):
        marks += draw(logic, place)
    return Scene(logic.room, rooms[-1].bottom, "What the budget buys", _in_words(logic), tuple(marks))


def _places(room: float) -> list[Place]:
    if is_low(room):
        return places(room, _LOW_HEIGHT, _SHARES)
    rows = panels(room, 4, 235)
    return [Place(left, right, row * (_HEIGHT + 12), _HEIGHT) for left, right, row in rows]


def _across(place: Place) -> tuple[float, float]:
    return place.left + _LEFT, place.right - _RIGHT


def _upright(place: Place) -> tuple[float, float]:
    return place.bottom - _BELOW, place.top + _TOP


def _in_words(logic: ScalingProblem) -> str:
    setting = logic.setting
    shares = ", ".join(f"{way} {share}%" for way, share in zip(_CORNERS, percents(setting), strict=True))
    said = "; ".join(_price_in_words(price) for price in prices(logic, setting))
    near = published_near(setting), recorded_near(setting)
    return (
        f"The growth goes to {shares}. {setting.budget:g} billion MACs spent in each way: {said}. Top-1 of "
        f"{setting.paper} as published. {_nearest('Nearest', near[0])} Accuracy of a small network in our "
        f"study on {setting.images}; yours grew {digits(growth(setting))} times. "
        f"{_nearest('Nearest by growth', near[1])}"
    )


def _nearest(said: str, point: Point | None) -> str:
    return "No network of this kind was trained." if point is None else f"{said}: {point_in_words(point)}."


def point_in_words(point: Point) -> str:
    """Return a trained network in words, such as `depth, d = 4: 1.85 billion MACs, 79.0%`."""
    unit, said = (1e9, "billion") if point.macs >= 1e8 else (1e6, "million")
    return f"{point.way}, {point.name}: {digits(point.macs / unit)} {said} MACs, {point.percent:.1f}%"


def _price_in_words(price: Price) -> str:
    parameters, activations = _counts(price)
    time = "not measured"
    if price.record is not None:
        time = f"{digits(price.ms_an_image(price.record.measurement.median_ms))} ms an image measured"
    return (
        f"{price.way} {digits(parameters)} million parameters, {digits(activations)} million activations, "
        f"{time}"
    )


def _counts(price: Price) -> tuple[float, float]:
    totals = price.bought.totals
    return totals.parameters / 1e6, totals.activations / 1e6


# ---------------------------------------------------------------- where the growth goes


def _mix(setting: ScalingProblemSetting, place: Place) -> Mix:
    high, low = place.top + 52, place.bottom - 34
    half = min((place.right - place.left) / 2 - 16, (low - high) / 1.25)
    middle = (place.left + place.right) / 2
    corners = ((middle, high), (middle - half, low), (middle + half, low))
    depth, width, resolution = (getattr(setting, name) for name in SLIDERS)
    return Mix(SLIDERS, corners, (depth, width, resolution))


def _between(mix: Mix, shares: Sequence[int]) -> tuple[float, float]:
    depth, width, resolution = shares
    return Mix(mix.names, mix.corners, (depth, width, resolution)).place()


def _triangle(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    """Draw the three shares of the growth as one point that can be dragged, with the named ways to click."""
    setting, pinned = logic.setting, logic.pinned
    mix = _mix(setting, place)
    outline = tuple(n for corner in mix.corners for n in corner)
    title = "drag: what grows" if place.is_small else "drag: where the growth goes"
    yield text("mix/title", place.left, place.top + 12, title, style="title")
    yield Mark("mix/well", "area", outline, "well")
    for level in (25, 50, 75):
        yield from _level(mix, level)
    shares = percents(setting)
    said = ", ".join(f"{way} {share}%" for way, share in zip(_CORNERS, shares, strict=True))
    words = f"{said} of the growth\nPress or drag; arrows move it too"
    x, y = mix.place()
    if pinned is not None:
        a = _mix(pinned, place).place()
        yield Mark("mix/A", "circle", (*a, 9), "ghost")
        yield text("mix/A said", a[0] - 12, a[1] + 4, "A", style="title end")
        yield from arrow("mix/arrow", a, (x, y))
    yield Mark("mix/now/halo", "circle", (x, y, 15), "halo")
    yield Mark("mix/now/mark", "circle", (x, y, 8), "now")
    # The whole triangle answers, but for the ways that are not chosen: what is chosen can be dragged away.
    leads = {"mix/now/halo": (1, 1), "mix/now/mark": (1, 1)}
    touch = Mark("mix/touch", "area", outline, "touch", words=words, mix=mix, with_=("mix/now",), leads=leads)
    named = {way: _named_way(way, *_between(mix, WEIGHTS[way]), is_chosen=setting.way == way) for way in WAYS}
    yield from (mark for way, mark in named.items() if way == setting.way)
    yield touch
    yield from (mark for way, mark in named.items() if way != setting.way)
    for way, (corner_x, corner_y), share in zip(_CORNERS, mix.corners, shares, strict=True):
        is_top = way == "depth"
        at = corner_y - 16 if is_top else corner_y + 24
        margins = (40, 52) if place.is_small else (44, 60)
        centre = min(max(corner_x, place.left + margins[0]), place.right - margins[1])
        yield text(f"mix/{way} share", centre, at, f"{way} {share}%", style=f"words middle {way}-words")


def _level(mix: Mix, level: int) -> Iterator[Mark]:
    """Draw the lines along which one of the three has the same share."""
    rest = 100 - level
    for n, way in enumerate(_CORNERS):
        ends: list[float] = []
        for other in range(3):
            if other != n:
                shares = [0, 0, 0]
                shares[n], shares[other] = level, rest
                ends += _between(mix, shares)
        yield Mark(f"mix/{way} {level}", "line", tuple(ends), "axis")


def _named_way(way: Way, x: float, y: float, *, is_chosen: bool) -> Mark:
    key, shape = f"mix/{way}", SCALINGS[way][1]
    if is_chosen:
        return marker(key, shape, x, y, 8, f"{way}-filled")
    said = "as the paper splits it" if way == "compound" else "all of it"
    return marker(
        key, shape, x, y, 7, f"{way}-hollow", f"{way}: {said}\nClick to choose it", sets={"way": way}
    )


# ---------------------------------------------------------------- what each way costs


def _prices(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    """Draw parameters, activations and measured time of each way of spending the same budget."""
    left, right, top = place.left, place.right, place.top
    rows, setting = prices(logic, logic.setting), logic.setting
    title = f"{setting.budget:g} {'G' if place.is_small else 'billion'} MACs in each way"
    yield text("prices/title", left, top + 12, title, style="title")
    counts = [_counts(row) for row in rows]
    groups = [
        ("parameters, millions, computed", [values[0] for values in counts]),
        ("activations, millions, computed", [values[1] for values in counts]),
    ]
    names = left + (72 if place.is_small else 78)
    height = (place.height - 22) / (3 if logic.has_times else 2)
    pitch = min(18.0, (height - 16) / len(rows))
    y, start = top + 20, left if place.is_small else names
    for title, values in groups:
        yield text(f"prices/{title}", start, y + 11, title, style="words small soft")
        for n, (row, value) in enumerate(zip(rows, values, strict=True)):
            at = y + 15 + pitch * n
            yield from _bar(row, f"prices/{row.way}/{title}", at, (names, right), value, max(values), setting)
        y += height
    if logic.has_times:
        title = "ms an image" if ring_said(logic) else "ms an image, measured here"
        yield text("prices/ms", start, y + 11, title + ring_said(logic), style="words small soft")
        slowest = max(
            (row.ms_an_image(row.record.measurement.high_ms) for row in rows if row.record), default=0.0
        )
        ms = axis_with_room(logic, slowest, (names, right - 52), _FIRST_GUESS_MS)
        for n, row in enumerate(rows):
            yield from _time(row, y + 15 + pitch * n, ms, logic)
    for n, row in enumerate(rows):
        yield from _choice(
            row, (left, right), [top + 20 + height * group for group in range(3)], pitch, n, logic
        )
    if logic.has_times:
        chosen = next(n for n, row in enumerate(rows) if row.way == setting.way)
        yield from guess_marks(
            logic, ms, y + 20 + pitch * chosen, (y + 13, y + 15 + pitch * len(rows)), upright=False
        )


def _choice(
    row: Price, sides: tuple[float, float], tops: Sequence[float], pitch: float, n: int, logic: ScalingProblem
) -> Iterator[Mark]:
    """Let the rows of a way choose it."""
    left, right = sides
    for group, y in enumerate(tops if logic.has_times else tops[:2]):
        words = f"{row.way}\n{_price_in_words(row)}" if group == 0 else ""
        yield Mark(
            f"prices/{row.way}/touch {group}",
            "box",
            (left, y + 14 + pitch * n, right - left, pitch),
            "touch",
            words=words or row.way,
            sets={"way": row.way},
            with_=(f"prices/{row.way}", f"mix/{row.way}", f"paper/{row.way}", f"ours/{row.way}"),
        )


def _style(way: str) -> str:
    return as_way(way) or "past"


def _bar(
    row: Price,
    key: str,
    y: float,
    sides: tuple[float, float],
    value: float,
    most: float,
    setting: ScalingProblemSetting,
) -> Iterator[Mark]:
    left, right = sides
    length = (right - left - 52) * value / most
    style = "past" if row.way == MIX else f"{row.way}-filled"
    yield _way_name(f"{key}/name", row.way, left, y, setting)
    yield Mark(f"{key}/bar", "box", (left, y, length, 9), style)
    yield text(f"{key}/value", left + length + 5, y + 9, digits(value), style="words small")


def _way_name(key: str, way: str, left: float, y: float, setting: ScalingProblemSetting) -> Mark:
    style = "words small end bold" if way == setting.way else "words small soft end"
    return text(key, left - 6, y + 9, way, style=style)


def _time(row: Price, y: float, x: Axis, logic: ScalingProblem) -> Iterator[Mark]:
    key = f"prices/{row.way}/time"
    yield _way_name(f"{key}/name", row.way, x.start, y, logic.setting)
    if row.record is None:
        said = "" if logic.asks else "not measured"
        yield text(f"{key}/value", x.start, y + 9, said, style="words small soft")
        return
    found = row.record.measurement
    low, middle, high = (row.ms_an_image(ms) for ms in (found.low_ms, found.median_ms, found.high_ms))
    start, centre, end = (x(ms) for ms in (low, middle, high))
    yield Mark(f"{key}/range", "line", (start, y + 5, end, y + 5), "range")
    yield marker(f"{key}/mark", "o", centre, y + 5, 3.5, "measured")
    yield text(f"{key}/value", end + 6, y + 9, digits(middle), style="words small")


# ---------------------------------------------------------------- what others got


@dataclass(frozen=True)
class _Chart:
    """Accuracy over MACs: marks are hollow where they are published, filled where they are ours.

    Attributes:
        name: Under which its keys lie.
        x: MACs, in units.
        y: Accuracy in percent.
        unit: MACs that `x` counts as one.
        titles: Of both axes.
        points: The networks of each way.
        is_hollow: Whether they are published.
    """

    name: str
    x: MarkedAxis
    y: MarkedAxis
    unit: float
    titles: tuple[str, str]
    points: Mapping[Way, Sequence[Point]]
    is_hollow: bool

    def at(self, point: Point) -> tuple[float, float]:
        """Return where a point is; those with intervals stand a hair beside each other."""
        beside = _BESIDE[point.way] if point.interval else 0.0
        return self.x(point.macs / self.unit) + beside, self.y(point.percent)

    def marks(self, chosen: Way | None) -> Iterator[Mark]:
        """Yield axes, lines, points and names; a line only joins what belongs together."""
        for mark in axes(self.x, self.y, *self.titles):
            yield mark.moved(0, 0, self.name)
        # The chosen way comes last, so that nothing covers it.
        ways = [way for way in sorted(WAYS, key=lambda way: way == chosen) if self.points[way]]
        labels = Labels(self.x.start, self.x.end + 8, self.y.end - 10, self.y.start - 2)
        for way in ways:
            path = tuple(n for point in self.points[way] for n in self.at(point))
            labels.keep_line_free(path)
            style = f"{way}-line strong" if way == chosen else f"{way}-line"
            yield Mark(f"{self.name}/{way}/line", "line", path, style)
        for way in ways:
            for n, point in enumerate(self.points[way]):
                yield from self._point(point, n)
        for way in ways:
            x, y = self.at(self.points[way][-1])
            if named := labels.place(
                f"{self.name}/{way}/name", x, y, way, f"words small outlined {way}-words"
            ):
                yield named

    def _point(self, point: Point, n: int) -> Iterator[Mark]:
        x, y = self.at(point)
        key, way = f"{self.name}/{point.way}/{n}", point.way
        if point.interval:
            low, high = (self.y(min(end, 100)) for end in point.interval)
            yield Mark(f"{key} range", "line", (x, low, x, high), f"{way}-line")
        style = f"{way}-{'hollow' if self.is_hollow else 'filled'}"
        kind = "published" if self.is_hollow else "recorded"
        said = f"{point_in_words(point)}\n{kind}: {point.source}"
        yield marker(
            key, SCALINGS[way][1], x, y, 4, style, said, sets={"way": way}, with_=(f"{self.name}/{way}",)
        )

    def here(self, macs: float, letter: str) -> Iterator[Mark]:
        """Yield a dashed line at the MACs of the learner's network, or words where it is beyond the axis."""
        x, y = self.x, self.y
        at, word, key = macs / self.unit, letter or "yours", f"{self.name}/here {letter}"
        place = x(at)
        is_beyond = not x.low <= at <= x.high
        anchor = "end" if letter == "A" or place > x.end - 40 else ""
        said = f"{word}, beyond the chart" if is_beyond else word
        yield Mark(key, "line", (place, y.start, place, y.end), "here")
        style = f"words bold outlined {anchor}".strip()
        yield text(f"{key} said", place + (-5 if anchor else 5), y.end + 9, said, style=style)


def _paper(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    setting = logic.setting
    chart, marks = _published(setting.paper, as_way(setting.way), place)
    yield from marks
    for letter, one in _lettered(logic):
        yield from chart.here(bought(one).totals.macs, letter)
    if near := published_near(setting):
        yield Mark("paper/near", "circle", (*chart.at(near), 9), "ring")


def _ours(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    setting = logic.setting
    chart, marks = _studied(setting.images, as_way(setting.way), place)
    yield from marks
    if chart is None:
        return
    for letter, one in _lettered(logic):
        yield from chart.here(chart.points["depth"][0].macs * growth(one), letter)
    if near := recorded_near(setting):
        yield Mark("ours/near", "circle", (*chart.at(near), 9), "ring")


def _lettered(logic: ScalingProblem) -> list[tuple[str, ScalingProblemSetting]]:
    return [("", logic.setting)] if logic.pinned is None else [("A", logic.pinned), ("B", logic.setting)]


@lru_cache(maxsize=64)
def _published(paper: str, chosen: Way | None, place: Place) -> tuple[_Chart, tuple[Mark, ...]]:
    """Return the chart of a paper's networks and all of it that does not move with the budget."""
    low, high = span(paper)
    step = 1 if high - low <= 9 else 2
    chart = _Chart(
        "paper",
        MarkedAxis(
            0.3,
            25,
            *_across(place),
            True,
            marks=(0.5, 2, 5, 20) if place.is_small else (0.5, 1, 2, 5, 10, 20),
        ),
        MarkedAxis(low, high + 0.1 * (high - low), *_upright(place), marks=range(low, high + 1, step)),
        1e9,
        ("MACs, billions", "top-1, %, published" if place.is_small else f"top-1, %, {paper}: published"),
        {way: published(paper, way) for way in WAYS},
        is_hollow=True,
    )
    return chart, tuple(chart.marks(chosen))


@lru_cache(maxsize=64)
def _studied(images: str, chosen: Way | None, place: Place) -> tuple[_Chart | None, tuple[Mark, ...]]:
    """Return the chart of our study, or words where it was not recorded."""
    points = {way: recorded(images, way) for way in WAYS}
    every = [point for way in WAYS for point in points[way]]
    if not every:
        middle, said = sum(_across(place)) / 2, "The study was not recorded here."
        return None, (text("ours/none", middle, place.top + 110, said, style="words soft middle"),)
    low, high = (pick(point.macs / 1e6 for point in every) for pick in (min, max))
    worst = min(point.interval[0] if point.interval else point.percent for point in every)
    best = max(point.interval[1] if point.interval else point.percent for point in every)
    step = 5 if best - worst < 40 else 10
    bottom, ceiling = step * math.floor(worst / step), min(100, step * math.ceil(best / step))
    chart = _Chart(
        "ours",
        MarkedAxis(low / 1.15, high * 1.3, *_across(place), True, marks=(0.5, 1, 2, 3, 5, 10)),
        MarkedAxis(
            max(0, bottom), ceiling + 0.1 * (ceiling - bottom), *_upright(place), marks=range(0, 101, step)
        ),
        1e6,
        ("MACs, millions", f"accuracy, %, {'our study' if place.is_small else f'{images}: our study'}"),
        points,
        is_hollow=False,
    )
    return chart, tuple(chart.marks(chosen))
