"""The course's picture of a network: stages from left to right as slabs, one slab a layer."""

import math
from functools import cache

from effnet_edu.labs.drawing import Drawing, drawing, rectangle, text
from effnet_edu.labs.theme import DEPTH, RESOLUTION, WIDTH
from effnet_edu.model.specs import NetworkSpec, strided
from effnet_edu.model.variants import compound

WIDTH_PX = 396
#: Room for the slabs, and the less of it where two pictures stand below each other.
ROOM, LITTLE_ROOM = 134, 74
_LEFT, _NARROWEST, _GAP = 66, 33, 6
_TOP, _TITLE, _WORDS = 4, 18, 58


def stage_sides(spec: NetworkSpec) -> list[int]:
    """Return the side of the feature map after each stage, in pixels.

    Args:
        spec: The network.
    """
    side, sides = strided(spec.resolution, 2), []
    for stage in spec.stages:
        side = strided(side, stage.stride)
        sides.append(side)
    return sides


def _needs(spec: NetworkSpec) -> list[float]:
    return [stage.layers * math.sqrt(stage.channels) for stage in spec.stages]


@cache
def _layout(height: int) -> tuple[float, list[float], float]:
    """Return pixels per unit of thickness, column widths and pixels per unit of height, from B0 at phi 7."""
    largest = compound(7)
    needs, room = _needs(largest), WIDTH_PX - _LEFT
    low, high = 0.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        if sum(max(_NARROWEST, middle * need + _GAP) for need in needs) > room:
            high = middle
        else:
            low = middle
    columns = [max(_NARROWEST, low * need + _GAP) for need in needs]
    return low, columns, height / math.sqrt(strided(largest.resolution, 2))


def network_picture(spec: NetworkSpec, title: str = "", room: int = ROOM) -> Drawing:
    """Draw the stages of a network scaled from B0, every picture at the same scale unless it would not fit.

    Height is the side of the feature map and thickness the channels, both as square roots; layers are counted
    by slabs.

    Args:
        spec: A network of seven stages.
        title: What stands above it.
        room: Height of the tallest slab, in pixels.
    """
    per_channel, columns, per_side = _layout(room)
    top_edge = _TOP + (_TITLE if title else 0)
    floor = top_edge + room
    sides, needs = stage_sides(spec), _needs(spec)
    tallest = per_side * math.sqrt(max(sides))
    shrink_height = min(1.0, room / tallest)
    shrink_width = min(1.0, *((c - _GAP) / (per_channel * n) for c, n in zip(columns, needs, strict=True)))
    parts, x = [text(0, 14, title, "title")] if title else [], float(_LEFT)
    for stage, side, column, need in zip(spec.stages, sides, columns, needs, strict=True):
        height = per_side * shrink_height * math.sqrt(side)
        width = per_channel * shrink_width * need
        layer = width / stage.layers
        left, top = x + (column - width) / 2, floor - height
        parts.append(rectangle(left, top, width, height, "slab"))
        ends = "".join(f"M{left + n * layer:.2f} {top:.1f}v{height:.1f}" for n in range(1, stage.layers))
        parts.append(f'<path d="{ends}" class="layer"/>')
        centre = x + column / 2
        for row, words in enumerate((f"{stage.channels}", f"{side}", f"{stage.layers}")):
            parts.append(text(centre, floor + 18 + 16 * row, words, "", "middle"))
        x += column
    rows = (("channels", WIDTH), ("side, px", RESOLUTION), ("layers", DEPTH))
    for row, (words, colour) in enumerate(rows):
        y = floor + 18 + 16 * row
        parts.append(f'<rect x="0" y="{y - 9}" width="9" height="9" fill="{colour}"/>')
        parts.append(text(13, y, words, "soft"))
    smallest = min(shrink_height, shrink_width)
    if smallest < 1:
        parts.append(text(WIDTH_PX, top_edge + 10, f"drawn at {smallest:.0%} of its size", "soft", "end"))
    stages = "; ".join(
        f"{stage.channels} x {side} x {side}, {stage.layers} layer{'s' if stage.layers > 1 else ''}"
        for stage, side in zip(spec.stages, sides, strict=True)
    )
    named = f"{title}. " if title else ""
    label = f"{named}The seven stages of {spec.name}, channels x side x side: {stages}."
    return drawing((WIDTH_PX, floor + _WORDS), label, parts)
