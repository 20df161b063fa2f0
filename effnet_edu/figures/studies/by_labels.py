"""The figure of a study that has none of its own: the accuracy of every arm, with its interval."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import caption, cells, stamped
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import DEPTH
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import estimate


@styled
def draw(result: StudyResult) -> Picture:
    """Draw the test accuracy of every arm over seeds, from the first to the last."""
    arms = {
        ", ".join(f"{name} {value}" for name, value in labels.items()): estimate(
            result.values("accuracy", **labels)
        ).scaled(100)
        for labels in result.arms()
    }
    figure, (axes,) = new_figure(1.2 + 0.35 * len(arms))
    for row, value in enumerate(reversed(arms.values())):
        reach = [[value.mean - value.low], [value.high - value.mean]] if value.count > 1 else None
        axes.errorbar([value.mean], [row], xerr=reach, color=DEPTH, marker="o", capsize=3)
    axes.set_yticks(range(len(arms)), list(reversed(arms)))
    axes.set(xlabel="test accuracy, %", title=result.question)
    return Picture(
        stamped(figure, result),
        alt="Test accuracy: " + "; ".join(f"{arm} {value.mean:.1f}%" for arm, value in arms.items()) + ".",
        caption=caption("Marks: mean test accuracy after the last epoch.", result),
        numbers=Numbers(
            ("arm", "accuracy (recorded), %", "interval, %"),
            [(arm, *cells(value.scaled(0.01))) for arm, value in arms.items()],
        ),
    )
