"""Which engine answers first on this machine, by how much, and whether the answer stayed the same."""

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from effnet_edu.ground.checks import choice
from effnet_edu.ground.watch import Watch
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.device import device_name, stopwatch
from effnet_edu.profiling.engines import Runner, check_engine, in_engine, is_installed, version
from effnet_edu.profiling.names import ENGINES
from effnet_edu.profiling.repeats import median_interval
from effnet_edu.profiling.threads import free_threads
from effnet_edu.profiling.workload import as_workload, check_activations, ready_network

#: Each engine is timed so often, in turns: from 7 rounds on the interval leaves nothing but outliers out.
ROUNDS = 9


@dataclass(frozen=True)
class EngineTime:
    """What one engine took, and how far its answer is from torch's.

    Attributes:
        engine: One of `ENGINES`.
        version: Of a package of its own; empty for what is part of torch.
        round_ms: Median time of a batch in each round, in milliseconds.
        difference: Largest difference of a logit from torch's, as a share of torch's largest.
        same_class: Images of the batch whose most likely class is torch's.
    """

    engine: str
    version: str
    round_ms: tuple[float, ...]
    difference: float
    same_class: int

    @property
    def median_ms(self) -> float:
        """The middle round, in milliseconds."""
        return statistics.median(self.round_ms)


@dataclass(frozen=True)
class EngineComparison:
    """Times of one network in several engines, measured in turns.

    Attributes:
        network: Name of the network.
        batch_size: Images at once.
        resolution: Side of the input in pixels.
        device_name: What the device's maker calls it, and of a CPU the threads.
        threads: Threads that each engine computed with.
        rows: What each engine took, the fastest first.
        left_out: Engines that could have been asked for and were not measured, each with the reason.
        threads_note: Why fewer threads were used than torch has; empty if not.
    """

    network: str
    batch_size: int
    resolution: int
    device_name: str
    threads: int
    rows: tuple[EngineTime, ...]
    left_out: tuple[tuple[str, str], ...]
    threads_note: str

    @property
    def winner(self) -> str:
        """The engine with the lowest median time."""
        return self.rows[0].engine

    def speedup(self, engine: str, over: str = "torch") -> tuple[float, float, float]:
        """Return how many times as fast one engine is as another: median of the rounds and its 95% interval.

        Args:
            engine: An engine that was measured.
            over: The one that it is compared with.

        Raises:
            ValueError: One of the two was not measured.
        """
        rows = {row.engine: row for row in self.rows}
        first, second = (rows[choice("engine", name, tuple(rows))] for name in (engine, over))
        ratios = tuple(b / a for a, b in zip(first.round_ms, second.round_ms, strict=True))
        return statistics.median(ratios), *median_interval(ratios)

    @property
    def verdict(self) -> str:
        """Who won, by how much, and whether that is decided, in a sentence."""
        if len(self.rows) == 1:
            return f"Only {self.winner} was measured."
        second = self.rows[1].engine
        ratio, low, high = self.speedup(self.winner, second)
        if low <= 1:
            return (
                f"Not decided between {self.winner} and {second}: {ratio:.2f} times as fast "
                f"({low:.2f} to {high:.2f})."
            )
        return f"{self.winner} won: {ratio:.2f} times as fast as {second} ({low:.2f} to {high:.2f})."

    def __str__(self) -> str:
        lines = [
            f"{self.network}, {self.resolution} px, batch {self.batch_size}, fp32 on {self.device_name}, "
            f"{len(self.rows[0].round_ms)} rounds in turns",
            f"{'engine':<20}{'ms a batch':>11}   {'times torch (95%)':<22}{'logits differ':>14}  same class",
        ]
        for row in self.rows:
            name = f"{row.engine} {row.version}".strip()
            ratio, low, high = self.speedup(row.engine)
            faster = f"{ratio:.2f} ({low:.2f} to {high:.2f})"
            lines.append(
                f"{name:<20}{row.median_ms:>11.1f}   {faster:<22}{row.difference:>14.1e}  "
                f"{row.same_class} of {self.batch_size}"
            )
        lines += [f"{engine}: not measured; {reason}" for engine, reason in self.left_out]
        return "\n".join([*lines, self.verdict, *([self.threads_note] if self.threads_note else [])])


def fastest(
    network: str | NetworkSpec | EfficientNet,
    batch_size: int = 1,
    resolution: int | None = None,
    *,
    engines: tuple[str, ...] | None = None,
    seconds: float = 1.0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> EngineComparison:
    """Measure a network on the CPU in every engine that is installed, in turns, and compare the answers.

    A round gives each engine a ninth of its time in one piece, and does not count the first run of it: the
    engine before may still be waiting for work on the cores. What is said of two engines is the median over
    rounds of their ratio, so that what slows a whole round slows both.

    Args:
        network: A network of this library, which stays as it is, its spec, or its name.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        engines: Which of `"torch"`, `"optimised"`, `"compiled"`, `"onnxruntime"` and `"openvino"`; torch is
            always measured. By default all that are installed but `"compiled"`: compiling takes minutes.
        seconds: How long to time each engine, 0.001 to 3600.
        seed: Seed of the images, and of the weights where there are none.
        watch: Told the share done and what is measured; asked before every run whether to stop.

    Raises:
        ValueError: An argument is outside its range, or the network was changed so that its graph cannot be
            written.
        ModuleNotFoundError: An engine that was asked for is not installed.
        RuntimeError: `"compiled"` was asked for, and there is no compiler.
        MemoryError: The machine has too little memory for it.
        Cancelled: `watch` said so.
    """
    work = as_workload(network, batch_size, resolution, "fp32", "cpu", seconds)
    asked = tuple(choice("engines", name, tuple(ENGINES)) for name in engines or _usual())
    chosen = tuple(dict.fromkeys(("torch", *asked)))
    for engine in chosen:
        check_engine(engine, work.network, "fp32", work.device)
    with (
        work.measuring(watch),
        free_threads(work.device, watch) as threads,
        torch.inference_mode(),
        ready_network(work, seed) as net,
    ):
        check_activations(work)
        inputs, runners = list(work.inputs(seed)), {}
        for engine in chosen:
            watch.check()
            watch.doing(f"making {engine} ready")
            runners[engine] = in_engine(engine, net, inputs[0].shape)
        answers = {engine: run(inputs[0]) for engine, run in runners.items()}
        rounds = in_rounds(runners, inputs, seconds / ROUNDS, watch)
        device = device_name(work.device)  # with the threads that were used
    right = answers["torch"]
    rows = [
        EngineTime(
            engine,
            version(engine),
            tuple(1000 * value for value in rounds[engine]),
            float((answers[engine] - right).abs().max() / right.abs().max()),
            int((answers[engine].argmax(1) == right.argmax(1)).sum()),
        )
        for engine in chosen
    ]
    return EngineComparison(
        work.name,
        batch_size,
        work.resolution,
        device,
        threads.used,
        tuple(sorted(rows, key=lambda row: row.median_ms)),
        tuple((engine, _reason(engine)) for engine in ENGINES if engine not in chosen and engines is None),
        threads.sentence,
    )


def _usual() -> tuple[str, ...]:
    return tuple(engine for engine in ENGINES if engine != "compiled" and is_installed(engine))


def _reason(engine: str) -> str:
    if is_installed(engine):
        return "compiling takes minutes, so it has to be named"
    if engine == "compiled":
        return "there is no C++ compiler"
    return "it is not installed: pip install 'effnet-edu[engines]'"


def in_rounds(
    runners: dict[str, Runner], inputs: list[Tensor], seconds: float, watch: Watch
) -> dict[str, list[float]]:
    """Return the median seconds of a batch for every engine in every round."""
    found: dict[str, list[float]] = {engine: [] for engine in runners}
    order, done = list(runners), 0
    for number in range(ROUNDS):
        for engine in order if number % 2 else reversed(order):
            watch.doing(engine)
            found[engine].append(_median(runners[engine], inputs, seconds, watch))
            done += 1
            watch.progress(done / (ROUNDS * len(order)))
    return found


def _median(run: Runner, inputs: list[Tensor], seconds: float, watch: Watch) -> float:
    """Return the median seconds of a batch in one piece of time; the first run is not counted."""
    clock = stopwatch(inputs[0].device)
    times: list[float] = []
    run(inputs[-1])
    begun = time.perf_counter()
    while not times or time.perf_counter() - begun < seconds:
        watch.check()
        x = inputs[len(times) % len(inputs)]
        times.append(clock.time(lambda: run(x)))  # noqa: B023 - it runs before x changes
    return statistics.median(times)
