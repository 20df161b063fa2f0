"""The course's picture of a network: stages from left to right as slabs, one slab a layer."""

import math
from collections.abc import Sequence
from functools import cache

from effnet_edu.labs.drawing import Drawing, drawing, hatching, rectangle, text
from effnet_edu.labs.theme import DEPTH, RESOLUTION, WIDTH
from effnet_edu.model.specs import NetworkSpec, strided
from effnet_edu.model.variants import compound

WIDTH_PX = 396
#: Room for the slabs, and the less of it where two pictures stand below each other.
ROOM, LITTLE_ROOM = 134, 74
_LEFT, _NARROWEST, _GAP = 66, 33, 6
_TOP, _TITLE, _ROW, _WORDS = 4, 18, 16, 10


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
def _layout(largest: NetworkSpec, height: int) -> tuple[float, list[float], float]:
    """Return pixels per unit of thickness, column widths and pixels per unit of height."""
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


def network_picture(
    spec: NetworkSpec,
    title: str = "",
    room: int = ROOM,
    *,
    largest: NetworkSpec | None = None,
    by_operation: bool = False,
    rows: Sequence[tuple[str, Sequence[str]]] = (),
) -> Drawing:
    """Draw the stages of a network, every picture at the same scale unless it would not fit.

    Height is the side of the feature map and thickness the channels, both as square roots; layers are counted
    by slabs.

    Args:
        spec: A network with as many stages as the largest.
        title: What stands above it.
        room: Height of the tallest slab, in pixels.
        largest: The network that fills the room; B0 at phi 7 by default.
        by_operation: Whether fused stages are hatched, and all others grey.
        rows: More rows under the slabs: what each is called, and its words for every stage.
    """
    largest = largest or compound(7)
    per_channel, columns, per_side = _layout(largest, room)
    top_edge = _TOP + (_TITLE if title else 0)
    floor = top_edge + room
    sides, needs = stage_sides(spec), _needs(spec)
    tallest = per_side * math.sqrt(max(sides))
    shrink_height = min(1.0, room / tallest)
    shrink_width = min(1.0, *((c - _GAP) / (per_channel * n) for c, n in zip(columns, needs, strict=True)))
    parts, x = [text(0, 14, title, "title")] if title else [], float(_LEFT)
    centres = []
    for stage, side, column, need in zip(spec.stages, sides, columns, needs, strict=True):
        height = per_side * shrink_height * math.sqrt(side)
        width = per_channel * shrink_width * need
        layer = width / stage.layers
        left, top = x + (column - width) / 2, floor - height
        is_fused = by_operation and stage.operation == "fused_mbconv"
        css = "slab fused" if is_fused else "slab mbconv" if by_operation else "slab"
        parts.append(rectangle(left, top, width, height, css))
        if is_fused:
            parts.append(hatching(left, top, width, height))
        ends = "".join(f"M{left + n * layer:.2f} {top:.1f}v{height:.1f}" for n in range(1, stage.layers))
        parts.append(f'<path d="{ends}" class="layer"/>')
        centre = x + column / 2
        for row, words in enumerate((f"{stage.channels}", f"{side}", f"{stage.layers}")):
            parts.append(text(centre, floor + 18 + _ROW * row, words, "", "middle"))
        centres.append(centre)
        x += column
    dimensions = (("channels", WIDTH), ("side, px", RESOLUTION), ("layers", DEPTH))
    for row, (words, colour) in enumerate(dimensions):
        y = floor + 18 + _ROW * row
        parts.append(f'<rect x="0" y="{y - 9}" width="9" height="9" fill="{colour}"/>')
        parts.append(text(13, y, words, "soft"))
    for row, (words, cells) in enumerate(rows, len(dimensions)):
        y = floor + 18 + _ROW * row
        parts.append(text(0, y, words, "soft"))
        parts += [text(at, y, cell, "", "middle") for at, cell in zip(centres, cells, strict=True)]
    smallest = min(shrink_height, shrink_width)
    if smallest < 1:
        parts.append(text(WIDTH_PX, top_edge + 10, f"drawn at {smallest:.0%} of its size", "soft", "end"))
    stages = "; ".join(
        f"{stage.channels} x {side} x {side}, {stage.layers} layer{'s' if stage.layers > 1 else ''}"
        f"{', fused' if by_operation and stage.operation == 'fused_mbconv' else ''}"
        for stage, side in zip(spec.stages, sides, strict=True)
    )
    named = f"{title}. " if title else ""
    label = f"{named}The {len(sides)} stages of {spec.name}, channels x side x side: {stages}."
    said = "".join(f" {words}: {', '.join(cells)}." for words, cells in rows)
    height_px = floor + _WORDS + _ROW * (len(dimensions) + len(rows))
    return drawing((WIDTH_PX, height_px), label + said, parts)
