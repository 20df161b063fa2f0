"""The charts of the scaling problem lab: where the budget goes, what each way costs, and what others got."""

from collections.abc import Iterator, Sequence

from effnet_edu.ground.palette import SCALINGS
from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.guessing import axis_with_room, guess_marks, ring_said
from effnet_edu.labs.frame.layout import is_low
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.scaling_problem.accuracy_charts import paper_chart, point_in_words, study_chart
from effnet_edu.labs.scaling_problem.evidence import Point
from effnet_edu.labs.scaling_problem.numbers import (
    MIX,
    SLIDERS,
    WEIGHTS,
    Price,
    ScalingProblemSetting,
    as_way,
    growth,
    percents,
    prices,
    published_near,
    recorded_near,
)
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.chart import Place, arrow, marker, panels, places
from effnet_edu.pictures.scene import Mark, Mix, Scene, text
from effnet_edu.studies.networks import WAYS, Way

ScalingProblem = ForwardLogic[ScalingProblemSetting]

_HEIGHT = 238.0
#: The same where all stand in one row on a low screen, and what each has of the width. Five rows fit in:
#: nothing moves when the learner's own way becomes the fifth.
_LOW_HEIGHT, _SHARES = 210.0, (0.26, 0.27, 0.235, 0.235)
#: To where the axis of times reaches for the first guess.
_FIRST_GUESS_MS = 400.0
#: The way that each corner of the triangle is: above, left and right.
_CORNERS: tuple[Way, ...] = ("depth", "width", "resolution")


def charts(logic: ScalingProblem) -> Scene:
    """Draw all four, side by side where there is room."""
    marks: list[Mark] = []
    rooms = _places(logic.room)
    for draw, place in zip((_triangle, _prices, paper_chart, study_chart), rooms, strict=True):
        marks += draw(logic, place)
    return Scene(logic.room, rooms[-1].bottom, "What the budget buys", _in_words(logic), tuple(marks))


def _places(room: float) -> list[Place]:
    if is_low(room):
        return places(room, _LOW_HEIGHT, _SHARES)
    rows = panels(room, 4, 235)
    return [Place(left, right, row * (_HEIGHT + 12), _HEIGHT) for left, right, row in rows]


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
    title = f"{setting.budget:g} billion MACs{'' if place.is_small else ' in'} each way"
    yield text("prices/title", left, top + 12, title, style="title")
    counts = [_counts(row) for row in rows]
    groups = [
        ("parameters, millions, computed", [values[0] for values in counts]),
        ("activations, millions, computed", [values[1] for values in counts]),
    ]
    names = left + (72 if place.is_small else 78)
    height = (place.height - 22) / (3 if logic.has_times else 2)
    pitch = min(18.0, (height - (16 if len(rows) == len(WAYS) else 14)) / len(rows))
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
