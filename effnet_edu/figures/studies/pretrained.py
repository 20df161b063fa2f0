"""The figure of the study `pretrained`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import bars, caption, cells, stamped
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import SERIES
from effnet_edu.studies.pretrained import findings
from effnet_edu.studies.result import StudyResult

#: The ways in a title.
_SHORT = {"scratch": "scratch", "frozen": "frozen", "all": "all layers"}


def _best(result: StudyResult) -> str:
    """Return which way is the most accurate with the fewest and the most pictures, where it is decided."""
    told = []
    counts = result.label_values("pictures")
    for count in dict.fromkeys((min(counts), max(counts))):
        means = {arm.way: arm.accuracy.mean for arm in findings.arms(result) if arm.pictures == count}
        first, second, *_ = sorted(means, key=means.__getitem__, reverse=True)
        is_decided = findings.gains(result, first, second)[count].decides_sign
        told.append(f"with {count} {_SHORT[first] if is_decided else 'undecided'}")
    return f"Best: {', '.join(told)}"


def _price(result: StudyResult) -> str:
    """Return how many times as long all layers take as the classifier alone, with the most pictures."""
    most = max(result.label_values("pictures"))
    seconds = {arm.way: arm.seconds.mean for arm in findings.arms(result) if arm.pictures == most}
    return f"With {most}, all layers: {seconds['all'] / seconds['frozen']:.2g} times as long as frozen"


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
    left.set(xlabel="labelled pictures of each class", ylabel="test accuracy, %", title=_best(result))
    right.set(xlabel="seconds of one processor", title=_price(result))
    left.legend(loc="lower right")
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
