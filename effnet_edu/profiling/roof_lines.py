"""The roof of a roofline: a device's ceilings as lines over arithmetic intensity. No torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effnet_edu.profiling.ceilings import Ceilings

#: Both ends of a line: MACs per byte, and billions of MACs per second.
Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Roof:
    """The ceilings of a device.

    Attributes:
        peak: Of arithmetic, in GMAC/s.
        memory: Of memory, in GB/s.
        cache: Of the last cache, in GB/s; None where there is none.
    """

    peak: float
    memory: float
    cache: float | None

    @classmethod
    def of(cls, ceilings: "Ceilings", precision: str) -> "Roof":
        """Return the roof for one type of numbers."""
        cache = ceilings.cache.per_second / 1e9 if ceilings.cache else None
        return cls(ceilings.peak(precision).per_second / 1e9, ceilings.memory.per_second / 1e9, cache)

    @property
    def bandwidths(self) -> dict[str, float]:
        """Name to GB/s of what was measured."""
        return {"memory": self.memory} | ({"last cache": self.cache} if self.cache else {})

    def ridge(self, bandwidth: float, low: float, high: float) -> float:
        """Return the intensity from which arithmetic is the lower ceiling, held inside a chart."""
        return min(max(self.peak / bandwidth, low), high)

    def slopes(self, low: float, high: float, floor: float = 0.0) -> dict[str, Line]:
        """Return the line of each bandwidth in a chart of these intensities, from where it enters it."""
        lines = {}
        for name, bandwidth in self.bandwidths.items():
            end = self.ridge(bandwidth, low, high)
            start = min(max(low, floor / bandwidth), end)
            lines[name] = ((start, start * bandwidth), (end, end * bandwidth))
        return lines

    def flat(self, low: float, high: float) -> Line:
        """Return the line of arithmetic, from the first slope that reaches it."""
        start = self.ridge(max(self.bandwidths.values()), low, high)
        return (start, self.peak), (high, self.peak)
