"""Published accuracy over cost."""

from collections.abc import Mapping, Sequence

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, DIMENSIONS, SCALINGS


@styled
def accuracy_against_macs(curves: Mapping[str, Sequence[tuple[float, float]]], source: str) -> Picture:
    """Draw published top-1 accuracy over MACs, a curve for each way of scaling.

    Args:
        curves: `"depth"`, `"width"`, `"resolution"` or `"compound"` to pairs of MACs in billions and top-1 in
            percent.
        source: Where the numbers stand.
    """
    figure, (axes,) = new_figure(3.9)
    for name, points in curves.items():
        colour, marker = SCALINGS[name]
        axes.plot(
            [macs for macs, _ in points],
            [top1 for _, top1 in points],
            marker=marker,
            color=colour,
            linewidth=1,
            markerfacecolor=CARD,
            markeredgewidth=1.8,
            label=f"by {name}" if name in DIMENSIONS else name,
        )
    ticks = [0.4, 0.6, 1, 2, 3, 5]
    plain_log_axis(axes, "x", ticks, [f"{tick:g}" for tick in ticks])
    highest = {name: max(top1 for _, top1 in points) for name, points in curves.items()}
    first, *others = sorted(highest, key=lambda name: -highest[name])
    axes.set(
        xlabel="MACs for one image, G",
        ylabel="ImageNet top-1, %",
        title=f"{first.capitalize()} reaches {highest[first]:g}%"
        + (f", no other way more than {highest[others[0]]:g}%" if others else ""),
    )
    axes.legend(loc="upper left")
    ends = "; ".join(
        f"{name} reaches {points[-1][1]:g}% at {points[-1][0]:g} G" for name, points in curves.items()
    )
    return Picture(
        figure,
        alt=f"Published top-1 accuracy over MACs for one base scaled in different ways: {ends}.",
        caption=f"Hollow marks: published, read off {source}. Lines only join them.",
        numbers=Numbers(
            ("scaled by", "MACs (published), G", "top-1 (published), %"),
            [(name, f"{macs:g}", f"{top1:g}") for name, points in curves.items() for macs, top1 in points],
        ),
    )
