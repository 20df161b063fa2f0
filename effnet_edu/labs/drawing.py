"""What the drawings of the labs are made of: SVG as text, quick enough to redraw while a slider moves."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from effnet_edu.labs.theme import DRAWING

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


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    """Return a line of text.

    Args:
        x: Where it is anchored, in pixels.
        y: Its baseline.
        words: What it says.
        css: Class of the style sheet.
        anchor: `start`, `middle` or `end`.
    """
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def two_lines(x: float, y: float, lines: tuple[str, str]) -> list[str]:
    """Return two soft lines of text, one below the other, where there is nothing to draw.

    Args:
        x: Their middle, in pixels.
        y: Baseline of the first.
        lines: What they say.
    """
    return [text(x, y + 16 * n, words, "soft", "middle") for n, words in enumerate(lines)]


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return a straight line.

    Args:
        x1: Start.
        y1: Start.
        x2: End.
        y2: End.
        css: Class of the style sheet.
    """
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def rectangle(x: float, y: float, width: float, height: float, css: str) -> str:
    """Return an upright rectangle.

    Args:
        x: Left edge.
        y: Top edge.
        width: In pixels.
        height: In pixels.
        css: Class of the style sheet.
    """
    return f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" class="{css}"/>'


def hatching(x: float, y: float, width: float, height: float, step: float = 5) -> str:
    """Return slanted lines that fill an upright rectangle, for what must not be told by colour alone.

    Args:
        x: Left edge.
        y: Top edge.
        width: In pixels.
        height: In pixels.
        step: From line to line.
    """
    strokes = []
    for n in range(1, math.ceil((width + height) / step)):
        reach = n * step  # the line x + y = reach, cut at the edges
        left, right = max(0.0, reach - height), min(width, reach)
        strokes.append(f"M{x + left:.1f} {y + reach - left:.1f}L{x + right:.1f} {y + reach - right:.1f}")
    return f'<path d="{"".join(strokes)}" class="hatching"/>'


def mark(shape: str, x: float, y: float, radius: float, paint: str, hover: str = "") -> str:
    """Return a marker.

    Args:
        shape: `"o"`, `"s"`, `"^"`, `"v"`, `"D"`, `"P"` or `"X"`, as in matplotlib.
        x: Centre.
        y: Centre.
        radius: In pixels.
        paint: Its attributes, such as `class="published"`.
        hover: What a pointer resting on it is told.
    """
    title = f"<title>{escape(hover)}</title>" if hover else ""
    if shape == "o":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {paint}>{title}</circle>'
    corners = " ".join(f"{x + radius * dx:.1f},{y + radius * dy:.1f}" for dx, dy in _CORNERS[shape])
    return f'<polygon points="{corners}" {paint}>{title}</polygon>'


def circle(x: float, y: float, radius: float, css: str, hover: str = "") -> str:
    """Return a round marker.

    Args:
        x: Centre.
        y: Centre.
        radius: In pixels.
        css: Class of the style sheet.
        hover: What a pointer resting on it is told.
    """
    return mark("o", x, y, radius, f'class="{css}"', hover)


@dataclass(frozen=True)
class Drawing:
    """A picture with the words that a screen reader says.

    Attributes:
        width: Of the coordinates, in pixels.
        height: Of the coordinates.
        label: The alternative text.
        body: SVG elements, back to front.
    """

    width: int
    height: int
    label: str
    body: str

    def __str__(self) -> str:
        """Return it as SVG for a page."""
        return self._element("")

    def placed(self, x: int, y: int) -> str:
        """Return it as SVG at a place within another.

        Args:
            x: Left edge, in pixels.
            y: Top edge.
        """
        return self._element(f'x="{x}" y="{y}" width="{self.width}" height="{self.height}" ')

    def _element(self, attributes: str) -> str:
        return (
            f'<svg {attributes}class="ee-drawing" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(self.label)}">{self.body}</svg>'
        )


def drawing(size: tuple[int, int], label: str, parts: Iterable[str]) -> Drawing:
    """Return a picture.

    Args:
        size: Width and height of the coordinates, in pixels.
        label: The alternative text.
        parts: SVG elements, back to front.
    """
    return Drawing(*size, label, "".join(parts))


def standalone(drawings: Sequence[Drawing]) -> str:
    """Return drawings below each other as one SVG file with its own colours and an opaque card.

    Args:
        drawings: From top to bottom.
    """
    placed, y = [], 8
    for picture in drawings:
        placed.append(picture.placed(8, y))
        y += picture.height + 8
    width = max(picture.width for picture in drawings) + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}">'
        f'<style>{DRAWING}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(placed)}</svg>'
    )


@dataclass(frozen=True)
class Axis:
    """Maps numbers to pixels along one side of a chart.

    Attributes:
        low: Number at `start`.
        high: Number at `end`.
        start: Pixel.
        end: Pixel.
        logarithmic: Whether equal steps are equal factors.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a number, held inside the axis."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, 1e-30))
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the powers of ten within a logarithmic axis, or the whole numbers within a linear one."""
        if self.logarithmic:
            powers = range(
                math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1
            )
            return [10.0**power for power in powers]
        return [float(n) for n in range(math.ceil(self.low), math.floor(self.high) + 1)]


@dataclass(frozen=True)
class MarkedAxis(Axis):
    """An axis that says where its ticks are.

    Attributes:
        marks: The numbers at the ticks; those outside of the axis are left out.
    """

    marks: Sequence[float] = ()

    def ticks(self) -> list[float]:
        """Return the marks that lie on the axis."""
        return [float(mark) for mark in self.marks if self.low <= mark <= self.high]


def frame(x: Axis, y: Axis, x_title: str, y_title: str) -> list[str]:
    """Return axes with ticks, a light grid, and titles.

    Args:
        x: The horizontal axis.
        y: The vertical one; its start is at the bottom.
        x_title: Name and unit.
        y_title: Name and unit, written above the axis.
    """
    parts = [line(x.start, y(tick), x.end, y(tick), "grid") for tick in y.ticks()]
    parts += [text(x.start - 5, y(tick) + 4, _tick(tick), "soft", "end") for tick in y.ticks()]
    parts += [text(x(tick), y.start + 14, _tick(tick), "soft", "middle") for tick in x.ticks()]
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    parts.append(text((x.start + x.end) / 2, y.start + 28, x_title, "soft", "middle"))
    parts.append(text(x.start - 26, y.end - 8, y_title, "soft"))
    return parts


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
