"""What it costs to run weights with other conventions or preprocessing than they were trained with."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import FAINT, GREY, INK

if TYPE_CHECKING:  # a figure needs no torch
    from effnet_edu.images.mismatch import Mismatch

#: Marks of a photograph whose class stayed, and of one whose class changed.
_LOOKS: dict[bool, dict[str, Any]] = {
    False: {"marker": "o", "color": GREY},
    True: {"marker": "X", "color": INK, "markersize": 9},
}


@styled
def mismatches(measured: Sequence["Mismatch"], weights: str) -> Picture:
    """Draw the logit error of each wrong choice, a mark for each photograph, crosses where the class changed.

    Args:
        measured: What `measure_mismatches` returned.
        weights: Whose weights they are, in a few words.

    Raises:
        ValueError: Nothing was measured.
    """
    if not measured:
        raise ValueError("There is nothing to draw; measure one photograph or more.")
    changes = list(dict.fromkeys(row.change for row in measured))
    photographs = list(dict.fromkeys(row.photograph for row in measured))
    by_change = {change: [row for row in measured if row.change == change] for change in changes}
    figure, (axes,) = new_figure(1.1 + 0.42 * len(changes))
    for place, rows in enumerate(by_change.values()):
        errors = [100 * row.logit_error for row in rows]
        axes.plot([min(errors), max(errors)], [place, place], color=FAINT, linewidth=4, zorder=1)
        axes.plot([median(errors)] * 2, [place - 0.22, place + 0.22], color=INK, linewidth=1.6, zorder=2)
        for row, error in zip(rows, errors, strict=True):
            axes.plot([error], [place], **_LOOKS[row.flipped], zorder=3)
    for flipped, label in ((False, "same class"), (True, "another class")):
        axes.plot([], [], linestyle="", **_LOOKS[flipped], label=label)
    axes.plot([], [], "|", color=INK, markersize=10, markeredgewidth=1.6, label="median")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_yticks(range(len(changes)), changes)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    worst = max(by_change, key=lambda change: median(row.logit_error for row in by_change[change]))
    title = f"Largest error: {worst}, {100 * median(row.logit_error for row in by_change[worst]):.0f}%"
    axes.set(xlabel="error of the logits, %", title=title)
    lines = "; ".join(
        f"{change} {100 * median(row.logit_error for row in rows):.0f}%, "
        f"another class for {sum(row.flipped for row in rows)} of {len(rows)}"
        for change, rows in by_change.items()
    )
    return Picture(
        figure,
        alt=f"Logit errors of {weights} with one thing wrong, median over {len(photographs)} photographs: "
        f"{lines}.",
        caption=f"Measured with {weights} on {len(photographs)} photographs ({', '.join(photographs)}). "
        "Error: norm of the difference over the norm of the right logits.",
        numbers=Numbers(
            ("wrong", "photograph", "logit error (measured), %", "class", "right class"),
            [
                (row.change, row.photograph, f"{100 * row.logit_error:.1f}", row.label, row.right_label)
                for row in measured
            ],
        ),
    )
