"""The exact half of what the phi lab draws: the network, and MACs against phi."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from effnet_edu.labs.drawing import Axis, Drawing, circle, frame, line, text
from effnet_edu.labs.network_picture import LITTLE_ROOM, network_picture
from effnet_edu.labs.phi_numbers import (
    FORMULA,
    VARIANTS,
    Setting,
    cost_at,
    giga,
    implied_phi,
    label,
    network_at,
)
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import compound
from effnet_edu.published import read

CHARTS_SIZE = (396, 192)
#: Of the right chart, which has times over MACs.
MACS_ACROSS = Axis(0.2, 200, 252, 388, logarithmic=True)
_X = Axis(0, 7, 30, 186)
_MACS = Axis(0.2, 200, 158, 26, logarithmic=True)  # billions

#: How to read what is computed and published.
EXACT_NOTE = (
    "Height is the side of the map, thickness the channels (both as square roots), one slab a layer. "
    "Line: computed. Hollow: published; its bar spans the phi that depth, width and resolution imply."
)


@dataclass(frozen=True)
class PublishedPoint:
    """A published network and the phi that each of its multipliers implies.

    Attributes:
        name: `B0` to `B7`.
        low: Smallest of the three.
        middle: The one between.
        high: Largest.
        macs: Multiply-adds as the paper prints them.
    """

    name: str
    low: float
    middle: float
    high: float
    macs: float


@lru_cache(maxsize=64)
def published_points(alpha: float, beta: float, gamma: float) -> tuple[PublishedPoint, ...]:
    """Return B0 to B7, placed by the phi that their multipliers imply under these bases.

    Args:
        alpha: Depth base; at 1 it says nothing about phi, and nothing is placed.
        beta: Width base.
        gamma: Resolution base.

    Source: MACs from arXiv:1905.11946v5, table 2 (there called FLOPs).
    """
    printed, points = read("effnet_table2"), []
    for name in VARIANTS:
        if (implied := implied_phi(name, alpha, beta, gamma)) is None:
            return ()
        parts = implied.parts
        low, middle, high = sorted((parts.depth, parts.width, parts.resolution))
        macs = 1e9 * printed.row(network=f"EfficientNet-{name}").number("macs_billions")
        points.append(PublishedPoint(name, low, middle, high, macs))
    return tuple(points)


@lru_cache(maxsize=64)
def macs_curve(alpha: float, beta: float, gamma: float) -> str:
    """Return the points of the MACs curve over phi 0 to 7 as SVG coordinates.

    Args:
        alpha: Depth base.
        beta: Width base.
        gamma: Resolution base.
    """
    return " ".join(
        f"{_X(phi):.1f},{_MACS(cost(compound(phi, alpha, beta, gamma)).macs / 1e9):.1f}" for phi in range(8)
    )


@cache
def _macs_frame() -> str:
    return "".join(frame(_X, _MACS, "phi", "MACs, billions"))


def networks(setting: Setting, pinned: Setting | None) -> tuple[Drawing, ...]:
    """Draw the network, or two of them where A is pinned.

    Args:
        setting: The present one.
        pinned: A, or None.
    """
    if pinned is None:
        return (network_picture(network_at(setting)),)
    return tuple(
        network_picture(network_at(one), f"{name}: {label(one)}", LITTLE_ROOM)
        for name, one in (("A", pinned), ("B", setting))
    )


def macs_chart(setting: Setting, pinned: Setting | None) -> list[str]:
    """Draw MACs against phi as the left half of the charts.

    Args:
        setting: The present one.
        pinned: A, or None.
    """
    bases = (setting.alpha, setting.beta, setting.gamma)
    parts = [_macs_frame(), f'<polyline points="{macs_curve(*bases)}" class="curve"/>']
    for point in published_points(*bases):
        y = _MACS(point.macs / 1e9)
        parts.append(line(_X(point.low), y, _X(point.high), y, "range"))
        hover = f"{point.name}, published: {point.macs / 1e9:g} billion MACs (arXiv:1905.11946v5, table 2)"
        parts.append(circle(_X(point.middle), y, 4, "published", hover))
        if point.name != "B1":  # too near B0 and B2 for a label of its own
            parts.append(text(_X(point.middle) + 7, y + 14, point.name, "soft"))
    if pinned is not None:
        parts += _place(pinned, "A")
    return parts + _place(setting, "B" if pinned is not None else "")


def time_axis(lows: Iterable[float], highs: Iterable[float]) -> Axis:
    """Return the upright axis of times, in whole decades.

    Args:
        lows: Lower ends of all intervals, in ms.
        highs: Upper ends.
    """
    least, most = min(lows, default=10.0), max(highs, default=1000.0)
    low, high = 10.0, 1000.0
    while least < low:
        low /= 10
    while most > high:
        high *= 10
    return Axis(low, high, 158, 26, logarithmic=True)


def macs_in_words(setting: Setting) -> str:
    """Return what the chart of MACs shows, in sentences.

    Args:
        setting: The present one.
    """
    return (
        f"MACs against phi. At {label(setting)} the network has {giga(cost_at(setting).macs)} MACs. "
        "Published B0 to B7 lie near the curve, each with the range of phi that its depth, width and "
        "resolution imply."
    )


def _place(setting: Setting, name: str) -> list[str]:
    """Mark a setting on the chart of MACs: filled on the formula, a hollow ring on a published network."""
    css = "now" if setting.variant == FORMULA else "chosen"
    x, y = _X(setting.phi), _MACS(cost_at(setting).macs / 1e9)
    return [circle(x, y, 6, css), *letter(x, y, name)]


def letter(x: float, y: float, letters: str) -> list[str]:
    """Write A to the left of a mark and B to the right, so that both can be read where the marks are near.

    Args:
        x: Of the mark, in pixels.
        y: Of the mark.
        letters: `"A"`, `"B"`, both, or nothing.
    """
    at = {"": None, "A": (x - 8, "end"), "B": (x + 8, "start")}.get(letters, (x, "middle"))
    return [] if at is None else [text(at[0], y - 8, letters, "title", at[1])]
