"""The ceilings of a device, and the roof that they make over arithmetic intensity. No torch."""

from dataclasses import dataclass

from effnet_edu.ground.checks import choice

#: Both ends of a line: MACs per byte, and billions of MACs per second.
Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Ceiling:
    """One thing that the device can do at most.

    Attributes:
        per_second: MACs or bytes per second, reached in the fastest tenth of the repeats.
        median_per_second: The same in the median repeat; what lies between the two is the spread.
        repeats: Timed runs.
        how: What was run.
    """

    per_second: float
    median_per_second: float
    repeats: int
    how: str

    @property
    def spread(self) -> float:
        """How far the median repeat stays below the fastest tenth, as a share of it."""
        return 1 - self.median_per_second / self.per_second


@dataclass(frozen=True)
class Ceilings:
    """What one device can do at most.

    Attributes:
        device: Type of the device.
        device_name: What its maker calls it.
        threads: Threads of a CPU; 0 on an accelerator.
        torch_version: Version of torch.
        arithmetic: MACs per second for each precision that the device computes in.
        memory: Bytes per second, read and written, between the device and its memory.
        cache: Bytes per second within the last cache; None where `notes` says why.
        cache_bytes: Size of the last cache; None where `cache` is.
        notes: What could not be measured, and why; and whether other programs made everything too low.
        crowded: Whether other programs wanted the same cores; such ceilings are not kept.
        seconds: How long measuring took.
    """

    device: str
    device_name: str
    threads: int
    torch_version: str
    arithmetic: dict[str, Ceiling]
    memory: Ceiling
    cache: Ceiling | None
    cache_bytes: int | None
    notes: tuple[str, ...]
    crowded: bool
    seconds: float

    def peak(self, precision: str) -> Ceiling:
        """Return the arithmetic ceiling of a precision.

        Args:
            precision: `"fp32"`, `"bf16"` or `"fp16"`.

        Raises:
            ValueError: It could not be measured on this device.
        """
        return self.arithmetic[choice("precision", precision, tuple(self.arithmetic))]

    def moving(self, bytes_moved: int) -> Ceiling:
        """Return the ceiling of so many bytes: the last cache's where it is known and holds them all."""
        fits = self.cache and self.cache_bytes and bytes_moved <= self.cache_bytes
        return self.cache if fits and self.cache else self.memory

    def ridge(self, precision: str) -> float:
        """Return the arithmetic intensity, in MACs per byte, at which memory stops being the limit.

        Args:
            precision: `"fp32"`, `"bf16"` or `"fp16"`.
        """
        return self.peak(precision).per_second / self.memory.per_second

    def __str__(self) -> str:
        rows = [(f"arithmetic, {name}", ceiling, "GMAC/s") for name, ceiling in self.arithmetic.items()]
        rows.append(("memory", self.memory, "GB/s"))
        if self.cache:
            rows.append(("last cache", self.cache, "GB/s"))
        lines = [f"Ceilings of {self.device_name}, measured with torch {self.torch_version}"]
        lines += [
            f"{name:<18}{ceiling.per_second / 1e9:>10,.1f} {unit:<7} median {ceiling.spread:.0%} below "
            f"({ceiling.repeats} repeats of {ceiling.how})"
            for name, ceiling, unit in rows
        ]
        return "\n".join([*lines, *self.notes])


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
    def of(cls, ceilings: Ceilings, precision: str) -> "Roof":
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
