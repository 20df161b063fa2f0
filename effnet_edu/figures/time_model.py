"""What predicts time: predicted against measured, and how wrong each count is alone."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import PercentFormatter

from effnet_edu.figures.choosing import log_ticks
from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import finding, new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, COMPOUND, GREY, INK
from effnet_edu.profiling.time_model import PREDICTORS, TimeModel

#: More dots would not tell more, and each takes bytes of a lesson.
_MOST_DOTS = 100


def _dots(axes: Axes, x: Sequence[float], y: Sequence[float]) -> int:
    """Draw dots as one path of hardly any length with round ends, and return how many."""
    every = -(-len(x) // _MOST_DOTS)
    some = list(zip(x[::every], y[::every], strict=True))
    ends = [end for at in some for end in (at, (1.002 * at[0], at[1]))]
    path = Path(ends, [Path.MOVETO, Path.LINETO] * len(some))
    # Filled, though it has no inside, and not snapped: else most dots would be simplified or rounded away.
    axes.add_patch(PathPatch(path, color=COMPOUND, linewidth=4.5, capstyle="round", snap=False))
    return len(some)


@styled
def time_predictors(model: TimeModel, device: str) -> Picture:
    """Draw predicted over measured time of networks that a fit had not seen, and the error of each predictor.

    Args:
        model: From `ee.profiling.fit_times`.
        device: Name of the device.
    """
    figure, (left, right) = new_figure(3.9, columns=2, widths=(1.0, 1.25))
    predicted = model.predicted_ms["together"]
    ends = (min(*predicted, *model.measured_ms) / 1.2, max(*predicted, *model.measured_ms) * 1.2)
    left.plot(ends, ends, color=GREY, linestyle="--", linewidth=1.2)
    dots = _dots(left, model.measured_ms, predicted)
    ticks = log_ticks(*ends)
    for which in "xy":
        plain_log_axis(left, which, ticks, [f"{tick:g}" for tick in ticks])
    left.set(xlim=ends, ylim=ends, aspect="equal")
    left.set(xlabel="ms, recorded", ylabel="ms, from counts together", title="Networks not seen before")

    names = sorted(PREDICTORS, key=model.error)
    rows = range(len(names))
    halves, most = [model.error(name) for name in names], [model.error(name, 0.9) for name in names]
    colours = [{"together": COMPOUND}.get(name, GREY) for name in names]
    hatches = ["//" if "roofline" in name else "" for name in names]
    right.barh(rows, halves, 0.6, color=colours, hatch=hatches, edgecolor=CARD)
    right.plot(most, rows, "|", color=INK, markersize=11, markeredgewidth=1.6)
    named = [f"{PREDICTORS[name]}, {half:.0%}" for name, half in zip(names, halves, strict=True)]
    right.set_yticks(rows, named)
    right.invert_yaxis()
    right.grid(visible=False, axis="y")
    right.xaxis.set_major_formatter(PercentFormatter(1, 0))
    right.set(xlim=(0, 1.05 * max(most)), xlabel="error: median (bar), nine tenths (tick)")
    right.set_title("Each count alone, and together")
    finding(figure, model.claim.rstrip(".").replace(": ", ":\n"))
    count = len(model.measured_ms)
    threads = " with 1 thread" if model.threads else ""
    return Picture(
        figure,
        alt=f"{count} random networks on {device}, batch {model.batch_size}, in {model.engine}; median error "
        "on networks not seen: "
        + ", ".join(f"{PREDICTORS[name]} {model.error(name):.0%}" for name in names)
        + f". {model.claim}",
        caption=f"{count} networks drawn at random, batch {model.batch_size}, fp32, {model.engine}, the "
        f"fastest run of each, recorded{threads} on {device}. Each network is predicted from the nine tenths "
        f"that it is not in; {dots} have a dot, and one on the dashed line is predicted correctly. Of two "
        f"visits to a network, the slower one took {model.repeat_error:.0%} longer in the median."
        + model.advice,
        numbers=Numbers(
            ("predictor", "median error", "nine tenths within", "rank correlation"),
            [
                (
                    PREDICTORS[name],
                    f"{model.error(name):.1%}",
                    f"{model.error(name, 0.9):.1%}",
                    f"{model.rank_correlation(name):.2f}",
                )
                for name in names
            ],
        ),
    )
