"""The figure of the study `fused`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import PLAIN, bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.studies.fused import findings
from effnet_edu.studies.result import StudyResult


def _changed(points: list[findings.FusedPoint]) -> str:
    """Return where accuracy changes most among the networks of which the study decides that it does."""
    decided = [point for point in points[1:] if point.gain.decides_sign]
    if not decided:
        return "No change of accuracy is decided"
    most = max(decided, key=lambda point: abs(point.gain.mean))
    return f"{most.fused_stages} fused: {100 * most.gain.mean:+z.1f} points over none"


def _fastest(points: list[findings.FusedPoint]) -> str:
    """Return which network is the fastest, or that none is surely faster than the one without."""
    best = max(points, key=lambda point: point.speed.mean)
    if best.speed.count > 1 and best.speed.low > 1:
        return f"{best.fused_stages} fused: {best.speed.mean:.2f} times as fast as none"
    slower = sum(point.speed.count > 1 and point.speed.high < 1 for point in points[1:])
    return f"None surely faster, {slower} of {len(points) - 1} surely slower"


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy and training throughput over the number of fused stages."""
    points = findings.fused_points(result)
    figure, (left, right) = new_figure(3.6, columns=2)
    places = [float(point.fused_stages) for point in points]
    for axes, values, label, title in (
        (left, [point.accuracy.scaled(100) for point in points], "test accuracy, %", _changed(points)),
        (right, [point.images_per_second for point in points], "training images/s", _fastest(points)),
    ):
        bars(axes, places, values, PLAIN, linestyle="none")
        axes.set(xlabel="fused stages, from the first", ylabel=label, title=title)
        axes.set_xticks(places, [f"{place:g}" for place in places])
    cut = within_percent(left)
    right.set_ylim(bottom=0)
    fastest = max(points, key=lambda point: point.images_per_second.mean)
    return Picture(
        stamped(figure, result),
        alt=f"From 0 to {points[-1].fused_stages} fused stages: accuracy "
        + ", ".join(f"{100 * point.accuracy.mean:.1f}%" for point in points)
        + "; training images/s "
        + ", ".join(f"{point.images_per_second.mean:,.0f}" for point in points)
        + f". Fastest with {fastest.fused_stages} fused.",
        caption=caption(f"Throughput: median epoch of each run, measured alone on the device.{cut}", result),
        numbers=Numbers(
            (
                "fused stages",
                "parameters",
                "MACs (computed), M",
                "accuracy (recorded), %",
                "interval, %",
                "images/s (recorded)",
                "times the speed of none",
            ),
            [
                (
                    str(point.fused_stages),
                    f"{point.parameters:,}",
                    f"{point.macs / 1e6:.2f}",
                    *cells(point.accuracy),
                    f"{point.images_per_second.mean:,.0f}",
                    f"{point.speed.mean:.2f} ({point.speed.low:.2f} to {point.speed.high:.2f})",
                )
                for point in points
            ],
        ),
    )
