"""What the phi lab draws: the network, MACs against phi, and measured time against MACs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from effnet_edu.labs.drawing import Axis, Drawing, circle, drawing, frame, line, text
from effnet_edu.labs.logic import Record
from effnet_edu.labs.network_picture import LITTLE_ROOM, network_picture
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.phi_logic import FORMULA, VARIANTS, PhiLogic, Setting, giga, implied_phi
from effnet_edu.labs.tables import plain_table
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import compound
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.published import read

CHARTS_SIZE = (396, 192)
_X = Axis(0, 7, 30, 186)
_MACS = Axis(0.2, 200, 158, 26, logarithmic=True)  # billions
_MACS_ACROSS = Axis(0.2, 200, 252, 388, logarithmic=True)


@dataclass(frozen=True)
class PublishedPoint:
    """A published network and the phi that each of its multipliers implies.

    Attributes:
        name: `B0` to `B7`.
        low: Smallest of the three.
        middle: The one between.
        high: Largest.
        macs: Multiply-adds as the paper prints them.
    """

    name: str
    low: float
    middle: float
    high: float
    macs: float


@lru_cache(maxsize=64)
def published_points(alpha: float, beta: float, gamma: float) -> tuple[PublishedPoint, ...]:
    """Return B0 to B7, placed by the phi that their multipliers imply under these bases.

    Args:
        alpha: Depth base; at 1 it says nothing about phi, and nothing is placed.
        beta: Width base.
        gamma: Resolution base.

    Source: MACs from arXiv:1905.11946v5, table 2 (there called FLOPs).
    """
    printed, points = read("effnet_table2"), []
    for name in VARIANTS:
        if (implied := implied_phi(name, alpha, beta, gamma)) is None:
            return ()
        parts = implied.parts
        low, middle, high = sorted((parts.depth, parts.width, parts.resolution))
        macs = 1e9 * printed.row(network=f"EfficientNet-{name}").number("macs_billions")
        points.append(PublishedPoint(name, low, middle, high, macs))
    return tuple(points)


@lru_cache(maxsize=64)
def macs_curve(alpha: float, beta: float, gamma: float) -> str:
    """Return the points of the MACs curve over phi 0 to 7 as SVG coordinates.

    Args:
        alpha: Depth base.
        beta: Width base.
        gamma: Resolution base.
    """
    return " ".join(
        f"{_X(phi):.1f},{_MACS(cost(compound(phi, alpha, beta, gamma)).macs / 1e9):.1f}" for phi in range(8)
    )


@cache
def _macs_frame() -> str:
    return "".join(frame(_X, _MACS, "phi", "MACs, billions"))


def charts(logic: PhiLogic) -> Drawing:
    """Draw MACs against phi, and measured time against MACs.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    bases = (setting.alpha, setting.beta, setting.gamma)
    parts = [_macs_frame(), f'<polyline points="{macs_curve(*bases)}" class="curve"/>']
    for point in published_points(*bases):
        y = _MACS(point.macs / 1e9)
        parts.append(line(_X(point.low), y, _X(point.high), y, "range"))
        hover = f"{point.name}, published: {point.macs / 1e9:g} billion MACs (arXiv:1905.11946v5, table 2)"
        parts.append(circle(_X(point.middle), y, 4, "published", hover))
        if point.name != "B1":  # too near B0 and B2 for a label of its own
            parts.append(text(_X(point.middle) + 7, y + 14, point.name, "soft"))
    if logic.pinned is not None:
        parts += _place(logic, logic.pinned, "A")
    parts += _place(logic, setting, "B" if logic.pinned is not None else "")
    parts += _times(logic)
    label = (
        f"Left: MACs against phi. At {logic.label(setting)} the network has {giga(logic.cost.macs)} MACs. "
        f"Published B0 to B7 lie near the curve, each with the range of phi that its depth, width and "
        f"resolution imply. Right: {times_in_words(logic)}"
    )
    return drawing(CHARTS_SIZE, label, parts)


def _place(logic: PhiLogic, setting: Setting, letter: str) -> list[str]:
    """Mark a setting on the chart of MACs: filled on the formula, a hollow ring on a published network."""
    css = "now" if setting.variant == FORMULA else "chosen"
    x, y = _X(setting.phi), _MACS(logic.cost_at(setting).macs / 1e9)
    return [circle(x, y, 6, css), *_letter(x, y, letter)]


def _letter(x: float, y: float, letters: str) -> list[str]:
    """Write A to the left of a mark and B to the right, so that both can be read where the marks are near."""
    at = {"": None, "A": (x - 8, "end"), "B": (x + 8, "start")}.get(letters, (x, "middle"))
    return [] if at is None else [text(at[0], y - 8, letters, "title", at[1])]


def _per_image(record: Record[Setting, Measurement], ms: float) -> float:
    return ms / record.setting.batch_size


def _time_axis(records: Iterable[Record[Setting, Measurement]]) -> Axis:
    highs = [_per_image(record, record.measurement.high_ms) for record in records]
    lows = [_per_image(record, record.measurement.low_ms) for record in records]
    low, high = 10.0, 1000.0
    while min(lows, default=low) < low:
        low /= 10
    while max(highs, default=high) > high:
        high *= 10
    return Axis(low, high, 158, 26, logarithmic=True)


def _times(logic: PhiLogic) -> list[str]:
    y = _time_axis(logic.history)
    parts = frame(_MACS_ACROSS, y, "MACs, billions", "ms an image")
    present = logic.newest(logic.setting)
    lettered = () if logic.pinned is None else (("A", logic.newest(logic.pinned)), ("B", present))
    for record in logic.history:
        measured = record.measurement
        x = _MACS_ACROSS(measured.macs / 1e9)
        low, high = y(_per_image(record, measured.low_ms)), y(_per_image(record, measured.high_ms))
        middle = y(_per_image(record, measured.median_ms))
        parts.append(line(x, low, x, high, "range"))
        hover = f"{logic.label(record.setting)}: {measured}"
        parts.append(circle(x, middle, 5, "now" if record is present else "past", hover))
        parts += _letter(x, middle, ", ".join(letter for letter, one in lettered if one is record))
    if not logic.history:
        x = (_MACS_ACROSS.start + _MACS_ACROSS.end) / 2
        parts.append(text(x, 88, "Nothing measured yet:", "soft", "middle"))
        parts.append(text(x, 104, "let a slider rest.", "soft", "middle"))
    return parts


def times_in_words(logic: PhiLogic) -> str:
    """Return what was measured, as a sentence.

    Args:
        logic: The lab.
    """
    if logic.latest is None:
        return "nothing measured yet."
    return f"{len(logic.history)} measured; the newest is {logic.latest.measurement}."


def pictures(logic: PhiLogic) -> tuple[Drawing, ...]:
    """Draw the network, or two of them where A is pinned, and the charts.

    Args:
        logic: The lab.
    """
    if logic.pinned is None:
        return network_picture(logic.spec), charts(logic)
    pair = (
        network_picture(logic.spec_at(setting), f"{letter}: {logic.label(setting)}", LITTLE_ROOM)
        for letter, setting in (("A", logic.pinned), ("B", logic.setting))
    )
    return (*pair, charts(logic))


def session_table(logic: PhiLogic) -> str:
    """Return what was measured of the present network, by device, precision and batch, or nothing if once.

    Args:
        logic: The lab.
    """
    records = logic.same_network()[-5:]
    if len(records) < 2:
        return ""
    rows = [
        (
            f"{record.setting.device}, {record.setting.precision}, {record.setting.batch_size}",
            digits(_per_image(record, record.measurement.median_ms)),
            digits(record.measurement.images_per_second),
        )
        for record in records
    ]
    return plain_table(
        "measured, this network", ("device, type, batch", "ms/image", "images/s"), rows, "ee-session"
    )


NOTE = (
    "Height is the side of the map, thickness the channels (both as square roots), one slab a layer. "
    "Line: computed. Hollow: published; its bar spans the phi that depth, width and resolution imply. "
    "Filled: measured, with its interval."
)
