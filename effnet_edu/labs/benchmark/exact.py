"""What the benchmark lab is without a device: published accuracy over size, and over time elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.labs.benchmark.compared import (
    LIMITS,
    BenchmarkSetting,
    conditions_in_words,
    guessed,
    identity,
    kept,
    measurable,
    network_of,
    networks,
    numbers,
    own_networks,
    shown_record,
    written,
)
from effnet_edu.labs.benchmark.points import DIMENSIONS, NOWHERE, devices_beside, recorded
from effnet_edu.labs.benchmark.screen import headlines, points_table, screen, within_table
from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import (
    PageTiming,
    TimedGraph,
    forward_pass,
    network_graph,
    only_what_fits,
)
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.labs.frame.settings import OneOf, RoundedFloat, Whole
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import CPU_ENGINES, ENGINES, PRECISION_BYTES
from effnet_edu.published.benchmarks import DEVICES, PUBLISHERS, Result, plain_name, short_name


class BenchmarkLogic(ForwardLogic[BenchmarkSetting]):
    """Compare published networks by size, or by the time that they take on a device."""

    LAB = "BenchmarkLab"
    SETTING = BenchmarkSetting
    MAIN = "most_ms"
    QUICK: ClassVar[Mapping[str, Any]] = {"up_to": 0.5}
    START: ClassVar[Mapping[str, Any]] = {"up_to": 1.0}
    MEASURED_ONLY = ("engine", "device")
    FILES = (
        "published/*.csv",
        "studies/results/devices/*/networks.json",
        "studies/results/devices/*/resnet50.json",
    )
    HEADLINE = ("budget", "networks within", "top-1", "better needs", "time a batch")
    QUESTION = "The best network within a budget"
    TRY = "Choose a budget for MACs and then one for time on this machine: is the winner the same?"
    UNMEASURED = ("Nothing is known of this device", "at this batch size and precision.")

    across = traitlets.Enum(tuple(DIMENSIONS), "time", help="time or size")
    most_ms = Whole(50, min=1, max=1000, help="at most")
    least_images_per_second = Whole(20, min=0, max=20_000, help="at least")
    most_macs = RoundedFloat(2.0, min=0.1, max=60.0, help="at most")
    most_parameters = Whole(20, min=1, max=600, help="at most")
    accuracy = traitlets.Enum(PUBLISHERS, "papers", help="as tested by")
    beside = traitlets.Unicode(help="another device")
    batch_size = Whole(1, min=1, max=1024, help="images at once")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of all numbers")
    engine = traitlets.Enum(tuple(ENGINES), "torch", help="what runs the networks")
    up_to = OneOf(LIMITS, 5.0, help="billion MACs, measured")

    @traitlets.default("beside")
    def _default_beside(self) -> str:
        return next(iter(recorded()), NOWHERE)

    @traitlets.validate("beside")
    def _check_beside(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if value not in devices_beside():
            known = ", ".join(devices_beside())
            raise traitlets.TraitError(f"beside is {quoted(value)}; it must be one of {known}.")
        return value

    def on_change(self, name: str) -> None:
        """Take a recorded device's batch and precision; leave time where only throughput is published.

        Engines of the CPU take fp32 there along, and give way to another precision or device.
        """
        if name == "beside" and self.beside in recorded():
            known = recorded()[self.beside].conditions
            if (self.batch_size, self.precision) not in known:
                self.batch_size, self.precision = known[0]
        if self.engine in CPU_ENGINES and (self.precision, self.device) != ("fp32", "cpu"):
            if name == "engine":
                self.precision, self.device = "fp32", "cpu"
            else:
                self.engine = "torch"
        device = DEVICES.get(self.beside)
        if device is not None and device.batch_size is None and self.across == "time":
            if name == "beside":
                self.across = "throughput"
            elif name == "across":
                self.beside = NOWHERE

    def missing(self, setting: BenchmarkSetting) -> tuple[Result, ...]:
        """Return what was not measured under these conditions."""
        known = kept(self, setting)
        return tuple(result for result in measurable(self, setting) if identity(result) not in known)

    def untimed(self, setting: BenchmarkSetting) -> str:
        """A page times nothing where even the cheapest network is too large for it."""
        if reason := super().untimed(setting):
            return reason
        cheapest = next(iter(own_networks(setting)), None)
        if cheapest is None or written(setting):
            return ""
        return only_what_fits(network_of(cheapest), setting.batch_size)

    def timed_graphs(self, setting: BenchmarkSetting) -> tuple[TimedGraph, ...]:
        """Return the EfficientNets up to the limit, the cheapest first; of others there is no graph."""
        if self.untimed(setting):
            return ()
        return tuple(
            network_graph(plain_name(result.key), network_of(result), setting.batch_size)
            for result in written(setting)
        )

    def timed_results(
        self, setting: BenchmarkSetting, timings: Mapping[TimedGraph, PageTiming]
    ) -> tuple[Any, ...]:
        """Return the forward pass of each that was timed."""
        both = zip(written(setting), self.timed_graphs(setting), strict=False)
        return tuple(
            forward_pass(network_of(result), setting.batch_size, timings[graph], result.key)
            for result, graph in both
            if graph in timings
        )

    def timed_in_words(self, record: Record[BenchmarkSetting, Measurement]) -> str:
        """Return the network that is shown, and how many there are."""
        every, known = written(self.setting), kept(self, self.setting)
        count = sum(identity(result) in known for result in every)
        said = f"{self.measured_part(record)}, {self.measured_label(record.setting)}: {record.measurement}"
        left_out = len(own_networks(self.setting)) - len(every)
        too_large = f"; {left_out} too large for a page" if left_out else ""
        return (
            f"{said}. {count} of {networks(len(every))} timed{too_large}; other families have no graph here."
        )

    def label(self, setting: BenchmarkSetting) -> str:
        """Return the conditions and the budget."""
        return f"{conditions_in_words(setting)}, budget {setting.budget_in_words}"

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        setting, best = self.setting, "; ".join(headlines(self, self.setting))
        words = f"top-1 accuracy by {setting.dimension.title}, budget {setting.budget_in_words}"
        return f"{self.title}, {words}: {best}."

    def numbers(self, setting: BenchmarkSetting) -> tuple[Section, ...]:
        """Return what the budget allows, what is published of the best within it, and of that elsewhere."""
        return numbers(self, setting)

    def screen(self) -> LiveScreen:
        """Return the chart, the two orders, and the best networks."""
        return screen(self)

    def all_tables(self) -> str:
        """Return the best within the budget, and every network of the chart, as tables."""
        return within_table(self) + points_table(self)

    def measured_label(self, setting: BenchmarkSetting) -> str:
        """Return the conditions: the budget has no part in a measurement."""
        return conditions_in_words(setting)

    def measured_part(self, record: Record[BenchmarkSetting, Measurement]) -> str:
        """Return which network it was."""
        return plain_name(record.measurement.network)

    def measured(self, record: Record[BenchmarkSetting, Measurement]) -> tuple[Number, ...]:
        """Return time, throughput, speed and memory, the time with its network: it may not be the best."""
        time, *others = super().measured(record)
        return (replace(time, note=f"({short_name(self.measured_part(record))})"), *others)

    def measurement_key(self, setting: BenchmarkSetting) -> BenchmarkSetting:
        """Times depend neither on the budget nor on what they are shown with."""
        names = ("across", *(dimension.budget for dimension in DIMENSIONS.values()), "beside")
        return replace(setting, **{name: self._default(name) for name in names})

    def guessed(self, setting: BenchmarkSetting) -> Guessed | None:
        """Return time or throughput of the costliest network that is measured."""
        found = guessed(self, setting)
        return None if found is None else found[1]

    def guess_key(self, setting: BenchmarkSetting) -> BenchmarkSetting:
        """What is guessed is a time or a throughput, whatever the budget."""
        return replace(self.measurement_key(setting), across=setting.across)

    def newest(self, setting: BenchmarkSetting) -> Record[BenchmarkSetting, Measurement] | None:
        """Return the measurement of the best within the budget, or of the first network that there is."""
        return shown_record(self, setting)
