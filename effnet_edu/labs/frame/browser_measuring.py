"""A lab in a page: its network runs in the reader's browser, with onnxruntime, and is timed there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from effnet_edu.labs.frame.logic import LabLogic, Record, SettingT
from effnet_edu.labs.frame.numbers import Number
from effnet_edu.model.cost import cost
from effnet_edu.profiling.repeats import Timing

ENGINES = ("WASM", "WebGPU")
#: A clock is too coarse where one step of it is more than this share of a run.
COARSE_STEP = 0.05


@dataclass(frozen=True)
class BrowserMeasurement:
    """What a network took in a browser: one image, forward, in fp32.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        macs: Multiply-adds for one image (computed).
        engine: One of `ENGINES`.
        device_name: What the browser tells of itself and of the device.
        median_ms: Median time of an image in milliseconds.
        low_ms: Lower end of the median's 95% interval.
        high_ms: Upper end of it.
        repeats: Timed runs.
        doubts: Why the time may mislead, a sentence each.
    """

    network: str
    resolution: int
    macs: int
    engine: str
    device_name: str
    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    doubts: tuple[str, ...]

    @property
    def images_per_second(self) -> float:
        """Throughput at the median time."""
        return 1000 / self.median_ms

    @property
    def macs_per_second(self) -> float:
        """Multiply-adds per second at the median time."""
        return self.macs * self.images_per_second

    def __str__(self) -> str:
        interval = f"{_plain(self.low_ms)} to {_plain(self.high_ms)} ms, {self.repeats} runs"
        return f"{_plain(self.median_ms)} ms, {self.engine} ({interval}), in {self.device_name}"


def _plain(ms: float) -> str:
    """Return three significant digits without a comma, which some readers take for a decimal point."""
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}"


class BrowserMeasuring(LabLogic[SettingT, BrowserMeasurement]):
    """Put it before a lab's exact logic: what a page timed becomes its history; its device is the engine."""

    device = traitlets.Enum(ENGINES, "WASM", help="runs the network in this browser")

    def keep(
        self,
        setting: SettingT,
        seconds: Sequence[float],
        device_name: str,
        clock_step: float,
        was_hidden: bool,
    ) -> None:
        """Keep what a page timed.

        Args:
            setting: What was timed.
            seconds: Of each run.
            device_name: What the browser tells of itself and of the device.
            clock_step: Smallest step of the browser's clock, in seconds.
            was_hidden: Whether the page was in the background meanwhile.
        """
        network, timing = self.timed_network(setting), Timing(tuple(seconds))
        assert network is not None  # noqa: S101 - a page times nothing else
        low, high = timing.interval
        doubts = {
            "The page was in the background meanwhile: measure again.": was_hidden,
            f"This browser's clock moves in steps of {1000 * clock_step:.3g} ms, too coarse for this time.": (
                clock_step > COARSE_STEP * timing.median
            ),
            "Noisy: the runs differ by more than 15%. Measure again.": timing.noisy,
        }
        measurement = BrowserMeasurement(
            network.name,
            network.resolution,
            cost(network).macs,
            setting.device,  # type: ignore[attr-defined]
            device_name,
            1000 * timing.median,
            1000 * low,
            1000 * high,
            len(timing.seconds),
            tuple(doubt for doubt, applies in doubts.items() if applies),
        )
        self.history = (*self.history, Record(setting, measurement))

    def measured(self, record: Record[SettingT, BrowserMeasurement]) -> tuple[Number, ...]:
        """Return time, throughput and speed; a browser does not tell how much memory it took."""
        found = record.measurement
        return (
            Number("time a batch", found.median_ms, "ms", interval=(found.low_ms, found.high_ms)),
            Number("throughput", found.images_per_second, "images/s"),
            Number("speed", found.macs_per_second / 1e9, "GMACs/s"),
        )

    def here(self) -> str:
        """Return what the present setting took in this browser, as a sentence; empty if nobody knows."""
        record = self.newest(self.setting)
        if record is None:
            return ""
        found = record.measurement
        verdict = [] if self.verdict is None else [self.verdict.sentence]
        return " ".join((f"{self.measured_label(record.setting)}: {found}.", *verdict, *found.doubts))

    def _default(self, name: str) -> Any:
        """An engine of a browser is no device of a notebook: no line of code names it."""
        return self.device if name == "device" else super()._default(name)
