"""Counts and times of any module, layer by layer: each operation is booked to whoever asked for it."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.ground.watch import Watch
from effnet_edu.model.cost import LayerCost
from effnet_edu.profiling.counts import OpCounter, run_counted, to_count
from effnet_edu.profiling.device import device_name, stopwatch
from effnet_edu.profiling.following import following
from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.layers import LayerProfile, in_turns
from effnet_edu.profiling.op_timer import TimedOps, instrument_seconds, op_timer
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.telemetry import sensors
from effnet_edu.profiling.threads import Threads
from effnet_edu.profiling.workload import Workload

_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True)
class ModuleRow:
    """What one module of a network does by itself, without the modules inside of it.

    Attributes:
        cost: Its counts, for one image.
        module: The module.
        shapes: Of what it reads, where it is called once, with tensors alone, and has no modules inside; else
            empty.
    """

    cost: LayerCost
    module: nn.Module
    shapes: tuple[tuple[int, ...], ...]


def module_rows(net: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[ModuleRow, ...]:
    """Count any module for these inputs; a row for each part that does more than call others or look.

    Raises:
        ValueError: The module takes no such inputs.
    """
    counted, modules = to_count(net), _named(net)
    counter = _Rows(counted)
    with following(counter.modules, counter.enter, counter.leave):
        run_counted(counted, inputs, inputs[0].device, counter)
    batch = inputs[0].shape[0]
    return tuple(
        ModuleRow(_cost(name, modules[name], found, batch), modules[name], found.shapes)
        for name, found in counter.found.items()
        if found.read or found.written
    )


def _named(net: nn.Module) -> dict[str, nn.Module]:
    return {name or type(net).__name__: module for name, module in net.named_modules()}


@dataclass
class _Found:
    """What was counted so far for one module and the whole batch."""

    macs: int = 0
    read: int = 0
    written: int = 0
    calls: int = 0
    shapes: tuple[tuple[int, ...], ...] = ()


class _Rows(OpCounter):  # type: ignore[no-untyped-call]
    def __init__(self, net: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.modules = _named(net)
        self.found: dict[str, _Found] = {}
        #: Weights, and views of them, by their id: those are counted with their module, whatever reads them.
        self._held = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
        self._inside: list[str] = []

    def enter(self, name: str, inputs: tuple[object, ...]) -> None:
        self._inside.append(name)
        found = self.found.setdefault(name, _Found())
        found.calls += 1
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        is_plain = found.calls == 1 and len(tensors) == len(inputs) and not [*self.modules[name].children()]
        found.shapes = tuple(tuple(x.shape) for x in tensors) if is_plain else ()

    def leave(self) -> None:
        self._inside.pop()

    def book(self, operation: Any, macs: int, read: list[Tensor], written: list[Tensor]) -> None:
        found = self.found[self._inside[-1]]
        found.macs += macs
        from_maps = [leaf for leaf in read if id(leaf) not in self._held]
        if operation.namespace == "prim":  # it only asks
            return
        if not (operation.is_view or operation is torch.ops.aten._unsafe_view.default):
            found.read += sum(leaf.numel() for leaf in from_maps)
            found.written += sum(leaf.numel() for leaf in written)
        elif not from_maps:
            self._held |= {id(leaf): leaf for leaf in written}


def _cost(name: str, module: nn.Module, found: _Found, batch: int) -> LayerCost:
    own = sum(tensor.numel() for tensor in module.parameters(recurse=False))
    buffers = sum(tensor.numel() for tensor in module.buffers(recurse=False) if tensor.is_floating_point())
    kind = _kind(module)
    return LayerCost(
        name, None, None, kind, kind, 0, 0, 0, 0, 1, 1, own, buffers,
        found.macs // batch, found.read // batch, found.written // batch,
    )  # fmt: skip


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.modules.conv._ConvNd):
        return "convolution"
    if isinstance(module, nn.Linear):
        return "linear"
    if isinstance(module, _NORMS):
        return "norm"
    home = type(module).__module__.rpartition(".")[2] if not [*module.children()] else ""
    return {"activation": "activation", "pooling": "pool"}.get(home, "other")


def time_rows(
    work: Workload,
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    rows: tuple[ModuleRow, ...],
    threads: Threads,
    seconds: float,
    watch: Watch,
) -> LayerProfile:
    """Time each row of a module in evaluation mode, and the whole in turns with that, as `profile_layers`."""
    timer, clock = op_timer(work.device), stopwatch(work.device)
    with sensors(work.device) as held:
        instrument = _Instrument(net, [row.cost.name for row in rows], timer)
        passes, whole = in_turns(
            lambda: instrument.run(lambda: net(*inputs)),
            lambda: clock.time(lambda: net(*inputs)),
            seconds,
            watch,
        )
        others = held.summary().others_load
    return LayerProfile(
        network=work.name,
        resolution=work.resolution,
        batch_size=work.batch_size,
        precision=work.precision,
        device=work.device.type,
        device_name=device_name(work.device),
        layers=tuple(
            LayerTime(
                row.cost, Timing(tuple(one[index] for one in passes)), work.batch_size, work.dtype.itemsize
            )
            for index, row in enumerate(rows)
        ),
        whole=Timing(tuple(whole)),
        elsewhere_seconds=median(one[-1] for one in passes),
        instrument_seconds=instrument_seconds(work.device),
        queued_behind=timer.behind,
        others_load=others,
        torch_version=torch.__version__,
        seed=0,
        threads=threads.used if work.device.type == "cpu" else None,
        threads_note=threads.sentence,
    )


class _Instrument(TimedOps):  # type: ignore[no-untyped-call]
    def __init__(self, net: nn.Module, names: list[str], timer: Any) -> None:
        super().__init__(timer)
        self._rows = {name: index for index, name in enumerate(names)}
        self._modules = _named(net)
        self._inside: list[str] = []

    def run(self, work: Callable[[], object]) -> list[float]:
        """Return the seconds of each row, and of what belongs to none."""
        self._inside.clear()
        with following(self._modules, self._enter, self._inside.pop):
            self.timer.start()
            with self:
                work()
        seconds = [0.0] * (len(self._rows) + 1)
        for index, took in self.timer.stop():
            seconds[index] += took
        return seconds

    def row(self, operation: Any) -> int:  # noqa: ARG002 - whoever asks for it
        return self._rows.get(self._inside[-1], len(self._rows))

    def _enter(self, name: str, _inputs: object) -> None:
        self._inside.append(name)
        if name in self._rows:
            self.next_piece()
