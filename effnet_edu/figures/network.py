"""The picture of a network: slabs left to right, as tall as the map, thicker with more channels."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import (
    EDGE,
    FAINT,
    FULL_WIDTH,
    GREY,
    INK,
    SLAB,
    SMALLEST_TEXT,
    new_figure,
    styled,
)
from effnet_edu.model.specs import NetworkSpec, resolve, strided
from effnet_edu.model.variants import as_spec

_NARROWEST_COLUMN = 42.0  # points; labels stand on two levels, so each may be wider than its column
_GAP, _LAYER_GAP = 10.0, 0.9
_TALLEST, _LINE = 130.0, 11.5


@dataclass(frozen=True)
class _Part:
    """A group of equal slabs: stem, one stage, or head."""

    name: str
    channels: int
    side: int
    layers: int

    def slab(self, scale: float) -> float:
        """Return the thickness of one slab in points."""
        return scale * math.sqrt(self.channels)

    def drawn(self, scale: float) -> float:
        """Return the width of all slabs in points."""
        return self.layers * self.slab(scale) + (self.layers - 1) * _LAYER_GAP

    def column(self, scale: float) -> float:
        """Return the width that the group gets in points."""
        return max(_NARROWEST_COLUMN, self.drawn(scale) + _GAP)


def _parts(spec: NetworkSpec) -> list[_Part]:
    parts = [_Part("stem", spec.stem_channels, strided(spec.resolution, 2), 1)]
    for index, group in groupby(resolve(spec), key=lambda block: block.stage):
        blocks = list(group)
        parts.append(_Part(f"stage {index + 1}", blocks[0].channels_out, blocks[0].side_out, len(blocks)))
    parts.append(_Part("head", spec.head_channels, parts[-1].side, 1))
    return parts


def _thickness_scale(networks: Iterable[list[_Part]], room: float) -> float:
    """Return the largest scale with which every network fits; found by halving."""
    rows = list(networks)
    low, high = 0.0, 3.0
    for _ in range(40):
        middle = (low + high) / 2
        fits = all(sum(part.column(middle) for part in parts) <= room for parts in rows)
        low, high = (middle, high) if fits else (low, middle)
    return low


def _draw_row(axes: Axes, title: str, parts: list[_Part], base: float, scale: float, height: float) -> None:
    axes.text(0, base + parts[0].side * height + 7, title, weight="bold", va="bottom", size=10)
    x = 10.0
    for index, part in enumerate(parts):
        column, drawn = part.column(scale), part.drawn(scale)
        left = x + (column - drawn) / 2
        grey = part.name in ("stem", "head")
        for layer in range(part.layers):
            axes.add_patch(
                Rectangle(
                    (left + layer * (part.slab(scale) + _LAYER_GAP), base),
                    part.slab(scale),
                    part.side * height,
                    facecolor=GREY if grey else SLAB,
                    edgecolor=EDGE,
                    linewidth=0.4,
                )
            )
        layers = part.name if grey else f"{part.layers} layer{'s' if part.layers > 1 else ''}"
        top = base - 4 - (index % 2) * 2 * _LINE
        centre = x + column / 2
        for line, text in enumerate((f"{part.channels} x {part.side} x {part.side}", layers)):
            axes.text(centre, top - line * _LINE, text, ha="center", va="top", size=SMALLEST_TEXT, color=INK)
        if index % 2:
            axes.plot([centre, centre], [base - 2, top + 1], color=FAINT, linewidth=0.8)
        x += column


@styled
def network(*networks: str | NetworkSpec) -> Picture:
    """Draw one network, or several one above the other on the same scale.

    Args:
        *networks: Names of published networks, or specs.

    Raises:
        ValueError: No network is given, or a name is unknown.
    """
    if not networks:
        raise ValueError("There is nothing to draw: give at least one network.")
    specs = [as_spec(one) for one in networks]
    rows = [_parts(spec) for spec in specs]
    room = FULL_WIDTH * 72 - 12
    scale = _thickness_scale(rows, room - 34)
    tall = _TALLEST / max(parts[0].side for parts in rows)
    heights = [parts[0].side * tall + 4 * _LINE + 34 for parts in rows]
    figure, (axes,) = new_figure((sum(heights) + 8) / 72)
    base = sum(heights)
    for spec, parts, used in zip(specs, rows, heights, strict=True):
        base -= used
        title = f"{spec.name}: {spec.resolution} x {spec.resolution} pixels in, {spec.layers} blocks"
        _draw_row(axes, title, parts, base + 4 * _LINE + 8, scale, tall)
    axes.set(xlim=(0, room), ylim=(0, sum(heights)))
    axes.axis("off")

    words = "; ".join(
        f"{spec.name} takes {spec.resolution} pixels and goes from {parts[0].channels} channels at side "
        f"{parts[0].side} to {parts[-1].channels} channels at side {parts[-1].side} in {spec.layers} blocks"
        for spec, parts in zip(specs, rows, strict=True)
    )
    return Picture(
        figure,
        alt="Slabs from left to right, each as tall as its feature map and thicker with more channels: "
        f"{words}.",
        caption="Each slab is the output of one block (computed): its height is the side of the feature "
        "map, its thickness grows with the square root of its channels"
        + ("; all on one scale." if len(rows) > 1 else "."),
        numbers=Numbers(
            ("network", "part", "channels", "side", "layers"),
            [
                (spec.name, part.name, str(part.channels), str(part.side), str(part.layers))
                for spec, parts in zip(specs, rows, strict=True)
                for part in parts
            ],
        ),
    )
