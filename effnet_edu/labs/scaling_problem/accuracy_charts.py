"""Charts of what others got: accuracy over MACs, as papers print it and as our study found it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.ground.palette import SCALINGS
from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.scaling_problem.evidence import Point, published, recorded, span
from effnet_edu.labs.scaling_problem.numbers import (
    ScalingProblemSetting,
    as_way,
    bought,
    growth,
    published_near,
    recorded_near,
)
from effnet_edu.pictures.axis import MarkedAxis
from effnet_edu.pictures.chart import Place, axes, marker
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark, text
from effnet_edu.studies.networks import WAYS, Way

ScalingProblem = ForwardLogic[ScalingProblemSetting]
Marks = tuple[Mark, ...]

_TOP, _BELOW, _LEFT, _RIGHT = 34.0, 42.0, 38.0, 10.0
#: By how many pixels marks with intervals are moved, so that they stand beside each other.
_BESIDE: dict[Way, float] = {"depth": -4.5, "width": -1.5, "resolution": 1.5, "compound": 4.5}
#: Radius of the ring around the nearest network, and about how wide a bold letter is.
_RING, _BOLD = 9.0, 8.0


def point_in_words(point: Point) -> str:
    """Return a trained network in words, such as `depth, d = 4: 1.85 billion MACs, 79.0%`."""
    unit, said = (1e9, "billion") if point.macs >= 1e8 else (1e6, "million")
    return f"{point.way}, {point.name}: {digits(point.macs / unit)} {said} MACs, {point.percent:.1f}%"


def _across(place: Place) -> tuple[float, float]:
    return place.left + _LEFT, place.right - _RIGHT


def _upright(place: Place) -> tuple[float, float]:
    return place.bottom - _BELOW, place.top + _TOP


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
        """Yield axes, lines and points; a line only joins what belongs together."""
        for mark in axes(self.x, self.y, *self.titles):
            up = -8 if mark.key == "axes/y title" else 0  # below it stands where the learner's network is
            yield mark.moved(0, up, self.name)
        for way in self._ways(chosen):
            path = tuple(n for point in self.points[way] for n in self.at(point))
            style = f"{way}-line strong" if way == chosen else f"{way}-line"
            yield Mark(f"{self.name}/{way}/line", "line", path, style)
        for way in self._ways(chosen):
            for n, point in enumerate(self.points[way]):
                yield from self._point(point, n)

    def names(self, chosen: Way | None) -> Iterator[Mark]:
        """Yield the name of each way, beside its last point or wherever along its line there is room."""
        labels = Labels(self.x.start + 2, self.x.end + 8, self.y.end, self.y.start + 4)
        for way in WAYS:
            at = [self.at(point) for point in self.points[way]]
            labels.keep_line_free(tuple(n for point in at for n in point))
            for point in at:
                labels.keep_free(*point, _RING + 2 if way == chosen else 5)
        for way in self._ways(chosen)[::-1]:
            at = [self.at(point) for point in reversed(self.points[way])]
            style = f"words small outlined {way}-words"
            if named := labels.place_along(f"{self.name}/{way}/name", at, way, style):
                yield named

    def _ways(self, chosen: Way | None) -> list[Way]:
        """Return the ways, the chosen one last, so that nothing covers it."""
        return [way for way in sorted(WAYS, key=lambda way: way == chosen) if self.points[way]]

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

    def here(self, found: Sequence[tuple[str, float]]) -> Iterator[Mark]:
        """Yield a dashed line at the MACs of each of the learner's networks, with its letter above it."""
        x, y = self.x, self.y
        several, room = len(found) > 1, x.end - x.start
        for n, (letter, macs) in enumerate(sorted(found, key=lambda one: one[1])):
            at, word, key = macs / self.unit, letter or "yours", f"{self.name}/here {letter}"
            place = x(at)
            is_left = n == 0 if several else place > x.end - 40
            if at > x.high or at < x.low:
                is_left = at > x.high
                full = f"{word}, beyond the chart"
                arrow_ = f"{word} →" if is_left else f"← {word}"
                word = full if not several and _BOLD * len(full) < room else arrow_
            elif several and is_left and max(macs for _, macs in found) / self.unit > x.high:
                place = min(place, x.end - 34)  # left of what the other one says
            yield Mark(key, "line", (x(at), y.start, x(at), y.end), "here")
            style = f"words bold outlined{' end' * is_left}"
            yield text(f"{key} said", place + (-5 if is_left else 5), y.end - 4, word, style=style)


def paper_chart(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    """Draw the networks of a paper, and where the learner's stands."""
    setting = logic.setting
    chart, marks, names = _published(setting.paper, as_way(setting.way), place)
    yield from marks
    yield from chart.here([(letter, bought(one).totals.macs) for letter, one in _lettered(logic)])
    yield from names
    if near := published_near(setting):
        yield Mark("paper/near", "circle", (*chart.at(near), _RING), "ring")


def study_chart(logic: ScalingProblem, place: Place) -> Iterator[Mark]:
    """Draw the networks of our study, and where the learner's stands."""
    setting = logic.setting
    chart, marks, names = _studied(setting.images, as_way(setting.way), place)
    yield from marks
    if chart is None:
        return
    base = chart.points["depth"][0].macs
    yield from chart.here([(letter, base * growth(one)) for letter, one in _lettered(logic)])
    yield from names
    if near := recorded_near(setting):
        yield Mark("ours/near", "circle", (*chart.at(near), _RING), "ring")


def _lettered(logic: ScalingProblem) -> list[tuple[str, ScalingProblemSetting]]:
    return [("", logic.setting)] if logic.pinned is None else [("A", logic.pinned), ("B", logic.setting)]


@lru_cache(maxsize=64)
def _published(paper: str, chosen: Way | None, place: Place) -> tuple[_Chart, Marks, Marks]:
    """Return the chart of a paper's networks, and its marks and names, which do not move with the budget."""
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
    return chart, tuple(chart.marks(chosen)), tuple(chart.names(chosen))


@lru_cache(maxsize=64)
def _studied(images: str, chosen: Way | None, place: Place) -> tuple[_Chart | None, Marks, Marks]:
    """Return the chart of our study with its marks and names, or words where it was not recorded."""
    points = {way: recorded(images, way) for way in WAYS}
    every = [point for way in WAYS for point in points[way]]
    if not every:
        middle, said = sum(_across(place)) / 2, "The study was not recorded here."
        return None, (text("ours/none", middle, place.top + 110, said, style="words soft middle"),), ()
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
    return chart, tuple(chart.marks(chosen)), tuple(chart.names(chosen))
