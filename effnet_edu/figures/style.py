"""The look of every printed figure: an opaque light card, and text that can be read.

A hollow marker is a published number, a filled one is measured, and a line is computed.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effnet_edu.ground.palette import CARD, FAINT, GREY, INK

#: Points of the smallest text: 8.25 points are 11 pixels at 100%.
SMALLEST_TEXT = 8.25
#: Inches; 8.6 of them are 826 pixels, the width of an output in JupyterLab at 1280.
FULL_WIDTH = 8.6

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.bottom": False,  # the grid says where the numbers are
    "ytick.left": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "savefig.facecolor": CARD,
    "lines.linewidth": 1.8,
    "lines.markersize": 7,
    "svg.fonttype": "none",  # text stays text: small files that are sharp on a projector
    "svg.hashsalt": "effnet_edu",  # the same picture has the same bytes each time
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Return the function so that it draws in the course's style, whatever the reader's own settings are.

    Args:
        draw: A function that makes or saves a figure.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_STYLE)
            return draw(*args, **kwargs)

    return drawn


def new_figure(
    height: float, columns: int = 1, widths: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return an empty card as wide as a notebook's output, and its panels from left to right.

    Args:
        height: Inches.
        columns: Number of panels.
        widths: How wide each panel is beside the others; all alike by default.
    """
    figure = Figure(figsize=(FULL_WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False, width_ratios=widths)[0])


def finding(figure: Figure, said: str) -> None:
    """Write what all panels of a card show together above them.

    Args:
        figure: The card.
        said: One sentence without its full stop.
    """
    figure.suptitle(said, x=0.01, ha="left", fontsize=10.5, fontweight="bold")


def plain_log_axis(axes: Axes, which: str, ticks: list[float], labels: list[str]) -> None:
    """Make one axis logarithmic with plain numbers on it.

    Args:
        axes: The panel.
        which: `"x"` or `"y"`.
        ticks: Where the numbers stand.
        labels: The numbers.
    """
    scale, axis = (axes.set_xscale, axes.xaxis) if which == "x" else (axes.set_yscale, axes.yaxis)
    scale("log")
    axis.set_ticks(ticks, labels)
    axis.set_ticks([], minor=True)
