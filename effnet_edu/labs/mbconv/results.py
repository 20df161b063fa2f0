"""What a measurement of the MBConv lab found, with the numbers that are told of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from effnet_edu.labs.frame.numbers import Number
from effnet_edu.labs.mbconv.numbers import role_words
from effnet_edu.profiling.layer_time import LayerTime, together
from effnet_edu.profiling.repeats import Timing

if TYPE_CHECKING:
    from effnet_edu.labs.frame.in_page import PageTiming
    from effnet_edu.profiling.layer_time import LayerTime
    from effnet_edu.profiling.layers import LayerProfile
    from effnet_edu.profiling.roof_lines import Ceilings
    from effnet_edu.profiling.roofs import RooflinePoint


@dataclass(frozen=True)
class MeasuredBlock:
    """One kind of block as it ran, inside the smallest network around it.

    Attributes:
        points: Its layers under the ceilings, in the order in which they run.
        profile: Where and how it ran.
        alone: The block as if it were one layer, where nobody tells what its layers took.
    """

    points: "tuple[RooflinePoint, ...]"
    profile: "LayerProfile | PageTiming"
    alone: "LayerTime | None" = None

    @property
    def layers(self) -> "tuple[LayerTime, ...]":
        """Its layers, without those of the network around it."""
        return tuple(point.layer for point in self.points) if self.alone is None else (self.alone,)

    @property
    def roles(self) -> frozenset[str]:
        """The roles that took time of their own; none where the block is known as a whole alone."""
        return frozenset(point.layer.role for point in self.points)

    def timing(self, role: str | None = None) -> Timing:
        """Return the seconds of a batch in each pass."""
        return together([row for row in self.layers if role in (None, row.role)])

    def share(self, role: str) -> Timing:
        """Return the share of the block's time that a role took in each pass."""
        of, whole = self.timing(role).seconds, self.timing().seconds
        return Timing(tuple(some / every for some, every in zip(of, whole, strict=True)))

    @property
    def macs_per_second(self) -> float:
        """Multiply-adds per second of the block as a whole."""
        return sum(row.macs for row in self.layers) / self.timing().median

    @property
    def seconds_allowed(self) -> float:
        """Seconds of a batch if each layer reached its ceiling."""
        return sum((point.layer.macs or point.layer.bytes_moved) / point.attainable for point in self.points)


@dataclass(frozen=True)
class MBConvResult:
    """What one measurement found.

    Attributes:
        blocks: Kind to block; a kind that would take too long is missing.
        ceilings: What the device can do at most; None on an engine that does not tell.
        left_out: Kinds that would take too long.
    """

    blocks: dict[str, MeasuredBlock]
    ceilings: "Ceilings | None"
    left_out: tuple[str, ...]


def milliseconds(name: str, timing: Timing, is_detail: bool = False) -> Number:
    """Return a time with its interval."""
    low, high = timing.interval
    return Number(name, 1000 * timing.median, "ms", interval=(1000 * low, 1000 * high), is_detail=is_detail)


def times(found: MBConvResult) -> Iterator[Number]:
    """Yield the time of each kind."""
    for kind, one in found.blocks.items():
        yield milliseconds(f"time, {kind}", one.timing(), is_detail=True)


def measured_numbers(found: MBConvResult, kind: str, precision: str) -> tuple[Number, ...]:
    """Return the time of a kind and of its roles, that of all kinds, and the ceilings.

    Args:
        found: The measurement.
        kind: Which kind is drawn.
        precision: In which it was measured.
    """
    limits: tuple[Number, ...] = ()
    if found.ceilings is not None:
        limits = (
            Number("arithmetic ceiling", found.ceilings.peak(precision).per_second / 1e9, "GMAC/s"),
            Number("memory ceiling", found.ceilings.memory.per_second / 1e9, "GB/s"),
        )
    drawn = found.blocks.get(kind)
    if drawn is None:
        return (*times(found), *limits)
    return (
        milliseconds("time a batch", drawn.timing()),
        Number("speed", drawn.macs_per_second / 1e9, "GMAC/s"),
        *([Number("ceilings allow", 1000 * drawn.seconds_allowed, "ms")] if drawn.points else []),
        *limits,
        *(
            milliseconds(f"time, {role_words(role)}", drawn.timing(role), is_detail=True)
            for role in dict.fromkeys(point.layer.role for point in drawn.points)
        ),
        *times(found),
    )
