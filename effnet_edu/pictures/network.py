"""The course's picture of a network: stages from left to right, each a stack of as many slabs as layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from effnet_edu.model.specs import NetworkSpec, strided
from effnet_edu.pictures.scene import Mark, Scene, text

Moved = Literal["", "depth", "width", "resolution", "compound"]
#: How shapes are written under the stacks: in one line, in two, in two shorter ones, or as rows with names.
Form = Literal["line", "long", "short", "rows"]
#: The fullest first; where no words fit below the stacks, numbers stand in named rows.
_FORMS: tuple[Form, ...] = ("line", "long", "short")

#: A slab is seen from an angle: its back lies this share of its height to the right, and above.
_RIGHT, _ABOVE = 0.24, 0.15
#: Between columns, between slabs of a stack, and the least that a slab measures.
_GAP, _SEAM, _THINNEST, _LOWEST = 12.0, 1.2, 1.4, 5.0
_LINE = 16.0
#: Left of the columns where the names of the rows stand there, and the same in small letters.
_NAMES, _SMALL_NAMES = 66.0, 54.0
#: Rows in a narrower picture have small letters, and at least so many pixels between two numbers.
_SMALL_BELOW, _APART = 330.0, 4.0
#: Stem and head are drawn where the picture is at least so wide.
_ENDS_FROM = 640.0
_LEGEND = (
    *(("layers", "depth"), ("thickness: channels", "width"), ("height: side of the map, px", "resolution")),
    ("both as square roots", ""),
)
_ROWS = (("channels", "width"), ("side, px", "resolution"), ("layers", "depth"))


@dataclass(frozen=True)
class Part:
    """A stack of equal slabs: the stem, a stage, or the head."""

    key: str
    channels: int
    side: int
    layers: int
    operation: str
    about: str
    number: int = 0  # of a stage, from 1

    @property
    def shape(self) -> str:
        """Channels, height and width of its map."""
        return f"{self.channels} x {self.side} x {self.side}"

    @property
    def counted(self) -> str:
        """Its layers in words."""
        return f"{self.layers} layer{'s' if self.layers > 1 else ''}"

    def slab(self, per_channel: float) -> float:
        """Return the thickness of one slab."""
        return max(_THINNEST, per_channel * math.sqrt(self.channels))

    def pitch(self, per_channel: float) -> float:
        """Return how far it is from slab to slab."""
        slab = self.slab(per_channel)
        return slab + min(_SEAM, 0.4 * slab)

    def stack(self, per_channel: float) -> float:
        """Return the thickness of all slabs."""
        return (self.layers - 1) * self.pitch(per_channel) + self.slab(per_channel)

    def height(self, per_side: float) -> float:
        """Return the height of a slab."""
        return max(_LOWEST, per_side * math.sqrt(self.side))


@lru_cache(maxsize=128)
def network_parts(spec: NetworkSpec) -> tuple[Part, ...]:
    """Return stem, stages and head."""
    side = strided(spec.resolution, 2)
    parts = [Part("stem", spec.stem_channels, side, 1, "conv", "conv 3 x 3, stride 2")]
    for number, stage in enumerate(spec.stages, 1):
        side = strided(side, stage.stride)
        fused = stage.operation == "fused_mbconv"
        about = f"{'Fused-MBConv' if fused else 'MBConv'}{stage.expansion}, {stage.kernel} x {stage.kernel}"
        squeeze = ", SE" if stage.squeeze_ratio else ""
        key = f"stage {number}"
        parts.append(Part(key, stage.channels, side, stage.layers, stage.operation, about + squeeze, number))
    parts.append(Part("head", spec.head_channels, side, 1, "conv", "conv 1 x 1"))
    return tuple(parts)


def network_words(spec: NetworkSpec) -> str:
    """Return the stages of a network as a sentence."""
    stages = "; ".join(f"{part.shape}, {part.counted}" for part in network_parts(spec)[1:-1])
    return (
        f"{spec.name} at {spec.resolution} px. Channels x side x side after each of its "
        f"{len(spec.stages)} stages: {stages}."
    )


def _said(words: str) -> float:
    """Return about how wide bold words are, in pixels, in the widest of the usual fonts."""
    return 8.0 * len(words) - 3.6 * words.count(" ")


def _lines(part: Part, form: Form) -> tuple[str, ...]:
    """Return what stands under a stack, line by line."""
    counted = part.counted if part.number else part.key
    if form == "line":
        return (f"{part.shape}, {counted}",)
    return (part.shape if form == "long" else f"{part.channels} x {part.side}²", counted)


@dataclass(frozen=True)
class Layout:
    """Where the stacks of a network stand, and of every smaller one on the same scale.

    Attributes:
        largest: The networks that all fit.
        width: Of the picture, in pixels.
        room: For the tallest slab.
        form: How shapes are written under the stacks.
    """

    largest: tuple[NetworkSpec, ...]
    width: float
    room: float
    form: Form

    def parts(self, spec: NetworkSpec) -> tuple[Part, ...]:
        """Return what is drawn of a network: stem and head only where there is room."""
        every = network_parts(spec)
        return every[1:-1] if self.form == "rows" or self.width < _ENDS_FROM else every

    @cached_property
    def names(self) -> float:
        """Room for the names of the rows, left of the columns."""
        return (_SMALL_NAMES if self.is_small else _NAMES) if self.form == "rows" else 0.0

    @property
    def is_small(self) -> bool:
        """Whether the rows have small letters."""
        return self.form == "rows" and self.width < _SMALL_BELOW

    @property
    def gap(self) -> float:
        """Between columns."""
        return max(_APART, min(_GAP, 0.015 * self.width))

    @cached_property
    def per_side(self) -> float:
        """Pixels of height for the square root of a side of one pixel."""
        tallest = max(part.side for spec in self.largest for part in self.parts(spec))
        return self.room / ((1 + _ABOVE) * math.sqrt(tallest))

    @cached_property
    def _stacked(self) -> list[list[Part]]:
        """Return by column the parts of all networks."""
        rows = [self.parts(spec) for spec in self.largest]
        return [[parts[n] for parts in rows if n < len(parts)] for n in range(max(map(len, rows)))]

    @cached_property
    def right(self) -> float:
        """How far the back of a slab lies to the right, over its height; less where there is little room."""
        heights = sum(max(part.height(self.per_side) for part in parts) for parts in self._stacked)
        return min(_RIGHT, 0.25 * (self.width - self.names) / heights)

    @cached_property
    def labels(self) -> list[float]:
        """How wide the words under each column are."""
        if self.form == "rows":
            numbers = ([n for part in parts for n in (part.channels, part.side)] for parts in self._stacked)
            return [(7.0 if self.is_small else 8.4) * len(f"{max(every)}") for every in numbers]
        return [
            max(_said(words) for part in parts for words in _lines(part, self.form))
            for parts in self._stacked
        ]

    def _columns(self, per_channel: float) -> list[float]:
        """Return how wide each column is when the square root of a channel has so many pixels."""
        stacks = (
            max(part.stack(per_channel) + self.right * part.height(self.per_side) for part in parts)
            for parts in self._stacked
        )
        return [max(stack, words) + self.gap for stack, words in zip(stacks, self.labels, strict=True)]

    @property
    def has_room(self) -> bool:
        """Whether the words leave the slabs the room that they need."""
        return sum(words + self.gap for words in self.labels) <= 0.92 * (self.width - self.names)

    @cached_property
    def per_channel(self) -> float:
        """Pixels of thickness for the square root of one channel; found by halving."""
        low, high = 0.0, 12.0
        for _ in range(24):
            middle = (low + high) / 2
            fits = sum(self._columns(middle)) <= self.width - self.names
            low, high = (middle, high) if fits else (low, middle)
        return low

    @cached_property
    def edges(self) -> list[float]:
        """Left edges of the columns, and the right edge of the last."""
        widths = self._columns(self.per_channel)
        stretch = (self.width - self.names) / sum(widths)
        return [self.names, *accumulate((stretch * width for width in widths), initial=self.names)][1:]

    def shrunk(self, spec: NetworkSpec) -> tuple[float, float]:
        """Return by how much a network is shrunk in height and in thickness, 1 where it fits."""
        parts = self.parts(spec)
        tall = max(part.height(self.per_side) for part in parts) * (1 + _ABOVE)
        height, thickness = min(1.0, self.room / tall), 1.0
        for part, (left, right) in zip(parts, pairwise(self.edges), strict=False):
            room = right - left - self.gap / 2 - self.right * height * part.height(self.per_side)
            thickness = min(thickness, room / part.stack(self.per_channel))
        return height, max(0.05, thickness)


@lru_cache(maxsize=64)
def _layout(largest: tuple[NetworkSpec, ...], width: float, room: float) -> Layout:
    """Return the layout in the fullest form for which there is room."""
    found = [Layout(largest, width, room, one) for one in (*_FORMS, "rows")]
    return next((one for one in found if one.has_room), found[-1])


def _form(layout: Layout, places: Sequence["_Place"]) -> Form:
    """Return the layout's form, or a shorter one where this network has longer words than the largest."""
    if layout.form == "rows":
        return "rows"

    def fits(form: Form) -> bool:
        return all(
            _said(words) <= place.column[1] - place.column[0]
            for place in places
            for words in _lines(place.part, form)
        )

    return next(filter(fits, _FORMS[_FORMS.index(layout.form) :]), _FORMS[-1])


@dataclass(frozen=True)
class _Place:
    """Where the stack of a part stands, and how far its back lies to the right and above."""

    part: Part
    column: tuple[float, float]
    left: float
    floor: float
    slab: float
    pitch: float
    height: float
    right: float

    @property
    def width(self) -> float:
        return (self.part.layers - 1) * self.pitch + self.slab

    @property
    def top(self) -> float:
        return self.floor - self.height

    @property
    def above(self) -> float:
        return _ABOVE * self.height

    @property
    def centre(self) -> float:
        return sum(self.column) / 2

    def layer(self, n: int) -> float:
        """Return the left edge of a slab, counted from 0."""
        return self.left + n * self.pitch


def _places(layout: Layout, spec: NetworkSpec, floor: float) -> list[_Place]:
    shorter, thinner = layout.shrunk(spec)
    found = []
    for part, column in zip(layout.parts(spec), pairwise(layout.edges), strict=False):
        slab, pitch = (thinner * n for n in (part.slab(layout.per_channel), part.pitch(layout.per_channel)))
        height = shorter * part.height(layout.per_side)
        right = layout.right * height
        left = (sum(column) - (part.layers - 1) * pitch - slab - right) / 2
        found.append(_Place(part, column, left, floor, slab, pitch, height, right))
    return found


def _hatch(x: float, y: float, width: float, height: float) -> tuple[float, ...]:
    """Return three slanted strokes across a box, cut at its edges."""
    strokes: list[float] = []
    for reach in (0.5, 1.0, 1.5):
        low, high = max(0.0, reach - 1), min(1.0, reach)
        strokes += (x + low * width, y + high * height, x + high * width, y + low * height)
    return tuple(strokes)


def _stack(place: _Place, style: str) -> list[Mark]:
    """Return the slabs of a part; each covers the side of the one before it."""
    marks, key = [], place.part.key
    for n in range(place.part.layers):
        front = (place.layer(n), place.top, place.slab, place.height)
        born = f"{key}/layer {n}" if n else ""
        marks.append(
            Mark(f"{key}/layer {n + 1}", "slab", (*front, place.right, place.above), style, born=born)
        )
        if "fused-slab" in style:
            born = f"{key}/hatch {n}" if n else ""
            marks.append(Mark(f"{key}/hatch {n + 1}", "strokes", _hatch(*front), "hatching", born=born))
    return marks


def _brackets(place: _Place, moved: Moved) -> list[Mark]:
    """Return blue over the layers, orange under the thickness of one, green beside the height."""
    left, floor, thick = place.left, place.floor, place.left + place.slab
    back, side = place.top - place.above - 3, place.left + place.width + place.right + 3
    begin, end = left + place.right, left + place.width + place.right
    points = {
        "depth": (begin, back, begin, back - 4, end, back - 4, end, back),
        "width": (left, floor + 2, left, floor + 6, thick, floor + 6, thick, floor + 2),
        "resolution": (
            *(side, place.top - place.above, side + 4, place.top - place.above),
            *(side + 4, floor - place.above, side, floor - place.above),
        ),
    }
    return [
        Mark(f"{place.part.key}/{name}", "line", at, f"{name}-bracket{'' if name == moved else ' on-lit'}")
        for name, at in points.items()
    ]


def _below(place: _Place, form: Form, small: str) -> list[Mark]:
    """Return the words under a stack."""
    part, x, y = place.part, place.centre, place.floor + 20
    if form == "rows":
        cells = [(f"{part.channels}", "width"), (f"{part.side}", "resolution"), (f"{part.layers}", "depth")]
        return [
            text(f"{part.key}/{name} said", x, y + _LINE * n, cell, style=f"words middle {name}-words{small}")
            for n, (cell, name) in enumerate(cells)
        ]
    first, *second = _lines(part, form)
    shape, _, counted = first.partition(", ")
    channels, _, side = shape.partition(" x ")
    pieces: list[str | tuple[str, str]] = [(channels, "width-words"), " x ", (side, "resolution-words")]
    if counted:
        pieces += [", ", (counted, "depth-words")]
    marks = [text(f"{part.key}/shape", x, y, *pieces, style="words middle")]
    return marks + [
        text(
            f"{part.key}/layers",
            x,
            y + _LINE,
            (words, "depth-words" if part.number else "soft"),
            style="words middle",
        )
        for words in second
    ]


def _legend(y: float, width: float) -> Mark:
    """Return what the colours mean, in the colours; how the scale runs gives way where it would not fit."""
    said = list(_LEGEND)
    while len(said) > 3 and sum(_said(words) for words, _ in said) > width:
        said.pop()
    pieces: list[tuple[str, str]] = []
    for words, name in said:
        pieces += [(", " if pieces else "", "soft"), (words, f"{name}-words" if name else "soft")]
    return text("legend", 0, y, *pieces, style="words small")


def _touch(place: _Place, bottom: float, opens: str, more: str) -> Mark:
    """Return the area of a part that answers a pointer."""
    part, (left, right) = place.part, place.column
    words = (
        f"{part.key}: {part.about}\n{part.channels} channels, {part.side} x {part.side} px, {part.counted}"
    )
    top = place.top - place.above - 8
    return Mark(
        f"{part.key}/touch",
        "box",
        (left, top, right - left, bottom - top),
        "touch",
        words=f"{words}\n{more}" if more else words,
        sets={opens: part.number} if opens and part.number else None,
        with_=(part.key,),
    )


def network_scene(
    spec: NetworkSpec,
    width: float = 826,
    room: float = 150,
    *,
    largest: Sequence[NetworkSpec] = (),
    ghost: NetworkSpec | None = None,
    moved: Moved = "",
    title: str = "",
    by_operation: bool = False,
    opens: str = "",
    more: Sequence[str] = (),
    has_legend: bool = True,
) -> Scene:
    """Draw a network: height is the side of the map and thickness the channels, both as square roots.

    Args:
        spec: The network.
        width: Of the picture, in pixels; stem and head stand beside the stages where there is room.
        room: Height of the tallest slab.
        largest: The networks that fill the room, on whose scale this one is drawn; itself by default.
        ghost: A network whose outlines stand before this one's stacks.
        moved: What lights up because it was moved.
        title: What stands above it.
        by_operation: Whether fused stages have their own colour and a hatch.
        opens: The setting that a click on a stage gives the stage's number.
        more: What a reader is told of each stage beyond its shape.
        has_legend: Whether it says what the colours are, where the rows have no names that do.
    """
    layout = _layout(tuple(largest) or (spec,), float(width), float(room))
    is_rowed = layout.form == "rows"
    y = 20.0 if title else 0.0
    marks = [text("title", 0, 13, title, style="title")] if title else []
    if has_legend and not is_rowed:
        marks.append(_legend(y + 11, width))
        y += 22
    floor = y + room + 10
    places = _places(layout, spec, floor)
    form, small = _form(layout, places), " small regular" if layout.is_small else ""
    lines = len(_ROWS) if is_rowed else 1 if form == "line" else 2
    bottom = floor + 10 + _LINE * lines
    behind = {place.part.key: place for place in _places(layout, ghost, floor)} if ghost else {}
    touches = []
    for place in places:
        part = place.part
        stage = max(0, part.number - 1)
        style = f"slab {moved}-slab" if moved and part.number else "slab"
        if by_operation and part.operation == "fused_mbconv":
            style = "slab fused-slab"
        marks += _stack(place, style)
        if (old := behind.get(part.key)) is not None:
            marks.append(
                Mark(f"{part.key}/ghost", "box", (old.left, old.top, old.width, old.height), "ghost")
            )
        marks += _brackets(place, moved if part.number else "")
        marks += _below(place, form, small)
        touches.append(_touch(place, bottom, opens, more[stage] if more and part.number else ""))
    if is_rowed:
        for n, (words, name) in enumerate(_ROWS):
            y_row = floor + 20 + _LINE * n
            marks.append(text(f"row {words}", 0, y_row, words, style=f"words {name}-words{small}"))
    smallest = min(layout.shrunk(spec))
    if smallest < 0.995:
        words = f"drawn at {smallest:.0%} of its size"
        marks.append(text("shrunk", width, y + 10, words, style="words soft end"))
    description = network_words(spec)
    if by_operation:
        fused = [part.key for part in network_parts(spec) if part.operation == "fused_mbconv"]
        description += f" Fused: {', '.join(fused) or 'none'}."
    return Scene(
        width, bottom, f"{title}: {spec.name}" if title else spec.name, description, (*marks, *touches)
    )
