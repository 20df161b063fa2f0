"""Time single operations of torch: by the clock on a CPU, by the device's own events on an accelerator."""

import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from typing import Any, Protocol

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from effnet_edu.profiling.device import synchronize

#: Operations on one number that tell what the instrument adds.
TRIED = 300
#: Matrix products queued before each piece of a network: at first, and at most.
FIRST_HOLD, LONGEST_HOLD = 16, 256


class OpTimer(Protocol):
    """Times one operation after another; what it read is there once the device is done."""

    @property
    def behind(self) -> float:
        """Share of the pieces in which the device may have waited for work."""
        ...

    def start(self) -> None:
        """Forget what was read."""
        ...

    def next_piece(self) -> None:
        """Be told that a piece of the network begins."""
        ...

    def time(self, row: int, run: Callable[[], Any]) -> Any:
        """Run one operation and return its result."""
        ...

    def stop(self) -> list[tuple[int, float]]:
        """Wait for the device and return, for each operation, its row and its seconds."""
        ...


class ClockTimer:
    """Waits for the device and reads the clock on both sides of an operation."""

    behind = 0.0

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._read: list[tuple[int, float]] = []

    def start(self) -> None:
        """Forget what was read."""
        self._read = []
        synchronize(self._device)

    def next_piece(self) -> None:
        """Do nothing: there is no queue."""

    def time(self, row: int, run: Callable[[], Any]) -> Any:
        """Run one operation and return its result."""
        begun = time.perf_counter()
        result = run()
        synchronize(self._device)
        self._read.append((row, time.perf_counter() - begun))
        return result

    def stop(self) -> list[tuple[int, float]]:
        """Return, for each operation, its row and its seconds."""
        return self._read


class EventTimer:
    """Lets the device note when each operation begins and ends, while work lies queued before it.

    Without a queue the device would wait for the processor inside of what is timed. So before each piece of
    the network (a block, say) the device gets matrix products to do, and while it does them the piece is
    queued. Where the products were done too early, more are taken for the next pass.

    Raises:
        RuntimeError: It has no such events.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._free: list[torch.Event] = []
        self._used: list[torch.Event] = []
        self._read: list[tuple[int, torch.Event, torch.Event]] = []
        self._gate: torch.Event | None = None
        self._matrix = torch.zeros(1024, 1024, device=device)
        self._out = torch.zeros_like(self._matrix)
        self._hold = FIRST_HOLD
        self._pieces = self._late = 0
        self.start()
        self.time(0, lambda: self._matrix.mul_(1.0))
        self.stop()  # some devices make events and then cannot tell the time between two

    @property
    def behind(self) -> float:
        """Share of the pieces, since the hold is as long as it is, that were not queued in time."""
        return self._late / self._pieces if self._pieces else 0.0

    def start(self) -> None:
        """Forget what was read."""
        self._free += self._used
        self._used, self._read, self._gate = [], [], None
        synchronize(self._device)

    def next_piece(self) -> None:
        """Give the device something to do while the piece is queued."""
        self._close_piece()
        for _ in range(self._hold):
            torch.mm(self._matrix, self._matrix, out=self._out)
        self._gate = self._record()

    def time(self, row: int, run: Callable[[], Any]) -> Any:
        """Queue one operation between two events and return its result."""
        begin = self._record()
        result = run()
        self._read.append((row, begin, self._record()))
        return result

    def stop(self) -> list[tuple[int, float]]:
        """Wait for the device and return, for each operation, its row and its seconds."""
        late = self._late
        self._close_piece()
        synchronize(self._device)
        read = [(row, float(begin.elapsed_time(end)) / 1000) for row, begin, end in self._read]
        if self._late > late and self._hold < LONGEST_HOLD:
            self._hold *= 2
            self._pieces = self._late = 0
        return read

    def _close_piece(self) -> None:
        if self._gate is not None:
            self._pieces += 1
            self._late += bool(self._gate.query())

    def _record(self) -> torch.Event:
        event = self._free.pop() if self._free else torch.Event(device=self._device, enable_timing=True)
        event.record()
        self._used.append(event)
        return event


def op_timer(device: torch.device) -> OpTimer:
    """Return what times single operations on this device best."""
    if device.type != "cpu":
        with suppress(RuntimeError, NotImplementedError, TypeError):
            return EventTimer(device)
    return ClockTimer(device)


class TimedOps(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is active, every operation of torch is timed and booked."""

    def __init__(self, timer: OpTimer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.timer = timer
        self._pausing = False

    def row(self, operation: Any) -> int:
        """Return what an operation is booked to."""
        raise NotImplementedError

    def next_piece(self) -> None:
        """Tell the timer that a piece of the network begins; what it then does is not timed."""
        self._pausing = True
        self.timer.next_piece()
        self._pausing = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation, timed."""
        if self._pausing:
            return func(*args, **(kwargs or {}))
        return self.timer.time(self.row(func), lambda: func(*args, **(kwargs or {})))


class _OneRow(TimedOps):  # type: ignore[no-untyped-call]
    def row(self, operation: Any) -> int:  # noqa: ARG002 - all are alike
        return 0


def instrument_seconds(device: torch.device) -> float:
    """Return what the instrument adds to the time that it reads for one operation.

    It is what it reads for an operation on one number, less what such an operation takes without it.
    """
    timer = op_timer(device)

    def read(work: Callable[[], object]) -> list[float]:
        timer.start()
        work()
        return [seconds for _, seconds in timer.stop()]

    with torch.inference_mode():
        number = torch.ones(1, device=device)

    @torch.inference_mode()
    def many() -> None:
        for _ in range(TRIED):
            number.mul_(1.0)

    def queued(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            timer.next_piece()
            work()

        return run

    def instrumented() -> None:
        with _OneRow(timer):
            many()

    many()
    plain = min(read(queued(lambda: timer.time(0, many)))[0] for _ in range(3)) / TRIED
    return median(read(queued(instrumented))) - plain
