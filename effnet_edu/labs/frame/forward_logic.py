"""What the labs share that measure the forward pass of a network."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import (
    BrowserMeasurement,
    PageTiming,
    TimedGraph,
    forward_pass,
    network_graph,
    only_fp32,
    only_what_fits,
)
from effnet_edu.labs.frame.logic import LabLogic, Record, SettingT
from effnet_edu.labs.frame.numbers import Number
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.measurement import Measurement


class ForwardLogic(LabLogic[SettingT, Measurement]):
    """A lab whose measurement is the forward pass of a network, as `ee.profile` takes it."""

    def timed_network(self, setting: SettingT) -> NetworkSpec | None:  # noqa: ARG002
        """Return the network whose forward pass a page times at a setting, or None where it times none."""
        return None

    def timed_graphs(self, setting: SettingT) -> tuple[TimedGraph, ...]:
        """Return the network of a setting."""
        network = None if self.untimed(setting) else self.timed_network(setting)
        if network is None:
            return ()
        return (network_graph(self.measured_label(setting), network, _batch(setting)),)

    def timed_results(self, setting: SettingT, timings: Mapping[TimedGraph, PageTiming]) -> tuple[Any, ...]:
        """Return its forward pass."""
        network = self.timed_network(setting)
        if network is None:
            return ()
        return tuple(forward_pass(network, _batch(setting), found) for found in timings.values())

    def untimed(self, setting: SettingT) -> str:
        """A browser computes in fp32, and has little memory."""
        network = self.timed_network(setting)
        is_other = only_fp32(getattr(setting, "precision", "fp32"))
        return is_other or ("" if network is None else only_what_fits(network, _batch(setting)))

    def measured(self, record: Record[SettingT, Measurement]) -> tuple[Number, ...]:
        """Return time, throughput and speed, and memory, which a browser does not tell."""
        found: Measurement | BrowserMeasurement = record.measurement
        times = (
            Number("time a batch", found.median_ms, "ms", interval=(found.low_ms, found.high_ms)),
            Number("throughput", found.images_per_second, "images/s"),
            Number("speed", found.macs_per_second / 1e9, "GMACs/s"),
        )
        if (peak := found.peak_memory_bytes) is None:
            return times
        return (*times, Number("peak memory", peak / 2**20, "MiB", decimals=0))

    def macs_behind(self, setting: SettingT) -> float | None:
        """Return the multiply-adds of the batch that was measured."""
        record = self.newest(setting)
        return None if record is None else record.measurement.macs * _batch(record.setting)

    def guessed(self, setting: SettingT) -> Guessed | None:
        """Return the time of an image."""
        record = self.newest(setting)
        return Guessed(
            "How long does an image take here?",
            "ms",
            None if record is None else record.measurement.median_ms / record.setting.batch_size,  # type: ignore[attr-defined]
        )

    def remark(self, record: Record[SettingT, Measurement]) -> str:
        """Say how many repeats there were, and what to do for a time to trust."""
        found = record.measurement
        return f"{found.repeats} repeats. {advice(found)}".strip()

    def row(self, record: Record[SettingT, Measurement]) -> dict[str, object]:
        """Return all settings, then everything that the measurement says."""
        names = [field.name for field in fields(Measurement) if field.name not in self.names()]
        found = asdict(record.measurement)
        return asdict(record.setting) | {name: found[name] for name in names}  # type: ignore[call-overload, no-any-return]


def _batch(setting: Any) -> int:
    return int(setting.batch_size)


def advice(found: Measurement) -> str:
    """Return what to do for a time to trust, as far as it can be done in a lab."""
    names_an_argument = "(seconds=" in found.advice  # of `ee.profile`, which no lab has as a setting
    return "Noisy: press Measure once more." if names_an_argument else found.advice
