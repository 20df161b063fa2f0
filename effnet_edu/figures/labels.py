"""Names beside marks that stand close to each other, none over another."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from effnet_edu.figures.style import SMALLEST_TEXT
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.palette import CARD, INK

#: Where a name may stand, seen from its mark, the best first: to the right or left, above or below.
_SIDES = ((-1, 1), (1, -1), (1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
#: Points between mark and name.
_DISTANCES = (4.0, 9.0, 15.0)
#: Points from the middle of a mark to its edge.
_RADIUS = 4.5


def _boxes(middle: tuple[float, float], width: float, height: float, point: float) -> Iterator[Bbox]:
    """Yield where a name may stand, in pixels, the best first."""
    for distance in _DISTANCES:
        for right, up in _SIDES:
            away = point * (distance if right and up else distance + 3)
            x = middle[0] + right * (away + width / 2)
            # Beside a corner, the name begins at the height of the mark's edge.
            y = middle[1] + up * (away + height / 2 if not right else away / 2 + height / 2)
            yield Bbox.from_bounds(x - width / 2, y - height / 2, width, height)


def _covered(box: Bbox, taken: np.ndarray) -> float:
    """Return the area of a box that others cover, given as rows of left, bottom, right and top."""
    width = np.minimum(box.x1, taken[:, 2]) - np.maximum(box.x0, taken[:, 0])
    height = np.minimum(box.y1, taken[:, 3]) - np.maximum(box.y0, taken[:, 1])
    return float((width.clip(0) * height.clip(0)).sum())


def name_marks(axes: Axes, marks: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
    """Write a name beside each mark, where it covers no mark and no other name if there is such a place.

    Call it when the axes have their limits and everything else is drawn.

    Args:
        axes: The panel.
        marks: All marks, in data coordinates.
        names: The name of each; an empty one is not written, but its mark is kept free.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("The panel is on no figure.")
    figure.draw_without_rendering()  # lays out: pixels are settled after it
    point = figure.dpi / 72
    middles = axes.transData.transform(marks)  # (N, 2)
    taken = np.hstack((middles - _RADIUS * point, middles + _RADIUS * point))  # (N, 4)
    inside = axes.get_window_extent()
    clear = {"color": CARD, "pad": 0.3}  # of lines behind it
    for (x, y), name in zip(middles, names, strict=True):
        if not name:
            continue
        text = axes.text(0, 0, name, fontsize=SMALLEST_TEXT, color=INK, ha="center", va="center", bbox=clear)
        extent = text.get_window_extent()
        places = [
            box
            for box in _boxes((x, y), extent.width, extent.height, point)
            if inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1)
        ]
        if not places:
            raise ValueError(f"The panel has no room for the name {quoted(name)}.")
        best = min(places, key=lambda box: _covered(box, taken))
        taken = np.vstack((taken, best.extents))
        middle = (best.x0 + best.x1) / 2, (best.y0 + best.y1) / 2
        left, low = axes.transData.inverted().transform(middle)
        text.set_position((float(left), float(low)))
