"""What the benchmark lab compares at a setting: accuracy over size, and over time here and elsewhere."""

from dataclasses import dataclass, replace

from effnet_edu.labs.benchmark.points import (
    DIMENSIONS,
    HERE,
    Dimension,
    Order,
    Point,
    best,
    buildable,
    next_better,
    ordered,
    orders,
    over_time,
    points_beside,
    sizes,
    timed,
)
from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import only_what_fits
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import spec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PEER_NAMES
from effnet_edu.published.benchmarks import Result

#: How many networks the picture of two orders can hold.
MOST_ORDERED = 11
#: Billions of MACs up to which networks are measured, as far as a learner waits on a CPU.
LIMITS = (0.5, 1.0, 2.0, 5.0, 12.0, 60.0)


@dataclass(frozen=True)
class BenchmarkSetting:
    """What the learner can choose."""

    across: str
    most_ms: int
    least_images_per_second: int
    most_macs: float
    most_parameters: int
    accuracy: str
    beside: str
    batch_size: int
    precision: str
    engine: str
    up_to: float
    device: str

    @property
    def dimension(self) -> Dimension:
        """What the networks are compared by."""
        return DIMENSIONS[self.across]

    @property
    def budget(self) -> float:
        """The most, or the least, of it."""
        return float(getattr(self, self.dimension.budget))

    @property
    def budget_in_words(self) -> str:
        """The budget with its unit, such as `20 ms` or `10 images/s or more`."""
        words = f"{digits(self.budget)} {self.dimension.noun}"
        return f"{words} or more" if self.dimension.more_is_better else words

    @property
    def limit_in_words(self) -> str:
        """The budget as a limit, such as `within 20 ms` or `at 10 images/s or more`."""
        return f"{'at' if self.dimension.more_is_better else 'within'} {self.budget_in_words}"


Benchmark = ForwardLogic[BenchmarkSetting]


def wanted(setting: BenchmarkSetting) -> tuple[Result, ...]:
    """Return the networks that are to be measured at a setting, the cheapest first.

    Other engines run EfficientNets alone.
    """
    left_out = () if setting.engine == "torch" else PEER_NAMES
    return tuple(
        result
        for result in buildable(setting.accuracy)
        if (result.macs or 0.0) <= setting.up_to and result.key not in left_out
    )


def own_networks(setting: BenchmarkSetting) -> tuple[Result, ...]:
    """Return the EfficientNets of them, which can be written as graphs."""
    return tuple(result for result in wanted(setting) if result.key not in PEER_NAMES)


def written(setting: BenchmarkSetting) -> tuple[Result, ...]:
    """Return those that a page can hold as well."""
    own = own_networks(setting)
    return tuple(one for one in own if not only_what_fits(network_of(one), setting.batch_size))


def measurable(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Result, ...]:
    """Return the networks that are to be measured where a lab runs."""
    return wanted(setting) if logic.MEASURES else written(setting)


def network_of(result: Result) -> NetworkSpec:
    """Return an EfficientNet at the image size of its result."""
    return replace(spec(result.key), resolution=int(result.resolution or 0))


def this_device(setting: BenchmarkSetting) -> str:
    """Return what the picture calls this device, with the engine where it is not torch as it is."""
    return HERE if setting.engine == "torch" else f"{HERE}, {setting.engine}"


def kept(
    logic: Benchmark, setting: BenchmarkSetting
) -> dict[tuple[str, int], Record[BenchmarkSetting, Measurement]]:
    """Return the newest measurement of each network under the conditions of a setting."""
    return {
        (record.measurement.network, record.measurement.resolution): record
        for record in logic.history
        if conditions(record.setting) == conditions(setting)
    }


def here(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Point, ...]:
    """Return the networks that were measured on this device, those under other conditions as stale."""
    if setting.dimension.is_size:
        return ()
    newest = kept(logic, setting)
    older = {
        (record.measurement.network, record.measurement.resolution): record
        for record in logic.history
        if record.setting.device == setting.device
    }
    points = []
    for result in buildable(setting.accuracy):
        if (record := newest.get(identity(result)) or older.get(identity(result))) is not None:
            row = timed(record.measurement)
            is_stale = identity(result) not in newest
            where = this_device(record.setting)
            points.append(over_time(result, row, setting.across, "measured", where, is_stale))
    return tuple(points)


def elsewhere(setting: BenchmarkSetting) -> tuple[Point, ...]:
    """Return the networks over their published size, or over their time on the device beside this one."""
    if setting.dimension.is_size:
        return sizes(setting.accuracy, setting.across)
    return points_beside(
        setting.accuracy, setting.across, setting.beside, setting.batch_size, setting.precision
    )


def judged(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Point, ...]:
    """Return the networks among which the budget decides: by size all, by time those measured here.

    Where nothing can be measured, or a page has not begun, those of the other device stand in.
    """
    return here(logic, setting) if is_decided_here(logic, setting) else elsewhere(setting)


def is_decided_here(logic: Benchmark, setting: BenchmarkSetting) -> bool:
    """Return whether the times are those of this device; in a page as soon as there is one."""
    if setting.dimension.is_size:
        return False
    return logic.MEASURES or any(not point.is_stale for point in here(logic, setting))


def winner(logic: Benchmark, setting: BenchmarkSetting) -> Point | None:
    """Return the most accurate network within the budget, or None."""
    return best(judged(logic, setting), setting.dimension, setting.budget)


def winner_beside(logic: Benchmark, setting: BenchmarkSetting) -> Point | None:
    """Return the most accurate network within the budget on the device beside this one, or None."""
    if not is_decided_here(logic, setting):
        return None
    return best(elsewhere(setting), setting.dimension, setting.budget)


def ranking(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Order, Order]:
    """Return two orders of the same networks: by MACs or the device beside, and by what is compared here."""
    accuracy, dimension = setting.accuracy, setting.dimension
    macs = DIMENSIONS["MACs"]
    by_macs = Order("MACs", ordered(sizes(accuracy, "MACs"), macs))
    if dimension.is_size:
        timing = replace(setting, across="throughput")
        throughput = timing.dimension
        order = Order(this_device(setting), ordered(here(logic, timing), throughput))
        if not order.points:
            order = Order(setting.beside, ordered(elsewhere(timing), throughput))
        if not order.points:
            size = "parameters" if setting.across == "MACs" else "MACs"
            order = Order(size, ordered(sizes(accuracy, size), DIMENSIONS[size]))
        left = Order(setting.across, ordered(elsewhere(setting), dimension))
        return orders(left, order, MOST_ORDERED)
    measured, other = ordered(here(logic, setting), dimension), ordered(elsewhere(setting), dimension)
    there = Order(setting.beside, other)
    found = orders(there if other else by_macs, Order(this_device(setting), measured), MOST_ORDERED)
    return found if len(found[0].points) > 1 else orders(by_macs, there, MOST_ORDERED)


def ranking_of_two(logic: Benchmark, a: BenchmarkSetting, b: BenchmarkSetting) -> tuple[Order, Order]:
    """Return the orders of the networks that two settings know."""

    def order(letter: str, setting: BenchmarkSetting) -> Order:
        points = ordered(judged(logic, setting), setting.dimension)
        if len(points) < 2:
            points = ordered(elsewhere(setting), setting.dimension)
        return Order(f"{letter}: by {setting.across}", points)

    return orders(order("A", a), order("B", b), MOST_ORDERED)


def numbers(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Section, ...]:
    """Return what the budget allows, what is published of the best within it, and of that elsewhere."""
    dimension, points = setting.dimension, judged(logic, setting)
    fresh = [point for point in points if not point.is_stale]
    within = [point for point in fresh if dimension.allows(point.x, setting.budget)]
    found = winner(logic, setting)
    counts = [Number("budget", setting.budget, dimension.unit)]
    if fresh:  # of networks that were not measured, none is known to lie within
        counts.append(Number("networks within", len(within), note=f"of {len(fresh)}"))
    sections = [Section("computed", tuple(counts), "computed")]
    if (better := next_better(points, dimension, found)) is not None:
        needs = Number("better needs", better.x, dimension.unit, note=f"({better.result.short})")
        sections.append(Section(better.kind, (needs,), f"{better.kind}: {better.result.name}"))
    if found is not None:
        sections.append(Section("published", _facts(found.result), f"published: {found.result.name}"))
    if (other := winner_beside(logic, setting)) is not None:
        sections += _beside(other, setting)
    return tuple(sections)


def shown_record(logic: Benchmark, setting: BenchmarkSetting) -> Record[BenchmarkSetting, Measurement] | None:
    """Return the measurement of the best within the budget, or of the first network that there is."""
    newest = kept(logic, setting)
    found = winner(logic, setting)
    if found is not None and (record := newest.get(identity(found.result))) is not None:
        return record
    return next((newest[identity(result)] for result in wanted(setting) if identity(result) in newest), None)


def guessed(logic: Benchmark, setting: BenchmarkSetting) -> tuple[Result, Guessed] | None:
    """Return the costliest network that is measured at a setting, and its time or throughput to guess."""
    if setting.dimension.is_size or not (results := measurable(logic, setting)):
        return None
    result, across, truth = results[-1], setting.across, None
    what = "long does" if across == "time" else "many images does"
    verb = "take for a batch here" if across == "time" else "take a second here"
    if (record := kept(logic, setting).get(identity(result))) is not None:
        truth = over_time(result, timed(record.measurement), across, "measured", HERE).x
    return result, Guessed(f"How {what} {result.name} {verb}?", setting.dimension.unit, truth)


def networks(count: int) -> str:
    """Return a count of networks in words."""
    return f"{count} network{'' if count == 1 else 's'}"


def identity(result: Result) -> tuple[str, int]:
    """Return what tells a network at its image size from all others."""
    return result.key, int(result.resolution or 0)


def conditions(setting: BenchmarkSetting) -> tuple[int, str, str, str]:
    """Return under what a time was measured."""
    return setting.batch_size, setting.precision, setting.engine, setting.device


def conditions_in_words(setting: BenchmarkSetting) -> str:
    """Return batch size, precision and another engine than torch in words."""
    words = f"batch {setting.batch_size}, {setting.precision}"
    return words if setting.engine == "torch" else f"{words} in {setting.engine}"


def _facts(result: Result) -> tuple[Number, ...]:
    numbers = [Number("top-1", result.top1, "%", decimals=1)]
    numbers.append(Number("parameters", float(result.parameters), "million"))
    if result.macs is not None:
        numbers.append(Number("MACs", float(result.macs), "billion"))
    if result.resolution is not None:
        numbers.append(Number("input side", result.resolution, "px"))
    return tuple(numbers)


def _beside(point: Point, setting: BenchmarkSetting) -> tuple[Section, Section]:
    dimension = setting.dimension
    top1 = Number("top-1, beside", point.result.top1, "%", decimals=1)
    x = Number(f"{dimension.name}, beside", point.x, dimension.unit, interval=point.interval)
    return (
        Section("published", (top1,), f"published: {point.result.name}"),
        Section(point.kind, (x,), f"{point.kind}: on {setting.beside}"),
    )
