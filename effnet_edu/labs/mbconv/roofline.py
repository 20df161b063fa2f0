"""Layers and whole blocks of the MBConv lab under the ceilings of a device."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from effnet_edu.ground.palette import look
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.frame.recorded import recorded_run
from effnet_edu.labs.mbconv.numbers import KINDS, MBConvSetting, layers, role_words
from effnet_edu.labs.mbconv.results import MeasuredBlock
from effnet_edu.labs.mbconv.shares import Found, MBConv
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.chart import arrow, axes, marker
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark, text
from effnet_edu.profiling.names import PRECISION_BYTES
from effnet_edu.profiling.roof_lines import Roof

if TYPE_CHECKING:
    from effnet_edu.profiling.roofs import RooflinePoint

#: Ends of an axis, in pixels.
Ends = tuple[float, float]
#: Room above the plot, below it, and left of it.
_TOP, _BELOW, _LEFT = 22.0, 36.0, 44.0


def recorded_roof(precision: str) -> tuple[str, Roof]:
    """Return a recorded device and its ceilings for one type of numbers."""
    device, (row,) = recorded_run("ceilings")
    rates = (row["arithmetic"][precision], row["memory"], row["cache"])
    return device, Roof(*(rate and rate["per_second"] / 1e9 for rate in rates))


def _roof(logic: MBConv, record: Found | None) -> Roof | None:
    """Return the ceilings of this device, or of a recorded one where nothing can be measured."""
    if record is None:
        return None if logic.MEASURES else recorded_roof(logic.setting.precision)[1]
    ceilings = record.measurement.ceilings
    return None if ceilings is None else Roof.of(ceilings, record.setting.precision)


def _counting(found: MeasuredBlock) -> "tuple[RooflinePoint, ...]":
    """Return the convolutions over whole maps; those of the SE see one pixel and stand far below."""
    return tuple(point for point in found.points if point.layer.macs and point.layer.role != "squeeze_excite")


def _axes(
    record: Found | None, roof: Roof | None, setting: MBConvSetting, across: Ends, upright: Ends
) -> tuple[Axis, Axis]:
    """Return the axes of MACs per byte and of the rates, with room for the ceiling and all that is drawn."""
    blocks = () if record is None else tuple(record.measurement.blocks.values())
    rates = [point.achieved / 1e9 for one in blocks for point in _counting(one)]
    rates += [one.macs_per_second / 1e9 for one in blocks]
    most = max((*rates, *(() if roof is None else (roof.peak,))), default=50.0)
    known = [intensity for _, intensity in intensities(setting)]
    known += [point.intensity for one in blocks for point in _counting(one)]
    x = Axis(min(0.1, *known), max(50.0, 5 * max(known)), *across, logarithmic=True)
    return x, Axis(min(rates, default=1.0) / 1.6, 2 * most, *upright, logarithmic=True)


def roofline(
    logic: MBConv, record: Found | None, ends: Ends, height: float, *, is_stale: bool
) -> Iterator[Mark]:
    """Yield the ceilings, and under them the layers of the drawn block and the three kinds as wholes."""
    left, right = ends
    roof = _roof(logic, record)
    across, upright = (left + _LEFT, right - 8), (height - _BELOW, _TOP)
    x, y = _axes(record, roof, logic.setting, across, upright)
    for mark in axes(x, y, "MACs per byte", "GMAC/s"):
        yield mark.moved(0, 0, "roofline")
    labels = Labels(x.start + 2, x.end, y.end - 14, y.start - 1)
    if roof is not None:
        yield from _ceilings(roof, x, y, labels)
    yield from _intensities(logic.setting, x, y)
    if record is not None:
        yield from _points(logic, record, x, y, labels, is_stale=is_stale)
    elif roof is None:
        for n, words in enumerate(logic.unmeasured):
            middle = (x.start + x.end) / 2, (y.start + y.end) / 2 - 4 + 17 * n
            yield text(f"roofline/none {n}", *middle, words, style="words soft middle")
    if roof is not None:
        yield from _names(roof, x, y, labels)


def _ceilings(roof: Roof, x: Axis, y: Axis, labels: Labels) -> Iterator[Mark]:
    """Yield the ceilings: memory and arithmetic as one line, the last cache dashed."""
    # Both axes are logarithmic: a slope is a straight line.
    lines = {
        name: (ends, "roof" if name == "memory" else "roof dashed")
        for name, ends in roof.slopes(x.low, x.high, y.low).items()
    }
    lines["arithmetic"] = (roof.flat(x.low, x.high), "roof")
    for name, (((x1, y1), (x2, y2)), style) in lines.items():
        place = x(x1), y(y1), x(x2), y(y2)
        labels.keep_line_free(place)
        yield Mark(f"roofline/{name}", "line", place, style)


def _names(roof: Roof, x: Axis, y: Axis, labels: Labels) -> Iterator[Mark]:
    """Yield the names of the ceilings beside their lines, where they find room."""
    lines = {f"arithmetic: {digits(roof.peak)} GMAC/s": roof.flat(x.low, x.high)}
    for name, ((x1, y1), (x2, y2)) in (lines | roof.slopes(x.low, x.high, y.low)).items():
        for share in (0.7, 0.4, 0.1):
            at = x(x1 ** (1 - share) * x2**share), y(y1 ** (1 - share) * y2**share)
            found = labels.place(f"roofline/{name} said", *at, name, "words soft outlined", 8)
            if found is not None:
                yield found
                break


def _intensities(setting: MBConvSetting, x: Axis, y: Axis) -> Iterator[Mark]:
    """Yield a mark on the axis for each convolution (computed)."""
    for n, (role, intensity) in enumerate(intensities(setting)):
        at = x(intensity)
        told = f"{role_words(role)}: {digits(intensity)} MACs per byte, computed"
        place = (at, y.start, at - 4, y.start + 8, at + 4, y.start + 8)
        yield Mark(f"{role}/intensity {n}", "area", place, f"role {role}", words=told, with_=(role,))


def intensities(setting: MBConvSetting) -> Iterator[tuple[str, float]]:
    """Yield role and MACs per byte of each layer that has MACs (computed)."""
    batch, size = setting.batch_size, PRECISION_BYTES[setting.precision]
    for row in layers(setting, setting.kind):
        if row.macs:
            yield row.role, batch * row.macs / row.bytes_moved(batch, size)


def _points(
    logic: MBConv, record: Found, x: Axis, y: Axis, labels: Labels, *, is_stale: bool
) -> Iterator[Mark]:
    """Yield the layers of the drawn block, and the three blocks as wholes, each with its name."""
    setting, blocks = logic.setting, record.measurement.blocks
    drawn = blocks.get(setting.kind)
    places = {kind: _place_of(one, x, y) for kind, one in blocks.items()}
    points = () if drawn is None else _counting(drawn)
    for at in (*places.values(), *((x(point.intensity), y(point.achieved / 1e9)) for point in points)):
        labels.keep_free(*at, 6)
    names = []
    for kind, at in places.items():
        style = "past" if is_stale else "now" if kind == setting.kind else "measured"
        rate = f"{digits(blocks[kind].macs_per_second / 1e9)} GMAC/s as a whole"
        told = f"{kind}: {rate}{', measured before' if is_stale else ', measured'}\nClick to draw it"
        key = f"kind {kind}"
        yield marker(f"{key}/whole", "D", *at, 6, style, told, sets={"kind": kind}, with_=(key,))
        names.append((f"{key}/whole said", *at, kind, "words outlined"))
    for point in points:
        at, role = (x(point.intensity), y(point.achieved / 1e9)), point.layer.role
        low, high = (
            y(point.achieved / 1e9 * point.layer.seconds / end) for end in point.layer.timing.interval
        )
        labels.keep_line_free((at[0], low, at[0], high))
        yield Mark(f"{role}/range", "line", (at[0], low, at[0], high), "range")
        style = "past" if is_stale else f"role {role}"
        sets = {"layer": role}
        yield marker(
            f"{role}/point", look(role).marker, *at, 5, style, point.sentence, sets=sets, with_=(role,)
        )
        names.append((f"{role}/point said", *at, role_words(role), "words soft outlined"))
    if logic.pinned is not None and not is_stale and setting.kind in places:
        yield from _from_a(logic, places[setting.kind], x, y, labels)
    if drawn is not None:
        yield from _below(drawn, x, y, labels)
    # The drawn block first, then its layers: what stands last may find no room.
    names.sort(key=lambda one: (one[3] != setting.kind, one[3] in KINDS))
    yield from (found for one in names if (found := labels.place(*one)) is not None)


def _place_of(one: MeasuredBlock, x: Axis, y: Axis) -> tuple[float, float]:
    moved = sum(row.bytes_moved for row in one.layers)
    return x(sum(row.macs for row in one.layers) / moved), y(one.macs_per_second / 1e9)


def _from_a(logic: MBConv, b: tuple[float, float], x: Axis, y: Axis, labels: Labels) -> Iterator[Mark]:
    """Yield where A as a whole stood, and an arrow to the present block."""
    before = logic.newest(logic.pinned)
    found = None if before is None else before.measurement.blocks.get(logic.pinned.kind)
    if found is None:
        return
    a = _place_of(found, x, y)
    told = f"A: {digits(found.macs_per_second / 1e9)} GMAC/s as a whole"
    labels.keep_line_free((*a, *b))
    labels.keep_free(*a, 9)
    yield marker("A/whole", "D", *a, 9, "ghost", told)
    if (name := labels.place("A/name", *a, "A", "words bold outlined", 13)) is not None:
        yield name
    yield from arrow("A/arrow", a, b)


def _below(found: MeasuredBlock, x: Axis, y: Axis, labels: Labels) -> Iterator[Mark]:
    """Say where the SE's two convolutions stand, which is below the chart."""
    rates = [
        point.achieved / 1e9
        for point in found.points
        if point.layer.macs and point.layer.role == "squeeze_excite"
    ]
    if rates:
        said = f"SE, below: {digits(min(rates))} GMAC/s"
        for above in (10, 18):
            labels.keep_line_free((x.end - 7 * len(said), y.end - above, x.end, y.end - above))
        yield text("squeeze_excite/below", x.end, y.end - 10, said, style="words soft end")


def roofline_words(record: Found | None, setting: MBConvSetting, *, is_stale: bool) -> str:
    """Return what `roofline` shows."""
    marks = ", ".join(f"{role_words(role)} {digits(each)}" for role, each in intensities(setting))
    said = f"MACs per byte of each convolution: {marks}. "
    drawn = None if record is None else record.measurement.blocks.get(setting.kind)
    if drawn is None:
        return said + ("Nothing measured yet." if record is None else "Not measured: it would take too long.")
    reached = ", ".join(
        f"{role_words(point.layer.role)} {digits(point.achieved / 1e9)} of {digits(point.attainable / 1e9)}"
        for point in drawn.points
        if point.layer.macs
    )
    if not reached:
        return f"{said}What its layers took is not known here."
    when = "measured before" if is_stale else "measured"
    return f"{said}GMAC/s {when}, of what the ceilings allow: {reached}."
