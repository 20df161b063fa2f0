"""Axes of charts: numbers to pixels, and where ticks stand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


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


def tick_words(value: float) -> str:
    """Return the number at a tick."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
