"""The course's picture of a block: from top to bottom, shapes on the wires, the shortcut on the right."""

import math
from dataclasses import dataclass

from effnet_edu.ground.palette import ROLES
from effnet_edu.model.outline import steps
from effnet_edu.model.specs import BlockSpec
from effnet_edu.pictures.scene import Mark, Scene, text

#: Width of one picture, so that two of them stand side by side.
WIDTH_PX = 198
#: Height of a map's row, of an operation's, and of the sum's.
_MAP, _OPERATION, _SUM = 17, 25, 20
_CENTRE, _WIDEST, _LABELS, _SHORTCUT = 41, 40.0, 84, 193
#: Channels and side that are drawn as large as there is room.
_MOST_CHANNELS, _LARGEST_SIDE = 2560, 128


@dataclass(frozen=True)
class BlockPicture:
    """A drawn block, and where its operations stand.

    Attributes:
        marks: From back to front.
        rows: Role to the top edge of its row, in pixels.
        height: Height of it all.
        words: The same as a sentence.
    """

    marks: tuple[Mark, ...]
    rows: dict[str, float]
    height: float
    words: str


def _half(channels: float, most: int) -> float:
    return max(1.5, _WIDEST * math.sqrt(channels / most))


def _outline(x: float, top: float, widths: tuple[float, ...], height: float) -> tuple[float, ...]:
    """Return an area that is as wide as each of `widths` at equal steps from its top to its bottom."""
    step = height / (len(widths) - 1)
    right = [(x + half, top + index * step) for index, half in enumerate(widths)]
    return tuple(n for point in (*right, *((2 * x - at, y) for at, y in reversed(right))) for n in point)


def _texture(role: str, x: float, top: float, widths: tuple[float, ...], height: float) -> tuple[float, ...]:
    """Return the strokes that tell a role without its colour: each channel alone, or rungs across."""
    strokes: list[float] = []
    if role == "depthwise":
        count = max(2, round(widths[0] / 2.5))
        for n in range(1, count):
            at = x - widths[0] + 2 * widths[0] * n / count
            strokes += (at, top, at, top + height)
    elif role in ("fused", "squeeze_excite"):
        for share in (0.2, 0.4, 0.6, 0.8):
            place = share * (len(widths) - 1)
            low = min(int(place), len(widths) - 2)
            half = widths[low] + (place - low) * (widths[low + 1] - widths[low])
            y = top + share * height
            strokes += (x - half, y, x + half, y)
    return tuple(strokes)


def _map(key: str, x: float, y: float, half: float, channels: int, side: int) -> list[Mark]:
    height = 2 + 11 * math.sqrt(min(side, _LARGEST_SIDE) / _LARGEST_SIDE)
    words, at = f"{channels} x {side} x {side}", x - _CENTRE + _LABELS
    return [
        Mark(f"{key}/map", "box", (x - half, y + (_MAP - height) / 2, 2 * half, height), "map"),
        text(f"{key}/shape", at, y + _MAP / 2 + 4, words, style="words soft"),
    ]


def _operation(
    role: str, label: str, x: float, y: float, left: float, widths: tuple[float, ...]
) -> list[Mark]:
    height, style = _OPERATION - 6, role if role in ROLES else "other"
    marks = [Mark(f"{role}/outline", "area", _outline(x, y + 3, widths, height), f"role {style}")]
    if strokes := _texture(role, x, y + 3, widths, height):
        marks.append(Mark(f"{role}/texture", "strokes", strokes, "texture"))
    return [*marks, text(f"{role}/label", left + _LABELS, y + _OPERATION / 2 + 4, label, style="words bold")]


def block_picture(block: BlockSpec, left: float, top: float, most: int = _MOST_CHANNELS) -> BlockPicture:
    """Draw a block: slabs are feature maps, coloured shapes are operations.

    A slab is as wide as its channels and as high as its side, both as square roots; an operation goes from
    the width that it reads to the width that it writes. Pictures with the same `most`, the channels that fill
    the room, have one scale.
    """
    x, y = left + _CENTRE, top
    marks, rows = _map("input", x, y, _half(block.channels_in, most), block.channels_in, block.side_in), {}
    said = [f"{block.channels_in} x {block.side_in} x {block.side_in}"]
    y += _MAP
    fork = y
    for role, label, before, after, side in steps(block):
        rows[role] = y
        narrow = (_half(block.squeeze_channels, most),) if role == "squeeze_excite" else ()
        marks += _operation(role, label, x, y, left, (_half(before, most), *narrow, _half(after, most)))
        y += _OPERATION
        marks += _map(role, x, y, _half(after, most), after, side)
        said.append(f"{label} to {after} x {side} x {side}")
        y += _MAP
    wire = Mark("wire", "line", (x, top + 2, x, y + (_SUM if block.has_shortcut else 0)), "wire")
    if block.has_shortcut:
        rows["shortcut"] = y
        middle, right = y + _SUM / 2, left + _SHORTCUT
        marks += [
            Mark("shortcut/wire", "line", (x, fork, right, fork, right, middle, x + 8, middle), "wire"),
            Mark("shortcut/sum", "circle", (x, middle, 7), "sum"),
            Mark(
                "shortcut/plus",
                "strokes",
                (x - 4, middle, x + 4, middle, x, middle - 4, x, middle + 4),
                "wire",
            ),
            text("shortcut/label", left + _LABELS, middle + 13, "add the input", style="words soft"),
        ]
        said.append("the input is added")
    else:
        # A sum needs the same side and the same channels.
        reason = "stride 2" if block.stride > 1 else f"{block.channels_in} ≠ {block.channels_out}"
        marks.append(text("no shortcut", left, y + 13, f"no shortcut: {reason}", style="words soft"))
        said.append(f"no shortcut, because of {reason}")
    y += _SUM
    return BlockPicture((wire, *marks), rows, y - top, "; ".join(said))


def block_scene(block: BlockSpec, title: str = "", most: int = _MOST_CHANNELS) -> Scene:
    """Draw a block as a scene of its own."""
    top = 22.0 if title else 2.0
    picture = block_picture(block, 0, top, most)
    named = (text("title", 0, 13, title, style="title"),) if title else ()
    description = f"{title or 'A block'}: {picture.words}."
    return Scene(
        WIDTH_PX, top + picture.height + 6, title or str(block), description, (*named, *picture.marks)
    )
