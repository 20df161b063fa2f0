"""What the scaling problem lab draws: the network, what paper and study got, each way's price."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.labs.drawing import Drawing, MarkedAxis, circle, drawing, frame, line, mark, text
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.network_picture import LITTLE_ROOM, network_picture
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.scaling_evidence import Point, published, recorded, span
from effnet_edu.labs.scaling_logic import ScalingProblemLogic, as_way, unspent
from effnet_edu.labs.theme import COMPOUND, DEPTH, RESOLUTION, WIDTH
from effnet_edu.studies.networks import WAYS, Way

CHARTS_SIZE = (396, 192)
_FLOOR, _CEILING = 158, 26
#: Height of the tallest slab, in pixels.
_ROOM = 84
_COLOURS: dict[Way, str] = {
    "depth": DEPTH,
    "width": WIDTH,
    "resolution": RESOLUTION,
    "compound": COMPOUND,
}
#: The mark of each way, told from the others by its shape as well.
_MARKS: dict[Way, str] = {"depth": "o", "width": "s", "resolution": "^", "compound": "D"}
#: What stands at the end of each line, and how far from its last mark, so that none covers another.
_LETTERS: dict[Way, tuple[str, int, int]] = {
    "depth": ("d", -3, -8),
    "width": ("w", 7, 4),
    "resolution": ("r", 6, 12),
    "compound": ("c", 8, 4),
}
#: By how many pixels marks with intervals are moved, so that they stand beside each other.
_BESIDE: dict[Way, float] = {"depth": -4.5, "width": -1.5, "resolution": 1.5, "compound": 4.5}


@dataclass(frozen=True)
class _Chart:
    """Accuracy over MACs: marks are hollow where they are published, filled where they are ours.

    Attributes:
        x: MACs, in units.
        y: Accuracy in percent.
        unit: MACs that `x` counts as one.
        titles: Of both axes.
        points: The networks of each way.
        is_hollow: Whether they are published.
    """

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

    def curves(self, chosen: Way | None) -> Iterator[str]:
        """Yield frame, lines and marks; a line only joins what belongs together."""
        yield from frame(self.x, self.y, *self.titles)
        # The chosen way comes last, so that nothing covers it.
        ways = [way for way in sorted(WAYS, key=lambda way: way == chosen) if self.points[way]]
        for way in ways:
            places = [self.at(point) for point in self.points[way]]
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            width = 2.4 if way == chosen else 1.0
            style = f"fill:none;stroke:{_COLOURS[way]};stroke-width:{width}"
            yield f'<polyline points="{joined}" style="{style}"/>'
        for way in ways:
            for point in self.points[way]:
                if point.interval:
                    x, _ = self.at(point)
                    low, high = (self.y(end) for end in point.interval)
                    style = f"stroke:{_COLOURS[way]};stroke-width:1.5"
                    yield f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" style="{style}"/>'
                yield self.marked(point, 3.4)
        yield from self.letters(ways)

    def letters(self, ways: Sequence[Way]) -> Iterator[str]:
        """Yield the letter of each way at the end of its line, none on another."""
        ends = {way: self.at(self.points[way][-1]) for way in ways}
        if self.is_hollow:
            for way, (x, y) in ends.items():
                letter, across, down = _LETTERS[way]
                yield text(x + across, y + down, letter, "soft")
            return
        lowest = 0.0  # all lines end at nearly the same MACs: the letters stand below each other
        for way, (_, y) in sorted(ends.items(), key=lambda end: end[1][1]):
            lowest = max(y + 4, lowest + 12)
            yield text(self.x.end + 2, lowest, _LETTERS[way][0], "name", "end")

    def marked(self, point: Point, radius: float) -> str:
        """Return the mark of a point."""
        x, y = self.at(point)
        colour = _COLOURS[point.way]
        style = (
            f"fill:var(--ee-card);stroke:{colour};stroke-width:{1.6 if radius < 5 else 3}"
            if self.is_hollow
            else f"fill:{colour};stroke:var(--ee-text);stroke-width:{0.8 if radius < 5 else 2}"
        )
        hover = f"{in_words(point)} ({point.source})"
        return mark(_MARKS[point.way], x, y, radius, f'style="{style}"', hover)

    def here(self, macs: float, letter: str) -> Iterator[str]:
        """Yield a dashed line at the MACs of the learner's network, or words where it is beyond the axis."""
        x, y = self.x, self.y
        at, word = macs / self.unit, letter or "yours"
        if not x.low <= at <= x.high:
            yield text(x.end, y.end + 9, f"{word} is beyond", "name", "end")
            return
        yield line(x(at), y.start, x(at), y.end, "here")
        # A stands left of its line and B right of it, so that both can be read; near the edge no word is cut.
        side = "end" if letter == "A" or x(at) > x.end - 20 else "start" if letter else "middle"
        beside_title = x.start + (42 if letter else 58)
        yield text(max(x(at), beside_title), y.end - 8, word, "title", side)


def _paper_chart(paper: str) -> _Chart:
    low, high = span(paper)
    return _Chart(
        MarkedAxis(0.3, 25, 30, 184, logarithmic=True, marks=(0.5, 1, 2, 5, 10, 20)),
        MarkedAxis(low, high, _FLOOR, _CEILING, marks=range(low, high + 1)),
        1e9,
        ("MACs, billions", "top-1, %"),
        {way: published(paper, way) for way in WAYS},
        is_hollow=True,
    )


def _study_chart(images: str) -> _Chart | None:
    points = {way: recorded(images, way) for way in WAYS}
    every = [point for way in WAYS for point in points[way]]
    if not every:
        return None
    low, high = (pick(point.macs / 1e6 for point in every) for pick in (min, max))
    worst = min(point.interval[0] if point.interval else point.percent for point in every)
    best = max(point.interval[1] if point.interval else point.percent for point in every)
    step = 5 if best - worst < 40 else 10
    bottom, top = step * math.floor(worst / step), min(100, step * math.ceil(best / step))
    return _Chart(
        MarkedAxis(low / 1.15, high * 1.3, 236, 388, logarithmic=True, marks=(0.5, 1, 2, 3, 5, 10)),
        MarkedAxis(max(0, bottom), top, _FLOOR, _CEILING, marks=range(0, 101, step)),
        1e6,
        ("MACs, millions", "accuracy, %"),
        points,
        is_hollow=False,
    )


@lru_cache(maxsize=64)
def _paper(paper: str, chosen: Way | None) -> tuple[_Chart, str]:
    """Return the chart of a paper's networks and all of it that does not move with the budget."""
    chart = _paper_chart(paper)
    return chart, "".join(chart.curves(chosen))


@lru_cache(maxsize=64)
def _ours(images: str, chosen: Way | None) -> tuple[_Chart | None, str]:
    """Return the chart of our study, or words where it was not recorded."""
    if chart := _study_chart(images):
        return chart, "".join(chart.curves(chosen))
    words = ("The study was not", "recorded here.")
    return None, "".join(text(312, 88 + 16 * n, said, "soft", "middle") for n, said in enumerate(words))


def in_words(point: Point) -> str:
    """Return a trained network in words, such as `depth, d = 4: 1.85 billion MACs, 79.0%`.

    Args:
        point: Published or recorded.
    """
    unit, said = (1e9, "billion") if point.macs >= 1e8 else (1e6, "million")
    return f"{point.way}, {point.name}: {digits(point.macs / unit)} {said} MACs, {point.percent:.1f}%"


def charts(logic: ScalingProblemLogic) -> Drawing:
    """Draw the accuracy that each way bought: in the paper, and in our study.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    chosen = as_way(setting.way)
    (paper, left), (ours, right) = _paper(setting.paper, chosen), _ours(setting.images, chosen)
    parts = [left, right]
    lettered = [("", setting)] if logic.pinned is None else [("A", logic.pinned), ("B", setting)]
    for letter, one in lettered:
        parts += paper.here(logic.bought(one).totals.macs, letter)
        if ours is not None:
            parts += ours.here(ours.points["depth"][0].macs * logic.growth(one), letter)
    near = logic.published_near(setting), logic.recorded_near(setting)
    parts += [
        chart.marked(point, 6) for chart, point in zip((paper, ours), near, strict=True) if chart and point
    ]
    macs = logic.bought(setting).totals.macs
    label = (
        f"Left: top-1 of {setting.paper} as published, scaled in each way, over MACs; yours has "
        f"{digits(macs / 1e9)} of {setting.budget:g} billion. {_nearest('Nearest', near[0])} "
        f"Right: accuracy of a small network in our study on {setting.images}; yours grew "
        f"{digits(logic.growth(setting))} times. {_nearest('Nearest by growth', near[1])}"
    )
    return drawing(CHARTS_SIZE, label, parts)


def _nearest(said: str, point: Point | None) -> str:
    return "No network of this kind was trained." if point is None else f"{said}: {in_words(point)}."


def prices(logic: ScalingProblemLogic) -> Drawing:
    """Draw what each way of spending the same budget costs: parameters, activations, and measured time.

    Args:
        logic: The lab.
    """
    rows, setting = logic.prices(logic.setting), logic.setting
    counts = (("parameters, M", 86), ("activations, M", 190))
    parts = [text(x, 12, title, "soft") for title, x in counts]
    parts.append(text(296, 12, "ms an image", "soft"))
    computed = [(row.bought.totals.parameters / 1e6, row.bought.totals.activations / 1e6) for row in rows]
    most = [max(column) for column in zip(*computed, strict=True)]
    slowest = max(
        (row.ms_an_image(row.record.measurement.high_ms) for row in rows if row.record), default=1.0
    )
    said = []
    for n, (row, values) in enumerate(zip(rows, computed, strict=True)):
        y = 29 + 16 * n
        css = "title" if row.way == setting.way else ""
        parts.append(text(0, y, row.way, css))
        for value, largest, (_, x) in zip(values, most, counts, strict=True):
            length = 56 * value / largest
            fill = _COLOURS.get(as_way(row.way) or "compound")
            parts.append(f'<rect x="{x}" y="{y - 10}" width="{length:.1f}" height="11" fill="{fill}"/>')
            parts.append(text(x + length + 4, y, digits(value)))
        time = "not measured"
        if row.record is not None:
            found = row.record.measurement
            low, middle, high = (row.ms_an_image(ms) for ms in (found.low_ms, found.median_ms, found.high_ms))
            places = [296 + 56 * value / slowest for value in (low, middle, high)]
            parts.append(line(places[0], y - 4, places[2], y - 4, "range"))
            parts.append(circle(places[1], y - 4, 3.5, "past", f"{row.way}: {found}"))
            parts.append(text(places[2] + 5, y, digits(middle)))
            time = f"{digits(middle)} ms measured"
        else:
            parts.append(text(296, y, "not measured", "soft"))
        parameters, activations = map(digits, values)
        said.append(f"{row.way} {parameters} million parameters, {activations} million activations, {time}")
    label = f"{setting.budget:g} billion MACs spent in each way: {'; '.join(said)}."
    return drawing((CHARTS_SIZE[0], 22 + 16 * len(rows)), label, parts)


def pictures(logic: ScalingProblemLogic) -> tuple[Drawing, ...]:
    """Draw network, charts and prices, or where A is pinned two networks and the charts.

    Args:
        logic: The lab.
    """
    if logic.pinned is None:
        return network_picture(logic.bought(logic.setting).network, room=_ROOM), charts(logic), prices(logic)
    pair = (
        network_picture(logic.bought(setting).network, f"{letter}: {logic.label(setting)}", LITTLE_ROOM)
        for letter, setting in (("A", logic.pinned), ("B", logic.setting))
    )
    return (*pair, charts(logic))


NOTE = (
    "Hollow: published (B0: figures 3 and 8; others: table 3). Filled: our study, recorded, 95% intervals. "
    "Lines only join the points of d depth, w width, r resolution, c compound. Bars: computed; dot: measured."
)


def note(logic: ScalingProblemLogic) -> str:
    """Return how to read the screen, or why a budget buys nothing.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    return unspent(logic.bought(setting), 1e9 * setting.budget) or (NOTE if logic.pinned is None else "")


def screen(logic: ScalingProblemLogic) -> Screen:
    """Return the network, its charts and the price of each way.

    Args:
        logic: The lab.
    """
    return Screen(pictures(logic), note(logic))
