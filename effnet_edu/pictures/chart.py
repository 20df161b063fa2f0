"""Charts as marks: axes, and markers that a still and a page draw alike."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from effnet_edu.pictures.axis import Axis, tick_words
from effnet_edu.pictures.scene import Drag, Mark, Shape, text

#: Corners of each mark with a radius of 1, called as in matplotlib; "o" is a circle.
_CORNERS = {
    "s": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "^": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
    "v": ((0, 1.15), (1.1, -0.85), (-1.1, -0.85)),
    "D": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "P": (
        *((-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35)),
        *((0.35, 1), (-0.35, 1), (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)),
    ),
    "X": (
        *((-0.9, -0.55), (-0.55, -0.9), (0, -0.35), (0.55, -0.9), (0.9, -0.55), (0.35, 0)),
        *((0.9, 0.55), (0.55, 0.9), (0, 0.35), (-0.55, 0.9), (-0.9, 0.55), (-0.35, 0)),
    ),
}


#: About how wide a digit is.
_DIGIT = 7.7


def panels(width: float, count: int, least: float = 300, gap: float = 26) -> list[tuple[float, float, int]]:
    """Return left edge, right edge and row of charts that share a width, side by side where each has room.

    The last one takes what is left of its row.

    Args:
        width: Of all, in pixels.
        count: How many charts.
        least: Room that a chart needs.
        gap: Between two of them.
    """
    columns = min(count, max(1, int((width + gap) / (least + gap))))
    if columns > 2 and count % columns == 1:  # the last chart would stand alone
        columns -= 1
    each = (width - gap * (columns - 1)) / columns
    lefts = [n % columns * (each + gap) for n in range(count)]
    rights = [*(left + each for left in lefts[:-1]), width]
    return [(left, right, n // columns) for n, (left, right) in enumerate(zip(lefts, rights, strict=True))]


@dataclass(frozen=True)
class Place:
    """The room of a chart, in pixels."""

    left: float
    right: float
    top: float
    height: float

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height

    @property
    def is_small(self) -> bool:
        """Whether titles in it must be short."""
        return self.right - self.left < 270


def places(
    width: float, height: float, shares: Sequence[float], gap: float = 20, top: float = 0
) -> list[Place]:
    """Return the rooms of charts that stand in one row.

    Args:
        width: Of the row, in pixels.
        height: Of each, in pixels.
        shares: What each has of the width; they sum to 1.
        gap: Between two of them.
        top: Where the row begins.
    """
    left, found = 0.0, []
    for share in shares:
        wide = share * (width - gap * (len(shares) - 1))
        found.append(Place(left, left + wide, top, height))
        left += wide + gap
    return found


def axes(x: Axis, y: Axis, x_title: str, y_title: str) -> list[Mark]:
    """Return a light grid, ticks and titles; the vertical axis starts at the bottom."""
    marks = []
    for tick in y.ticks():
        said = tick_words(tick)
        marks.append(Mark(f"axes/y {said}", "line", (x.start, y(tick), x.end, y(tick)), "grid"))
        marks.append(text(f"axes/y {said} said", x.start - 6, y(tick) + 4, said, style="words soft end"))
    taken = -math.inf
    for tick in x.ticks():
        said = tick_words(tick)
        if x(tick) - _DIGIT * len(said) / 2 > taken:
            marks.append(text(f"axes/x {said} said", x(tick), y.start + 16, said, style="words soft middle"))
            taken = x(tick) + _DIGIT * len(said) / 2 + 4
    middle = (x.start + x.end) / 2
    marks.append(Mark("axes/x", "line", (x.start, y.start, x.end, y.start), "axis"))
    marks.append(text("axes/x title", middle, y.start + 32, x_title, style="words soft middle"))
    marks.append(text("axes/y title", x.start - 30, y.end - 10, y_title, style="words soft"))
    return marks


def marker(
    key: str,
    shape: str,
    x: float,
    y: float,
    radius: float,
    style: str,
    words: str = "",
    *,
    sets: Mapping[str, Any] | None = None,
    drag: tuple[Drag, ...] = (),
    with_: tuple[str, ...] = (),
    leads: Mapping[str, tuple[float, ...]] | None = None,
    along: str = "",
) -> Mark:
    """Return a marker, its shape called as in matplotlib."""
    place: tuple[float, ...] = (x, y, radius)
    if shape != "o":
        place = tuple(n for dx, dy in _CORNERS[shape] for n in (x + radius * dx, y + radius * dy))
    kind: Shape = "circle" if shape == "o" else "area"
    return Mark(key, kind, place, style, (), words, sets, drag, with_, leads=leads, along=along)


def arrow(key: str, a: tuple[float, float], b: tuple[float, float], away: float = 10) -> Iterator[Mark]:
    """Yield an arrow that begins and ends at some distance from two points; none where they are close."""
    (x1, y1), (x2, y2) = a, b
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 2 * away + 12:
        return
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    tip, back = (x2 - away * dx, y2 - away * dy), (x2 - (away + 9) * dx, y2 - (away + 9) * dy)
    yield Mark(key, "line", (x1 + away * dx, y1 + away * dy, *back), "arrow")
    corners = (*tip, back[0] - 5 * dy, back[1] + 5 * dx, back[0] + 5 * dy, back[1] - 5 * dx)
    yield Mark(f"{key} head", "area", corners, "arrowhead")
