"""Seconds of repeated runs, their median and its interval. No torch."""

import math
import statistics
from dataclasses import dataclass

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
        """The narrowest symmetric pair of runs that holds the median with 95%; the outermost where few ran.

        It assumes nothing but that the runs are alike and independent: each falls below the true median with
        probability one half. Below 6 runs even the outermost hold it less often, 75% for 3 runs.
        """
        return median_interval(self.seconds)

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


def median_interval(values: tuple[float, ...]) -> tuple[float, float]:
    """Return the interval that `Timing.interval` describes, of any values."""
    ordered, n = sorted(values), len(values)
    rank = _rank(n)
    return ordered[rank], ordered[n - 1 - rank]


def _rank(n: int) -> int:
    """Return how many runs may be left out at each end so that 95% remain, from the binomial distribution."""
    outside, rank = 0.0, 0
    while True:
        outside += 2 * math.comb(n, rank) / 2**n
        if outside > 0.05:
            return max(rank - 1, 0)
        rank += 1
