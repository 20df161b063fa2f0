"""What rounding does to the formula: steps of 8 channels, and layers that are always rounded up."""

from collections.abc import Mapping, Sequence

from matplotlib.lines import Line2D

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import CARD, DEPTH, GREY, INK, WIDTH
from effnet_edu.model.scaling import round_channels, round_layers


def _steps(start: float, end: float, count: int = 600) -> list[float]:
    return [start + (end - start) * index / count for index in range(count + 1)]


@styled
def channel_rounding(channels: Sequence[int], published: Mapping[str, float]) -> Picture:
    """Draw the channels that stages get, as the width multiplier grows.

    Args:
        channels: Unscaled channels of the stages to draw.
        published: Short name of a network to its width multiplier.
    """
    figure, (axes,) = new_figure(3.8)
    widths = _steps(1.0, max(published.values()) + 0.08)
    for count in channels:
        axes.plot(widths, [count * width for width in widths], color=GREY, linestyle="--", linewidth=1)
        axes.plot(
            widths, [round_channels(count, width) for width in widths], color=WIDTH, drawstyle="steps-post"
        )
        for width in published.values():
            axes.plot(
                [width],
                [round_channels(count, width)],
                "s",
                markerfacecolor=CARD,
                markeredgecolor=WIDTH,
                markeredgewidth=1.8,
            )
        axes.annotate(
            f"{count} channels",
            (widths[-1], round_channels(count, widths[-1])),
            xytext=(6, -3),
            textcoords="offset points",
        )
    for name, width in published.items():
        axes.annotate(
            name,
            (width, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -8),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    worst = max(
        ((count, name, width) for count in channels for name, width in published.items()),
        key=lambda one: abs(round_channels(one[0], one[2]) / (one[0] * one[2]) - 1),
    )
    axes.set(
        xlabel="width multiplier",
        ylabel="channels",
        title=f"In steps of 8: {worst[0]} channels x {worst[2]:g} are {worst[0] * worst[2]:.1f} and become "
        f"{round_channels(worst[0], worst[2])}\n",
    )
    axes.set_xlim(widths[0] - 0.04, widths[-1] + 0.22)
    axes.set_yticks(range(0, int(max(channels) * widths[-1]) + 16, 16))
    axes.legend(
        handles=[
            Line2D([], [], color=WIDTH, label="rounded (computed)"),
            Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="channels x multiplier"),
        ],
        loc="upper left",
        bbox_to_anchor=(0.0, 0.93),
    )
    rows = [
        (name, f"{width:g}", *(f"{round_channels(count, width)} ({count * width:.1f})" for count in channels))
        for name, width in published.items()
    ]
    return Picture(
        figure,
        alt="Staircases of 8 channels around the straight lines of the multiplier, for stages of "
        f"{', '.join(map(str, channels))} channels. The farthest from its line is the stage of "
        f"{worst[0]} channels in {worst[1]}: {worst[0] * worst[2]:.1f} becomes "
        f"{round_channels(worst[0], worst[2])}.",
        caption="Dashed: the formula. Steps: what the rounding rule of the released code gives (computed). "
        "Hollow squares: the published width multipliers.",
        numbers=Numbers(("network", "width", *(f"{count} becomes (unrounded)" for count in channels)), rows),
    )


@styled
def layer_rounding(layers: Sequence[int], published: Mapping[str, float]) -> Picture:
    """Draw the layers of each stage size, and of the whole network, as the depth multiplier grows.

    Args:
        layers: Unscaled layers of every stage of the network, in order.
        published: Short name of a network to its depth multiplier.
    """
    figure, (left, right) = new_figure(3.9, columns=2)
    depths = _steps(1.0, max(published.values()) + 0.15)
    total = sum(layers)

    def built(depth: float) -> int:
        return sum(round_layers(count, depth) for count in layers)

    for count in sorted(set(layers)):
        left.plot(
            depths, [round_layers(count, depth) for depth in depths], color=DEPTH, drawstyle="steps-post"
        )
        left.plot(depths, [count * depth for depth in depths], color=GREY, linestyle="--", linewidth=1)
        left.annotate(
            f"{count} layer{'s' if count > 1 else ''}",
            (depths[-1], round_layers(count, depths[-1])),
            xytext=(5, -3),
            textcoords="offset points",
        )
    left.set(xlabel="depth multiplier", ylabel="layers of the stage", title="One stage: always rounded up")
    left.set_xlim(0.95, depths[-1] + 0.65)
    right.plot(depths, [built(depth) / total for depth in depths], color=DEPTH, drawstyle="steps-post")
    right.plot(depths, depths, color=GREY, linestyle="--", linewidth=1)
    first, *_, last = published
    for index, (name, depth) in enumerate(published.items()):
        right.plot(
            [depth],
            [built(depth) / total],
            "o",
            markerfacecolor=CARD,
            markeredgecolor=DEPTH,
            markeredgewidth=1.8,
        )
        right.annotate(
            name,
            (depth, built(depth) / total),
            xytext=((-3, 7), (3, -16))[index % 2],
            textcoords="offset points",
            ha=("right", "left")[index % 2],
        )
    right.set(
        xlabel="depth multiplier",
        ylabel=f"blocks over the base's {total}",
        title=f"{first} asks for {published[first]:g} times the blocks, gets "
        f"{built(published[first]) / total:.2f}",
    )
    right.legend(
        handles=[
            Line2D([], [], color=DEPTH, label="rounded up (computed)"),
            Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="the formula"),
        ],
        loc="lower right",
    )

    def gets(name: str) -> str:
        return (
            f"{name} asks for {published[name]:g} times the blocks and gets "
            f"{built(published[name]) / total:.2f} times"
        )

    return Picture(
        figure,
        alt="Left: layers of a stage climb in whole steps on or above the dashed line of the formula. "
        f"Right: the whole network's depth lies above the diagonal. {gets(first)}; {gets(last)}.",
        caption="Dashed: the formula. Steps: layers rounded up in each stage (computed). Hollow marks: the "
        "published depth multipliers.",
        numbers=Numbers(
            ("network", "depth multiplier (published)", "blocks (computed)", "blocks over the base's"),
            [
                (name, f"{depth:g}", str(built(depth)), f"{built(depth) / total:.2f}")
                for name, depth in published.items()
            ],
        ),
    )
