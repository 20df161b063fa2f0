"""The figure of the study `progressive`."""

from collections.abc import Mapping, Sequence
from typing import Any

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import SERIES, bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.studies.progressive import findings as progressive_findings
from effnet_edu.studies.result import StudyResult


def _mean_curve(runs: Sequence[Mapping[str, Any]], quantity: str) -> list[float]:
    return [sum(values) / len(runs) for values in zip(*(run["curve"][quantity] for run in runs), strict=True)]


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy over the time of the training steps for each way of training."""
    figure, (axes,) = new_figure(4.2)
    arms = progressive_findings.arms(result)
    for arm, (colour, marker, dash) in zip(arms, SERIES, strict=False):
        runs = result.where(arm=arm.arm)
        accuracies = [100 * accuracy for accuracy in _mean_curve(runs, "test_accuracy")]
        axes.plot(_mean_curve(runs, "seconds"), accuracies, color=colour, linestyle=dash, linewidth=1.2)
        bars(axes, [arm.seconds.mean], [arm.accuracy.scaled(100)], (colour, marker), label=arm.name)
    axes.set(xlabel="seconds of training steps", ylabel="test accuracy, %", title="Accuracy against time")
    within_percent(axes)
    axes.legend(loc="lower right")
    return Picture(
        stamped(figure, result),
        alt="Accuracy and training time: "
        + "; ".join(f"{arm.name} {100 * arm.accuracy.mean:.1f}% in {arm.seconds.mean:.0f} s" for arm in arms)
        + ".",
        caption=caption(
            "Lines: means over seeds after each epoch, always tested at full size. Marks: the end.", result
        ),
        numbers=Numbers(
            (
                "way",
                "accuracy (recorded), %",
                "interval, %",
                "seconds (recorded)",
                "times the time of fixed size",
            ),
            [
                (
                    arm.name,
                    *cells(arm.accuracy),
                    f"{arm.seconds.mean:.1f}",
                    f"{arm.time.mean:.2f} ({arm.time.low:.2f} to {arm.time.high:.2f})",
                )
                for arm in arms
            ],
        ),
    )
