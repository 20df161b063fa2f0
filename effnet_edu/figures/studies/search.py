"""The figure of the study `search`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import finding, new_figure, styled
from effnet_edu.ground.palette import COMPOUND, INK
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.search import findings as search_findings


@styled
def draw(result: StudyResult) -> Picture:
    """Draw the accuracy of each point at twice the cost: a panel for each alpha, over gamma."""
    points = search_findings.surface(result)
    alphas = sorted({point.alpha for point in points})
    figure, panels = new_figure(4.0, columns=len(alphas))
    for alpha, axes in zip(alphas, panels, strict=True):
        line = sorted((point for point in points if point.alpha == alpha), key=lambda point: point.gamma)
        gammas = [point.gamma for point in line]
        bars(axes, gammas, [point.accuracy.scaled(100) for point in line], (COMPOUND, "D"))
        for point in line:
            axes.annotate(
                f"{point.beta:.2f}",
                (point.gamma, 100 * point.accuracy.high),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color=INK,
            )
        axes.set(xlabel="gamma")
        axes.set_title(f"alpha {alpha:g}", fontweight="normal")
        axes.set_xlim(
            min(point.gamma for point in points) - 0.08, max(point.gamma for point in points) + 0.08
        )
    ends = [axes.get_ylim() for axes in panels]
    for axes in panels:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends) + 2)
        within_percent(axes)
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel("test accuracy, %")
    best, worst = points[0], points[-1]
    rivals = sum(point.may_be_best for point in points[1:])
    finding(
        figure,
        f"Best: {best}, {100 * best.accuracy.mean:.1f}%; {rivals} of the {len(points) - 1} others cannot be "
        "told from it",
    )
    return Picture(
        stamped(figure, result),
        alt=f"Accuracy of {len(points)} ways to spend twice the MACs: best {best} with "
        f"{100 * best.accuracy.mean:.1f}%, worst {worst} with {100 * worst.accuracy.mean:.1f}%; "
        f"{rivals} others cannot be told from the best.",
        caption=caption(
            "Each mark is a network with twice the counted MACs of the base, within 3%; the number above is "
            "beta, which follows from alpha and gamma.",
            result,
        ),
        numbers=Numbers(
            ("alpha", "beta", "gamma", "MACs (computed), M", "accuracy (recorded), %", "interval, %"),
            [
                (
                    f"{point.alpha:g}",
                    f"{point.beta:.2f}",
                    f"{point.gamma:.2f}",
                    f"{point.macs / 1000000.0:.2f}",
                    *cells(point.accuracy),
                )
                for point in points
            ],
        ),
    )
