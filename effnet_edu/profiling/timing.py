"""Repeated timing with a warm-up and a way to stop."""

import time
from collections.abc import Callable

import torch

from effnet_edu.ground.watch import Watch
from effnet_edu.profiling.device import stopwatch
from effnet_edu.profiling.repeats import Timing

#: Fewer repeats give no interval worth showing; more than these are not needed.
FEWEST, MOST = 3, 500
#: Timing may end before its time when the interval is this narrow, as a share of the median,
STATED_SPREAD = 0.01
#: after this many repeats: looking often at few of them would find a narrow interval by chance.
FEWEST_TO_END_EARLY = 30
#: Warm: the fastest of the last few runs is no more than this share faster than all before them.
WARM_SHARE, WARM_RUNS = 0.02, 3


def time_repeats(
    run: Callable[[], object],
    seconds: float,
    device: torch.device,
    watch: Watch = Watch(),
) -> Timing:
    """Run until warm, then time repeats until the median is known well, for about `seconds` at most.

    Warm means that the best of the last three runs was no more than 2% faster than every run before them;
    warming up ends after half of the time at the latest, and one run is always thrown away. Timing ends when
    the median's interval is narrower than 1% of it (30 repeats at least), after `seconds`, or after 500
    repeats. Three repeats are timed however long one takes.

    One run is in flight at a time: the device is idle when it begins, and waited for when it ends. This is
    the time of a batch; a program that queues many batches at once may reach a higher throughput.

    Raises:
        Cancelled: `watch` said so.
    """
    clock = stopwatch(device)

    def once() -> float:
        watch.check()
        return clock.time(run)

    begun = time.perf_counter()
    warming = [once()]
    while time.perf_counter() - begun < seconds / 2 and not _is_warm(warming):
        warming.append(once())
    times: list[float] = []
    begun = time.perf_counter()
    while not _is_enough(times, time.perf_counter() - begun, seconds):
        times.append(once())
        passed = (time.perf_counter() - begun) / seconds
        watch.progress(min(1.0, max(passed, len(times) / MOST), len(times) / FEWEST))
    watch.progress(1.0)
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
