"""The figure of the study `scaling`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import bars, caption, cells, stamped, within_percent
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import DIMENSIONS, SCALINGS
from effnet_edu.studies.networks import WAYS
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.scaling import findings as scaling_findings
from effnet_edu.studies.words import IMAGES


def _beside(macs: float, index: float) -> float:
    """Return where one of four marks of equal cost stands on a logarithmic axis: none hides another."""
    return float(macs / 1e6 * 1.035 ** (index - 1.5))


def _decided(result: StudyResult, images: str) -> str:
    """Return which single dimensions compound scaling is shown to beat, to lose to, or to equal."""
    led = {way: scaling_findings.advantage(result, images, "compound", way) for way in WAYS[:3]}
    equal = [way for way, lead in led.items() if lead.lies_within(scaling_findings.BOUND)]
    parted = {way: lead.mean > 0 for way, lead in led.items() if lead.decides_sign and way not in equal}
    sorted_out = {
        "beats": [way for way, wins in parted.items() if wins],
        "loses to": [way for way, wins in parted.items() if not wins],
        "equals": equal,
    }
    parts = [f"{verb} {' and '.join(ways)}" for verb, ways in sorted_out.items() if ways]
    return f"{IMAGES[images]}: compound\n{', '.join(parts) or 'is told from none of the three'}"


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy over MACs for the four ways of scaling, a panel for each set of images."""
    sets = result.label_values("images")
    figure, panels = new_figure(4.2, columns=len(sets))
    rows, ends, cut = [], [], ""
    for images, axes in zip(sets, panels, strict=True):
        curves = {way: scaling_findings.curve(result, images, way) for way in WAYS}
        for index, (way, points) in enumerate(curves.items()):
            bars(
                axes,
                [_beside(point.macs, index if point.level else 1.5) for point in points],
                [point.accuracy.scaled(100) for point in points],
                SCALINGS[way],
                label=f"by {way}" if way in DIMENSIONS else way,
            )
            rows += [
                (
                    IMAGES[images],
                    way if point.level else "base",
                    point.network,
                    f"{point.macs / 1000000.0:.2f}",
                    *cells(point.accuracy),
                )
                for point in points
                if point.level or way == WAYS[0]
            ]
        ticks = [round(point.macs / 1e6, 1) for point in curves["depth"]]
        plain_log_axis(axes, "x", ticks, [f"{tick:g}" for tick in ticks])
        axes.set(xlabel="MACs for one image, M (computed)", title=_decided(result, images))
        cut = cut or within_percent(axes)
        last = {way: points[-1] for way, points in curves.items()}
        ends.append(
            f"on {IMAGES[images]} from {100 * curves['depth'][0].accuracy.mean:.1f}% at "
            f"{curves['depth'][0].macs / 1e6:.2f} M to "
            + ", ".join(f"{100 * point.accuracy.mean:.1f}% by {way}" for way, point in last.items())
            + f" at {last['depth'].macs / 1e6:.2f} M"
        )
    panels[0].set_ylabel("test accuracy, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(WAYS))
    return Picture(
        stamped(figure, result),
        alt=f"Measured accuracy over MACs for one small base scaled in four ways: {'; '.join(ends)}.",
        caption=caption(
            "Filled marks: mean test accuracy after the last epoch; lines join them. Marks of one cost stand "
            f"beside each other, so that none hides another. Each panel has a scale of its own.{cut}",
            result,
        ),
        numbers=Numbers(
            ("images", "scaled by", "network", "MACs (computed), M", "accuracy (recorded), %", "interval, %"),
            rows,
        ),
    )
