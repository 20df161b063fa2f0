"""What the phi lab shows: pictures and numbers, as one piece of HTML that is replaced in one frame."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

from effnet_edu.labs.drawing import Axis, circle, drawing, frame, line, standalone, text
from effnet_edu.labs.network_picture import SIZE as NETWORK_SIZE
from effnet_edu.labs.network_picture import network_picture
from effnet_edu.labs.phi_logic import PhiLogic, Record
from effnet_edu.model.cost import cost
from effnet_edu.model.scaling import Multipliers, compound_multipliers, fit_phi
from effnet_edu.model.variants import compound, spec
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
    if min(alpha, beta, gamma) <= 1:
        return ()
    printed = {row["network"]: row["macs_billions"] for row in read("effnet_table2")}
    b0, points = spec("efficientnet_b0"), []
    for n in range(8):
        network = spec(f"efficientnet_b{n}")
        factors = Multipliers(network.depth, network.width, network.resolution / b0.resolution)
        fitted = fit_phi(factors, alpha, beta, gamma)
        low, middle, high = sorted((fitted.depth, fitted.width, fitted.resolution))
        points.append(
            PublishedPoint(f"B{n}", low, middle, high, 1e9 * float(str(printed[f"EfficientNet-B{n}"])))
        )
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


def charts(logic: PhiLogic) -> str:
    """Draw MACs against phi, and measured time against MACs.

    Args:
        logic: The lab.
    """
    bases = (logic.alpha, logic.beta, logic.gamma)
    parts = [_macs_frame(), f'<polyline points="{macs_curve(*bases)}" class="curve"/>']
    for point in published_points(*bases):
        y = _MACS(point.macs / 1e9)
        parts.append(line(_X(point.low), y, _X(point.high), y, "range"))
        hover = f"{point.name}, published: {point.macs / 1e9:g} billion MACs (arXiv:1905.11946v5, table 2)"
        parts.append(circle(_X(point.middle), y, 4, "published", hover))
        if point.name != "B1":  # too near B0 and B2 for a label of its own
            parts.append(text(_X(point.middle) + 7, y + 14, point.name, "soft"))
    parts.append(circle(_X(logic.phi), _MACS(logic.cost.macs / 1e9), 6, "now"))
    parts += _times(logic)
    label = (
        f"Left: MACs against phi. At phi {logic.phi:g} the network has {giga(logic.cost.macs)} MACs. "
        f"Published B0 to B7 lie near the curve, each with the range of phi that its depth, width and "
        f"resolution imply. Right: {_times_in_words(logic)}"
    )
    return drawing(*CHARTS_SIZE, label, parts)


def _per_image(record: Record, ms: float) -> float:
    return ms / record.setting.batch_size


def _time_axis(records: Iterable[Record]) -> Axis:
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
    for index, record in enumerate(logic.history):
        measured = record.measurement
        css = "now" if index == len(logic.history) - 1 and logic.is_fresh else "past"
        x = _MACS_ACROSS(measured.macs / 1e9)
        low, high = y(_per_image(record, measured.low_ms)), y(_per_image(record, measured.high_ms))
        parts.append(line(x, low, x, high, "range"))
        hover = f"phi {record.setting.phi:g}: {measured}"
        parts.append(circle(x, y(_per_image(record, measured.median_ms)), 5, css, hover))
    if not logic.history:
        x = (_MACS_ACROSS.start + _MACS_ACROSS.end) / 2
        parts.append(text(x, 88, "Nothing measured yet:", "soft", "middle"))
        parts.append(text(x, 104, "let a slider rest.", "soft", "middle"))
    return parts


def _times_in_words(logic: PhiLogic) -> str:
    if logic.latest is None:
        return "nothing measured yet."
    return f"{len(logic.history)} measured; the newest is {logic.latest.measurement}."


def giga(count: float) -> str:
    """Return a count of MACs with three significant digits, such as `0.386 billion`.

    Args:
        count: How many.
    """
    return f"{_digits(count / 1e9)} billion"


def mega(count: float) -> str:
    """Return a count of parameters with three significant digits, such as `5.29 million`.

    Args:
        count: How many.
    """
    return f"{_digits(count / 1e6)} million"


def _digits(value: float) -> str:
    """Return a number with three significant digits, or whole, so that its column never overflows."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(caption: str, rows: Iterable[tuple[str, str]], css: str = "") -> str:
    body = "".join(f"<tr><th scope='row'>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<table class='ee-numbers {css}'><caption>{caption}</caption>{body}</table>"


def numbers(logic: PhiLogic) -> str:
    """Return the numbers of the lab as tables, each with its kind.

    Args:
        logic: The lab.
    """
    factors = compound_multipliers(logic.phi, logic.alpha, logic.beta, logic.gamma)
    base = cost("efficientnet_b0")
    near = "≈" if abs(logic.constraint - 2) <= 0.1 else "≠"
    computed = _table(
        "computed",
        (
            ("depth d", f"{factors.depth:.2f}"),
            ("width w", f"{factors.width:.2f}"),
            ("resolution r", f"{factors.resolution:.2f}"),
            ("input side", f"{logic.spec.resolution} px"),
            ("blocks", f"{logic.spec.layers}"),
            ("parameters", mega(logic.cost.parameters)),
            ("MACs", giga(logic.cost.macs)),
            ("MACs over B0", f"{logic.cost.macs / base.macs:,.2f} ×"),
            ("alpha beta² gamma²", f"{logic.constraint:.2f} {near} 2"),
        ),
        "ee-computed",
    )
    record = logic.latest
    if record is None:
        return computed + _table("measured", (("nothing yet", ""),), "ee-measured")
    measured, setting = record.measurement, record.setting
    stale = "" if logic.is_fresh else "ee-stale"
    age = "measured" if logic.is_fresh else f"measured before, at phi {setting.phi:g}"
    return computed + _table(
        age,
        (
            ("batch", f"{setting.batch_size}, {setting.precision}"),
            ("time a batch", f"{_digits(measured.median_ms)} ms"),
            ("95% interval", f"{_digits(measured.low_ms)} to {_digits(measured.high_ms)} ms"),
            ("throughput", f"{_digits(measured.images_per_second)} images/s"),
            ("speed", f"{_digits(measured.macs_per_second / 1e9)} GMACs/s"),
            ("peak memory", f"{measured.peak_memory_bytes / 2**20:,.0f} MiB"),
        ),
        f"ee-measured {stale}",
    )


NOTE = (
    "Height is the side of the map, thickness the channels (both as square roots), one slab a layer. "
    "Line: computed. Hollow: published; its bar spans the phi that depth, width and resolution imply. "
    "Filled: measured, with its interval."
)


def screen(logic: PhiLogic) -> str:
    """Return everything that changes with a setting.

    Args:
        logic: The lab.
    """
    return (
        f"<div class='ee-split'><div>{network_picture(logic.spec)}{charts(logic)}"
        f"<p class='ee-note'>{NOTE}</p></div><div>{numbers(logic)}</div></div>"
    )


def still(logic: PhiLogic) -> str:
    """Return the lab as a picture with alternative text and a table, for readers without a kernel.

    Args:
        logic: The lab.
    """
    picture = standalone(
        (network_picture(logic.spec), charts(logic)), NETWORK_SIZE[0], (NETWORK_SIZE[1], CHARTS_SIZE[1])
    )
    encoded = base64.b64encode(picture.encode()).decode()
    return (
        f"<p><b>Phi lab</b> (a still picture; run the cell for the sliders)</p>"
        f"<img alt='{escape(describe(logic), quote=True)}' src='data:image/svg+xml;base64,{encoded}'>"
        f"{numbers(logic)}"
    )


def describe(logic: PhiLogic) -> str:
    """Return the lab in words.

    Args:
        logic: The lab.
    """
    return (
        f"Phi lab at phi {logic.phi:g}: {logic.spec.layers} blocks, {logic.spec.resolution} x "
        f"{logic.spec.resolution} pixels, {mega(logic.cost.parameters)} parameters, "
        f"{giga(logic.cost.macs)} MACs; {_times_in_words(logic)}"
    )
