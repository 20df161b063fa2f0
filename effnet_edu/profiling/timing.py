"""Repeated, synchronised timing with a warm-up, an interval, and a way to stop."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from effnet_edu.profiling.cancel import Cancelled, IsCancelled

#: Fewer repeats give no interval worth showing; more than these are not needed.
FEWEST, MOST = 3, 200
#: A machine is called noisy when the middle half of the repeats spreads over more than this share.
NOISY_SPREAD = 0.15


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
        """A 95% interval for the median, from the order of the runs alone; all of them where they are few."""
        ordered, n = sorted(self.seconds), len(self.seconds)
        reach = 0.98 * math.sqrt(n)
        low, high = math.floor(n / 2 - reach), math.ceil(n / 2 + reach)
        return ordered[max(low, 0)], ordered[min(high, n - 1)]

    @property
    def noisy(self) -> bool:
        """Whether the middle half of the runs spreads over more than 15% of the median."""
        lower, _, upper = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (upper - lower) / self.median > NOISY_SPREAD


def time_repeats(
    run: Callable[[], object],
    seconds: float,
    is_cancelled: IsCancelled,
    progress: Callable[[float], None],
) -> Timing:
    """Run until warm, then time repeats for about `seconds`.

    Warm means that a run was no more than 5% faster than the one before it; warming up ends after a third of
    the time at the latest. At least 3 runs are timed however long one takes.

    Args:
        run: One synchronised run.
        seconds: How long to time, above 0.
        is_cancelled: Asked before every run.
        progress: Told the share done, from 0 to 1, after every run.

    Raises:
        Cancelled: `is_cancelled` said yes.
    """

    def once() -> float:
        if is_cancelled():
            raise Cancelled
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    begun, last = time.perf_counter(), once()
    while time.perf_counter() - begun < seconds / 3:
        newest = once()
        if newest > 0.95 * last:
            break
        last = newest
    times: list[float] = []
    while len(times) < MOST and (len(times) < FEWEST or sum(times) < seconds):
        times.append(once())
        progress(min(1.0, min(sum(times) / seconds, len(times) / FEWEST)))
    return Timing(tuple(times))
