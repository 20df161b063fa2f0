"""The charts of the benchmark lab: accuracy over cost with the budget in it, two orders, and the best few."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.labs.benchmark.before import before
from effnet_edu.labs.benchmark.compared import (
    Benchmark,
    BenchmarkSetting,
    conditions,
    elsewhere,
    guessed,
    here,
    judged,
    ranking,
    ranking_of_two,
    winner,
    winner_beside,
)
from effnet_edu.labs.benchmark.points import DIMENSIONS, NOWHERE, Dimension, Order, Point, recorded
from effnet_edu.labs.frame.guessing import guess_marks
from effnet_edu.labs.frame.layout import ROOMY, is_low
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import axes, marker, panels
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Drag, Mark, Scene, text
from effnet_edu.published.benchmarks import Result

_LEFT, _RIGHT, _TOP, _BELOW = 40.0, 16.0, 76.0, 40.0
#: Families with a mark and a colour of their own; all others are small circles.
_SHAPES = {"EfficientNet": ("o", "compound"), "EfficientNetV2": ("s", "width"), "ConvNeXt": ("^", "")}
#: Families whose networks are joined by a line.
_JOINED = ("EfficientNet", "EfficientNetV2", "ConvNeXt", "ResNet", "ResNet, newer recipe")
#: Steps in which a budget is dragged.
_STEPS = {"MACs": 0.1}
_ROW, _BEST, _BEST_ROW = 14.0, 6, 19.0
#: Between two columns of names, and of the numbers that stand in place of the second where it has no room.
_LEAST_LINE, _NUMBER = 30.0, 48.0
#: Where the screen is low, the two orders stand beside the chart, in so much of its width.
_LOW_HEIGHT, _BESIDE = 272.0, 252.0


def _log_axis(values: Sequence[float], left: float, right: float) -> MarkedAxis:
    low, high = min(values) / 1.25, max(values) * 1.25
    if high < 4 * low:
        low, high = low / 2, high * 2
    steps = (1, 2, 5) if math.log10(high / low) < 2.2 or right - left > 700 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = tuple(step * 10.0**power for power in powers for step in steps)
    return MarkedAxis(low, high, left, right, True, marks)


def _accuracy_axis(values: Sequence[float], bottom: float) -> MarkedAxis:
    low, high = math.floor(min(values) - 0.5), math.ceil(max(values) + 0.5)
    step = 1 if high - low <= 6 else 2 if high - low <= 12 else 5
    marks = tuple(float(n) for n in range(-(-low // step) * step, high + 1, step))
    return MarkedAxis(low, high, bottom, _TOP, False, marks)


def _key(result: Result) -> str:
    return f"network {result.key} {result.resolution}"


def _style(point: Point) -> tuple[str, str, float]:
    """Return shape, style and size: hollow is published, a diamond recorded, filled measured here."""
    shape, colour = _SHAPES.get(point.result.family, ("o", ""))
    if point.kind == "published":
        return shape, f"{colour}-hollow" if colour else "published", 4.5 if colour or shape != "o" else 3.2
    if point.kind == "recorded":
        return "D", f"{colour}-filled" if colour else "measured", 4
    return shape, "past" if point.is_stale else f"{colour}-filled" if colour else "measured", 5.5


def point_in_words(point: Point, dimension: Dimension) -> str:
    """Return a network with its accuracy, its cost, and where both stand, in three lines."""
    where = f"{point.kind}{f' on {point.device}' if point.device else ''}"
    stale = " under other conditions" if point.is_stale else ""
    return (
        f"{point.result.name}\n{point.result.top1:.1f}% top-1, published: {point.result.source}\n"
        f"{digits(point.x)} {dimension.noun}, {where}{stale}: {point.source}"
    )


@dataclass(frozen=True)
class _Chart:
    """The part of a chart that a moving budget leaves alone."""

    x: MarkedAxis
    y: MarkedAxis
    marks: tuple[Mark, ...]
    dots: tuple[Mark, ...]
    labels: Labels


def _needed(dimension: Dimension, x: float, ends: tuple[float, float]) -> dict[str, float] | None:
    """Return the smallest budget that allows something, where the control reaches it."""
    step = _STEPS.get(dimension.name, 1)
    count = math.floor(x / step + 1e-9) if dimension.more_is_better else math.ceil(x / step - 1e-9)
    value = round(count * step, 6)
    return {dimension.budget: value} if ends[0] <= value <= ends[1] else None


@lru_cache(maxsize=32)
def _chart(
    here: tuple[Point, ...],
    elsewhere: tuple[Point, ...],
    across: str,
    width: float,
    height: float,
    ends: tuple[float, float],
) -> _Chart:
    points, dimension = (*elsewhere, *here), DIMENSIONS[across]
    left, right, bottom = _LEFT, width - _RIGHT, height - _BELOW
    x = _log_axis([point.x for point in points] or [10.0, 1000.0], left, right)
    y = _accuracy_axis([point.result.top1 for point in points] or [75.0, 85.0], bottom)
    marks, dots = axes(x, y, dimension.title, ""), []
    labels = Labels(left + 4, right, _TOP + 4, bottom - 2)
    for point in points:
        height_of = y(point.result.top1)
        labels.keep_free(x(point.x), height_of, 5)
        if point.interval:
            low, high = (x(end) for end in point.interval)
            labels.keep_line_free((low, height_of, high, height_of))
    for name, group, css in (("there", elsewhere, " dashed" if here else ""), ("here", here, "")):
        for family in _JOINED:
            chosen = [p for p in group if p.result.family == family and not p.is_stale]
            if len(path := _path(chosen, x, y)) >= 4:
                labels.keep_line_free(path)
                colour = _SHAPES.get(family, ("", ""))[1]
                style = f"{colour}-line" if colour else "family"
                marks.append(Mark(f"{name} {family}", "line", path, style + css))
    count: Counter[str] = Counter()
    for point in points:
        key = _key(point.result)
        count[key] += 1
        at = x(point.x), y(point.result.top1)
        if point.interval:
            low, high = (x(end) for end in point.interval)
            dots.append(Mark(f"{key}/{count[key]} range", "line", (low, at[1], high, at[1]), "range"))
        shape, style, size = _style(point)
        words = point_in_words(point, dimension)
        sets = None if point.is_stale else _needed(dimension, point.x, ends)
        dots.append(marker(f"{key}/{count[key]}", shape, *at, size, style, words, sets=sets, with_=(key,)))
    named: set[str] = set()
    for point in sorted(points, key=_priority):
        short = point.result.short
        if short not in named:
            at = x(point.x), y(point.result.top1)
            if said := labels.place(
                f"{_key(point.result)}/name {short}", *at, short, "words soft outlined", 12
            ):
                dots.append(said)
                named.add(short)  # where one of its points has no room, another one may
    return _Chart(x, y, tuple(marks), tuple(dots), labels)


def _priority(point: Point) -> tuple[int, float]:
    families = ("EfficientNet", "EfficientNetV2", "ConvNeXt", "ResNet")
    known = point.result.family in families
    is_reference = point.result.key == "resnet50"  # the course compares all others with it
    return (0 if is_reference or point.kind == "measured" else 1 if known else 2, -point.result.top1)


def _path(points: Sequence[Point], x: Axis, y: Axis) -> tuple[float, ...]:
    ordered = sorted(points, key=lambda point: point.x)
    return tuple(n for point in ordered for n in (x(point.x), y(point.result.top1)))


def accuracy(logic: Benchmark) -> Scene:
    """Draw accuracy over what the networks take or give, with a budget to drag and the best within it."""
    setting, is_beside = logic.setting, is_low(logic.room)
    width = float(logic.room) - (_BESIDE + 14) * is_beside
    near, far, dimension = here(logic, setting), elsewhere(setting), setting.dimension
    height = _LOW_HEIGHT if is_beside else 450.0 if width >= ROOMY else 330.0
    ends = logic.ends(dimension.budget)
    made = _chart(near, far, setting.across, width, height, ends)
    edge, right, bottom = made.x(setting.budget), width - _RIGHT, height - _BELOW
    start, end = (_LEFT, edge) if dimension.more_is_better else (edge, right)
    marks = _legend(setting, bool(near), width)
    marks.append(Mark("outside", "box", (start, _TOP, max(end - start, 0), bottom - _TOP), "outside"))
    marks += made.marks
    labels, none = made.labels.copy(), []
    if not (near or far):
        middle = (_LEFT + right) / 2, (_TOP + bottom) / 2
        none = [
            text(f"none {n}", middle[0], middle[1] + 17 * n, words, style="words soft middle outlined")
            for n, words in enumerate(logic.unmeasured)
        ]
        labels.keep_words_free(*none)
    marks += [*_budget(setting, made.x, edge, bottom, ends), *none]
    found, other = winner(logic, setting), winner_beside(logic, setting)
    at = None if found is None else (made.x(found.x), made.y(found.result.top1))
    if logic.pinned is not None:
        marks += before(logic, made.x, made.y, labels, at)
    rings = (("best", found), ("best beside", other))
    marks += [Mark(name, "circle", (made.x(p.x), made.y(p.result.top1), 9), "ring") for name, p in rings if p]
    marks += made.dots
    if (guess := guessed(logic, setting)) is not None:
        marks += guess_marks(
            logic, made.x, made.y(guess[0].top1), (_TOP, bottom), upright=False, among=made.dots
        )
    counts = [] if dimension.is_size else [f"{len(near)} networks measured here"]
    counts.append(f"{len(far)} {_of_elsewhere(setting)}")
    words = (
        f"Top-1 accuracy over {dimension.title}, budget {setting.budget_in_words}, with {', '.join(counts)}. "
        f"The best within the budget: {found or 'none'}."
    )
    if is_beside:
        orders = _orders(logic)
        marks += _order_marks(orders, logic.room - _BESIDE, logic.room)
        words += f" {_order_in_words(orders)}"
    return Scene(logic.room, height, f"Accuracy by {setting.across}", words, tuple(marks))


def _of_elsewhere(setting: BenchmarkSetting) -> str:
    if setting.dimension.is_size:
        return "networks, published"
    if setting.beside == NOWHERE:
        return "of another device"
    return f"{'recorded' if setting.beside in recorded() else 'published'} on {setting.beside}"


def _legend(setting: BenchmarkSetting, has_measured: bool, width: float) -> list[Mark]:
    """Return what marks and lines are, in the colours that they have, in two rows."""
    families = (("● EfficientNet", "compound-words"), ("■ V2", "width-words"), ("▲ ConvNeXt", "bold"))
    gap = ("   " if width >= 300 else " ", "")
    above = [piece for n, named in enumerate(families) for piece in ((gap, named) if n else (named,))]
    below = ["top-1, %, published"]
    if width >= 500:
        kinds = ["filled: measured here"] if has_measured else []
        kinds = kinds if setting.dimension.is_size else ["◆ recorded", *kinds]
        above += [(f"   {kind}", "soft") for kind in kinds]
        below += ["hollow: published", "ring: the best within the budget"]
    return [
        text("legend", 0, 12, *above, style="words"),
        text("y title", 0, 30, "     ".join(below), style="words soft"),
    ]


def _budget(
    setting: BenchmarkSetting, x: Axis, edge: float, bottom: float, ends: tuple[float, float]
) -> Iterator[Mark]:
    """Draw the budget as a line with a grip; it can be dragged as far as control and chart both go."""
    dimension, words = setting.dimension, setting.budget_in_words
    is_beyond = not x.low <= setting.budget <= x.high
    beyond = f"{words}, beyond the chart"
    said = beyond if is_beyond and 7.8 * len(beyond) < x.end + _RIGHT else words
    yield Mark("budget/line", "line", (edge, _TOP - 8, edge, bottom), "here")
    yield marker("budget/grip", "v", edge, _TOP - 14, 7, "now")
    half = 3.9 * len(said)
    place = min(max(edge, half), x.end + _RIGHT - half)
    yield text("budget/said", place, _TOP - 27, said, style="words bold middle outlined")
    step = _STEPS.get(dimension.name, 1)
    low = max(ends[0], step, round(math.ceil(x.low / step) * step, 6))
    high = min(ends[1], round(math.floor(x.high / step) * step, 6))
    drag: tuple[Drag, ...] = ()
    if low < high:
        value = min(max(setting.budget, low), high)
        drag = (Drag(dimension.budget, Axis(low, high, x(low), x(high), logarithmic=True), value, step),)
    told = f"budget: {words}\nDrag it, or click a network for what it needs"
    # With the words above the line, so that no hover words lie on them.
    strip = (edge - 9, _TOP - 38, 18, bottom - _TOP + 38)
    leads = {
        "budget/line": (1, 0, 1),
        "budget/grip": (1, 0) * 3,
        "budget/said": (1,),
        "budget/touch": (1,),
        "outside": (0, 0, 1) if dimension.more_is_better else (1, 0, -1),
    }
    yield Mark("budget/touch", "box", strip, "touch", words=told, drag=drag, with_=("budget",), leads=leads)


# ---------------------------------------------------------------- two orders, and the best few


def charts(logic: Benchmark) -> Scene:
    """Draw the most accurate within the budget, and two orders unless they stand beside the picture."""
    budget = f"The budget is {logic.setting.budget_in_words}."
    if is_low(logic.room):
        marks, height = list(_best_marks(logic, 0, logic.room, 0, columns=2)), 34 + _BEST_ROW * _BEST / 2
        return Scene(logic.room, height, "The best within the budget", budget, tuple(marks))
    (first, second), orders = panels(logic.room, 2, 340), _orders(logic)
    marks = list(_order_marks(orders, first[0], first[1]))
    height = 44 + _ROW * max(len(orders[0].points), 6)
    top = second[2] * (height + 12)
    marks += _best_marks(logic, second[0], second[1], top)
    words = f"{_order_in_words(orders)} {budget}"
    return Scene(logic.room, top + height, "Orders, and the best within the budget", words, tuple(marks))


def _orders(logic: Benchmark) -> tuple[Order, Order]:
    a, b = logic.pinned, logic.setting
    # Two budgets of one kind do not change the order.
    if a is None or (a.across, a.beside, conditions(a)) == (b.across, b.beside, conditions(b)):
        return ranking(logic, b)
    return ranking_of_two(logic, a, b)


def _order_marks(orders: tuple[Order, Order], left: float, right: float) -> Iterator[Mark]:
    """Draw each network at its place in both orders, the cheapest or fastest first."""
    first, second = orders
    right = min(right, left + 560)
    yield text("order/left", left, 14, first.title, style="title")
    yield text("order/right", right, 14, second.title, style="title end")
    if len(first.points) < 2:
        middle = (left + right) / 2
        yield text("order/none", middle, 60, "Two orders stand here as soon as", style="words soft middle")
        yield text("order/none 2", middle, 77, "both sides know two networks.", style="words soft middle")
        return
    places = {_key(point.result): n for n, point in enumerate(second.points)}
    said = [f"{point.result.short}  {digits(point.x)}" for point in (*first.points, *second.points)]
    names = 8 * max(map(len, said))
    if is_short := names > 0.4 * (right - left):
        names = 8 * max(len(point.result.short) for point in (*first.points, *second.points))
    has_both = 2 * names + _LEAST_LINE <= right - left
    inner, outer = left + names, right - (names if has_both else _NUMBER)
    for n, point in enumerate(first.points):
        key = _key(point.result)
        m, other = places[key], second.points[places[key]]
        y, end = 36 + _ROW * n, 36 + _ROW * m
        style = "family strong" if abs(m - n) > 1 else "axis"
        yield Mark(f"{key}/order", "line", (inner + 6, y - 4, outer - 6, end - 4), style)
        here, there = f"{point.result.short}  {digits(point.x)}", f"{digits(other.x)}  {other.result.short}"
        if is_short:
            here, there = point.result.short, other.result.short if has_both else digits(other.x)
        yield text(f"{key}/order left", inner, y, here, style="words soft end")
        yield text(f"{key}/order right", outer, end, there, style="words soft")
    for n, point in enumerate(first.points):
        key, y = _key(point.result), 36 + _ROW * n
        words = f"{point.result.name}\nplace {n + 1} by {first.title}, {places[key] + 1} by {second.title}"
        area = (left, y - 12, inner - left, _ROW)
        yield Mark(f"{key}/order touch", "box", area, "touch", words=words, with_=(key,))
    y = 38 + _ROW * len(first.points)
    yield text(
        "order/note", (left + right) / 2, y, "bold: two places or more", style="words small soft middle"
    )


def _order_in_words(orders: tuple[Order, Order]) -> str:
    first, second = orders
    if len(first.points) < 2:
        return "No orders to compare yet."
    places = {_key(point.result): n for n, point in enumerate(second.points)}
    moves = [places[_key(point.result)] - n for n, point in enumerate(first.points)]
    far = max(range(len(moves)), key=lambda n: abs(moves[n]))
    said = ", ".join(point.result.short for point in first.points)
    other = ", ".join(point.result.short for point in second.points)
    words = (
        f"{len(moves)} networks, the cheapest or fastest first. By {first.title}: {said}. By {second.title}: "
        f"{other}."
    )
    if moves[far]:
        name = first.points[far].result.name
        words += f" {name} moves most, from place {far + 1} to place {far + 1 + moves[far]}."
    return words


def best_within(logic: Benchmark) -> list[Point]:
    """Return the most accurate networks within the budget, the best first, each once."""
    setting = logic.setting
    dimension = setting.dimension
    allowed = {
        _key(point.result): point
        for point in sorted(judged(logic, setting) or elsewhere(setting), key=lambda point: point.result.top1)
        if not point.is_stale and dimension.allows(point.x, setting.budget)
    }
    return list(reversed(allowed.values()))[:_BEST]


def _best_marks(logic: Benchmark, left: float, right: float, top: float, columns: int = 1) -> Iterator[Mark]:
    """Draw the most accurate within the budget, with what they take of it."""
    setting, dimension = logic.setting, logic.setting.dimension
    title = f"most accurate {setting.limit_in_words}"
    if 8 * len(title) > right - left:
        title = setting.limit_in_words
    points = best_within(logic)
    if not points:
        yield text("within/title", left, top + 14, title, style="title")
        said = "None is known within the budget." if judged(logic, setting) else "Nothing is known yet."
        yield text("within/none", left, top + 40, said, style="words soft")
        return
    yield text("within/title", left, top + 14, title, style="title")
    rows = math.ceil(_BEST / columns)
    each, most = min((right - left) / columns, 620), max(point.x for point in points)
    for n, point in enumerate(points):
        x, y, key = left + each * (n // rows), top + 38 + _BEST_ROW * (n % rows), _key(point.result)
        bars, end = x + 178, x + each - 14
        length = max(1.0, (end - bars - 48) * point.x / most)
        yield text(f"{key}/within", x, y, point.result.short, style="words bold" if n == 0 else "words")
        yield text(f"{key}/within top-1", x + 166, y, f"{point.result.top1:.1f}%", style="words end")
        yield Mark(f"{key}/within bar", "box", (bars, y - 10, length, 12), "bar")
        yield text(f"{key}/within x", bars + length + 5, y, digits(point.x), style="words")
        area = (x, y - 14, each - 14, _BEST_ROW)
        words = point_in_words(point, dimension)
        yield Mark(f"{key}/within touch", "box", area, "touch", words=words, with_=(key,))
