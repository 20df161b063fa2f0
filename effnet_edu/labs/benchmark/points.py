"""What the benchmark lab compares: published accuracy over size, and over time here and elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from effnet_edu.model.variants import list_variants
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PEER_NAMES
from effnet_edu.published.benchmarks import DEVICES, Result, results, speed_of
from effnet_edu.studies.devices.records import recorded_devices

#: The device that a learner sits at, and none beside it.
HERE, NOWHERE = "this device", "none"

Where = Literal["published", "measured", "recorded"]


@dataclass(frozen=True)
class Dimension:
    """What a budget can be of.

    Attributes:
        name: What the learner chooses.
        title: Name and unit, for an axis.
        unit: Unit of the budget.
        noun: The unit as a sentence says it.
        budget: Name of the setting that holds it.
        more_is_better: Whether the budget is a least and not a most.
        is_size: Whether it belongs to the network, wherever it runs.
    """

    name: str
    title: str
    unit: str
    noun: str
    budget: str
    more_is_better: bool = False
    is_size: bool = False

    def allows(self, x: float, budget: float) -> bool:
        """Return whether something is within a budget."""
        return x >= budget if self.more_is_better else x <= budget

    def order(self, x: float) -> float:
        """Return what to sort by, the better first."""
        return -x if self.more_is_better else x


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("time", "time a batch, ms", "ms", "ms", "most_ms"),
        Dimension(
            "throughput", "throughput, images/s", "images/s", "images/s", "least_images_per_second", True
        ),
        Dimension("MACs", "MACs of an image, billions", "billion", "billion MACs", "most_macs", is_size=True),
        Dimension(
            "parameters",
            "parameters, millions",
            "million",
            "million parameters",
            "most_parameters",
            is_size=True,
        ),
    )
}


@dataclass(frozen=True)
class Point:
    """A published accuracy over what the network takes or gives.

    Attributes:
        result: The network, its accuracy and who printed it.
        x: Along the dimension.
        kind: Where x comes from.
        device: That x belongs to; empty for a size.
        source: Where x stands, or when it was measured.
        interval: 95% interval of a measured x.
        is_stale: Whether it was measured under other conditions than those that are set.
    """

    result: Result
    x: float
    kind: Where
    device: str
    source: str
    interval: tuple[float, float] | None = None
    is_stale: bool = False

    def __str__(self) -> str:
        return f"{self.result.name}, {self.result.top1:.1f}%"


@dataclass(frozen=True)
class Timed:
    """One network on one device under one condition.

    Attributes:
        key: The network.
        resolution: Side of the image in pixels.
        batch_size: Images at once.
        precision: Type of the numbers.
        median_ms: Time of a batch.
        low_ms: Lower end of its 95% interval.
        high_ms: Upper end.
        when: When it was measured.
    """

    key: str
    resolution: int
    batch_size: int
    precision: str
    median_ms: float
    low_ms: float
    high_ms: float
    when: str


def timed(measured: Measurement) -> Timed:
    """Return what this lab needs of a measurement."""
    return Timed(
        measured.network, measured.resolution, measured.batch_size, measured.precision,
        measured.median_ms, measured.low_ms, measured.high_ms, measured.measured_at,
    )  # fmt: skip


@dataclass(frozen=True)
class RecordedDevice:
    """A device that this project measured.

    Attributes:
        name: What its maker calls it.
        rows: Everything that was timed on it.
    """

    name: str
    rows: tuple[Timed, ...]

    @property
    def conditions(self) -> tuple[tuple[int, str], ...]:
        """Every pair of batch size and precision under which networks were ranked, smallest batch first."""
        return tuple(sorted({(row.batch_size, row.precision) for row in self.rows}))


@cache
def recorded() -> Mapping[str, RecordedDevice]:
    """Return the devices that this project measured, by name."""
    found = {}
    for records in recorded_devices().values():
        if "networks" not in records:
            continue
        where = records["networks"].provenance
        rows = [_recorded(row, row["precision"], where.started) for row in records["networks"].data["rows"]]
        conditions = {(row.batch_size, row.precision) for row in rows}
        peers = records["resnet50"].data["rows"] if "resnet50" in records else ()
        rows += [
            _recorded(row, "fp32", where.started)
            for row in peers
            if row["network"] in PEER_NAMES
            and row["memory_format"] == "contiguous"
            and (row["batch_size"], "fp32") in conditions
        ]
        found[where.device] = RecordedDevice(where.device, tuple(rows))
    return found


def _recorded(row: Mapping[str, object], precision: str, when: str) -> Timed:
    side, batch, median, low, high = (
        row[name] for name in ("resolution", "batch_size", "median_ms", "low_ms", "high_ms")
    )
    return Timed(
        str(row["network"]), int(str(side)), int(str(batch)), precision,
        float(str(median)), float(str(low)), float(str(high)), when[:10],
    )  # fmt: skip


@cache
def devices_beside() -> tuple[str, ...]:
    """Return the devices that can stand beside this one: none, recorded ones, published ones."""
    return (NOWHERE, *recorded(), *DEVICES)


@cache
def buildable(publisher: str) -> tuple[Result, ...]:
    """Return the results of networks that can be built and measured here, the cheapest first, each once."""
    known = {*list_variants(), *PEER_NAMES}
    found: dict[tuple[str, int], Result] = {}
    for result in results(publisher):
        if result.key in known and result.resolution is not None:
            found.setdefault((result.key, result.resolution), result)
    return tuple(sorted(found.values(), key=lambda result: result.macs or 0.0))


@cache
def sizes(publisher: str, dimension: str) -> tuple[Point, ...]:
    """Return every network over its published parameters or MACs."""
    found = []
    for result in results(publisher):
        x = result.macs if dimension == "MACs" else result.parameters
        if x is not None:
            found.append(Point(result, x, "published", "", result.source))
    return tuple(found)


@cache
def points_beside(
    publisher: str, dimension: str, device: str, batch_size: int, precision: str
) -> tuple[Point, ...]:
    """Return every network over its time or throughput on another device."""
    if device in recorded():
        rows: dict[tuple[str, int | None], Timed] = {
            (row.key, row.resolution): row
            for row in recorded()[device].rows
            if (row.batch_size, row.precision) == (batch_size, precision)
        }
        return tuple(
            over_time(result, rows[result.key, result.resolution], dimension, "recorded", device)
            for result in results(publisher)
            if (result.key, result.resolution) in rows
        )
    if device not in DEVICES or (dimension == "time" and DEVICES[device].batch_size is None):
        return ()
    found = []
    for result in results(publisher):
        if (speed := speed_of(result, device)) is not None:
            rate, batch = speed.images_per_second, DEVICES[device].batch_size
            x = 1000 * batch / rate if dimension == "time" and batch else rate
            found.append(Point(result, x, "published", device, speed.source))
    return tuple(found)


def over_time(
    result: Result, row: Timed, dimension: str, kind: Where, device: str, is_stale: bool = False
) -> Point:
    """Return a network over its time or throughput."""
    ends = (row.low_ms, row.high_ms)
    if dimension == "time":
        return Point(result, row.median_ms, kind, device, row.when, ends, is_stale)
    low, high = (1000 * row.batch_size / ms for ms in reversed(ends))
    return Point(result, 1000 * row.batch_size / row.median_ms, kind, device, row.when, (low, high), is_stale)


def best(points: Iterable[Point], dimension: Dimension, budget: float) -> Point | None:
    """Return the most accurate network within a budget, the cheaper one of equals; None if there is none."""
    within = [point for point in points if not point.is_stale and dimension.allows(point.x, budget)]
    return max(within, key=lambda point: (point.result.top1, -dimension.order(point.x)), default=None)


def next_better(points: Iterable[Point], dimension: Dimension, found: Point | None) -> Point | None:
    """Return the cheapest network that is more accurate than the best within the budget, or None."""
    above = [
        point
        for point in points
        if not point.is_stale and (found is None or point.result.top1 > found.result.top1)
    ]
    return min(above, key=lambda point: dimension.order(point.x), default=None)


@dataclass(frozen=True)
class Order:
    """Networks in order, the cheapest or fastest first.

    Attributes:
        title: What they are ordered by.
        points: The networks.
    """

    title: str
    points: tuple[Point, ...]


def orders(left: Order, right: Order, most: int) -> tuple[Order, Order]:
    """Return two orders of the networks that both know, each once and no more than `most` of them.

    Where there are too many, they are taken evenly from the left order.

    Args:
        left: One order.
        right: The other.
        most: How many networks at most.
    """
    a, b = _by_network(left.points), _by_network(right.points)
    both = [network for network in a if network in b]
    if len(both) > most:
        both = [both[round(n * (len(both) - 1) / (most - 1))] for n in range(most)]
    kept = set(both)
    return (
        Order(left.title, tuple(a[network] for network in both)),
        Order(right.title, tuple(b[network] for network in b if network in kept)),
    )


def _by_network(points: Sequence[Point]) -> dict[tuple[str, int | None], Point]:
    found: dict[tuple[str, int | None], Point] = {}
    for point in points:
        found.setdefault((point.result.key, point.result.resolution), point)
    return found


def ordered(points: Iterable[Point], dimension: Dimension) -> tuple[Point, ...]:
    """Return networks with the cheapest, or fastest, first."""
    fresh = [point for point in points if not point.is_stale]
    return tuple(sorted(fresh, key=lambda point: dimension.order(point.x)))
