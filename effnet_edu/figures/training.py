"""Curves of one training or of several, epoch by epoch."""

from collections.abc import Mapping, Sequence

from matplotlib.ticker import MaxNLocator

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY, SERIES
from effnet_edu.training.rows import Row

_LOOKS = (*(look[:2] for look in SERIES), (GREY, "v"))


def _of_loss(ended: Mapping[str, Sequence[Row]]) -> str:
    """Return the least test loss at the end, and of a single run when it was less if it ever was."""
    losses = {name: [row.test_loss or 0 for row in rows] for name, rows in ended.items()}
    best = min(losses, key=lambda name: losses[name][-1])
    *before, last = losses[best]
    if len(ended) > 1:
        return f"Least test loss at the end: {best}, {last:.2f}"
    if not before or last <= min(before):
        return f"Test loss ends at {last:.2f}"
    return f"Test loss ends at {last:.2f}, least after epoch {ended[best][before.index(min(before))].epoch}"


def _of_accuracy(ended: Mapping[str, Sequence[Row]]) -> str:
    """Return the highest accuracy at the end, and of a single run where it began."""
    ends = {name: rows[-1].test_accuracy or 0 for name, rows in ended.items()}
    best = max(ends, key=ends.__getitem__)
    if len(ends) > 1:
        return f"Highest at the end: {best}, {ends[best]:.1%}"
    return f"From {ended[best][0].test_accuracy or 0:.1%} right to {ends[best]:.1%}"


@styled
def training_curves(runs: Mapping[str, Sequence[Row]]) -> Picture:
    """Draw loss and test accuracy over the epochs.

    Args:
        runs: Rows by the name of their run, 5 runs at most; rows within an epoch are left out.

    Raises:
        ValueError: There is no run, more than 5, or one without an epoch.
    """
    ended = {name: [row for row in rows if row.ends_epoch] for name, rows in runs.items()}
    if not 1 <= len(ended) <= len(_LOOKS) or not all(ended.values()):
        raise ValueError(
            f"There are {len(ended)} runs; curves need 1 to {len(_LOOKS)}, "
            "each with one finished epoch or more."
        )
    figure, (left, right) = new_figure(3.2, columns=2)
    for (name, rows), (colour, marker) in zip(ended.items(), _LOOKS, strict=False):
        epochs = [row.epoch for row in rows]
        left.plot(epochs, [row.train_loss for row in rows], ".--", color=colour, linewidth=1.3, markersize=4)
        left.plot(
            epochs,
            [row.test_loss or 0 for row in rows],
            color=colour,
            marker=marker,
            markersize=5,
            label=name,
        )
        right.plot(
            epochs,
            [100 * (row.test_accuracy or 0) for row in rows],
            color=colour,
            marker=marker,
            markersize=5,
            label=name,
        )
    last = max(rows[0].epochs for rows in ended.values())
    for axes in (left, right):
        axes.set_xlim(0.5, last + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
    left.set(ylabel="cross-entropy (dashed: training)", title=_of_loss(ended))
    left.set_ylim(bottom=0)
    right.set(ylabel="test accuracy, %", title=_of_accuracy(ended))
    if len(ended) > 1:
        right.legend(loc="lower right")
    told = "; ".join(
        f"{name}: test accuracy {rows[0].test_accuracy or 0:.1%} after epoch {rows[0].epoch}, "
        f"{rows[-1].test_accuracy or 0:.1%} after epoch {rows[-1].epoch}"
        for name, rows in ended.items()
    )
    return Picture(
        figure,
        alt=f"Loss and test accuracy by epoch. {told}.",
        caption="Measured after each epoch. The training loss counts augmented images and smoothed labels, "
        "so it may lie above the test loss.",
        numbers=Numbers(
            (
                "run",
                "epoch",
                "side, px",
                "training loss",
                "test loss",
                "test accuracy (measured)",
                "images/s",
            ),
            [
                (
                    name,
                    str(row.epoch),
                    str(row.side),
                    f"{row.train_loss:.3f}",
                    f"{row.test_loss or 0:.3f}",
                    f"{row.test_accuracy or 0:.1%}",
                    f"{row.images_per_second:,.0f}",
                )
                for name, rows in ended.items()
                for row in rows
            ],
        ),
    )
