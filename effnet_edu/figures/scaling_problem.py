"""Why scaling is a problem: what people tried before 2019, what each dimension costs, and what it buys."""

import itertools
import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import finding, new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, DIMENSIONS, GREY, INK
from effnet_edu.published import Table

_UNITS = {"depth": "layers", "width": "width multiplier", "resolution": "side of the image, px"}
#: Where a name stands that would cover another: at which point, how far from it, to which side.
_NAMED = {
    ("width", "ResNet-18"): (0, (8, -8), "left"),
    ("width", "ResNet-34"): (0, (-8, -3), "right"),
    ("width", "ResNet-50"): (0, (-8, -3), "right"),
    ("width", "MobileNetV1"): (1, (8, -4), "left"),
}
#: Left out along the axes, where numbers stand too close.
_UNLABELLED = (0.75, 1.5, 152, 160, 192)
_DASHES = ("-", "--", "-.", ":")


def _gains(points: Sequence[tuple[float, float]]) -> list[float]:
    """Return what each step buys in points of accuracy for a doubling, from pairs of size and accuracy."""
    return [
        (better - top1) / math.log2(more / size)
        for (size, top1), (more, better) in itertools.pairwise(points)
    ]


def _hollow(axes: Axes, x: Sequence[float], y: Sequence[float], dimension: str, dash: str) -> None:
    colour, marker = DIMENSIONS[dimension]
    axes.plot(
        x,
        y,
        marker=marker,
        color=colour,
        linestyle=dash,
        linewidth=1,
        markerfacecolor=CARD,
        markeredgewidth=1.8,
    )


def _at(dimension: str, coefficient: float) -> str:
    """Return where a mark of `before_2019` stands, in words."""
    said = {"depth": "{:g} layers", "width": "{:g} times the width", "resolution": "{:g} px"}
    return said[dimension].format(coefficient)


@styled
def before_2019(table: Table) -> Picture:
    """Draw published accuracy over layers, channels and pixels, for networks scaled in one dimension.

    Args:
        table: `effnet_edu.published.read("scaling_before_2019")`.
    """
    figure, panels = new_figure(3.9, columns=3)
    rows, ends, flatter = [], [], []
    for (dimension, unit), axes in zip(_UNITS.items(), panels, strict=True):
        of_dimension = table.where(dimension=dimension)
        for network, dash in zip(dict.fromkeys(of_dimension.column("network")), _DASHES, strict=False):
            points = [
                (row.number("coefficient"), row.number("top1_percent"))
                for row in of_dimension.where(network=network)
            ]
            _hollow(axes, [x for x, _ in points], [y for _, y in points], dimension, dash)
            index, offset, side = _NAMED.get((dimension, str(network)), (-1, (0, 9), "right"))
            axes.annotate(
                str(network),
                points[index],
                offset,
                textcoords="offset points",
                ha=side,
                fontsize=8.5,
                color=INK,
            )
            rows += [(dimension, str(network), _at(dimension, x), f"{y:g}") for x, y in points]
            if len(points) > 2:
                first, *_, last = _gains(points)
                flatter.append(last < first)
            if len(points) > 1:
                ends.append(
                    f"{network} from {points[0][1]:g}% at {_at(dimension, points[0][0])} to "
                    f"{points[-1][1]:g}% at {_at(dimension, points[-1][0])}"
                )
        ticks = sorted({row.number("coefficient") for row in of_dimension})
        kept = [tick for tick in ticks if tick not in _UNLABELLED]
        plain_log_axis(axes, "x", kept, [f"{tick:g}" for tick in kept])
        axes.margins(x=0.12)
        axes.set(xlabel=unit, ylim=(48, 88))
        axes.set_title(f"By {dimension}", fontweight="normal")
    panels[0].set_ylabel("ImageNet top-1, %")
    finding(
        figure,
        f"{sum(flatter)} of {len(flatter)} lines of three marks or more end flatter than they begin: "
        "each doubling buys less",
    )
    return Picture(
        figure,
        alt=f"Published top-1 accuracy of networks scaled in one dimension: {'; '.join(ends)}.",
        caption="Hollow marks: published, each with its source in the table scaling_before_2019. Lines only "
        "join networks of one family. NASNet-A and GPipe are networks of their own, made for large images.",
        numbers=Numbers(("scaled by", "network", "at", "top-1 (published), %"), rows),
    )


@styled
def growth_of_macs(growth: Mapping[str, Sequence[tuple[float, float]]]) -> Picture:
    """Draw by how much MACs grow with each multiplier, beside the rules d, w squared and r squared.

    Args:
        growth: `"depth"`, `"width"` and `"resolution"` to two pairs or more of the multiplier and MACs over
            those at 1; a step between two pairs is drawn at the first.
    """
    figure, panels = new_figure(3.4, columns=3)
    ends = []
    for (dimension, points), axes in zip(growth.items(), panels, strict=True):
        colour, _ = DIMENSIONS[dimension]
        power = 1 if dimension == "depth" else 2
        symbol = dimension[0] + ("" if power == 1 else "²")
        x = [multiplier for multiplier, _ in points]
        axes.plot(x, [factor for _, factor in points], color=colour, drawstyle="steps-pre")
        axes.plot(x, [multiplier**power for multiplier in x], color=GREY, linestyle="--", linewidth=1.2)
        middle = x[len(x) // 2]
        axes.annotate(
            f"rule: {symbol}", (middle, middle**power), (22, -24), textcoords="offset points", color=INK
        )
        off = max(
            abs(factor / edge**power - 1)
            for (before, _), (after, factor) in itertools.pairwise(points)
            for edge in (before, after)  # what is rounded up holds from just above the point before
        )
        axes.set(
            xlabel=f"{dimension}, {dimension[0]}",
            title=f"{dimension.capitalize()}: at most {off:.0%} off",
        )
        ends.append(
            f"{dimension} {x[-1]:g} gives {points[-1][1]:.2f} times where the rule says {x[-1] ** power:g}"
        )
    panels[0].set_ylabel("MACs over those of B0")
    shown = {dimension: points[:: max(1, len(points) // 8)] for dimension, points in growth.items()}
    return Picture(
        figure,
        alt=f"MACs of B0, counted, over each multiplier, near the rule and in steps: {'; '.join(ends)}.",
        caption="Lines: computed, counted with whole layers, channels and pixels. Dashed: the rule.",
        numbers=Numbers(
            ("scaled by", "multiplier", "MACs over B0 (computed)"),
            [(name, f"{x:.3g}", f"{factor:.2f}") for name, points in shown.items() for x, factor in points],
        ),
    )


@styled
def diminishing_returns(curves: Mapping[str, Sequence[tuple[float, float, float]]], source: str) -> Picture:
    """Draw accuracy over MACs, and what each doubling of MACs bought from one point to the next.

    Args:
        curves: `"depth"`, `"width"` or `"resolution"` to coefficient, MACs in billions and top-1 in percent.
        source: Where the numbers stand.
    """
    figure, (left, right) = new_figure(3.9, columns=2)
    rows, ends = [], []
    first: list[float] = []
    last: list[float] = []
    for name, points in curves.items():
        _hollow(left, [macs for _, macs, _ in points], [top1 for *_, top1 in points], name, "-")
        left.lines[-1].set_label(f"by {name}")
        middles, gains = [], _gains([(macs, top1) for _, macs, top1 in points])
        rows.append((name, f"{points[0][0]:g}", f"{points[0][1]:g}", f"{points[0][2]:g}", ""))
        for (_, macs, _), (coefficient, more, better), gain in zip(points, points[1:], gains, strict=False):
            middles.append(math.sqrt(macs * more))
            rows.append((name, f"{coefficient:g}", f"{more:g}", f"{better:g}", f"{gain:.2f}"))
        _hollow(right, middles, gains, name, "-")
        ends.append(f"{name} from {gains[0]:.1f} to {gains[-1]:.1f}")
        first.append(gains[0])
        last.append(gains[-1])
    for axes in (left, right):
        ticks = [0.5, 1, 2, 4, 8]
        plain_log_axis(axes, "x", ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlabel("MACs for one image, G (published)")
    best = [max(top1 for *_, top1 in points) for points in curves.values()]
    left.set(ylabel="ImageNet top-1, %", title=f"Each way ends between {min(best):.1f}% and {max(best):.1f}%")
    right.set(
        ylabel="points for a doubling of MACs",
        title=f"First {min(first):.1f} to {max(first):.1f} points, last {min(last):.1f} to {max(last):.1f}",
    )
    right.axhline(0, color=GREY, linewidth=0.8)
    left.legend(loc="lower right")
    return Picture(
        figure,
        alt=f"Accuracy rises and flattens; points for each doubling of MACs fall: {'; '.join(ends)}.",
        caption=f"Left: hollow marks, published, read off {source}; lines only join them. Right: computed "
        "from each pair of neighbours. One training run a mark: tenths of a point mean little.",
        numbers=Numbers(
            ("scaled by", "coefficient", "MACs (published), G", "top-1 (published), %", "points a doubling"),
            rows,
        ),
    )
