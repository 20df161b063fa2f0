"""What the benchmark lab measures: the networks that can be built here in turn, the cheapest first."""

from collections.abc import Iterator
from typing import Any

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.labs.benchmark.compared import (
    BenchmarkSetting,
    conditions,
    conditions_in_words,
    identity,
    kept,
    networks,
    wanted,
)
from effnet_edu.labs.benchmark.exact import BenchmarkLogic
from effnet_edu.labs.frame.forward_logic import advice
from effnet_edu.labs.frame.logic import Record, Status
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.profiling.engines import is_installed
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import ENGINES
from effnet_edu.published.benchmarks import Result, plain_name

#: How long each network is timed: rather many networks soon than one network well.
SECONDS = 0.5


def engines() -> tuple[str, ...]:
    """Return what is installed here, but for torch.compile, which takes minutes for each network."""
    return tuple(engine for engine in ENGINES if engine != "compiled" and is_installed(engine))


class MeasuredBenchmark(Measuring[BenchmarkSetting, Measurement], BenchmarkLogic):
    """The benchmark lab with a device: each network is kept with its batch size, precision and engine.

    None is measured twice unless asked for.
    """

    INVITATION = "Press Measure, or change something: the networks are then measured in turn."
    UNMEASURED = ("Not measured yet: press Measure", "or take another device.")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._refused: dict[tuple[str, int, int, str, str, str], str] = {}
        super().__init__(device, **settings)

    @traitlets.validate("engine")
    def _check_engine(self, proposal: Any) -> str:
        if (engine := str(proposal["value"])) not in engines():
            raise traitlets.TraitError(
                f"engine is {quoted(engine)}; it must be one of {', '.join(engines())}."
            )
        return engine

    def missing(self, setting: BenchmarkSetting) -> tuple[Result, ...]:
        """Return what was not measured under these conditions, and did not fail to fit."""
        return tuple(
            result
            for result in super().missing(setting)
            if (*identity(result), *conditions(setting)) not in self._refused
        )

    def part_of(self, of: Result | Measurement) -> str:
        """Return the network and its image size."""
        name, side = identity(of) if isinstance(of, Result) else (of.network, of.resolution)
        return f"{name}, {side} px"

    def measure(self, setting: BenchmarkSetting, watch: Watch) -> Iterator[Measurement]:
        """Measure what is missing, or everything once more; what does not fit is left out."""
        if self.again:
            self._refused.clear()
        todo = wanted(setting) if self.again else self.missing(setting)
        refused = 0
        for index, result in enumerate(todo):
            watch.check()
            part = f"{plain_name(result.key)} ({index + 1} of {len(todo)})"
            watch.doing(f"{part}, {conditions_in_words(setting)},")
            of_this = watch.part(index / len(todo), 1 / len(todo))
            of_this.progress(0.0)
            try:
                yield _one(result, setting, of_this)
            except MemoryError as error:
                refused += 1
                self._refused[*identity(result), *conditions(setting)] = str(error)
        if refused == len(todo):
            raise MemoryError(list(self._refused.values())[-1])

    def known_already(self, setting: BenchmarkSetting) -> Status:
        """Return how many networks were measured, or why there is none."""
        if known := [result for result in wanted(setting) if identity(result) in kept(self, setting)]:
            words = f"{networks(len(known))}, {conditions_in_words(setting)}, on {self.device_name}"
            if others := sum(one.recorded_at is not None for one in kept(self, setting).values()):
                words += f"; {others} recorded on this device, press Measure for your own"
            return Status("measured", f"Measured before: {words}.", 1.0)
        if wanted(setting):
            return Status("failed", f"Not measured: {list(self._refused.values())[-1]}")
        return Status("resting", "No network of this table is small enough: raise the limit.")

    def kept_so_far(self) -> str:
        """Return how many of the wanted networks are measured."""
        setting = self.setting
        return f"{len(kept(self, setting))} of {networks(len(wanted(setting)))} are measured."

    def remark(self, record: Record[BenchmarkSetting, Measurement]) -> str:
        """Say how many networks there are now, and what to know about the last one."""
        words = f"{networks(len(kept(self, record.setting)))}."
        if self._refused:
            words += f" {len(self._refused)} did not fit into memory."
        return f"{words} {advice(record.measurement)}".strip()


def _one(result: Result, setting: BenchmarkSetting, watch: Watch) -> Measurement:
    return profile(
        result.key,
        setting.batch_size,
        int(result.resolution or 0),
        setting.precision,
        setting.device,
        engine=setting.engine,
        seconds=SECONDS,
        watch=watch,
    )
