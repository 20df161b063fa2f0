"""What a device allows for each layer, beside the time that the layer took."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.markers import TICKDOWN, TICKUP

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import SMALLEST_TEXT, new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import DEPTHWISE, EDGE, INK
from effnet_edu.profiling.repeats import Timing


@dataclass(frozen=True)
class Floor:
    """One layer: the least time that its device allows for it, and the times that it took.

    Attributes:
        name: Of the layer.
        arithmetic_ms: Its MACs over the most MACs a millisecond that the device does.
        moving_ms: Its bytes over the most bytes a millisecond that the device moves.
        measured_ms: Measured times.
    """

    name: str
    arithmetic_ms: float
    moving_ms: float
    measured_ms: tuple[float, ...]

    @property
    def least_ms(self) -> float:
        """The longer of the two: no kernel can be faster on this device."""
        return max(self.arithmetic_ms, self.moving_ms)


@styled
def floors(layers: Sequence[Floor], device: str) -> Picture:
    """Draw, for each layer, the least time that the device allows and the time measured, in milliseconds.

    Args:
        layers: From top to bottom.
        device: Where they were measured.
    """
    figure, (axes,) = new_figure(0.24 * len(layers) + 1.3)
    rows, ratios = [], []
    for index, layer in enumerate(layers):
        timing = Timing(layer.measured_ms)
        low, high = timing.interval
        ratios.append(timing.median / layer.least_ms)
        for floor, marker in ((layer.arithmetic_ms, TICKUP), (layer.moving_ms, TICKDOWN)):
            axes.plot(
                [floor], [index], linestyle="", marker=marker, color=INK, markersize=7, markeredgewidth=1.6
            )
        axes.plot([layer.least_ms, timing.median], [index] * 2, color=EDGE, linewidth=0.8)
        axes.plot([low, high], [index] * 2, color=INK, linewidth=1.6, marker="|", markersize=5)
        axes.plot([timing.median], [index], "o", color=DEPTHWISE, markeredgecolor=EDGE, markersize=7)
        axes.text(1.25 * high, index, f"{ratios[-1]:.0f} times", va="center", size=SMALLEST_TEXT)
        rows.append(
            (layer.name, f"{layer.arithmetic_ms:.3f}", f"{layer.moving_ms:.3f}", f"{timing.median:.3f}")
        )
    axes.set_yticks(range(len(layers)), [layer.name for layer in layers])
    axes.invert_yaxis()
    ticks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
    plain_log_axis(axes, "x", ticks, [f"{tick:g}" for tick in ticks])
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    said = f"Each layer took {min(ratios):.0f} to {max(ratios):.0f} times the least that the device allows"
    axes.set(xlabel="ms", title=said)
    return Picture(
        figure,
        alt=f"Least and measured time of {len(layers)} layers on {device}: each took {min(ratios):.0f} to "
        f"{max(ratios):.0f} times the least that the device allows.",
        caption="Ticks above: the time of the MACs alone; ticks below: that of moving the bytes alone (both "
        f"computed from measured ceilings). Filled: measured on {device}, with its interval. The number "
        "beside it: how many times as long as the longer of the two it took.",
        numbers=Numbers(("layer", "MACs alone, ms", "bytes alone, ms", "measured, ms"), rows),
    )
