"""How a fine-tuned network does on the pictures that were held out."""

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import FULL_WIDTH, SMALLEST_TEXT, new_figure, styled
from effnet_edu.ground.palette import CARD, INK

if TYPE_CHECKING:  # a figure needs no torch
    from effnet_edu.training.evaluation import Evaluation

_IN_A_ROW = 4
_LONGEST_NAME = 18


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


@styled
def confusion(evaluation: "Evaluation") -> Picture:
    """Draw how many held-out pictures of each class were taken for each class.

    Args:
        evaluation: Of a run that `fine_tune` or `load_run` returned.
    """
    counts = evaluation.confusion
    names = evaluation.pictures.class_names
    classes = len(names)
    figure, (axes,) = new_figure(1.6 + 0.34 * classes)
    of_class = counts.sum(1, keepdim=True).clamp(min=1)
    shares = (counts / of_class).numpy()
    # A mesh and no image: a dark page turns it around together with the counts on it.
    axes.pcolormesh(range(classes), range(classes), shares, cmap="Greys", vmin=0, vmax=1)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    for row in range(classes):
        for column in range(classes):
            count = int(counts[row, column])
            if count:
                is_dark = count > of_class[row] / 2
                axes.text(
                    column,
                    row,
                    f"{count}",
                    ha="center",
                    va="center",
                    color=CARD if is_dark else INK,
                    fontsize=SMALLEST_TEXT,
                )
    axes.set_xticks(range(classes), [_short(name) for name in names], rotation=40, ha="right")
    axes.set_yticks(range(classes), [_short(name) for name in names])
    axes.grid(visible=False)
    low, high = evaluation.interval
    axes.set(
        xlabel="taken for",
        ylabel="class",
        title=f"{evaluation.correct} of {len(evaluation.pictures)} right: {evaluation.accuracy:.0%}",
    )
    wrong = [
        f"{int(counts[row, column])} of {names[row]} taken for {names[column]}"
        for row in range(classes)
        for column in range(classes)
        if row != column and counts[row, column]
    ]
    return Picture(
        figure,
        alt=f"Confusion matrix: {evaluation.correct} of {len(evaluation.pictures)} held-out pictures right"
        + (f"; {', '.join(wrong)}." if wrong else ", none wrong."),
        caption=f"Measured on the held-out pictures; on others like them, {low:.1%} to {high:.1%} would be "
        "right (95% interval). Stronger shade: a larger share of the class.",
        numbers=Numbers(
            ("class", "pictures", "right (measured)"),
            [
                (name, str(int(counts[row].sum())), str(int(counts[row, row])))
                for row, name in enumerate(names)
            ],
        ),
    )


@styled
def mistakes(evaluation: "Evaluation", count: int = 12) -> Picture:
    """Draw the pictures for which the right class was held least likely: often, their label is the mistake.

    Args:
        evaluation: Of a run that `fine_tune` or `load_run` returned.
        count: How many at most, 1 or more.
    """
    worst = evaluation.worst_mistakes(count)
    rows = max(1, math.ceil(len(worst) / _IN_A_ROW))
    figure = Figure(figsize=(FULL_WIDTH, 2.3 * rows if worst else 0.5), layout="constrained")
    panels = figure.subplots(rows, _IN_A_ROW, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
    for axes, mistake in zip(panels, worst, strict=False):
        pixels = mistake.picture.permute(1, 2, 0).numpy()
        axes.imshow(pixels.squeeze(-1) if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(
            f"{_short(mistake.label)}\ntaken for {_short(mistake.predicted)}, {mistake.probability:.0%}",
            fontsize=SMALLEST_TEXT,
            fontweight="normal",
            pad=3,
        )
    if not worst:
        panels[0].text(0, 0.5, "No held-out picture was classified wrongly.")
    return Picture(
        figure,
        alt=f"The worst mistakes. {'; '.join(map(str, worst)) or 'There are none'}.",
        caption="Held-out pictures with the class of their folder, and the class that the network took them "
        "for, the worst first.",
        numbers=Numbers(
            ("file", "class", "taken for", "probability (measured)"),
            [(row.file, row.label, row.predicted, f"{row.probability:.1%}") for row in worst],
        ),
    )
