"""Pictures of blocks: their operations from top to bottom, and what an activation does in few channels."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon, Rectangle

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import (
    EDGE,
    FAINT,
    FULL_WIDTH,
    GREY,
    INK,
    OTHER_ROLE,
    RESOLUTION,
    ROLES,
    SMALLEST_TEXT,
    new_figure,
    styled,
)
from effnet_edu.model.cost import block_layers
from effnet_edu.model.outline import steps
from effnet_edu.model.specs import BlockSpec

#: Height of a map's row and of an operation's, in one unit; where the labels and the shortcut are.
_MAP, _OPERATION = 1.0, 1.5
_WIDEST, _LABELS, _SHORTCUT = 2.0, 2.3, 6.6


def _map(axes: Axes, y: float, half: float, shape: str) -> None:
    axes.add_patch(
        Rectangle((-half, y - 0.72), 2 * half, 0.44, facecolor=FAINT, edgecolor=EDGE, linewidth=0.8)
    )
    axes.text(_LABELS, y - 0.5, shape, va="center", size=SMALLEST_TEXT)


def _draw(axes: Axes, title: str, block: BlockSpec, per_channel: float, height: float) -> None:
    def half(channels: int) -> float:
        return max(0.06, per_channel * math.sqrt(channels))

    y = 0.0
    axes.set_title(title)
    _map(axes, y, half(block.channels_in), f"{block.channels_in} x {block.side_in} x {block.side_in}")
    y -= _MAP
    fork = y
    for step in steps(block):
        colour, _, hatch = ROLES.get(step.role, OTHER_ROLE)
        top, bottom = half(step.channels_before), half(step.channels_after)
        low, high = y - _OPERATION + 0.15, y - 0.15
        corners = [(-top, high), (top, high), (bottom, low), (-bottom, low)]
        if step.role == "squeeze_excite":
            narrow, middle = half(block.squeeze_channels), (low + high) / 2
            corners = [*corners[:2], (narrow, middle), *corners[2:], (-narrow, middle)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor=EDGE, linewidth=0.8, hatch=hatch))
        axes.text(_LABELS, y - _OPERATION / 2, step.label, va="center", size=SMALLEST_TEXT, weight="bold")
        y -= _OPERATION
        _map(
            axes,
            y,
            half(step.channels_after),
            f"{step.channels_after} x {step.side_after} x {step.side_after}",
        )
        y -= _MAP
    axes.plot([0, 0], [-0.2, y - 0.3], color=INK, linewidth=1, zorder=0)
    if block.has_shortcut:
        at = y - 0.5
        axes.plot([0, _SHORTCUT, _SHORTCUT, 0], [fork, fork, at, at], color=INK, linewidth=1, zorder=0)
        axes.add_patch(Circle((0, at), 0.3, facecolor="white", edgecolor=INK))
        axes.text(0, at, "+", ha="center", va="center_baseline")
        axes.text(_LABELS, at - 0.35, "add the input", va="top", size=SMALLEST_TEXT, color=GREY)
    axes.set(xlim=(-_WIDEST - 0.1, _SHORTCUT + 0.3), ylim=(height, 0.3))
    axes.set_axis_off()


@styled
def blocks(named: Mapping[str, BlockSpec]) -> Picture:
    """Draw blocks side by side, on one scale: slabs are maps, as wide as the square root of their channels.

    Args:
        named: Title to block, 1 to 4 of them.

    Raises:
        ValueError: There is none, or there are too many for one line.
    """
    if not 1 <= len(named) <= 4:
        raise ValueError(f"There are {len(named)} blocks; a picture shows 1 to 4.")
    most = max(
        max(step.channels_before, step.channels_after) for block in named.values() for step in steps(block)
    )
    per_channel = _WIDEST / math.sqrt(most)
    rows = max(len(steps(block)) for block in named.values())
    height = -(_MAP + rows * (_MAP + _OPERATION) + 1.4)
    figure, panels = new_figure(-0.235 * height + 0.4, columns=len(named))
    said, table = [], []
    for axes, (title, block) in zip(panels, named.items(), strict=True):
        _draw(axes, title, block, per_channel, height)
        chain = ", ".join(f"{step.label} to {step.channels_after} channels" for step in steps(block))
        layers = list(block_layers(block))
        macs, parameters = sum(row.macs for row in layers), sum(row.parameters for row in layers)
        shortcut = "and the input is added" if block.has_shortcut else "without a shortcut"
        said.append(f"{title}: from {block.channels_in} channels, {chain}, {shortcut}")
        table.append((title, str(block), f"{macs:,}", f"{parameters:,}"))
    return Picture(
        figure,
        alt=f"{'; '.join(said)}.",
        caption="From top to bottom. Slabs are feature maps, channels x height x width, as wide as the "
        "square root of their channels, all on one scale; coloured shapes are operations.",
        numbers=Numbers(("block", "in one line", "MACs (computed)", "parameters (computed)"), table),
    )


@styled
def relu_in_channels(
    points: Sequence[Sequence[float]],
    recovered: Mapping[int, Sequence[Sequence[float]]],
    lost: Mapping[int, float],
) -> Picture:
    """Draw a curve in two dimensions, and what a ReLU in more and more channels leaves of it.

    Args:
        points: The curve, an x and a y a point.
        recovered: Number of channels to what can be recovered of the points after a ReLU in so many.
        lost: Number of channels to the relative error of that, 0 to 1.
    """
    figure, panels = new_figure(FULL_WIDTH / (len(recovered) + 1) + 0.5, columns=len(recovered) + 1)
    titles = ["input", *(f"{channels} channels" for channels in recovered)]
    for axes, title, curve in zip(panels, titles, [points, *recovered.values()], strict=True):
        axes.plot(*zip(*points, strict=True), color=FAINT, linewidth=1.2)
        axes.plot(*zip(*curve, strict=True), color=RESOLUTION, linewidth=1.4)
        axes.set_title(title)
        axes.set_aspect("equal")
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
        axes.set_axis_off()
    said = ", ".join(f"{error:.0%} with {channels} channels" for channels, error in lost.items())
    return Picture(
        figure,
        alt=f"A spiral, and what is left of it after a ReLU in a few channels. Of its size is lost: {said}.",
        caption="Grey: a spiral of two dimensions. Green: what the best linear map recovers of it after a "
        "random linear map into so many channels and a ReLU (computed here, with a fixed seed).",
        numbers=Numbers(
            ("channels", "lost (computed)"),
            [(f"{channels}", f"{error:.1%}") for channels, error in lost.items()],
        ),
    )
