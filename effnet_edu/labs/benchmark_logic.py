"""What the benchmark lab does, without a widget: published accuracy over size and over measured time."""

from dataclasses import dataclass, replace
from typing import Any

import traitlets

from effnet_edu.labs.benchmark_points import (
    DIMENSIONS,
    HERE,
    NOWHERE,
    Dimension,
    Order,
    Point,
    best,
    buildable,
    next_better,
    ordered,
    orders,
    over_time,
    places,
    points_beside,
    recorded,
    sizes,
    timed,
)
from effnet_edu.labs.forward_logic import ForwardLogic, advice
from effnet_edu.labs.logic import Record, RoundedFloat, Status, Watch
from effnet_edu.labs.numbers import Number, Section, digits
from effnet_edu.profiling.cancel import Cancelled
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PEER_NAMES, PRECISION_BYTES
from effnet_edu.published.benchmarks import DEVICES, PUBLISHERS, Result, plain_name

#: How long each network is timed: rather many networks soon than one network well.
SECONDS = 0.5
#: How many networks the picture of two orders can hold.
MOST_ORDERED = 11
#: Billions of MACs up to which networks are measured, as far as a learner waits on a CPU.
LIMITS = (0.5, 1.0, 2.0, 5.0, 12.0, 60.0)


@dataclass(frozen=True)
class Setting:
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


class BenchmarkLogic(ForwardLogic[Setting]):
    """Compare published networks by size, or by the time that they take here and elsewhere.

    The networks that can be built here are measured in turn, the cheapest first; each is kept with its batch
    size and precision, so that none is measured twice unless asked for.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the fields of `Setting`.
    """

    LAB = "BenchmarkLab"
    SETTING = Setting
    INVITATION = "Press Measure, or change something: the networks are then measured in turn."
    UNMEASURED = ("Nothing measured yet: press Measure,", "or choose another device to stand beside.")

    across = traitlets.Enum(tuple(DIMENSIONS), "time", help="time or size")
    most_ms = traitlets.Int(50, min=1, max=1000, help="at most")
    least_images_per_second = traitlets.Int(20, min=0, max=20_000, help="at least")
    most_macs = RoundedFloat(2.0, min=0.1, max=60.0, help="at most")
    most_parameters = traitlets.Int(20, min=1, max=600, help="at most")
    accuracy = traitlets.Enum(PUBLISHERS, "papers", help="as tested by")
    beside = traitlets.Unicode(help="another device")
    batch_size = traitlets.Int(1, min=1, max=1024, help="images at once")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of all numbers")
    up_to = traitlets.Enum(LIMITS, 5.0, help="billion MACs, measured")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._again: frozenset[tuple[str, int]] = frozenset()
        self._sweep: Setting | None = None
        self._refused: dict[tuple[str, int, int, str, str], str] = {}
        super().__init__(device, **settings)

    @traitlets.default("beside")
    def _default_beside(self) -> str:
        return next(iter(recorded()), NOWHERE)

    @traitlets.validate("beside")
    def _check_beside(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if value not in places():
            raise traitlets.TraitError(f"beside is {value!r}; it must be one of {', '.join(places())}.")
        return value

    def follow(self, name: str) -> None:
        """Take a recorded device's batch and precision; leave time where only throughput is published."""
        if name == "beside" and self.beside in recorded():
            known = recorded()[self.beside].conditions
            if (self.batch_size, self.precision) not in known:
                self.batch_size, self.precision = known[0]
        device = DEVICES.get(self.beside)
        if device is not None and device.batch_size is None and self.across == "time":
            if name == "beside":
                self.across = "throughput"
            elif name == "across":
                self.beside = NOWHERE

    def label(self, setting: Setting) -> str:
        """Return the conditions and the budget."""
        return f"{_conditions_in_words(setting)}, budget {setting.budget_in_words}"

    def measured_label(self, setting: Setting) -> str:
        """Return the conditions: the budget has no part in a measurement."""
        return _conditions_in_words(setting)

    def essence(self, setting: Setting) -> Setting:
        """Times depend neither on the budget nor on what they are shown with."""
        names = ("across", *(dimension.budget for dimension in DIMENSIONS.values()), "beside")
        return replace(setting, **{name: self._default(name) for name in names})

    # ---------------------------------------------------------------- what is compared

    def wanted(self, setting: Setting) -> tuple[Result, ...]:
        """Return the networks that are to be measured at a setting, the cheapest first.

        Args:
            setting: Any setting.
        """
        return tuple(
            result for result in buildable(setting.accuracy) if (result.macs or 0.0) <= setting.up_to
        )

    def missing(self, setting: Setting) -> tuple[Result, ...]:
        """Return those of them that were not measured yet under these conditions, and did not fail to fit.

        Args:
            setting: Any setting.
        """
        kept = self._kept(setting)
        return tuple(
            result
            for result in self.wanted(setting)
            if (_place(result) not in kept or _place(result) in self._again)
            and (*_place(result), *_conditions(setting)) not in self._refused
        )

    def _kept(self, setting: Setting) -> dict[tuple[str, int], Record[Setting, Measurement]]:
        """Return the newest measurement of each network under the conditions of a setting."""
        return {
            (record.measurement.network, record.measurement.resolution): record
            for record in self.history
            if _conditions(record.setting) == _conditions(setting)
        }

    def here(self, setting: Setting) -> tuple[Point, ...]:
        """Return the networks that were measured on this device, those under other conditions as stale.

        Args:
            setting: Any setting; empty where it compares by size.
        """
        if setting.dimension.is_size:
            return ()
        kept = self._kept(setting)
        older = {
            (record.measurement.network, record.measurement.resolution): record
            for record in self.history
            if record.setting.device == setting.device
        }
        points = []
        for result in buildable(setting.accuracy):
            if (record := kept.get(_place(result)) or older.get(_place(result))) is not None:
                row = timed(record.measurement)
                is_stale = _place(result) not in kept
                points.append(over_time(result, row, setting.across, "measured", HERE, is_stale))
        return tuple(points)

    def elsewhere(self, setting: Setting) -> tuple[Point, ...]:
        """Return the networks over their published size, or over their time on the device beside this one.

        Args:
            setting: Any setting.
        """
        if setting.dimension.is_size:
            return sizes(setting.accuracy, setting.across)
        return points_beside(
            setting.accuracy, setting.across, setting.beside, setting.batch_size, setting.precision
        )

    def judged(self, setting: Setting) -> tuple[Point, ...]:
        """Return the networks among which the budget decides: by size all, by time those measured here.

        Where nothing can be measured, those of the other device stand in.

        Args:
            setting: Any setting.
        """
        is_here = self.MEASURES and not setting.dimension.is_size
        return self.here(setting) if is_here else self.elsewhere(setting)

    def best(self, setting: Setting) -> Point | None:
        """Return the most accurate network within the budget, or None.

        Args:
            setting: Any setting.
        """
        return best(self.judged(setting), setting.dimension, setting.budget)

    def best_beside(self, setting: Setting) -> Point | None:
        """Return the most accurate network within the budget on the device beside this one, or None.

        Args:
            setting: Any setting.
        """
        if setting.dimension.is_size or not self.MEASURES:
            return None
        return best(self.elsewhere(setting), setting.dimension, setting.budget)

    def ranking(self, setting: Setting) -> tuple[Order, Order]:
        """Return two orders of the same networks: by MACs or the device beside, and by what is compared here.

        Args:
            setting: Any setting.
        """
        accuracy, dimension = setting.accuracy, setting.dimension
        macs = DIMENSIONS["MACs"]
        by_macs = Order("MACs", ordered(sizes(accuracy, "MACs"), macs))
        if dimension.is_size:
            timing = replace(setting, across="throughput")
            throughput = timing.dimension
            order = Order(HERE, ordered(self.here(timing), throughput))
            if not order.points:
                order = Order(setting.beside, ordered(self.elsewhere(timing), throughput))
            if not order.points:
                size = "parameters" if setting.across == "MACs" else "MACs"
                order = Order(size, ordered(sizes(accuracy, size), DIMENSIONS[size]))
            left = Order(setting.across, ordered(self.elsewhere(setting), dimension))
            return orders(left, order, MOST_ORDERED)
        measured, other = ordered(self.here(setting), dimension), ordered(self.elsewhere(setting), dimension)
        there = Order(setting.beside, other)
        found = orders(there if other else by_macs, Order(HERE, measured), MOST_ORDERED)
        return found if len(found[0].points) > 1 else orders(by_macs, there, MOST_ORDERED)

    def ranking_of_two(self, a: Setting, b: Setting) -> tuple[Order, Order]:
        """Return the orders of the networks that two settings know.

        Args:
            a: The pinned setting.
            b: The present one.
        """

        def order(letter: str, setting: Setting) -> Order:
            points = ordered(self.judged(setting), setting.dimension)
            if len(points) < 2:
                points = ordered(self.elsewhere(setting), setting.dimension)
            return Order(f"{letter}: by {setting.across}", points)

        return orders(order("A", a), order("B", b), MOST_ORDERED)

    # ---------------------------------------------------------------- numbers

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what the budget allows, what is published of the best within it, and of that elsewhere."""
        dimension, points = setting.dimension, self.judged(setting)
        fresh = [point for point in points if not point.is_stale]
        within = [point for point in fresh if dimension.allows(point.x, setting.budget)]
        found = self.best(setting)
        counts = [Number("budget", setting.budget, dimension.unit)]
        counts.append(Number("networks within", len(within), note=f"of {len(fresh)}"))
        if (better := next_better(points, dimension, found)) is not None:
            counts.append(Number("better needs", better.x, dimension.unit, note=f"({better.result.short})"))
        sections = [Section("computed", tuple(counts), "computed")]
        if found is not None:
            sections.append(Section("published", _facts(found.result), f"published: {found.result.name}"))
        if (other := self.best_beside(setting)) is not None:
            sections += _beside(other, setting)
        return tuple(sections)

    def shown_record(self, setting: Setting) -> Record[Setting, Measurement] | None:
        """Return the measurement of the best within the budget, or of the first network that there is.

        Args:
            setting: Any setting.
        """
        kept = self._kept(setting)
        found = self.best(setting)
        if found is not None and (record := kept.get(_place(found.result))) is not None:
            return record
        return next((kept[_place(result)] for result in self.wanted(setting) if _place(result) in kept), None)

    def sections(self, setting: Setting) -> tuple[Section, ...]:
        """Return all numbers at a setting, with what was measured of the best network."""
        record = self.shown_record(setting)
        if record is None:
            return self.numbers(setting)
        caption = f"measured: {plain_name(record.measurement.network)}"
        return (*self.numbers(setting), Section("measured", self.measured(record), caption))

    def shown(self) -> tuple[Section, ...]:
        """Return all numbers at the present setting; an older measurement as stale where there is none."""
        setting, record = self.setting, self.latest
        if record is None or self.shown_record(setting) is not None:
            return self.sections(setting)
        name, when = plain_name(record.measurement.network), _conditions_in_words(record.setting)
        caption = f"measured before: {name}, {when}"
        return (*self.numbers(setting), Section("measured", self.measured(record), caption, is_stale=True))

    # ---------------------------------------------------------------- measuring

    @property
    def is_fresh(self) -> bool:
        """Whether everything wanted at the present setting was measured."""
        return not self.missing(self.setting)

    def measure(self, delay: float = 0.0) -> None:
        """Measure what is missing at the present setting, or everything once more when asked for at once.

        Args:
            delay: Seconds to wait first, in case something changes; without it everything is measured again.
        """
        setting = self.setting
        with self._speaking:
            if delay and self.status.is_busy and self._sweep == self.essence(setting):
                return
            self._sweep = self.essence(setting)
            self._again = frozenset() if delay else frozenset(map(_place, self.wanted(setting)))
            if not delay:
                self._refused.clear()
            if self.missing(setting):
                super().measure(delay)
                return
            self._worker.cancel()
            self.status = self._nothing_to_do(setting)

    def _nothing_to_do(self, setting: Setting) -> Status:
        if kept := [result for result in self.wanted(setting) if _place(result) in self._kept(setting)]:
            words = f"{_networks(len(kept))}, {_conditions_in_words(setting)}, on {self.device_name}"
            return Status("measured", f"Measured before: {words}.", 1.0)
        if self.wanted(setting):
            return Status("failed", f"Not measured: {list(self._refused.values())[-1]}")
        return Status("resting", "No network of this table is small enough: raise the limit.")

    def cancel(self) -> None:
        """Stop the measurements that run or wait; the networks that were measured before stay."""
        with self._speaking:
            was_busy = self.status.is_busy
            super().cancel()
            if was_busy:
                kept = len(self._kept(self.setting))
                words = f"Cancelled. {kept} of {_networks(len(self.wanted(self.setting)))} are measured."
                self.status = Status("cancelled", words)

    def take(self, setting: Setting, watch: Watch) -> Measurement:
        """Measure the missing networks one after the other, the cheapest first; each is kept at once."""
        todo, found = self.missing(setting), None
        for index, result in enumerate(todo):
            if watch.is_cancelled():
                raise Cancelled
            part = f"{plain_name(result.key)} ({index + 1} of {len(todo)})"
            watch.doing(f"{part}, {_conditions_in_words(setting)},")

            def tell(share: float, begun: int = index) -> None:
                watch.progress((begun + share) / len(todo))

            tell(0.0)
            try:
                found = self._take_one(result, setting, replace(watch, progress=tell))
            except MemoryError as error:
                self._refused[*_place(result), *_conditions(setting)] = str(error)
                continue
            if index == len(todo) - 1:
                break
            self._keep(Record(setting, found), watch)
        else:
            # The last one did not fit: the one before it is kept already, and whoever called keeps it again.
            self.history = self.history[:-1] if found is not None else self.history
        if found is None:
            raise MemoryError(list(self._refused.values())[-1])
        self._again = frozenset()
        return found

    def _take_one(self, result: Result, setting: Setting, watch: Watch) -> Measurement:
        from effnet_edu.profiling.peers import profile_peer
        from effnet_edu.profiling.profile import profile

        run = profile_peer if result.key in PEER_NAMES else profile
        return run(
            result.key,
            setting.batch_size,
            int(result.resolution or 0),
            setting.precision,
            self.place(setting),
            seconds=SECONDS,
            is_cancelled=watch.is_cancelled,
            progress=watch.progress,
            waiting=watch.waiting,
        )

    def _keep(self, record: Record[Setting, Measurement], watch: Watch) -> None:
        with self._speaking:
            if not watch.is_cancelled():
                measured = record.measurement
                self._again -= {(measured.network, measured.resolution)}
                self.history = (*self.history, record)

    def remark(self, record: Record[Setting, Measurement]) -> str:
        """Say how many networks there are now, and what to know about the last one."""
        count, refused = len(self._kept(record.setting)), len(self._refused)
        words = f"{_networks(count)}."
        if refused:
            words += f" {refused} did not fit into memory."
        return f"{words} {advice(record.measurement)}".strip()


def _networks(count: int) -> str:
    return f"{count} network{'' if count == 1 else 's'}"


def _place(result: Result) -> tuple[str, int]:
    return result.key, int(result.resolution or 0)


def _conditions(setting: Setting) -> tuple[int, str, str]:
    return setting.batch_size, setting.precision, setting.device


def _conditions_in_words(setting: Setting) -> str:
    return f"batch {setting.batch_size}, {setting.precision}"


def _facts(result: Result) -> tuple[Number, ...]:
    numbers = [Number("top-1", result.top1, "%", decimals=1)]
    numbers.append(Number("parameters", float(result.parameters), "million"))
    if result.macs is not None:
        numbers.append(Number("MACs", float(result.macs), "billion"))
    if result.resolution is not None:
        numbers.append(Number("input side", result.resolution, "px"))
    return tuple(numbers)


def _beside(point: Point, setting: Setting) -> tuple[Section, Section]:
    dimension = setting.dimension
    top1 = Number("top-1, beside", point.result.top1, "%", decimals=1)
    x = Number(f"{dimension.name}, beside", point.x, dimension.unit, interval=point.interval)
    return (
        Section("published", (top1,), f"published: {point.result.name}"),
        Section(point.kind, (x,), f"{point.kind}: on {setting.beside}"),
    )
