"""What the benchmark lab draws: accuracy over cost with the budget in it, and two orders of the networks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from effnet_edu.labs.benchmark_logic import BenchmarkLogic, Setting
from effnet_edu.labs.benchmark_points import (
    DIMENSIONS,
    NOWHERE,
    Order,
    Point,
    ordered,
    recorded,
)
from effnet_edu.labs.drawing import (
    Axis,
    Drawing,
    MarkedAxis,
    circle,
    drawing,
    frame,
    line,
    mark,
    rectangle,
    text,
    two_lines,
)
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.tables import plain_table
from effnet_edu.published.benchmarks import DEVICES

CHART_SIZE, ORDER_WIDTH, ROW = (396, 246), 396, 13
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 378, 54, 210
#: Families with a mark of their own; all others are small circles.
_SHAPES = {"EfficientNet": ("o", "v1"), "EfficientNetV2": ("s", "v2"), "ConvNeXt": ("^", "")}
#: Families whose networks are joined by a line.
_JOINED = ("EfficientNet", "EfficientNetV2", "ConvNeXt", "ResNet", "ResNet, newer recipe")


def _log_axis(values: Sequence[float]) -> MarkedAxis:
    low, high = min(values) / 1.25, max(values) * 1.25
    if high < 4 * low:
        low, high = low / 2, high * 2
    steps = (1, 2, 5) if math.log10(high / low) < 2.2 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = tuple(step * 10.0**power for power in powers for step in steps)
    return MarkedAxis(low, high, _LEFT, _RIGHT, True, marks)


def _accuracy_axis(values: Sequence[float]) -> MarkedAxis:
    low, high = math.floor(min(values) - 0.5), math.ceil(max(values) + 0.5)
    step = 1 if high - low <= 6 else 2 if high - low <= 12 else 5
    marks = tuple(float(n) for n in range(-(-low // step) * step, high + 1, step))
    return MarkedAxis(low, high, _BOTTOM, _TOP, False, marks)


def _mark(point: Point, x: float, y: float) -> str:
    shape, colour = _SHAPES.get(point.result.family, ("o", ""))
    hover = f"{point}, {digits(point.x)}: {point.kind}"
    if point.kind == "published":
        size = 4 if colour or shape != "o" else 2.8
        return mark(shape, x, y, size, f'class="published {colour}"', hover)
    if point.kind == "recorded":
        return mark("D", x, y, 3.6, f'class="measured {colour}"', hover)
    css = "past" if point.is_stale else f"measured {colour}"
    return mark(shape, x, y, 5, f'class="{css}"', hover)


class _Labels:
    """Places words beside marks where nothing is written yet, and leaves out what finds no room."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float, float]] = []

    def keep_free(self, left: float, right: float, y: float) -> None:
        self._taken.append((left - 3, y - 3, right + 3, y + 3))

    def place(self, x: float, y: float, words: str) -> str:
        width, height = 6.3 * len(words), 11
        for dx, dy, anchor in ((11, 4, "start"), (-11, 4, "end"), (0, -11, "middle"), (0, 20, "middle")):
            start = x + dx - {"start": 0, "end": width, "middle": width / 2}[anchor]
            box = (start, y + dy - height, start + width, y + dy + 1)
            if box[0] >= _LEFT and box[2] <= _RIGHT and box[3] <= _BOTTOM and not self._hits(box):
                self._taken.append(box)
                return text(x + dx, y + dy, words, "name", anchor)
        return ""

    def _hits(self, box: tuple[float, float, float, float]) -> bool:
        return any(
            box[0] < right and left < box[2] and box[1] < bottom and top < box[3]
            for left, top, right, bottom in self._taken
        )


@dataclass(frozen=True)
class _Chart:
    """The part of a chart that a moving budget leaves alone."""

    x: MarkedAxis
    y: MarkedAxis
    parts: str


@lru_cache(maxsize=32)
def _chart(here: tuple[Point, ...], elsewhere: tuple[Point, ...], across: str) -> _Chart:
    points, dimension = (*elsewhere, *here), DIMENSIONS[across]
    x = _log_axis([point.x for point in points] or [10.0, 1000.0])
    y = _accuracy_axis([point.result.top1 for point in points] or [75.0, 85.0])
    parts = frame(x, y, dimension.title, "top-1, %")
    labels = _Labels()
    for point in points:
        low, high = point.interval or (point.x, point.x)
        labels.keep_free(x(low), x(high), y(point.result.top1))
    for group, css in ((elsewhere, "dotted" if here else ""), (here, "")):
        for family in _JOINED:
            parts.append(
                _joined([p for p in group if p.result.family == family and not p.is_stale], x, y, css)
            )
    for point in points:
        across_x, height = x(point.x), y(point.result.top1)
        if point.interval:
            parts.append(line(x(point.interval[0]), height, x(point.interval[1]), height, "range"))
        parts.append(_mark(point, across_x, height))
    named: set[str] = set()
    for point in sorted(points, key=_priority):
        if point.result.short not in named:
            named.add(point.result.short)
            parts.append(labels.place(x(point.x), y(point.result.top1), point.result.short))
    return _Chart(x, y, "".join(parts))


def _priority(point: Point) -> tuple[int, float]:
    families = ("EfficientNet", "EfficientNetV2", "ConvNeXt", "ResNet")
    known = point.result.family in families
    return (0 if point.kind == "measured" else 1 if known else 2, -point.result.top1)


def _joined(points: Sequence[Point], x: Axis, y: Axis, css: str) -> str:
    ordered = sorted(points, key=lambda point: point.x)
    if len(ordered) < 2:
        return ""
    colour = _SHAPES.get(ordered[0].result.family, ("", ""))[1]
    path = " ".join(f"{x(point.x):.1f},{y(point.result.top1):.1f}" for point in ordered)
    return f'<polyline points="{path}" class="family {colour} {css}"/>'


def chart(logic: BenchmarkLogic, setting: Setting, letter: str = "") -> Drawing:
    """Draw accuracy over what the networks take or give, with the budget and the best within it.

    Args:
        logic: The lab.
        setting: What to draw.
        letter: A or B where two settings are compared.
    """
    here, elsewhere, dimension = logic.here(setting), logic.elsewhere(setting), setting.dimension
    made = _chart(here, elsewhere, setting.across)
    found, other = logic.best(setting), logic.best_beside(setting)
    edge = made.x(setting.budget)
    start, end = (_LEFT, edge) if dimension.more_is_better else (edge, _RIGHT)
    parts = [rectangle(start, _TOP, max(end - start, 0), _BOTTOM - _TOP, "outside"), made.parts]
    parts.append(line(edge, _TOP, edge, _BOTTOM, "here"))
    winners = [point for point in (found, other) if point is not None]
    parts += [circle(made.x(p.x), made.y(p.result.top1), 8, "winner") for p in winners]
    heads = headlines(logic, setting)
    lead = f"{letter}: " if letter else ""
    parts.append(text(8, 14, lead + heads[0], "title"))
    if len(heads) > 1:
        parts.append(text(8, 30, heads[1], "soft"))
    if not (here or elsewhere):
        parts += two_lines((_LEFT + _RIGHT) / 2, 120, logic.UNMEASURED)
    words = setting.budget_in_words
    half = 3.2 * len(words)
    # Above its line, but beside the title of the axis.
    parts.append(text(min(max(edge, 62 + half), _RIGHT - half), _TOP - 8, words, "soft", "middle"))
    label = f"{lead}Top-1 accuracy over {dimension.title}, budget {words}. {'. '.join(heads)}. "
    counts = [] if dimension.is_size else [f"{len(here)} networks measured here"]
    label += f"{', '.join([*counts, f'{len(elsewhere)} {_of_elsewhere(setting)}'])}."
    return drawing(CHART_SIZE, label, parts)


def _of_elsewhere(setting: Setting) -> str:
    if setting.dimension.is_size:
        return "networks, published"
    if setting.beside == NOWHERE:
        return "of another device"
    return f"{'recorded' if setting.beside in recorded() else 'published'} on {setting.beside}"


def headlines(logic: BenchmarkLogic, setting: Setting) -> list[str]:
    """Return the best network within the budget in words, and the best on the device beside this one.

    Args:
        logic: The lab.
        setting: Any setting.
    """
    found, is_size = logic.best(setting), setting.dimension.is_size
    where = "" if is_size else " here" if logic.MEASURES else f" on {setting.beside}"
    if found is not None:
        lines = [f"Best{where}: {found}"]
    elif logic.MEASURES and not is_size and not any(not point.is_stale for point in logic.here(setting)):
        lines = ["Not measured here yet"]
    else:
        lines = [f"None{where} within {setting.budget_in_words}"]
    if logic.MEASURES and not is_size and setting.beside != NOWHERE:
        lines.append(_headline_beside(logic, setting))
    return lines


def _headline_beside(logic: BenchmarkLogic, setting: Setting) -> str:
    if (other := logic.best_beside(setting)) is not None:
        return f"On {setting.beside}: {other}"
    if logic.elsewhere(setting):
        return f"On {setting.beside}: none within the budget"
    if (device := recorded().get(setting.beside)) is not None:
        known = "; ".join(f"batch {batch}, {precision}" for batch, precision in device.conditions)
        return f"{setting.beside}: recorded only at {known}"
    if setting.beside in DEVICES and setting.across == "time":
        return f"{setting.beside}: only throughput is published"
    return f"{setting.beside}: nothing published for these networks"


def order_chart(logic: BenchmarkLogic) -> Drawing:
    """Draw two orders of the same networks, the cheapest or fastest first, each joined to itself.

    Args:
        logic: The lab; where A is pinned, its order stands against that of B.
    """
    left, right = _orders(logic)
    count = len(left.points)
    height = 46 + ROW * max(count, 5)
    parts = [
        text(8, 14, left.title, "title"),
        text(_RIGHT, 14, right.title, "title", "end"),
    ]
    if count < 2:
        parts.append(text(198, 60, "Two orders stand here as soon as", "soft", "middle"))
        parts.append(text(198, 76, "two networks are known on both sides.", "soft", "middle"))
        label = f"No orders to compare yet; the budget is {logic.setting.budget_in_words}."
        return drawing((ORDER_WIDTH, height), label, parts)
    places = {_identity(point): n for n, point in enumerate(right.points)}
    moves = []
    for n, point in enumerate(left.points):
        m = places[_identity(point)]
        y, end = 32 + ROW * n, 32 + ROW * m
        moves.append(m - n)
        parts.append(line(134, y - 4, 262, end - 4, "moved" if abs(m - n) > 1 else "kept"))
        parts.append(text(128, y, f"{point.result.short}  {digits(point.x)}", "soft", "end"))
        other = right.points[m]
        parts.append(text(268, end, f"{digits(other.x)}  {other.result.short}", "soft"))
    far = max(range(count), key=lambda n: abs(moves[n]))
    label = (
        f"{count} networks by {left.title} and by {right.title}, the cheapest or fastest first. By "
        f"{left.title}: {_names(left.points)}. By {right.title}: {_names(right.points)}. "
    )
    if moves[far]:
        name = left.points[far].result.name
        label += f"{name} moves most, from place {far + 1} to place {far + 1 + moves[far]}. "
    label += f"The budget is {logic.setting.budget_in_words}."
    parts.append(text(198, height - 4, "Bold: two places or more.", "soft", "middle"))
    return drawing((ORDER_WIDTH, height), label, parts)


def _identity(point: Point) -> tuple[str, int | None]:
    return point.result.key, point.result.resolution


def _names(points: Iterable[Point]) -> str:
    return ", ".join(point.result.short for point in points)


def _orders(logic: BenchmarkLogic) -> tuple[Order, Order]:
    if logic.pinned is None:
        return logic.ranking(logic.setting)
    return logic.ranking_of_two(logic.pinned, logic.setting)


def pictures(logic: BenchmarkLogic) -> tuple[Drawing, ...]:
    """Draw the chart and the two orders; where A is pinned, its chart stands above.

    Args:
        logic: The lab.
    """
    return chart(logic, logic.setting), order_chart(logic)


def within_table(logic: BenchmarkLogic) -> str:
    """Return the three most accurate networks within the budget, with their source.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    dimension = setting.dimension
    allowed = [
        point
        for point in logic.judged(setting) or logic.elsewhere(setting)
        if not point.is_stale and dimension.allows(point.x, setting.budget)
    ]
    top = sorted(allowed, key=lambda point: -point.result.top1)[:3]
    if not top:
        return ""
    rows = [(point.result.short, f"{point.result.top1:.1f}", digits(point.x)) for point in top]
    return plain_table(f"within {setting.budget_in_words}", ("network", "top-1", dimension.unit), rows)


def points_table(logic: BenchmarkLogic) -> str:
    """Return everything that the chart shows, with the kind of each number and where it stands.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    points = ordered((*logic.here(setting), *logic.elsewhere(setting)), setting.dimension)
    rows = [
        (
            point.result.name,
            f"{point.result.top1:.1f}",
            digits(point.x),
            " ".join(filter(None, (point.kind, point.place))),
            point.result.source,
        )
        for point in points
    ]
    heads = ("network", "top-1, %", setting.dimension.unit, "kind", "source of the accuracy")
    return plain_table("every network of the chart", heads, rows, "ee-points")


def note(logic: BenchmarkLogic) -> str:
    """Return how to read the chart, with the source of the best network.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    found = logic.best(setting) or logic.best_beside(setting)
    source = f" Source of its accuracy: {found.result.source}." if found is not None else ""
    if setting.dimension.is_size:
        return f"Hollow: published. Circles: EfficientNet, squares: V2, triangles: ConvNeXt.{source}"
    device = DEVICES.get(setting.beside)
    conditions = f" {setting.beside}: {device.conditions}." if device else ""
    return (
        "Accuracy is published, at the image size of the time. Filled: measured here; diamond: recorded; "
        f"hollow: published.{conditions}{source}"
    )


def screen(logic: BenchmarkLogic, *, whole: bool = False) -> Screen:
    """Return the chart, the two orders, and networks as a table.

    Args:
        logic: The lab.
        whole: Whether the table has every network of the chart, and not the best within the budget alone.
    """
    table = points_table if whole else within_table
    return Screen(pictures(logic), note(logic), table(logic))
