"""Where the charts of the V2 lab stand, beside each other or below."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from effnet_edu.labs.frame.layout import ROOMY
from effnet_edu.pictures.chart import panels
from effnet_edu.pictures.scene import Mark

_TOP, _PLOT, _BELOW, _GAP = 22.0, 84.0, 36.0, 8.0
_LEFT, _RIGHT = 42.0, 10.0


@dataclass(frozen=True)
class Place:
    """Where a chart stands: its edges, with titles and ticks.

    Attributes:
        left: In pixels.
        right: In pixels.
        top: In pixels.
        plot: Height of what lies between the axes.
    """

    left: float
    right: float
    top: float
    plot: float

    @property
    def across(self) -> tuple[float, float]:
        """Both ends of a horizontal axis."""
        return self.left + _LEFT, self.right - _RIGHT

    @property
    def upright(self) -> tuple[float, float]:
        """Both ends of a vertical axis, the lower one first."""
        return self.top + _TOP + self.plot, self.top + _TOP


def places(room: float, count: int) -> tuple[list[Place], float]:
    """Return where charts stand that share a width, and the height of all."""
    plot = _PLOT if room < ROOMY else 1.6 * _PLOT
    height = _TOP + plot + _BELOW
    found = [Place(left, right, row * (height + _GAP), plot) for left, right, row in panels(room, count, 230)]
    return found, found[-1].top + height


def under(name: str, marks: Iterable[Mark]) -> Iterator[Mark]:
    """Return marks with their keys below another."""
    return (mark.moved(0, 0, name) for mark in marks)
