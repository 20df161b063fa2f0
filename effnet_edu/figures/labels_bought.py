"""What labelled pictures buy: accuracy over how many there are of each class."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import GREY, INK

#: Colours keep to the things that they name; markers tell the ways apart.
_LOOKS = ((INK, "o"), (GREY, "s"), (INK, "^"), (GREY, "v"))


@styled
def labels_bought(found: Mapping[str, Mapping[int, Sequence[float]]], classes: int) -> Picture:
    """Draw accuracy over labelled pictures of each class, a mark for each choice of pictures.

    Args:
        found: For each way to classify, by its name: pictures of each class, to the accuracies, 0 to 1, that
            different choices of so many pictures reached; 1 to 4 ways.
        classes: How many classes there are; guessing is right for one in so many.

    Raises:
        ValueError: There is no way, more than 4, or one without a number.
    """
    if not 1 <= len(found) <= len(_LOOKS) or not all(
        reached and all(reached.values()) for reached in found.values()
    ):
        raise ValueError(
            f"There are {len(found)} ways to classify; 1 to {len(_LOOKS)} can be drawn, each with numbers."
        )
    figure, (axes,) = new_figure(3.4)
    rows: list[tuple[str, ...]] = []
    ends = [1 / classes]  # where names stand, and the line of guessing
    for (name, reached), (colour, marker) in zip(found.items(), _LOOKS, strict=False):
        counts = sorted(reached)
        means = [fmean(reached[count]) for count in counts]
        for count in counts:
            axes.plot(
                [count] * len(reached[count]),
                [100 * accuracy for accuracy in reached[count]],
                color=colour,
                marker=marker,
                markersize=4,
                alpha=0.45,
                linestyle="none",
            )
        axes.plot(counts, [100 * mean for mean in means], color=colour, marker=marker)
        axes.annotate(
            name,
            (counts[-1], 100 * means[-1]),
            (10, -3 - 12 * sum(abs(means[-1] - end) < 0.06 for end in ends)),  # below what stands there
            textcoords="offset points",
            color=INK,
            fontsize=9,
        )
        ends.append(means[-1])
        for count, mean in zip(counts, means, strict=True):
            low, high = min(reached[count]), max(reached[count])
            rows.append(
                (name, str(count), f"{mean:.1%}", f"{low:.1%} to {high:.1%}", str(len(reached[count])))
            )
    ticks = sorted({count for reached in found.values() for count in reached})
    plain_log_axis(axes, "x", list(map(float, ticks)), list(map(str, ticks)))
    axes.set_xlim(0.85 * ticks[0], 2.6 * ticks[-1])  # the names stand on the right
    axes.axhline(100 / classes, color=GREY, linewidth=1, linestyle="--")
    axes.annotate(
        "guessing",
        (2.55 * ticks[-1], 100 / classes),
        (0, 4),
        textcoords="offset points",
        ha="right",
        color=GREY,
        fontsize=9,
    )
    first, reached = next(iter(found.items()))
    most = max(reached)
    title = f"With {first}: {fmean(reached[most]):.0%} with {most} pictures of each class"
    axes.set(
        xlabel="labelled pictures of each class",
        ylabel="accuracy, %",
        ylim=(0, 102),
        title=title,
    )
    return Picture(
        figure,
        alt="Accuracy over labelled pictures of each class. "
        + "; ".join(f"{name}, {count}: {mean}" for name, count, mean, _, _ in rows)
        + f". Guessing: {1 / classes:.0%}.",
        caption="Measured on this machine. Small marks: one choice of pictures each; large marks, joined by "
        "lines: their means.",
        numbers=Numbers(
            ("classifier on", "pictures of each class", "mean (measured)", "lowest to highest", "choices"),
            rows,
        ),
    )
