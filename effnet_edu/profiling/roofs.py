"""Each layer under the ceilings of its device, and what keeps it from being faster. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.roof_lines import Ceilings

if TYPE_CHECKING:
    from effnet_edu.profiling.layers import LayerProfile

Bound = Literal["memory", "arithmetic", "overhead"]
BOUNDS: tuple[Bound, ...] = ("arithmetic", "memory", "overhead")

#: A layer that reaches less than this share of what its ceilings allow is kept back by neither of them.
FAR_BELOW = 1 / 4


@dataclass(frozen=True)
class RooflinePoint:
    """One layer under the ceilings.

    Attributes:
        layer: What it costs and took.
        bandwidth: Bytes per second that its data can be moved with.
        in_cache: Whether that is the last cache's, because all its data fit into it.
        peak: MACs per second of the device in the layer's precision.
        bound: `"memory"`, `"arithmetic"`, or `"overhead"` where it is far below both.
    """

    layer: LayerTime
    bandwidth: float
    in_cache: bool
    peak: float
    bound: Bound

    @property
    def unit(self) -> str:
        """What its rates count: `"MAC"`, or `"B"` for a layer that only moves bytes."""
        return "MAC" if self.layer.macs else "B"

    @property
    def intensity(self) -> float:
        """MACs for each byte moved."""
        return self.layer.intensity

    @property
    def attainable(self) -> float:
        """MACs (or bytes) per second that the ceilings allow."""
        if self.layer.macs:
            return min(self.peak, self.intensity * self.bandwidth)
        return self.bandwidth

    @property
    def achieved(self) -> float:
        """MACs (or bytes) per second, measured."""
        return self.layer.macs_per_second if self.layer.macs else self.layer.bytes_per_second

    @property
    def efficiency(self) -> float:
        """Achieved over attainable; above 1 where the layer found something faster than the ceiling."""
        return self.achieved / self.attainable

    @property
    def sentence(self) -> str:
        """What this means, for a learner."""
        level = "last cache" if self.in_cache else "memory"
        rate = f"{self.achieved / 1e9:,.2g} G{self.unit}/s"
        allowed = f"{self.attainable / 1e9:,.2g}"
        if self.efficiency > 1:
            return (
                f"{self.layer.name} runs at {rate}, above the {allowed} that its ceiling allows: some of its "
                f"data came from a cache nearer than the {level}, or the ceiling was measured at a busier "
                "moment."
            )
        if self.bound == "overhead":
            return (
                f"{self.layer.name} runs at {rate} of {allowed}: neither the {level} nor the arithmetic "
                "units keep it back. It is too small to pay for being started, its kernel uses the device "
                "badly, or it computes what is no MAC, such as an exponential."
            )
        if self.bound == "memory":
            return (
                f"{self.layer.name} runs at {rate} of {allowed}: the bytes through the {level} take the "
                "time, and fewer MACs would not help."
            )
        return (
            f"{self.layer.name} runs at {rate} of {allowed}: the arithmetic units are busy, and fewer MACs "
            "would help."
        )


@dataclass(frozen=True)
class Roofline:
    """All layers of a network under the ceilings of the device that they ran on.

    Attributes:
        profile: The measured layers.
        ceilings: The measured ceilings.
        points: One for each layer, in the order in which they run.
        recorded: Whether it was measured on another day or device, and read from a file.
    """

    profile: "LayerProfile"
    ceilings: Ceilings
    points: tuple[RooflinePoint, ...]
    recorded: bool = False

    def by_bound(self) -> dict[str, float]:
        """Return the seconds of the layers that each bound limits."""
        return {
            bound: sum(point.layer.seconds for point in self.points if point.bound == bound)
            for bound in BOUNDS
        }

    @property
    def above(self) -> tuple[RooflinePoint, ...]:
        """The layers that stand above their ceiling."""
        return tuple(point for point in self.points if point.efficiency > 1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the whole picture says, for a learner."""
        total, seconds = sum(point.layer.seconds for point in self.points), self.by_bound()
        slowest = max(self.points, key=lambda point: point.layer.seconds)
        said = [
            f"Of the time of these layers, {seconds['arithmetic'] / total:.0%} goes to layers limited by "
            f"arithmetic, {seconds['memory'] / total:.0%} to layers limited by moving bytes, and "
            f"{seconds['overhead'] / total:.0%} to layers that reach less than a quarter of both.",
            "The layer that takes longest: " + slowest.sentence,
        ]
        if self.above:
            share = sum(point.layer.seconds for point in self.above) / total
            said.append(
                f"{len(self.above)} of {len(self.points)} layers, with {share:.0%} of the time, stand above "
                "their ceiling. Bytes are counted as if nothing stayed in a cache between layers; where "
                "something did, fewer were moved than counted. They are shown where they are."
            )
        return tuple(said)

    def __str__(self) -> str:
        heading = (
            f"{'layer':<37}{'MACs/B':>8}{'allowed':>10}{'reached':>10}{'':<8}{'share':>7}{'µs':>10}  bound by"
        )
        lines = [
            f"{point.layer.name:<37}{point.intensity:>8.2f}{point.attainable / 1e9:>10,.1f}"
            f"{point.achieved / 1e9:>10,.1f} G{point.unit + '/s':<6}{point.efficiency:>7.0%}"
            f"{1e6 * point.layer.seconds:>10,.0f}  {point.bound}"
            for point in self.points
        ]
        return "\n".join([heading, *lines, *self.sentences])


#: Ceilings and layers whose middle run was so many times slower than their best ones tell of other programs.
DISTURBED = 3.0


def distrust(layer_profile: "LayerProfile", ceilings: Ceilings) -> str:
    """Return why no verdict can be read off these ceilings and layers, in a sentence; empty if one can."""
    if ceilings.device_name != layer_profile.device_name:
        return (
            f"The layers were measured on {layer_profile.device_name} and the ceilings on "
            f"{ceilings.device_name}; both must be from one device with one number of threads."
            + (f" {layer_profile.threads_note}" if layer_profile.threads_note else "")
        )
    peak, whole = ceilings.peak(layer_profile.precision), layer_profile.whole
    slower = max(1 / (1 - peak.spread), whole.median / min(whole.seconds))
    if (ceilings.crowded or layer_profile.crowded) and slower > DISTURBED:
        return (
            f"Other programs kept this device so busy that the middle run took {slower:.0f} times as long as "
            "the best one; ceilings and layers say nothing about the network: close them and measure again."
        )
    return ""


def roofline(layer_profile: "LayerProfile", ceilings: Ceilings) -> Roofline:
    """Place each layer under the ceilings, and say what keeps it from being faster.

    Arithmetic intensity is MACs over bytes read and written; a ceiling is the smaller one of the device's
    arithmetic and intensity times bandwidth. A layer whose data fit into the last cache all together is held
    against the cache's bandwidth where that could be measured. Layers without MACs are held against the
    bandwidth alone.

    Args:
        layer_profile: From `profile_layers`.
        ceilings: From `measure_ceilings`, on the same device.

    Raises:
        ValueError: The ceilings are another device's, or have none for the profile's precision, or other
            programs disturbed what was measured too much.

    Source: Williams, Waterman and Patterson, Roofline, CACM 52(4), 2009, section 3.
    """
    reason = distrust(layer_profile, ceilings)
    if reason:
        raise ValueError(reason)
    return Roofline(
        layer_profile, ceilings, points_under(layer_profile.layers, layer_profile.precision, ceilings)
    )


def points_under(
    layers: Sequence[LayerTime], precision: str, ceilings: Ceilings
) -> tuple[RooflinePoint, ...]:
    """Return layers of one precision under the ceilings, however far these may be trusted."""
    peak = ceilings.peak(precision).per_second
    points = []
    for row in layers:
        moving = ceilings.moving(row.bytes_moved)
        cached, bandwidth = moving is ceilings.cache, moving.per_second
        bytes_need, macs_need = row.bytes_moved / bandwidth, row.macs / peak
        bound: Bound = "memory" if bytes_need >= macs_need else "arithmetic"
        if max(bytes_need, macs_need) < FAR_BELOW * row.seconds:
            bound = "overhead"
        points.append(RooflinePoint(row, bandwidth, cached, peak, bound))
    return tuple(points)
