"""Time, layer by layer: one row for each row of `ee.cost`, held against the whole network's time.

Every operation that torch runs is timed by itself and booked to the layer that asked for it. The network's
own time is measured without any of this, in turns with it, and what the layers do not explain is a number
of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil
import torch
from torch import nn

from effnet_edu.ground.watch import Watch
from effnet_edu.model.blocks import ConvNormAct, FusedMBConv, MBConv, SqueezeExcitation
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec
from effnet_edu.profiling.counts import cost_as_built, is_compiled
from effnet_edu.profiling.device import device_name, stopwatch
from effnet_edu.profiling.following import following
from effnet_edu.profiling.layer_time import LayerTime, part_share
from effnet_edu.profiling.measurement import is_crowded
from effnet_edu.profiling.op_timer import OpTimer, TimedOps, instrument_seconds, op_timer
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.telemetry import sensors
from effnet_edu.profiling.threads import free_threads
from effnet_edu.profiling.timing import FEWEST, MOST
from effnet_edu.profiling.workload import Workload, as_workload, check_activations, ready_network

#: Operations that are no module of their own: by the module that runs them, their row's name after its own.
_IN_SQUEEZE = {"mean": ".pool", "sigmoid": ".gate", "mul": ".scale", "mul_": ".scale"}
_IN_BLOCK = {"add": ".shortcut", "add_": ".shortcut"}


def _seconds(row: LayerTime) -> float:
    return row.seconds


@dataclass(frozen=True)
class LayerProfile:
    """What each layer of a network took on one device, forward, in evaluation mode.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Type of the device.
        device_name: What its maker calls it.
        layers: A row for each row of `ee.cost`, in the order in which they run.
        whole: Seconds of the whole network without the instrument, measured in turns with the layers.
        elsewhere_seconds: Median seconds of operations that belong to no row, such as a dropout that does
            nothing.
        instrument_seconds: What the instrument adds to one operation; each row contains it once for each of
            its operations.
        queued_behind: Share of the pieces of the network in which an accelerator ran out of queued work, so
            that waiting for the processor may be inside the rows; 0 on a CPU.
        others_load: Cores that other programs kept busy meanwhile; on an accelerator, how many of them hold
            it; None where nobody tells.
        torch_version: Version of torch.
        seed: Seed of random weights and inputs.
        threads: Threads that torch computed with, on a CPU.
        threads_note: Why they were fewer than torch has, and how to mend it; empty if they were not.
    """

    network: str
    resolution: int
    batch_size: int
    precision: str
    device: str
    device_name: str
    layers: tuple[LayerTime, ...]
    whole: Timing
    elsewhere_seconds: float
    instrument_seconds: float
    queued_behind: float
    others_load: float | None
    torch_version: str
    seed: int
    threads: int | None = None
    threads_note: str = ""

    @property
    def total_seconds(self) -> float:
        """Sum of the layers' median seconds."""
        return sum(row.seconds for row in self.layers)

    @property
    def difference_seconds(self) -> float:
        """Whole network less the sum of its layers.

        Above 0: what lies between the layers (Python, starting work on the device). Below 0: the layers were
        slower under the instrument than without it.
        """
        return self.whole.median - self.total_seconds

    @property
    def macs(self) -> int:
        """Multiply-adds of the batch."""
        return sum(row.macs for row in self.layers)

    @property
    def crowded(self) -> bool:
        """Whether other programs and torch's threads together wanted more cores than there are."""
        return self.device == "cpu" and is_crowded(self.others_load, self.threads, psutil.cpu_count())

    def share(self, row: LayerTime) -> float:
        """Return the share of the layers' time that one of them takes.

        Args:
            row: One of `layers`.
        """
        return row.seconds / self.total_seconds

    def by_role(self, count: Callable[[LayerTime], float] = _seconds) -> dict[str, float]:
        """Return the sum over the layers of each role.

        Args:
            count: What to sum, such as `lambda row: row.macs`; seconds by default.
        """
        return self._sums(lambda row: row.role, count)

    def by_kind(self, count: Callable[[LayerTime], float] = _seconds) -> dict[str, float]:
        """Return the sum over the layers of each kind: convolution, norm, activation and so on.

        Args:
            count: What to sum; seconds by default.
        """
        return self._sums(lambda row: row.kind, count)

    def by_part(self, count: Callable[[LayerTime], float] = _seconds) -> dict[str, float]:
        """Return the sums over the convolutions of each role, and over norms and activations for themselves.

        Args:
            count: What to sum; seconds by default.
        """
        return self._sums(lambda row: row.part, count)

    def by_stage(self, count: Callable[[LayerTime], float] = _seconds) -> dict[str, float]:
        """Return the sum over stem, each stage (`"stages.1"`), head and classifier.

        Args:
            count: What to sum; seconds by default.
        """
        return self._sums(_stage, count)

    def by_block(self, count: Callable[[LayerTime], float] = _seconds) -> dict[str, float]:
        """Return the sum over stem, each block (`"stages.1.0"`), head and classifier.

        Args:
            count: What to sum; seconds by default.
        """
        return self._sums(
            lambda row: _stage(row) + ("" if row.cost.block is None else f".{row.cost.block}"), count
        )

    def part_share(self, part: str) -> tuple[float, float, float]:
        """Return a part's share of the layers' time: its median over the passes, and its interval's ends.

        The share is taken pass by pass: where a pass was slow as a whole, its shares need not be.

        Args:
            part: A key of `by_part`.
        """
        shares = part_share(self.layers, part)
        return shares.median, *shares.interval

    def _sums(self, key: Callable[[LayerTime], str], count: Callable[[LayerTime], float]) -> dict[str, float]:
        sums: dict[str, float] = {}
        for row in self.layers:
            sums[key(row)] = sums.get(key(row), 0) + count(row)
        return sums

    def table(self) -> str:
        """Return a line for each layer."""
        lines = [
            f"{'layer':<37}{'kind':<13}{'MACs, M':>10}{'MiB':>8}{'MACs/B':>8}"
            f"{'us':>10}{'interval':>18}{'share':>8}"
        ]
        for row in self.layers:
            low, high = (1e6 * end for end in row.timing.interval)
            lines.append(
                f"{row.name:<37}{row.kind:<13}{row.macs / 1e6:>10,.2f}{row.bytes_moved / 2**20:>8,.2f}"
                f"{row.intensity:>8.2f}{1e6 * row.seconds:>10,.0f}{f'{low:,.0f} to {high:,.0f}':>18}"
                f"{self.share(row):>8.1%}"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        macs, seconds = self.by_part(lambda row: row.macs), self.by_part()
        moved = self.by_part(lambda row: row.bytes_moved)
        low, high = self.whole.interval
        lines = [
            f"{self.network}, {self.resolution} px, batch {self.batch_size}, {self.precision} on "
            f"{self.device_name}",
            f"{'part':<16}{'MACs, M':>12}{'share':>8}{'MiB moved':>12}{'ms':>10}{'share':>8}",
        ]
        lines += [
            f"{part:<16}{macs[part] / 1e6:>12,.1f}{macs[part] / self.macs:>8.1%}"
            f"{moved[part] / 2**20:>12,.1f}{1000 * seconds[part]:>10.3f}"
            f"{self.part_share(part)[0]:>8.1%}"
            for part in seconds
        ]
        gaps = (
            f"; in {self.queued_behind:.0%} of the pieces the device waited for the processor"
            if self.queued_behind
            else ""
        )
        busy = f"; other programs kept {self.others_load:.1f} cores busy" if self.crowded else ""
        return "\n".join(
            [
                *lines,
                f"sum of the layers {1000 * self.total_seconds:.3f} ms; whole network "
                f"{1000 * self.whole.median:.3f} ms ({1000 * low:.3f} to {1000 * high:.3f}"
                f"{', noisy' if self.whole.noisy else ''}); "
                f"difference {1000 * self.difference_seconds:+.3f} ms "
                f"({self.difference_seconds / self.whole.median:+.1%})",
                f"{len(self.whole.seconds)} passes; operations of no layer took "
                f"{1e6 * self.elsewhere_seconds:.0f} us; the instrument adds "
                f"{1e6 * self.instrument_seconds:.1f} us to an operation{gaps}{busy}",
                *([self.threads_note] if self.threads_note else []),
            ]
        )


def _stage(row: LayerTime) -> str:
    return row.role if row.cost.stage is None else f"stages.{row.cost.stage}"


def profile_layers(
    network: str | NetworkSpec | nn.Module,
    batch_size: int = 1,
    resolution: int | None = None,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    *,
    seconds: float = 2.0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> LayerProfile:
    """Measure the time of every layer of a network, and of the whole without the instrument.

    Passes with and without the instrument take turns, so that both meet the same machine. A layer's time is
    the median over its passes. On a CPU it is the time inside the operation; on an accelerator the device
    notes it, with work queued before, so that starting the work does not count.

    Args:
        network: An EfficientNet, a spec, or the name of a published network. Its layers have to be those of
            its spec; its classifier may be any module, and is one row.
        batch_size: Images at once, 1 or more.
        resolution: Side of the input in pixels; the network's own by default.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where to run; by default where the network is, and for a spec the accelerator if there is one.
        seconds: How long to time at most, 0.001 to 3600; 3 passes of each sort at least are timed.
        seed: Seed of the inputs, and of the weights where there are none.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range, the device is not there, or the network does not run
            layer by layer as its spec says.
        MemoryError: The device has too little memory for it.
        MeasurementError: The device failed.
        Cancelled: `watch` said so.
    """
    work = as_workload(as_eager(network), batch_size, resolution, precision, device, seconds)
    place, dtype, counted = work.device, work.dtype, exact_rows(work)
    with (
        work.measuring(watch),
        free_threads(place, watch) as threads,
        torch.inference_mode(),
        ready_network(work, seed, watch) as net,
        sensors(place) as held,
    ):
        check_activations(work)
        inputs = work.inputs(seed)
        timer = op_timer(place)
        instrument = _Instrument(net, counted, timer)
        clock, turn = stopwatch(place), 0

        def run_plain() -> float:
            nonlocal turn
            turn += 1
            return clock.time(lambda: net(inputs[turn % len(inputs)]))

        def run_instrumented() -> list[float]:
            nonlocal turn
            turn += 1
            return instrument.run(inputs[turn % len(inputs)])

        passes, whole = in_turns(run_instrumented, run_plain, seconds, watch)
        others_load = held.summary().others_load
        adds, name = instrument_seconds(place), device_name(place)
    return LayerProfile(
        network=work.name,
        resolution=work.resolution,
        batch_size=batch_size,
        precision=precision,
        device=place.type,
        device_name=name,
        layers=tuple(
            LayerTime(row, Timing(tuple(one[index] for one in passes)), batch_size, dtype.itemsize)
            for index, row in enumerate(counted.layers)
        ),
        whole=Timing(tuple(whole)),
        elsewhere_seconds=median(one[-1] for one in passes),
        instrument_seconds=adds,
        queued_behind=timer.behind,
        others_load=others_load,
        torch_version=torch.__version__,
        seed=seed,
        threads=threads.used if place.type == "cpu" else None,
        threads_note=threads.sentence,
    )


def as_eager(network: str | NetworkSpec | nn.Module) -> NetworkSpec | EfficientNet:
    """Return the network or the spec of this name, or raise ValueError if it does not run layer by layer."""
    if not isinstance(network, nn.Module):
        return as_spec(network)
    compiled = is_compiled(network)
    if compiled or not isinstance(network, EfficientNet):
        raise ValueError(
            f"The network is {'compiled' if compiled else f'of type {type(network).__name__}'}; its layers "
            "can be told apart only in an EfficientNet that runs them one by one: give the one from before "
            "compiling, wrapping or optimizing, or measure it as a whole with ee.profile."
        )
    if cost_as_built(network, network.spec.resolution) is None:
        raise ValueError(
            f"The layers of this {network.spec.name} are not those of its spec; what each costs is known "
            "only before it is changed, folded or optimized: give the one from before, or measure it as a "
            "whole with ee.profile."
        )
    return network


def exact_rows(work: Workload) -> NetworkCost:
    """Return the rows of a network that `as_eager` let pass."""
    assert work.exact is not None  # noqa: S101
    return work.exact


def in_turns(
    run_instrumented: Callable[[], list[float]],
    run_plain: Callable[[], float],
    seconds: float,
    watch: Watch,
) -> tuple[list[list[float]], list[float]]:
    """Run both in turns, whose order changes each time, for about `seconds`, after two turns to warm up."""
    passes: list[list[float]] = []
    whole: list[float] = []
    spent, warm = 0.0, -2
    clock = stopwatch(torch.device("cpu"))
    while len(whole) < MOST and (len(whole) < FEWEST or spent < seconds):
        watch.check()

        def both(turn: int = warm + len(whole)) -> None:
            for index in (0, 1) if turn % 2 else (1, 0):
                if index:
                    whole.append(run_plain())
                else:
                    passes.append(run_instrumented())

        took = clock.time(both)
        if warm < 0:
            warm += 1
            passes.clear()
            whole.clear()
            continue
        spent += took
        watch.progress(min(1.0, spent / seconds, len(whole) / FEWEST))
    return passes, whole


class _Instrument(TimedOps):  # type: ignore[no-untyped-call]
    """Books the time of every operation to the layer that runs it.

    Args:
        net: The network.
        counted: Its rows.
        timer: Times one operation.
    """

    def __init__(self, net: nn.Module, counted: NetworkCost, timer: OpTimer) -> None:
        super().__init__(timer)
        self._net, self._name = net, counted.spec.name
        self._rows = {row.name: index for index, row in enumerate(counted.layers)}
        self._elsewhere = len(self._rows)
        self._modules = dict(net.named_modules())
        self._inside: list[str] = []
        self._booked: dict[tuple[str, Any], int] = {}

    def run(self, x: torch.Tensor) -> list[float]:
        """Run the network once and return the seconds of each row, and of what belongs to none.

        Args:
            x: Images.  # (N, C, H, W)

        Raises:
            ValueError: A row's layer ran nothing: the network was changed.
        """
        self._inside.clear()
        with following(self._modules, self._enter, self._inside.pop):
            self.timer.start()
            with self:
                self._net(x)
        seconds = [0.0] * (self._elsewhere + 1)
        ran = set()
        for index, took in self.timer.stop():
            seconds[index] += took
            ran.add(index)
        for name, index in self._rows.items():
            if index not in ran:
                raise ValueError(
                    f"The layer {name} of {self._name} ran nothing; the time of each layer is known "
                    "only for a network as its spec builds it: give the one from before it was changed."
                )
        return seconds

    def row(self, operation: Any) -> int:
        """Return the index of the row that an operation belongs to."""
        key = (self._inside[-1], operation)
        if key not in self._booked:
            self._booked[key] = self._rows.get(self._row_name(*key), self._elsewhere)
        return self._booked[key]

    def _row_name(self, module_name: str, operation: Any) -> str:
        module, name = self._modules[module_name], operation.overloadpacket.__name__
        if isinstance(module, SqueezeExcitation):
            return module_name + _IN_SQUEEZE.get(name, "")
        if isinstance(module, MBConv | FusedMBConv):
            return module_name + _IN_BLOCK.get(name, "")
        if isinstance(module, ConvNormAct):
            return f"{module_name}.conv"  # the padding before it
        top = module_name.partition(".")[0]
        return {"pool": "head.pool", "classifier": "classifier"}.get(top, module_name)

    def _enter(self, name: str, _inputs: object) -> None:
        self._inside.append(name)
        if name in ("stem", "head") or isinstance(self._modules[name], MBConv | FusedMBConv):
            self.next_piece()
