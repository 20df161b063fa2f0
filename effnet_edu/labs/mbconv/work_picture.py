"""A layer at work: a kernel that goes over its input, the numbers that it writes, and a counter of MACs."""

from collections.abc import Iterator
from dataclasses import dataclass

from effnet_edu.labs.mbconv.numbers import MBConvSetting, role_words
from effnet_edu.labs.mbconv.work import Sketch, Work, sketch, work_at
from effnet_edu.model.cost import LayerCost
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.scene import Drag, Mark, Play, text

#: Room for the shapes left of the maps, and from which width on the counter stands beside them.
_SHAPES, _WIDE = 106.0, 700.0
#: Below so much room the words are short.
_SHORT = 300.0
#: Largest place of a map, and the room between the maps that are read and those that are written.
_LARGEST, _GAP = 22.0, 16.0
_MAPS_TOP, _COUNTER, _TRACK = 24.0, 52.0, 24.0


@dataclass(frozen=True)
class _Maps:
    """Where the maps of a sketch stand.

    Attributes:
        drawn: The sketch.
        left: Left edge of all.
        read_top: Upper edge of the maps that are read, without their padding.
        written_top: Upper edge of those that are written.
        place: Side of a place, in pixels.
    """

    drawn: Sketch
    left: float
    read_top: float
    written_top: float
    place: float

    @property
    def pitch(self) -> float:
        """From map to map."""
        drawn = self.drawn
        return self.place * (max(drawn.side_read, drawn.side_written) + max(2 * drawn.padding, 1))

    def read(self, channel: int, y: float = 0, x: float = 0) -> tuple[float, float]:
        """Return the corner of a place of an input map."""
        start = self.left + self.place * self.drawn.padding + channel * self.pitch
        return start + x * self.place, self.read_top + y * self.place

    def written(self, channel: int, y: float = 0, x: float = 0) -> tuple[float, float]:
        """Return the corner of a place of an output map, which stands below the middle of an input map."""
        drawn = self.drawn
        start = self.left + self.place * (drawn.padding + (drawn.side_read - drawn.side_written) / 2)
        return start + channel * self.pitch + x * self.place, self.written_top + y * self.place


def _maps(drawn: Sketch, left: float, right: float, top: float, bottom: float) -> _Maps:
    across = max(drawn.read, drawn.written)
    wide = across * (max(drawn.side_read, drawn.side_written) + max(2 * drawn.padding, 1))
    high = drawn.side_read + 2 * drawn.padding + drawn.side_written
    place = min((right - left) / wide, (bottom - top - _GAP) / high, _LARGEST)
    read_top = top + place * drawn.padding
    written_top = read_top + place * (drawn.side_read + drawn.padding) + _GAP
    return _Maps(drawn, left, read_top, written_top, place)


def way(work: Work) -> str:
    """Return how a layer goes over its input, in a few words."""
    kernel = work.row.kernel
    if work.role == "squeeze_excite":
        does = "squeeze" if work.part == 0 else "excite"
        return f"SE, {does}: one number a channel, all at once"
    name = role_words(work.role) if work.role != "fused" else "convolution"
    reads = "all channels at one place" if kernel == 1 else "all channels at once"
    if work.is_depthwise:
        reads = "one channel at a time"
    return f"{name} {kernel} x {kernel}: {reads}"


def price_of_one(work: Work) -> str:
    """Return what one number of the output costs, such as `3 x 3 x 1 channel = 9 MACs`."""
    kernel, channels = work.row.kernel, work.channels_read
    square = f"{kernel} x {kernel} x " if work.row.side_in > 1 else ""
    return f"{square}{channels} channel{'s' * (channels > 1)} = {work.each:,} MACs"


def shape(channels: int, side: int) -> str:
    """Return the shape of a map."""
    return f"{channels} x {side} x {side}"


def work_in_words(work: Work) -> str:
    """Return what the picture shows as sentences."""
    row = work.row
    return (
        f"{way(work)}. It reads {shape(row.channels_in, row.side_in)} and writes "
        f"{shape(row.channels_out, row.side_out)}; each number takes {price_of_one(work)}. Done so far: "
        f"{work.macs:,} of {work.total:,} MACs."
    )


def work_marks(
    setting: MBConvSetting, left: float, right: float, top: float, height: float
) -> Iterator[Mark]:
    """Yield the maps with the kernel on them, the counter, and a track to drag."""
    work = work_at(setting)
    drawn = sketch(work)
    is_wide = right - left >= _WIDE
    bottom = top + height - _TRACK
    maps_right = left + 0.62 * (right - left) if is_wide else right
    maps_bottom = bottom - (0 if is_wide else _COUNTER)
    maps = _maps(drawn, left + _SHAPES, maps_right, top + _MAPS_TOP, maps_bottom)
    said = way(work) if right - left >= _SHORT else way(work).split(":")[0]
    yield text("work/way", left, top + 12, said, style="title")
    yield from _shapes(work.row, maps, left)
    yield from _read(work, maps)
    yield from _written(work, maps)
    yield from _kernel(work, maps)
    if is_wide:
        across = max(drawn.read, drawn.written) * maps.pitch
        yield from _beside(work, maps.left + across + 28, top + _MAPS_TOP)
    else:
        yield from _below(work, left, maps_bottom + 27, is_short=right - left < _SHORT)
    yield from _track(setting, work, left, right, bottom + 12)


def _shapes(row: LayerCost, maps: _Maps, left: float) -> Iterator[Mark]:
    drawn = maps.drawn
    rows = (
        ("reads", maps.read_top, drawn.side_read, row.channels_in, row.side_in, drawn.read),
        ("writes", maps.written_top, drawn.side_written, row.channels_out, row.side_out, drawn.written),
    )
    for verb, y, places, channels, side, count in rows:
        middle = y + places * maps.place / 2 - 2
        lines = [(verb, "soft"), (shape(channels, side), "")]
        if (count, places) != (channels, side) and places * maps.place >= 40:
            lines.append((f"drawn: {shape(count, places)}", "soft"))
        for n, (words, style) in enumerate(lines):
            at = middle + 15 * (n - (len(lines) - 1) / 2) + 6
            yield text(f"work/{verb} {n}", left, at, words, style=f"words {style}".strip())


def _grid(corners: list[tuple[float, float]], places: int, place: float) -> tuple[float, ...]:
    """Return the lines between the places of maps."""
    strokes: list[float] = []
    for x, y in corners:
        for n in range(1, places):
            at, end = n * place, places * place
            strokes += (x + at, y, x + at, y + end, x, y + at, x + end, y + at)
    return tuple(strokes)


def _read(work: Work, maps: _Maps) -> Iterator[Mark]:
    drawn = maps.drawn
    side = drawn.side_read * maps.place
    corners = [maps.read(channel) for channel in range(drawn.read)]
    for channel, (x, y) in enumerate(corners):
        yield Mark(f"work/read {channel}", "box", (x, y, side, side), "map")
        if work.is_depthwise and (count := drawn.done_of(channel, is_depthwise=True)):
            yield Mark(
                f"work/used {channel}",
                "area",
                _stairs(x, y, count, drawn.side_written, side / drawn.side_written),
                "used",
            )
    yield Mark("work/read grid", "strokes", _grid(corners, drawn.side_read, maps.place), "cells")


def _stairs(x: float, y: float, count: int, side: int, place: float) -> tuple[float, ...]:
    """Return the area of the first places of a map, row after row."""
    rows, rest = divmod(count, side)
    low, high, end = y + rows * place, y + (rows + (rest > 0)) * place, x + side * place
    step = x + rest * place
    return (x, y, end, y, end, low, step, low, step, high, x, high)


def _written(work: Work, maps: _Maps) -> Iterator[Mark]:
    drawn = maps.drawn
    side = drawn.side_written * maps.place
    corners = [maps.written(channel) for channel in range(drawn.written)]
    for channel, (x, y) in enumerate(corners):
        yield Mark(f"work/written {channel}", "box", (x, y, side, side), "map")
        count = drawn.done_of(channel, is_depthwise=work.is_depthwise)
        area = _stairs(x, y, count, drawn.side_written, maps.place)
        yield Mark(f"work/done {channel}", "area", area, f"done {work.role}")
    yield Mark("work/written grid", "strokes", _grid(corners, drawn.side_written, maps.place), "cells")


def _kernel(work: Work, maps: _Maps) -> Iterator[Mark]:
    """Yield the kernel on every channel that it reads, and wires to the number that it writes."""
    drawn, side = maps.drawn, maps.place * work.row.kernel
    to_x, to_y = maps.written(drawn.channel, drawn.y, drawn.x)
    channels = (drawn.channel,) if work.is_depthwise else tuple(range(drawn.read))
    wires: list[float] = []
    for n, channel in enumerate(channels):
        x, y = maps.read(channel, drawn.top, drawn.left)
        yield Mark(f"work/kernel {n}", "box", (x, y, side, side), f"kernel {work.role}")
        wires += (x + side / 2, y + side, to_x + maps.place / 2, to_y)
    yield Mark("work/wires", "strokes", tuple(wires), "wire")
    yield Mark("work/number", "box", (to_x, to_y, maps.place, maps.place), f"number {work.role}")


def _beside(work: Work, x: float, top: float) -> Iterator[Mark]:
    row = work.row
    lines = (
        ("one number takes", "soft"),
        (price_of_one(work), ""),
        ("and there are", "soft"),
        (f"{shape(row.channels_out, row.side_out)} = {row.activations:,} numbers", ""),
    )
    for n, (words, style) in enumerate(lines):
        y = top + 12 + 17 * n + 6 * (n // 2)
        yield text(f"work/price {n}", x, y, words, style=f"words {style}".strip())
    yield text("work/macs", x, top + 112, f"{work.macs:,}", style="counter")
    yield text("work/total", x, top + 131, f"of {work.total:,} MACs", style="words soft")


def _below(work: Work, left: float, y: float, *, is_short: bool) -> Iterator[Mark]:
    whole = " MACs" if is_short else f"  of {work.total:,} MACs"
    yield text("work/macs", left, y, (f"{work.macs:,}", "counter"), (whole, "soft"), style="words")
    price = price_of_one(work)
    said = f"each: {price.removesuffix(' MACs')}" if is_short else f"one number: {price}"
    yield text("work/price", left, y + 18, said, style="words soft")


def _track(setting: MBConvSetting, work: Work, left: float, right: float, y: float) -> Iterator[Mark]:
    """Yield how much is done as a track to drag along."""
    x = Axis(0, 100, left + 36, right - 8)
    at = x(setting.work)
    yield Mark("work/track", "line", (x.start, y, x.end, y), "track")
    yield Mark("work/way done", "line", (x.start, y, at, y), "track track-done")
    yield Mark("work/grip", "circle", (at, y, 7), "now")
    told = f"{setting.work}% of the layer: {work.macs:,} of {work.total:,} MACs\nDrag along the work"
    drag = (Drag("work", x, setting.work, 1),)
    yield from _button(setting, left, y)
    yield Mark(
        "work/touch",
        "box",
        (left + 28, y - 11, right - left - 28, 22),
        "touch",
        words=told,
        drag=drag,
        with_=("work/grip",),
        leads={"work/grip": (1,), "work/way done": (0, 0, 1)},
    )


def _button(setting: MBConvSetting, left: float, y: float) -> Iterator[Mark]:
    """Yield a button that plays the work: a triangle, or two bars while it plays."""
    x = left + 11
    yield Mark("work/play circle", "circle", (x, y, 11), "chosen-button of-play")
    triangle = (x - 3.5, y - 5.5, x + 6, y, x - 3.5, y + 5.5)
    yield Mark("work/play triangle", "area", triangle, "sign of-play while-still")
    bars = (x - 3.5, y - 5, x - 3.5, y + 5, x + 3.5, y - 5, x + 3.5, y + 5)
    yield Mark("work/play bars", "strokes", bars, "wire strong of-play while-playing")
    play = Play("work", setting.work, 0, 100)
    yield Mark(
        "work/play touch", "circle", (x, y, 12), "touch of-play", words="Play or pause the work", play=play
    )
