"""What the MBConv lab draws: the block, who spends what in it, the roofline, and the three kinds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from effnet_edu.labs.block_picture import LOOKS, WIDTH_PX, BlockPicture, block_picture, marker
from effnet_edu.labs.drawing import Axis, Drawing, drawing, frame, line, rectangle, text, two_lines
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import Record
from effnet_edu.labs.mbconv_logic import (
    KINDS,
    PLAIN,
    MBConvLogic,
    Measured,
    MeasuredBlock,
    Setting,
    block,
    cost_of,
    layers,
    role_words,
)
from effnet_edu.labs.numbers import digits
from effnet_edu.profiling.names import PRECISION_BYTES

if TYPE_CHECKING:
    from effnet_edu.profiling.ceilings import Ceilings
    from effnet_edu.profiling.roofline import RooflinePoint
    from effnet_edu.profiling.timing import Timing

SIZE = (396, 240)
CHARTS_SIZE = (396, 172)
_TOP = 20
#: Columns of the shares: their left edges, and pixels for 100%.
_COLUMNS, _WHOLE = {"MACs": 208, "params": 253, "bytes": 305, "time": 353}, 38
_X = Axis(0.1, 1000, 40, 232, logarithmic=True)
_LEFT, _BAR = 256, 84
LETTERS = {kind: kind[0].upper() for kind in KINDS}


def in_millions(count: float) -> str:
    """Return a count with three significant digits, such as `16.8 M` or `1.2 G`.

    Args:
        count: How many.
    """
    return f"{digits(count / 1e9)} G" if count >= 1e9 else f"{digits(count / 1e6)} M"


def _shown(logic: MBConvLogic, setting: Setting) -> tuple[Record[Setting, Measured] | None, bool]:
    """Return the measurement to draw, and whether it belongs to an earlier setting."""
    fresh = logic.newest(setting)
    return (logic.latest, True) if fresh is None else (fresh, False)


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _computed_share(x: float, y: float, share: float) -> list[str]:
    """Draw a computed share: a line with an end."""
    end = x + _WHOLE * share
    return [
        text(x, y + 11, _percent(share)),
        line(x, y + 18, end, y + 18, "computed"),
        line(end, y + 14.5, end, y + 21.5, "computed"),
    ]


def _measured_share(x: float, y: float, role: str, share: "Timing", *, stale: bool) -> list[str]:
    """Draw a measured share: a bar with its interval."""
    middle, (low, high) = share.median, share.interval
    paint = 'class="past"' if stale else f'class="role" fill="{LOOKS[role].colour}"'
    return [
        text(x, y + 11, _percent(middle), "stale" if stale else ""),
        f'<rect x="{x:.1f}" y="{y + 15:.1f}" width="{_WHOLE * middle:.1f}" height="6" {paint}/>',
        line(x + _WHOLE * low, y + 18, x + _WHOLE * high, y + 18, "range"),
    ]


def _shares(logic: MBConvLogic, picture: BlockPicture) -> tuple[list[str], str]:
    """Draw, beside each operation, its share of MACs, parameters, bytes and time; and say the same."""
    setting = logic.setting
    parts = [text(_COLUMNS["MACs"], 12, "share of the block", "soft")]
    parts += [text(x, _TOP + 10, words, "soft") for words, x in _COLUMNS.items()]
    whole = cost_of(setting, setting.kind)
    record, stale = _shown(logic, setting)
    found = None if record is None else record.measurement.blocks.get(setting.kind)
    said = []
    for role, y in picture.rows.items():
        counted = cost_of(setting, setting.kind, role)
        shares = {
            "MACs": counted.macs / whole.macs,
            "params": counted.parameters / whole.parameters,
            "bytes": counted.bytes_moved / whole.bytes_moved,
        }
        for head, share in shares.items():
            parts += _computed_share(_COLUMNS[head], y, share)
        words = [f"{_percent(share)} of the {head}" for head, share in shares.items()]
        if found is None or role not in {row.role for row in found.layers}:
            parts.append(text(_COLUMNS["time"], y + 11, "–", "soft"))
        else:
            took = found.share(role)
            parts += _measured_share(_COLUMNS["time"], y, role, took, stale=stale)
            words.append(f"{_percent(took.median)} of the time{' measured before' if stale else ''}")
        said.append(f"{role_words(role)} {', '.join(words)}")
    return parts, "; ".join(said)


def block_drawing(logic: MBConvLogic) -> Drawing:
    """Draw the block and who spends what in it, or two blocks side by side where A is pinned.

    Args:
        logic: The lab.
    """
    if logic.pinned is None:
        picture = block_picture(logic.block, 0, _TOP)
        shares, said = _shares(logic, picture)
        title = text(0, 12, _name(logic.setting), "title")
        label = f"{logic.label(logic.setting)}: {picture.words}. Shares: {said}."
        return drawing(SIZE, label, [title, *picture.parts, *shares])
    parts, said_of = [], []
    for letter, setting, left in (
        ("A", logic.pinned, 0),
        ("B", logic.setting, CHARTS_SIZE[0] - WIDTH_PX),
    ):
        picture = block_picture(block(setting, setting.kind), left, _TOP)
        parts += [text(left, 12, f"{letter}: {_name(setting)}", "title"), *picture.parts]
        said_of.append(f"{letter}: {logic.label(setting)}: {picture.words}")
    return drawing(SIZE, ". ".join(said_of) + ".", parts)


def _name(setting: Setting) -> str:
    """Return the block without its channels and sides, which stand beside the wires."""
    expansion = "" if setting.kind == PLAIN else block(setting, setting.kind).expansion
    return f"{setting.kind}{expansion} k{setting.kernel} s{setting.stride}"


def _counting(found: MeasuredBlock) -> "tuple[RooflinePoint, ...]":
    """Return the convolutions over whole maps; those of the SE see one pixel and stand far below."""
    return tuple(point for point in found.points if point.layer.macs and point.layer.role != "squeeze_excite")


def _rates(record: Record[Setting, Measured] | None, highest: float = 100.0) -> Axis:
    """Return the axis of the rates, with room for the ceiling and for everything measured."""
    low, high = 1.0, 100.0
    while highest > high:
        high *= 10
    if record is not None:
        reached = [
            point.achieved / 1e9 for one in record.measurement.blocks.values() for point in _counting(one)
        ]
        peak = record.measurement.ceilings.peak(record.setting.precision).per_second / 1e9
        while min(reached, default=low) < low and low > 1e-3:
            low /= 10
        while max([peak, *reached]) > high:
            high *= 10
    return Axis(low, high, 136, 22, logarithmic=True)


@dataclass(frozen=True)
class Roof:
    """The ceilings of a device.

    Attributes:
        peak: Of arithmetic, in GMAC/s.
        memory: Of memory, in GB/s.
        cache: Of the last cache, in GB/s; None where there is none.
    """

    peak: float
    memory: float
    cache: float | None

    @classmethod
    def of(cls, ceilings: "Ceilings", precision: str) -> "Roof":
        """Return the roof for one type of numbers.

        Args:
            ceilings: What was measured.
            precision: The type.
        """
        cache = ceilings.cache.per_second / 1e9 if ceilings.cache else None
        return cls(ceilings.peak(precision).per_second / 1e9, ceilings.memory.per_second / 1e9, cache)


def _roof(roof: Roof, y: Axis) -> list[str]:
    """Draw the ceilings: memory and arithmetic as one line, the last cache dashed."""
    peak = roof.peak

    def slope(bandwidth: float, css: str) -> str:
        ridge = min(max(peak / bandwidth, _X.low), _X.high)
        # Both axes are logarithmic: the slope is a straight line, from where it enters the chart.
        begin = min(max(_X.low, y.low / bandwidth), ridge)
        return line(_X(begin), y(begin * bandwidth), _X(ridge), y(ridge * bandwidth), css)

    parts = [slope(roof.memory, "roof")]
    first = roof.memory
    if roof.cache:
        first = max(first, roof.cache)
        parts.append(slope(roof.cache, "roof dashed"))
    parts.append(line(_X(min(max(peak / first, _X.low), _X.high)), y(peak), _X.end, y(peak), "roof"))
    parts.append(text(_X.end, y(peak) - 4, f"{digits(peak)} GMAC/s", "soft", "end"))
    return parts


def _point(point: "RooflinePoint", y: Axis, *, stale: bool) -> list[str]:
    rate, seconds = point.achieved / 1e9, point.layer.seconds
    low, high = point.layer.timing.interval
    x = _X(point.intensity)
    return [
        line(x, y(rate * seconds / high), x, y(rate * seconds / low), "range"),
        marker(x, y(rate), point.layer.role, 5, point.sentence, stale=stale),
    ]


def _below(found: MeasuredBlock, y: Axis) -> list[str]:
    """Say where the SE's two convolutions stand, which is below the chart."""
    rates = [
        point.achieved / 1e9
        for point in found.points
        if point.layer.macs and point.layer.role == "squeeze_excite"
    ]
    if not rates:
        return []
    x, height = _X.end - 6, y.start - 10
    said = f"SE {digits(min(rates))} ↓"
    return [text(x - 8, height + 4, said, "soft", "end"), marker(x, height, "squeeze_excite", 4)]


def _letters(blocks: dict[str, MeasuredBlock], y: Axis, *, stale: bool) -> list[str]:
    """Write a letter beside the place of each whole block; one that would cover another stands below it."""
    placed: list[tuple[float, float]] = []
    parts = []

    def height(one: MeasuredBlock) -> float:
        return y(one.macs_per_second / 1e9)

    for letter, one in sorted(blocks.items(), key=lambda pair: height(pair[1])):
        moved = sum(row.bytes_moved for row in one.layers)
        x, at = _X(sum(row.macs for row in one.layers) / moved) + 8, height(one) + 4
        while any(abs(x - other) < 14 and abs(at - above) < 12 for other, above in placed):
            at += 2
        placed.append((x, at))
        parts.append(text(x, at, letter, "letter stale" if stale else "letter"))
    return parts


def roofline_drawing(logic: MBConvLogic, known: Roof | None = None) -> Drawing:
    """Draw layers and whole blocks under the ceilings of the device, and the three kinds beside it.

    Args:
        logic: The lab.
        known: The ceilings of a device, drawn while nothing is measured.
    """
    setting = logic.setting
    record, stale = _shown(logic, setting)
    y = _rates(record, known.peak if known else 0.0)
    parts = frame(_X, y, "MACs per byte", "GMAC/s")
    for role, intensity in _intensities(setting):
        x = _X(intensity)
        parts.append(f'<path d="M{x:.1f} {y.start:.1f}v-9" stroke="{LOOKS[role].colour}" class="role-mark"/>')
    if record is None and known is not None:
        parts += _roof(known, y)
    elif record is None:
        parts += two_lines((_X.start + _X.end) / 2, 76, logic.UNMEASURED)
    else:
        parts += _measured_points(logic, record, y, stale=stale)
    kinds, said = _kinds(logic, record, stale=stale)
    label = f"Left: {_roofline_words(record, setting, stale=stale)} Right: {said}."
    return drawing(CHARTS_SIZE, label, [*parts, *kinds])


def _intensities(setting: Setting) -> Iterator[tuple[str, float]]:
    """Yield role and MACs per byte of each layer that has MACs (computed)."""
    batch, size = setting.batch_size, PRECISION_BYTES[setting.precision]
    for row in layers(setting, setting.kind):
        if row.macs:
            yield row.role, batch * row.macs / row.bytes_moved(batch, size)


def _measured_points(
    logic: MBConvLogic, record: Record[Setting, Measured], y: Axis, *, stale: bool
) -> list[str]:
    found, setting = record.measurement, logic.setting
    parts = _roof(Roof.of(found.ceilings, record.setting.precision), y)
    drawn = found.blocks.get(setting.kind)
    if drawn is not None:
        for point in _counting(drawn):
            parts += _point(point, y, stale=stale)
        parts += _below(drawn, y)
    if logic.pinned is None:
        return parts + _letters({LETTERS[kind]: one for kind, one in found.blocks.items()}, y, stale=stale)
    before = logic.newest(logic.pinned)
    kept = None if before is None else before.measurement.blocks.get(logic.pinned.kind)
    both = {"A": kept, "B": None if stale else drawn}
    return parts + _letters({letter: one for letter, one in both.items() if one}, y, stale=False)


def _roofline_words(record: Record[Setting, Measured] | None, setting: Setting, *, stale: bool) -> str:
    marks = ", ".join(f"{role_words(role)} {digits(each)}" for role, each in _intensities(setting))
    said = f"MACs per byte of each convolution: {marks}. "
    drawn = None if record is None else record.measurement.blocks.get(setting.kind)
    if drawn is None:
        return said + ("Nothing measured yet." if record is None else "Not measured: it would take too long.")
    reached = ", ".join(
        f"{role_words(point.layer.role)} {digits(point.achieved / 1e9)} of {digits(point.attainable / 1e9)}"
        for point in drawn.points
        if point.layer.macs
    )
    when = "measured before" if stale else "measured"
    return f"{said}GMAC/s {when}, of what the ceilings allow: {reached}."


def _kinds(
    logic: MBConvLogic, record: Record[Setting, Measured] | None, *, stale: bool
) -> tuple[list[str], str]:
    """Draw MACs and time of the three kinds of the present shape; and say the same."""
    setting = logic.setting
    found = {} if record is None else record.measurement.blocks
    times = {kind: one.timing() for kind, one in found.items()}
    most = max(cost_of(setting, kind).macs for kind in KINDS)
    longest = max((timing.interval[1] for timing in times.values()), default=1.0)
    parts, said = [text(_LEFT, 12, "the three kinds", "soft")], []
    for index, kind in enumerate(KINDS):
        top, macs = 18 + 51 * index, cost_of(setting, kind).macs
        name = f"{LETTERS[kind]}  {kind}" if logic.pinned is None else kind
        parts.append(text(_LEFT, top + 12, name, "title" if kind == setting.kind else ""))
        end = _LEFT + _BAR * macs / most
        parts.append(line(_LEFT, top + 22, end, top + 22, "computed"))
        parts.append(line(end, top + 18, end, top + 26, "computed"))
        parts.append(text(end + 5, top + 26, in_millions(macs)))
        words = f"{kind} {in_millions(macs)} MACs"
        if kind in times:
            timing = times[kind]
            low, high = (_BAR * end / longest for end in timing.interval)
            width, said_ms = _BAR * timing.median / longest, f"{digits(1000 * timing.median)} ms"
            parts.append(rectangle(_LEFT, top + 31, width, 8, "past" if stale else "bar"))
            parts.append(line(_LEFT + low, top + 35, _LEFT + high, top + 35, "range"))
            parts.append(text(_LEFT + high + 5, top + 39, said_ms, "stale" if stale else ""))
            words += f" in {said_ms}{', measured before' if stale else ''}"
        else:
            missing = record is not None and kind in record.measurement.left_out
            parts.append(text(_LEFT, top + 39, "would take too long" if missing else "–", "soft"))
        said.append(words)
    return parts, "; ".join(said)


#: What a reader has to know about the drawings.
NOTE = (
    "Slabs: maps, as wide as their channels and as high as their side (square roots). Lines and the marks on "
    "the axis: computed. Filled: measured, with interval. Letters: whole blocks. Dashed: the last cache."
)


def screen(logic: MBConvLogic) -> Screen:
    """Return the block with its shares, and the roofline with the three kinds.

    Args:
        logic: The lab.
    """
    return Screen((block_drawing(logic), roofline_drawing(logic)), NOTE if logic.pinned is None else "")
