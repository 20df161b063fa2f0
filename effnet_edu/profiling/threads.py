"""How many threads to compute with while other programs hold cores."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from effnet_edu.ground.openmp import BOUNDED, spin_is_bounded
from effnet_edu.ground.watch import Watch

#: Fewer threads are taken where they need less than this share of the time that all need: on a quiet machine,
#: operations as large as those that are tried never do.
BETTER_SHARE = 0.75
#: Runs of each number of threads, and seconds after which no further run of it begins.
RUNS, MOST_SECONDS = 5, 0.5
#: For so long fewer threads are taken without trying again, so that what belongs together is alike.
REMEMBERED_SECONDS = 30.0


@dataclass(frozen=True)
class Threads:
    """How many threads were wanted and are used, and the milliseconds of a short run with either."""

    wanted: int
    used: int
    wanted_ms: float = 0.0
    used_ms: float = 0.0

    @property
    def sentence(self) -> str:
        """What was done about taken cores, and how to mend it; empty where nothing had to be."""
        if self.used == self.wanted:
            return ""
        mend = "close it and measure again"
        if not spin_is_bounded():
            name, rounds = next(iter(BOUNDED.items()))
            mend += f", or import effnet_edu before torch (or set {name}={rounds} before Python starts)"
        return (
            f"Another program holds a core: a short run took {self.wanted_ms:.0f} ms with {self.wanted} "
            f"threads and {self.used_ms:.0f} ms with {self.used}, so this was measured with {self.used}; "
            f"{mend}."
        )


_current: ContextVar[Threads | None] = ContextVar("threads", default=None)
_remembered: tuple[float, Threads] | None = None


@contextmanager
def free_threads(device: torch.device, watch: Watch = Watch()) -> Iterator[Threads]:
    """Compute with as many threads as are quickest now; on an accelerator, and inside of another, as it is.

    OpenMP's threads wait for each other after every operation. Where other programs hold cores, fewer are
    quicker, often many times. Afterwards torch has as many threads as before.
    """
    outer, wanted = _current.get(), torch.get_num_threads()
    if outer is not None or device.type != "cpu" or wanted == 1:
        yield outer or Threads(wanted, wanted)
        return
    chosen = _choose(wanted, watch)
    token = _current.set(chosen)
    try:
        with computing_with(chosen.used):
            yield chosen
    finally:
        _current.reset(token)


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Compute with so many threads; 0 for as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _choose(wanted: int, watch: Watch) -> Threads:
    global _remembered
    if _remembered is not None:
        until, before = _remembered
        if time.monotonic() < until and before.wanted == wanted:
            return before
    chosen = quickest(wanted, _timed, watch)
    is_reduced = chosen.used < wanted
    _remembered = (time.monotonic() + REMEMBERED_SECONDS, chosen) if is_reduced else None
    return chosen


def quickest(wanted: int, timed: Callable[[int], float], watch: Watch = Watch()) -> Threads:
    """Return the choice between one thread, half of them, all but one, and all."""
    counts = sorted({1, max(1, wanted // 2), wanted - 1, wanted})
    runs: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(RUNS):  # in turns, so that all meet the same machine
        for count, found in runs.items():
            watch.check()
            if sum(found) < MOST_SECONDS:
                found.append(timed(count))
    took = {count: statistics.median(found) for count, found in runs.items()}
    used = min(took, key=took.__getitem__)
    if took[used] >= BETTER_SHARE * took[wanted]:
        used = wanted
    return Threads(wanted, used, 1000 * took[wanted], 1000 * took[used])


def _timed(count: int) -> float:
    """Return the seconds of eight convolutions with so many threads, about a millisecond each with one."""
    with computing_with(count), torch.inference_mode():
        x, weight = torch.zeros(1, 64, 32, 32), torch.zeros(64, 64, 3, 3)
        F.conv2d(x, weight, padding=1)
        begun = time.perf_counter()
        for _ in range(8):
            x = F.conv2d(x, weight, padding=1)
        return time.perf_counter() - begun
