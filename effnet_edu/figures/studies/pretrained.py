"""The figure of the study `pretrained`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import SERIES, bars, caption, cells, stamped
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.studies.pretrained import findings
from effnet_edu.studies.result import StudyResult


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy over labelled pictures of each class, and over the seconds that each way took."""
    every = findings.arms(result)
    figure, (left, right) = new_figure(3.4, columns=2)
    for (way, name), (colour, marker, dash) in zip(findings.WAYS.items(), SERIES, strict=False):
        of_way = [arm for arm in every if arm.way == way]
        accuracies = [arm.accuracy.scaled(100) for arm in of_way]
        look = {"linestyle": dash, "label": name}
        bars(left, [arm.pictures for arm in of_way], accuracies, (colour, marker), **look)
        bars(right, [arm.seconds.mean for arm in of_way], accuracies, (colour, marker), **look)
    counts = [float(count) for count in result.label_values("pictures")]
    plain_log_axis(left, "x", counts, [f"{count:g}" for count in counts])
    low, high = min(arm.seconds.mean for arm in every), max(arm.seconds.mean for arm in every)
    ticks = [tick for tick in (0.1, 1.0, 10.0, 100.0) if low / 3 <= tick <= 3 * high]
    plain_log_axis(right, "x", ticks, [f"{tick:g}" for tick in ticks])
    left.set(xlabel="labelled pictures of each class", ylabel="test accuracy, %", title="For each label")
    right.set(xlabel="seconds of one processor", title="For each second")
    left.legend(loc="lower right", fontsize=8)
    return Picture(
        stamped(figure, result),
        alt="Test accuracy: "
        + "; ".join(f"{arm.name} {100 * arm.accuracy.mean:.1f}%" for arm in every)
        + ".",
        caption=caption(
            "Left: accuracy over labelled pictures. Right: over the time until the network is trained.",
            result,
        ),
        numbers=Numbers(
            ("what", "accuracy (recorded), %", "interval, %", "seconds (recorded)"),
            [(arm.name, *cells(arm.accuracy), f"{arm.seconds.mean:.1f}") for arm in every],
        ),
    )
