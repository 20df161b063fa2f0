"""The figure of the study `fused`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import SERIES, bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.studies.fused import findings as fused_findings
from effnet_edu.studies.result import StudyResult


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy and training throughput over the number of fused stages."""
    points = fused_findings.fused_points(result)
    figure, (left, right) = new_figure(3.6, columns=2)
    places = [float(point.fused_stages) for point in points]
    for axes, values, look, label, title in (
        (left, [point.accuracy.scaled(100) for point in points], SERIES[0], "test accuracy, %", "Accuracy"),
        (
            right,
            [point.images_per_second for point in points],
            SERIES[1],
            "training images/s",
            "Speed on this device",
        ),
    ):
        bars(axes, places, values, look[:2], linestyle="none")
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
