"""What the figures of all studies share: marks with intervals, and where a result was recorded."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effnet_edu.ground.palette import FAINT, GREY, INK, WRONG
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate

#: One kind of mark, or two that have no colour of their own in the course.
PLAIN, OTHER = (INK, "o"), (GREY, "s")


def stamped(figure: Figure, result: StudyResult) -> Figure:
    """Say on the figure itself that it is a short version, so that no copy is taken for the study."""
    if result.quick:
        figure.suptitle(
            f"SHORT VERSION, decides nothing: {result.provenance.device}", color=WRONG, fontsize=10
        )
    return figure


def caption(text: str, result: StudyResult, over: str = "") -> str:
    """Return a caption that also says what the bars are and where the result was recorded.

    Args:
        text: What comes before.
        result: Tells the seeds and the device.
        over: The seeds in words, where not all bars have as many; by default all of the study's.
    """
    seeds = len(result.provenance.seeds)
    over = over or f"{seeds} seeds"
    intervals = f"Bars: 95% intervals (Student's t over {over})." if seeds > 1 else "One seed: no intervals."
    return f"{text} {intervals} {result.label[0].upper()}{result.label[1:]}."


def bars(
    axes: Axes, x: Sequence[float], values: Sequence[Estimate], look: tuple[str, str], **options: Any
) -> None:
    """Draw filled marks with their intervals."""
    colour, marker = look
    spans = [[value.mean - value.low for value in values], [value.high - value.mean for value in values]]
    axes.errorbar(
        x,
        [value.mean for value in values],
        yerr=spans if values[0].count > 1 else None,
        color=colour,
        marker=marker,
        capsize=3,
        **{"linewidth": 1.0, **options},
    )


def within_percent(axes: Axes) -> str:
    """Let no interval stretch the axis over what a percentage can be; say so where that cuts one."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -2), min(high, 102))
    return " An interval that runs out of a panel is whole in the table." if low < -2 or high > 102 else ""


def cells(value: Estimate) -> tuple[str, str]:
    """Return a share in percent and its interval as cells of a table."""
    interval = f"{100 * value.low:z.1f} to {100 * value.high:.1f}" if value.count > 1 else "one seed"
    return f"{100 * value.mean:.1f}", interval


def across(
    axes: Axes,
    values: Sequence[Estimate],
    look: tuple[str, str],
    label: str | None = None,
    lower: float = 0.0,
) -> None:
    """Draw marks with their intervals, one a row, the first on top, each by a part of a row lower."""
    colour, marker = look
    reach = [[value.mean - value.low for value in values], [value.high - value.mean for value in values]]
    axes.errorbar(
        [value.mean for value in values],
        [row - lower for row in range(len(values))[::-1]],
        xerr=reach if values[0].count > 1 else None,
        color=colour,
        marker=marker,
        linestyle="none",
        capsize=3,
        linewidth=1.2,
        label=label,
    )


def equal_within(axes: Axes, bound: float, row: float) -> None:
    """Shade what a study called equal before its first run, and say so at the height of a row."""
    axes.axvspan(-bound, bound, color=FAINT)
    axes.axvline(0, color=GREY, linewidth=1.0)
    box = {"color": FAINT, "pad": 1.5}
    axes.text(0, row, f"within {bound:g} points", ha="center", va="center", fontsize=9, bbox=box)


def signed_cells(value: Estimate, digits: int) -> tuple[str, str]:
    """Return a difference and its interval as cells of a table."""
    interval = f"{value.low:+z.{digits}f} to {value.high:+z.{digits}f}" if value.count > 1 else "one seed"
    return f"{value.mean:+z.{digits}f}", interval
