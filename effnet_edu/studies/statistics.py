"""Means with their intervals, from a few repeated runs."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, with a 95% interval from Student's t distribution.

    Attributes:
        mean: The mean.
        low: Lower end of the interval.
        high: Upper end; both are the mean where there is one value alone and nothing can be said.
        count: How many values it is the mean of.
    """

    mean: float
    low: float
    high: float
    count: int

    @property
    def decides_sign(self) -> bool:
        """Whether zero lies outside the interval, and there is one."""
        return self.count > 1 and not self.low <= 0 <= self.high

    def lies_within(self, bound: float) -> bool:
        """Whether the whole interval is nearer to zero than an equivalence bound, and there is one."""
        return self.count > 1 and -bound < self.low and self.high < bound

    def scaled(self, factor: float) -> "Estimate":
        """Return the same in another unit, or of the other sign."""
        low, high = sorted((factor * self.low, factor * self.high))
        return Estimate(factor * self.mean, low, high, self.count)


def t_distribution(t: float, degrees: int) -> float:
    """Return the probability that Student's t is at most `t`.

    Source: the closed forms for whole degrees of freedom in Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    theta = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(theta)
    # Each factor is (k - 1) / k: of even k where the degrees are even, of odd k where they are odd.
    term, total = 1.0, 0.0
    first = 2 if degrees % 2 == 0 else 3
    for k in range(first, degrees + 1, 2):
        total += term
        term *= (k - 1) / k * cosine**2
    if degrees % 2 == 0:
        between = math.sin(theta) * total
    else:
        between = 2 / math.pi * (theta + math.sin(theta) * cosine * total)
    return 0.5 + between / 2


def t_quantile(probability: float, degrees: int) -> float:
    """Return the t below which Student's t lies with this probability."""
    low, high = 0.0, 1.0
    while t_distribution(high, degrees) < probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_distribution(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of repeated runs with its interval."""
    mean, count = statistics.fmean(values), len(values)
    if count == 1:
        return Estimate(mean, mean, mean, 1)
    reach = t_quantile((1 + CONFIDENCE) / 2, count - 1) * statistics.stdev(values) / math.sqrt(count)
    return Estimate(mean, mean - reach, mean + reach, count)


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Return how much `first` exceeds `second`, pair by pair: what a seed does to both cancels out."""
    return estimate([a - b for a, b in zip(first, second, strict=True)])


def paired_ratio(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Return how many times `second` goes into `first`, pair by pair, estimated on a logarithmic scale."""
    logarithms = paired_difference([math.log(a) for a in first], [math.log(b) for b in second])
    mean, low, high = (math.exp(value) for value in (logarithms.mean, logarithms.low, logarithms.high))
    return Estimate(mean, low, high, logarithms.count)
