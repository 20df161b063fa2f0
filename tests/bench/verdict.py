"""From times to a ratio with its interval, and to a word."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.cases import Bar
from tests.bench.runner import Times


@dataclass(frozen=True)
class Result:
    """One bar, and how it was met."""

    case: str
    ours: str
    ours_ms: float
    fastest_peer: str
    fastest_peer_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    bar: float
    verdict: str
    processes: int


def judge(bar: Bar, processes: Sequence[Times]) -> Result:
    """Hold ours against the peer that took the least time.

    Each process gives one ratio, the median over its rounds; the interval reaches from the lowest of the
    processes to the highest, which for five of them holds the median of all processes with 94%.
    """
    cases = [process[bar.case] for process in processes]

    def milliseconds(name: str) -> float:
        return 1000 * statistics.median(statistics.median(case[name]) for case in cases)

    peer = min(bar.peers, key=milliseconds)
    ratios = [
        statistics.median(ours / theirs for ours, theirs in zip(case[bar.ours], case[peer], strict=True))
        for case in cases
    ]
    low, high = min(ratios), max(ratios)
    return Result(
        bar.case, bar.ours, milliseconds(bar.ours), peer, milliseconds(peer),
        statistics.median(ratios), low, high, bar.ratio, verdict(low, high, bar.ratio), len(cases),
    )  # fmt: skip


def verdict(low: float, high: float, bar: float) -> str:
    """Return "met" where all of the interval is within the bar, "tie" where some of it is, or "MISSED"."""
    if high <= bar:
        return "met"
    return "tie" if low <= bar else "MISSED"
