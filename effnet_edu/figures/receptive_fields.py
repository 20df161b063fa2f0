"""One photograph at the sides that networks read, and on it what one number of a stage sees of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image, ImageOps

from effnet_edu.figures.picture import Numbers, ScenePicture, jpeg_address
from effnet_edu.model.receptive_field import receptive_field
from effnet_edu.model.specs import NetworkSpec, resolve
from effnet_edu.pictures.scene import Mark, Scene, text

_MOST = 3
#: Pixels of the drawing: the largest photograph, between things, and from entry to entry beside them.
_LARGEST, _GAP, _ENTRY = 288, 22, 98
#: Above the photographs, for what the picture shows.
_TOP = 26
_SLOT_WIDE, _SLOT_HIGH, _SLOTS_IN_A_ROW = 7, 8, 40
_WIDTH = _GAP + _SLOT_WIDE * _SLOTS_IN_A_ROW


@dataclass(frozen=True)
class _Seen:
    """What one number of a stage sees in one network, in pixels of its photograph."""

    name: str
    side: int
    field: int
    slots: int
    places: int
    is_deeper: bool

    @property
    def share(self) -> str:
        return f"{self.field / self.side:.0%}"


def receptive_fields(
    photograph: Image.Image, networks: Mapping[str, NetworkSpec], stage: int
) -> ScenePicture:
    """Draw what one number of a stage sees of the same photograph in each network, all on one scale.

    Args:
        photograph: Its middle is taken; networks that read the same side share it.
        networks: From 1 to 3 networks by their name in the picture.
        stage: Which of their stages, from 1.

    Raises:
        ValueError: There are more than 3 networks or none, or one has no such stage.
    """
    if not 1 <= len(networks) <= _MOST:
        raise ValueError(f"There are {len(networks)} networks; 1 to {_MOST} can be drawn.")
    every = list(_all_seen(networks, stage))
    sides = list(dict.fromkeys(one.side for one in every))
    scale = _LARGEST / max(sides)
    found = ", ".join(f"{one.name} {one.share}" for one in every)
    marks, left = (
        [text("found", 0, 13, f"Of the side, one number of stage {stage} sees: {found}", style="title")],
        0.0,
    )
    for side in sides:
        drawn = side * scale
        address = _as_url(photograph, round(drawn))
        marks.append(Mark(f"photograph {side}", "image", (left, _TOP, drawn, drawn), href=address))
        marks.append(Mark(f"side {side}", "box", (left, _TOP, drawn, drawn), "resolution-line strong"))
        for one in every:
            if one.side == side:
                marks += _window(one, left + drawn / 2, _TOP + drawn / 2, min(one.field, side) * scale)
        left += drawn + _GAP
    for number, one in enumerate(every):
        marks += _entry(one, left, _TOP + _ENTRY * number)
    rows = [
        (
            one.name,
            str(one.side),
            str(one.field),
            one.share,
            str(one.slots),
            f"{one.places} x {one.places}",
        )
        for one in every
    ]
    told = "; ".join(
        f"{one.name}, {one.side} px: {one.field} px, {one.share} of the side, in {one.slots} channels"
        for one in every
    )
    shorter = min(photograph.size)
    enlarged = f" The file has {shorter} px; what is larger is enlarged." if max(sides) > shorter else ""
    return ScenePicture(
        Scene(
            left + _WIDTH - _GAP,
            _TOP + max(_LARGEST, _ENTRY * len(every)),
            "What one number sees of a photograph",
            f"One photograph at the side that each network reads, with the window that one number of stage "
            f"{stage} sees. {told}.",
            tuple(marks),
        ),
        caption=f"The photographs are on one scale. Blue: what one number of stage {stage} sees at the most "
        f"through the convolutions before it, computed from the rows of each network; dashed where layers "
        f"were added. Orange: one stroke for each channel of that stage, a slot for a pattern.{enlarged}",
        numbers=Numbers(
            ("network", "side, px", "sees, px (computed)", "of the side", "channels", "places"), rows
        ),
    )


def _all_seen(networks: Mapping[str, NetworkSpec], stage: int) -> Iterator[_Seen]:
    fewest = min(spec.layers for spec in networks.values())
    for name, spec in networks.items():
        field = receptive_field(spec, stage)
        last = [block for block in resolve(spec) if block.stage < stage][-1]
        yield _Seen(
            name, spec.resolution, field, last.channels_out, last.side_out, is_deeper=spec.layers > fewest
        )


def _as_url(photograph: Image.Image, side: int) -> str:
    square = ImageOps.fit(photograph.convert("RGB"), (side, side), Image.Resampling.BICUBIC)
    return jpeg_address(square, quality=70)


def _window(one: _Seen, x: float, y: float, side: float) -> Iterator[Mark]:
    """Yield the window around a middle, on a light edge that lets it be seen on any photograph."""
    place = (x - side / 2, y - side / 2, side, side)
    yield Mark(f"{one.name}/edge", "box", place, "edge")
    yield Mark(f"{one.name}/window", "box", place, "depth-line strong" + " dashed" * one.is_deeper)


def _entry(one: _Seen, x: float, y: float) -> Iterator[Mark]:
    """Yield what stands beside the photographs for one network."""
    under = f"{one.name}/entry"
    yield text(f"{under}/name", x, y + 12, f"{one.name}, {one.side} px", style="title")
    line = "depth-line strong" + " dashed" * one.is_deeper
    yield Mark(f"{under}/line", "line", (x, y + 28, x + 24, y + 28), line)
    seen = f"sees {one.field} px, {one.share} of the side"
    yield text(f"{under}/seen", x + 32, y + 32, (seen, "depth-words"), style="words")
    top, ends = y + 42, []
    for slot in range(one.slots):
        row, column = divmod(slot, _SLOTS_IN_A_ROW)
        at, down = x + 2 + column * _SLOT_WIDE, top + row * (_SLOT_HIGH + 2)
        ends += [at, down, at, down + _SLOT_HIGH]
    yield Mark(f"{under}/slots", "strokes", tuple(ends), "width-line strong")
    below = top + (_SLOT_HIGH + 2) * -(-one.slots // _SLOTS_IN_A_ROW) + 11
    said = f"{one.slots} slots for patterns"
    yield text(
        f"{under}/said",
        x,
        below,
        (said, "width-words"),
        f" at {one.places} x {one.places} places",
        style="words",
    )
