"""What accuracy each way of spending a budget bought: published by the paper, and in our own study."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from effnet_edu.published import Row, read
from effnet_edu.studies import read as read_study
from effnet_edu.studies.networks import WAYS, Way
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.scaling.findings import curve

#: The networks whose scaling the paper prints; B0 in figures 3 and 8, the others in table 3.
B0 = "EfficientNet-B0"
PAPERS = (B0, "MobileNetV1", "MobileNetV2", "ResNet-50")

#: The sets of images of the study, as a learner reads them.
IMAGES = {"glyphs": "glyphs", "Fashion-MNIST": "fashion_mnist"}


@dataclass(frozen=True)
class Point:
    """One network that somebody trained.

    Attributes:
        way: How it was scaled; the base belongs to each way.
        name: Its coefficient as printed, such as `d = 4`, or `base`.
        macs: Multiply-adds of one image.
        percent: Top-1 accuracy.
        interval: 95% interval of it, of a recorded one with several seeds.
        source: Where it stands.
    """

    way: Way
    name: str
    macs: float
    percent: float
    interval: tuple[float, float] | None
    source: str


@cache
def published(paper: str, way: Way) -> tuple[Point, ...]:
    """Return the published networks of one way, by rising MACs; empty where there is none.

    For B0, depth, width and resolution come from figure 3, whose base has 0.50 billion MACs, and compound
    from figure 8, whose base has 0.39: the paper draws both and does not explain it.

    Args:
        paper: One of `PAPERS`.
        way: How it was scaled.

    Source: arXiv:1905.11946v5, figures 3 and 8, table 3.
    """
    if paper != B0:
        rows = read("effnet_table3_scaling").where(network=paper)
        if way not in rows.column("scaling"):
            return ()
        return tuple(
            _point(way, row, str(row["coefficients"] or way), "table 3")
            if row["scaling"] == way
            else _point(way, row, "base", "table 3")
            for row in rows
            if row["scaling"] in ("baseline", way)
        )
    if way == "compound":
        rows = read("effnet_fig8").where(method="compound scaling")
        return tuple(_point(way, row, f"B{row['point']}", "figure 8") for row in rows)
    rows = read("effnet_fig3").where(dimension=way)
    return tuple(
        _point(way, row, f"{row['symbol']} = {row.number('coefficient'):g}", "figure 3") for row in rows
    )


def _point(way: Way, row: Row, name: str, place: str) -> Point:
    macs, percent = 1e9 * row.number("macs_billions"), row.number("top1_percent")
    return Point(way, name.replace("=", " = ").replace("  ", " "), macs, percent, None, place)


@cache
def study() -> StudyResult | None:
    """Return the recorded study of scaling, or None where its result is not there."""
    try:
        return read_study("scaling")
    except FileNotFoundError:
        return None


@cache
def recorded(images: str, way: Way) -> tuple[Point, ...]:
    """Return the networks of one way in our study, by rising MACs; empty where it was not recorded."""
    result = study()
    if result is None or IMAGES[images] not in result.label_values("images"):
        return ()
    points = []
    for point in curve(result, IMAGES[images], way):
        accuracy = point.accuracy.scaled(100)
        interval = (accuracy.low, accuracy.high) if accuracy.count > 1 else None
        name = "base" if point.level == 0 else f"level {point.level}"
        points.append(Point(way, name, point.macs, accuracy.mean, interval, result.label))
    return tuple(points)


def nearest(points: Sequence[Point], macs: float) -> Point | None:
    """Return the point whose MACs are nearest by ratio, or None of none."""
    return min(points, key=lambda point: abs(math.log(point.macs / macs)), default=None)


@cache
def span(paper: str) -> tuple[int, int]:
    """Return whole percents below and above all published accuracies of a network."""
    percents = [point.percent for way in WAYS for point in published(paper, way)]
    return math.floor(min(percents)), math.ceil(max(percents))
