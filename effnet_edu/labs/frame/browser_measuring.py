"""A lab in a page: its graphs run in the reader's browser, with onnxruntime, and are timed there."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from effnet_edu.labs.frame.in_page import ENGINES, PageTiming, TimedGraph
from effnet_edu.labs.frame.logic import LabLogic, Record, ResultT, SettingT
from effnet_edu.profiling.repeats import Timing

#: A clock is too coarse where one step of it is more than this share of what it timed.
COARSE_STEP = 0.05


class BrowserMeasuring(LabLogic[SettingT, ResultT]):
    """Put it before a lab's exact logic: what a page timed becomes its history; its device is the engine."""

    device = traitlets.Enum(ENGINES, "WASM", help="runs the network in this browser")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._timings: dict[tuple[str, TimedGraph], PageTiming] = {}
        #: Graphs that were timed before and are to be timed once more.
        self._again: set[TimedGraph] = set()
        super().__init__(device, **settings)

    def waiting(self) -> tuple[TimedGraph, ...]:
        """Return what is still to be timed at the present setting, in this order."""
        graphs = self.timed_graphs(self.setting)
        return tuple(
            graph
            for graph in graphs
            if graph in self._again or (self.setting.device, graph) not in self._timings
        )

    def measure_again(self) -> None:
        """Time all graphs of the present setting once more."""
        self._again = set(self.timed_graphs(self.setting))

    def keep(
        self,
        setting: SettingT,
        graph: TimedGraph,
        seconds: Sequence[float],
        device_name: str,
        clock_step: float,
        was_hidden: bool,
        each: int = 1,
        kernels: Mapping[str, Sequence[float]] | None = None,
        passes: int = 0,
    ) -> None:
        """Keep what a page timed, and whatever the lab can make of it.

        Args:
            setting: What was timed.
            graph: Of which graph.
            seconds: Of a run, each the mean of `each` runs in a row.
            device_name: What the browser tells of itself and of the device.
            clock_step: Smallest step of the browser's clock, in seconds.
            was_hidden: Whether the page was in the background meanwhile.
            each: Runs between two looks at the clock.
            kernels: Seconds of each kernel by the name of its node, if they are known.
            passes: Runs in which the kernels were timed.
        """
        engine: str = setting.device  # type: ignore[attr-defined]
        timing = Timing(tuple(seconds))
        doubts = {
            "The page was in the background meanwhile: measure again.": was_hidden,
            f"This browser's clock moves in steps of {1000 * clock_step:.3g} ms, too coarse for this time.": (
                clock_step > COARSE_STEP * each * timing.median
            ),
            "Noisy: the runs differ by more than 15%. Measure again.": timing.noisy,
        }
        self._timings[engine, graph] = PageTiming(
            engine,
            device_name,
            timing,
            each * len(timing.seconds),
            {name: Timing(tuple(of_one)) for name, of_one in (kernels or {}).items()},
            passes,
            tuple(doubt for doubt, applies in doubts.items() if applies),
        )
        self._again.discard(graph)
        self._conclude(setting)

    def here(self) -> str:
        """Return what the present setting took in this browser, as a sentence; empty if nobody knows."""
        record = self.newest(self.setting)
        if record is None:
            return ""
        verdict = [] if self.verdict is None else [self.verdict.sentence]
        doubts = (doubt for timing in self._known(self.setting).values() for doubt in timing.doubts)
        return " ".join((self.timed_in_words(record), *verdict, *dict.fromkeys(doubts)))

    def settled(self, before: SettingT) -> None:
        """Show at once what follows from graphs that were timed at another setting."""
        if self.measurement_key(before) != self.measurement_key(self.setting):
            self._again.clear()
        self._conclude(self.setting)

    def _known(self, setting: SettingT) -> dict[TimedGraph, PageTiming]:
        engine: str = setting.device  # type: ignore[attr-defined]
        found = ((graph, self._timings.get((engine, graph))) for graph in self.timed_graphs(setting))
        return {graph: timing for graph, timing in found if timing is not None}

    def _conclude(self, setting: SettingT) -> None:
        """Add to the history what can be told now and is not there yet."""
        key = self.measurement_key(setting)
        told = [one.measurement for one in self.history if self.measurement_key(one.setting) == key]
        results = self.timed_results(setting, self._known(setting))
        new = (Record(setting, result) for result in results if result not in told)
        self.history = (*self.history, *new)

    def _default(self, name: str) -> Any:
        """An engine of a browser is no device of a notebook: no line of code names it."""
        return self.device if name == "device" else super()._default(name)
