"""What is drawn of gates and of their price, with a kernel and without."""

from collections.abc import Iterator, Sequence

from effnet_edu.labs.frame.layout import is_low
from effnet_edu.labs.frame.numbers import Number, digits
from effnet_edu.labs.squeeze_excite.recorded_gates import recorded_gates
from effnet_edu.labs.squeeze_excite.widths import SMALL, SQUEEZES, USUAL, squeeze_cost
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import Place, axes, marker, panels, places
from effnet_edu.pictures.scene import Mark, text

_HEIGHT, _LOW_HEIGHT = 184.0, 112.0
_TOP, _BELOW, _LEFT, _RIGHT = 28.0, 38.0, 46.0, 10.0
#: Where a scale of differences may end.
_REACHES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def skyline(values: Sequence[float], x: Axis, y: Axis) -> tuple[float, ...]:
    """Return the corners of bars beside each other as one area, quick to draw however many there are."""
    floor = y(0)
    corners = [x.start, floor, *steps(values, x, y), x.end, floor]
    return tuple(corners)


def steps(values: Sequence[float], x: Axis, y: Axis) -> tuple[float, ...]:
    """Return the upper edge of bars beside each other."""
    each = (x.end - x.start) / len(values)
    return tuple(
        n
        for index, height in enumerate(map(y, values))
        for n in (x.start + index * each, height, x.start + (index + 1) * each, height)
    )


def chart_places(room: float) -> list[Place]:
    """Return the rooms of the three charts."""
    if is_low(room):
        return places(room, _LOW_HEIGHT, (1 / 3, 1 / 3, 1 / 3))
    rows = panels(room, 3)
    return [Place(left, right, row * (_HEIGHT + 10), _HEIGHT) for left, right, row in rows]


def _upright(place: Place) -> tuple[float, float]:
    return place.bottom - (20 if place.is_small else _BELOW), place.top + _TOP


def _reach(values: Sequence[float]) -> tuple[float, float]:
    """Return both ends of a scale on which differences of gates are drawn."""
    below, above = (
        next(end for end in _REACHES if largest <= end or end == _REACHES[-1])
        for largest in (-min(*values, 0.0), max(*values, 0.0))
    )
    return -max(below, above / 2), max(above, below / 2)  # with room for the tick at 0 beside both


def contrast_chart(
    values: tuple[float, ...],
    compared: str,
    place: Place,
    channel: int | None = None,
) -> Iterator[Mark]:
    """Draw how much wider open each gate is for one class than for another."""
    low, high = _reach(values)
    x = MarkedAxis(0, len(values), place.left + _LEFT, place.right - _RIGHT)
    y = MarkedAxis(low, high, *_upright(place), marks=(low, 0, high))
    for mark in axes(x, y, "" if place.is_small else "channel", f"gates: {compared}"):
        yield mark.moved(0, 0, "contrast")
    yield Mark("contrast/bars", "area", skyline(values, x, y), "compound-filled")
    yield Mark("contrast/zero", "line", (x.start, y(0), x.end, y(0)), "axis")
    if channel is not None:
        at = x(channel + 0.5), y(values[channel])
        yield marker("contrast/now", "o", *at, 5, "now", f"channel {channel}: {values[channel]:+.3f}")


def blocks_chart(block: str, place: Place) -> Iterator[Mark]:
    """Draw how much of its gates the class decides in each block; a click chooses one."""
    known = {name: 100 * one.between_class_share for name, one in recorded_gates().by_block.items()}
    most = 10 * (int(max(known.values()) / 10) + 1)
    x = MarkedAxis(-0.5, len(known) - 0.5, place.left + _LEFT, place.right - _RIGHT)
    y = MarkedAxis(0, most, *_upright(place), marks=range(0, most + 1, 40 if place.is_small else 20))
    title, said = ("", "by block") if place.is_small else ("block", "recorded: click a block")
    for mark in axes(x, y, title, f"decided by the class, %, {said}"):
        yield mark.moved(0, 0, "blocks")
    each = (x.end - x.start) / len(known)
    for index, (name, share) in enumerate(known.items()):
        at, is_here = x(index), name == block
        yield Mark(f"blocks/{name}/stem", "line", (at, y(0), at, y(share)), "range")
        style = "now" if is_here else "measured"
        yield marker(f"blocks/{name}/mark", "D", at, y(share), 6 if is_here else 4.5, style)
        said = name.removeprefix("stages.")
        words = "words bold middle" if is_here else "words soft middle"
        yield text(f"blocks/{name}/name", at, y.start + 16, said, style=words)
        column = (at - each / 2, y.end, each, y.start - y.end + 20)
        told = f"{name}: {share:.1f}% of the gates' variance\nRecorded, {recorded_gates().label}"
        yield Mark(
            f"blocks/{name}/touch",
            "box",
            column,
            "touch",
            words=told,
            sets={"block": name},
            with_=(f"blocks/{name}",),
        )


def cost_chart(network: str, chosen: str, place: Place, of_a: str | None = None) -> Iterator[Mark]:
    """Draw the parameters at every width of the squeeze, with those of squeeze-and-excitation hatched."""
    left, right, top = place.left, place.right, place.top
    is_short = place.is_small or place.height < _HEIGHT
    pitch = (place.height - 24 - (0 if is_short else 22)) / len(SQUEEZES)
    thick = 0.65 * pitch
    hatched = "parameters by squeeze width"
    if is_short:
        hatched = "hatched: SE" if place.is_small else "parameters, hatched: SE"
    yield text("costs/title", left, top + 14, f"{named(network)}, {hatched}", style="words soft")
    costs = {squeeze: squeeze_cost(network, squeeze) for squeeze in SQUEEZES}
    x = Axis(0, max(cost.parameters for cost in costs.values()), left + 92, right - 58)
    for index, (squeeze, cost) in enumerate(costs.items()):
        y, key = top + 24 + pitch * index, f"costs/{squeeze}"
        end, middle = x(cost.parameters), x(cost.parameters - cost.squeeze_parameters)
        weight = "bold" if squeeze == chosen else "soft"
        letter = "A: " if squeeze == of_a else ""
        yield text(
            f"{key}/name", left + 84, y + thick / 2 + 4.5, f"{letter}{squeeze}", style=f"words end {weight}"
        )
        yield Mark(f"{key}/network", "box", (x.start, y, middle - x.start, thick), "bar")
        yield Mark(f"{key}/squeeze", "box", (middle, y, end - middle, thick), "compound-filled")
        yield Mark(f"{key}/hatching", "strokes", _hatching(middle, y, end - middle, thick), "hatching")
        if squeeze == chosen:
            yield Mark(f"{key}/chosen", "box", (x.start - 3, y - 2.5, end - x.start + 6, thick + 5), "ring")
        yield text(
            f"{key}/value", end + 8, y + thick / 2 + 4.5, _count(cost.parameters), style=f"words {weight}"
        )
        share = cost.squeeze_parameters / cost.parameters
        mistake = "\nA common mistake: a quarter of the hidden channels" if squeeze == SQUEEZES[-1] else ""
        yield Mark(
            f"{key}/touch",
            "box",
            (left, y - 3, right - left, pitch),
            "touch",
            words=f"{squeeze}: {cost.parameters:,} parameters\n{share:.1%} of them for the gates{mistake}",
            sets={"squeeze": squeeze},
            with_=(key,),
        )
    if not is_short:
        said = "hatched: squeeze-and-excitation"
        yield text("costs/note", left + 92, place.bottom - 6, said, style="words small soft")


def _hatching(x: float, y: float, width: float, height: float, step: float = 6) -> tuple[float, ...]:
    """Return slanted strokes that fill a box, cut at its edges."""
    strokes: list[float] = []
    for n in range(1, int((width + height) / step) + 1):
        reach = n * step  # the line x + y = reach
        low, high = max(0.0, reach - height), min(width, reach)
        if high > low:
            strokes += (x + low, y + reach - low, x + high, y + reach - high)
    return tuple(strokes)


def _count(parameters: int) -> str:
    million = parameters >= 10**6
    return f"{digits(parameters / (1e6 if million else 1e3))} {'M' if million else 'k'}"


def costs_in_words(network: str, chosen: str) -> str:
    """Return what the bars of `cost_chart` show."""
    rows = (f"{squeeze} {_count(squeeze_cost(network, squeeze).parameters)}" for squeeze in SQUEEZES)
    return f"Parameters of {named(network)} by squeeze width, with {chosen} chosen: {', '.join(rows)}."


def blocks_in_words() -> str:
    """Return what `blocks_chart` shows."""
    known = recorded_gates().by_block.items()
    rows = ", ".join(f"{name} {one.between_class_share:.1%}" for name, one in known)
    return f"Share of the gates' variance that the class decides, by block: {rows}."


def cost_numbers(network: str, squeeze: str) -> tuple[Number, ...]:
    """Return what a network with a width of its squeeze costs."""
    counted, usual = squeeze_cost(network, squeeze), squeeze_cost(network, USUAL)
    return (
        Number("parameters", counted.parameters / 1e6, "million"),
        Number("over SE 1/4", counted.parameters / usual.parameters, "×", decimals=2),
        Number("SE parameters", 100 * counted.squeeze_parameters / counted.parameters, "%", decimals=1),
        Number("SE MACs", 100 * counted.squeeze_macs / counted.macs, "%", decimals=2),
    )


def named(network: str) -> str:
    """Return a network's name in a sentence."""
    return "small network" if network == SMALL else network
