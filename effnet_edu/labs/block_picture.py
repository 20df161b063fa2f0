"""The course's picture of a block: from top to bottom, shapes on the wires, the shortcut on the right."""

import math
from dataclasses import dataclass

from effnet_edu.labs.drawing import circle, line, mark, text
from effnet_edu.labs.theme import COMPOUND, FUSED
from effnet_edu.model.outline import steps
from effnet_edu.model.specs import BlockSpec

#: Width of one picture, so that two of them stand side by side.
WIDTH_PX = 198
#: Height of a map's row, of an operation's, and of the sum's.
_MAP, _OPERATION, _SUM = 17, 25, 20
_CENTRE, _WIDEST, _LABELS, _SHORTCUT = 41, 40.0, 84, 193
#: Channels and side that are drawn as large as there is room.
_MOST_CHANNELS, _LARGEST_SIDE = 2560, 128


@dataclass(frozen=True)
class Look:
    """How a role is marked: the same colour and marker in every picture of the course.

    Attributes:
        colour: Of its fill.
        marker: A shape of `drawing.mark`.
    """

    colour: str
    marker: str


LOOKS = {
    "expand": Look("#E69F00", "^"),
    "depthwise": Look("#56B4E9", "o"),
    "squeeze_excite": Look(COMPOUND, "P"),
    "project": Look("#F0E442", "v"),
    "fused": Look(FUSED, "s"),
    "shortcut": Look("#999999", "X"),
}


def marker(x: float, y: float, role: str, radius: float = 5, hover: str = "", *, stale: bool = False) -> str:
    """Return the marker of a role.

    Args:
        x: Centre.
        y: Centre.
        role: As in `ee.cost`.
        radius: In pixels.
        hover: What a pointer resting on it is told.
        stale: Whether it belongs to an earlier setting.
    """
    look = LOOKS[role]
    paint = 'class="past"' if stale else f'class="role" fill="{look.colour}"'
    return mark(look.marker, x, y, radius, paint, hover)


@dataclass(frozen=True)
class BlockPicture:
    """A drawn block, and where its operations stand.

    Attributes:
        parts: SVG elements, back to front.
        rows: Role to the top edge of its row, in pixels.
        height: Height of it all.
        words: The same as a sentence.
    """

    parts: tuple[str, ...]
    rows: dict[str, float]
    height: float
    words: str


def _half(channels: float) -> float:
    return max(1.5, _WIDEST * math.sqrt(channels / _MOST_CHANNELS))


def _outline(left: float, top: float, widths: tuple[float, ...], height: float, colour: str) -> str:
    """Return a shape that is as wide as each of `widths` at equal steps from its top to its bottom."""
    step = height / (len(widths) - 1)
    right = [(left + half, top + index * step) for index, half in enumerate(widths)]
    points = [*right, *((2 * left - x, y) for x, y in reversed(right))]
    listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{listed}" class="role" fill="{colour}"/>'


def _texture(role: str, x: float, top: float, widths: tuple[float, ...], height: float) -> str:
    """Return what tells a role without its colour: each channel alone, or rungs across."""
    if role == "depthwise":
        count = max(2, round(widths[0] / 2.5))
        across = (x - widths[0] + 2 * widths[0] * n / count for n in range(1, count))
        path = "".join(f"M{at:.1f} {top:.1f}v{height:.1f}" for at in across)
    elif role in ("fused", "squeeze_excite"):
        count, path = 5, ""
        for n in range(1, count):
            place = n / count * (len(widths) - 1)
            low = min(int(place), len(widths) - 2)
            half = widths[low] + (place - low) * (widths[low + 1] - widths[low])
            path += f"M{x - half:.1f} {top + n / count * height:.1f}h{2 * half:.1f}"
    else:
        return ""
    return f'<path d="{path}" class="texture"/>'


def _map(x: float, y: float, left: float, channels: int, side: int) -> list[str]:
    half, height = _half(channels), 2 + 11 * math.sqrt(min(side, _LARGEST_SIDE) / _LARGEST_SIDE)
    top = y + (_MAP - height) / 2
    slab = (
        f'<rect x="{x - half:.1f}" y="{top:.1f}" width="{2 * half:.1f}" height="{height:.1f}" class="map"/>'
    )
    return [slab, text(left + _LABELS, y + _MAP / 2 + 4, f"{channels} x {side} x {side}", "soft")]


def block_picture(block: BlockSpec, left: float, top: float) -> BlockPicture:
    """Draw a block: slabs are feature maps, coloured shapes are operations.

    A slab is as wide as its channels and as high as its side, both as square roots; an operation goes from
    the width that it reads to the width that it writes. Scales are the same in every picture.

    Args:
        block: With all its numbers.
        left: Left edge, in pixels.
        top: Top edge.
    """
    x, y = left + _CENTRE, top
    parts, rows, side = _map(x, y, left, block.channels_in, block.side_in), {}, block.side_in
    said = [f"{block.channels_in} x {block.side_in} x {block.side_in}"]
    y += _MAP
    fork = y
    for role, label, before, after, side in steps(block):
        rows[role] = y
        narrow = (_half(block.squeeze_channels),) if role == "squeeze_excite" else ()
        widths = (_half(before), *narrow, _half(after))
        height = _OPERATION - 6
        parts.append(_outline(x, y + 3, widths, height, LOOKS[role].colour))
        parts.append(_texture(role, x, y + 3, widths, height))
        parts.append(marker(left + _LABELS + 5, y + _OPERATION / 2, role))
        parts.append(text(left + _LABELS + 14, y + _OPERATION / 2 + 4, label, "soft"))
        y += _OPERATION
        parts += _map(x, y, left, after, side)
        said.append(f"{label} to {after} x {side} x {side}")
        y += _MAP
    if block.has_shortcut:
        rows["shortcut"] = y
        middle, right = y + _SUM / 2, left + _SHORTCUT
        parts.append(
            f'<path d="M{x:.1f} {fork:.1f}H{right:.1f}V{middle:.1f}H{x + 8:.1f}" class="wire"/>'
            f"{circle(x, middle, 7, 'published')}"
            f'<path d="M{x - 4:.1f} {middle:.1f}h8M{x:.1f} {middle - 4:.1f}v8" class="wire"/>'
        )
        parts.append(text(left + _LABELS, middle + 13, "add the input", "soft"))
        said.append("the input is added")
        y += _SUM
    else:
        # A sum needs the same side and the same channels.
        reason = "stride 2" if block.stride > 1 else f"{block.channels_in} ≠ {block.channels_out}"
        parts.append(text(left, y + 13, f"no shortcut: {reason}", "soft"))
        said.append(f"no shortcut, because of {reason}")
        y += _SUM
    wire = line(x, top + 2, x, y - (0 if block.has_shortcut else _SUM), "wire")
    return BlockPicture((wire, *parts), rows, y - top, "; ".join(said))
