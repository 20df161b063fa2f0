"""Repeated timing with a warm-up, an interval for the median, and a way to stop."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from effnet_edu.profiling.cancel import Cancelled, IsCancelled, never
from effnet_edu.profiling.device import stopwatch

#: Fewer repeats give no interval worth showing; more than these are not needed.
FEWEST, MOST = 3, 500
#: Timing may end before its time when the interval is this narrow, as a share of the median,
STATED_SPREAD = 0.01
#: after this many repeats: looking often at few of them would find a narrow interval by chance.
FEWEST_TO_END_EARLY = 30
#: A machine is called noisy when the middle half of the repeats spreads over more than this share.
NOISY_SPREAD = 0.15
#: Warm: the fastest of the last few runs is no more than this share faster than all before them.
WARM_SHARE, WARM_RUNS = 0.02, 3


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs, in the order in which they ran."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle run, in seconds."""
        return statistics.median(self.seconds)

    @property
    def interval(self) -> tuple[float, float]:
        """The narrowest symmetric pair of runs that holds the median with 95%; the outermost where few ran.

        It assumes nothing but that the runs are alike and independent: each falls below the true median with
        probability one half. Below 6 runs even the outermost hold it less often, 75% for 3 runs.
        """
        ordered, n = sorted(self.seconds), len(self.seconds)
        rank = _rank(n)
        return ordered[rank], ordered[n - 1 - rank]

    @property
    def spread(self) -> float:
        """Width of the interval as a share of the median."""
        low, high = self.interval
        return (high - low) / self.median

    @property
    def noisy(self) -> bool:
        """Whether the middle half of the runs spreads over more than 15% of the median."""
        lower, _, upper = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (upper - lower) / self.median > NOISY_SPREAD


def _rank(n: int) -> int:
    """Return how many runs may be left out at each end so that 95% remain, from the binomial distribution."""
    outside, rank = 0.0, 0
    while True:
        outside += 2 * math.comb(n, rank) / 2**n
        if outside > 0.05:
            return max(rank - 1, 0)
        rank += 1


def time_repeats(
    run: Callable[[], object],
    seconds: float,
    device: torch.device,
    is_cancelled: IsCancelled = never,
    progress: Callable[[float], None] = lambda _share: None,
) -> Timing:
    """Run until warm, then time repeats until the median is known well, for about `seconds` at most.

    Warm means that the best of the last three runs was no more than 2% faster than every run before them;
    warming up ends after half of the time at the latest, and one run is always thrown away. Timing ends when
    the median's interval is narrower than 1% of it (30 repeats at least), after `seconds`, or after 500
    repeats. Three repeats are timed however long one takes.

    One run is in flight at a time: the device is idle when it begins, and waited for when it ends. This is
    the time of a batch; a program that queues many batches at once may reach a higher throughput.

    Args:
        run: Queues one run on the device; it need not wait for it.
        seconds: How long to time, above 0.
        device: Where it runs: timed by its own events where it has them, by the clock elsewhere.
        is_cancelled: Asked before every run.
        progress: Told the share done, from 0 to 1, after every timed run.

    Raises:
        Cancelled: `is_cancelled` said yes.
    """
    watch = stopwatch(device)

    def once() -> float:
        if is_cancelled():
            raise Cancelled
        return watch.time(run)

    begun = time.perf_counter()
    warming = [once()]
    while time.perf_counter() - begun < seconds / 2 and not _is_warm(warming):
        warming.append(once())
    times: list[float] = []
    begun = time.perf_counter()
    while not _is_enough(times, time.perf_counter() - begun, seconds):
        times.append(once())
        passed = (time.perf_counter() - begun) / seconds
        progress(min(1.0, max(passed, len(times) / MOST), len(times) / FEWEST))
    progress(1.0)
    return Timing(tuple(times))


def _is_warm(times: list[float]) -> bool:
    before, last = times[:-WARM_RUNS], times[-WARM_RUNS:]
    return bool(before) and min(last) > (1 - WARM_SHARE) * min(before)


def _is_enough(times: list[float], passed: float, seconds: float) -> bool:
    if len(times) < FEWEST:
        return False
    if passed >= seconds or len(times) >= MOST:
        return True
    # Sorting after every repeat would cost more than it saves.
    due = len(times) >= FEWEST_TO_END_EARLY and len(times) % 10 == 0
    return due and Timing(tuple(times)).spread < STATED_SPREAD
