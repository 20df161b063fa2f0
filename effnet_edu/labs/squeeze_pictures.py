"""What is drawn of gates and of their price, with a kernel and without."""

from collections.abc import Sequence
from functools import lru_cache

from effnet_edu.labs.drawing import Axis, circle, hatching, line, rectangle, text
from effnet_edu.labs.numbers import Number, digits
from effnet_edu.labs.squeeze_widths import SMALL, SQUEEZES, USUAL, squeeze_cost
from effnet_edu.labs.theme import COMPOUND

WIDTH = 396
#: Left edge of the gates, and their axis.
LEFT = 46
GATES = Axis(0, 1, 82, 20)
HEIGHT = 280
_CONTRAST_MIDDLE, _CONTRAST_REACH = 124, 18
_COSTS_TOP, _COSTS_FLOOR, _COSTS_RIGHT = 192, 244, 380


@lru_cache(maxsize=8)
def _edges(count: int, x: Axis) -> tuple[str, ...]:
    return tuple(f"H{x(index):.1f}" for index in range(count + 1))


def _steps(values: Sequence[float], x: Axis, y: Axis) -> str:
    edges = _edges(len(values), x)
    heights = (f"V{y(value):.1f}" for value in values)
    return "".join(map("".join, zip(edges, heights, edges[1:], strict=False)))


@lru_cache(maxsize=16)
def _skyline(values: tuple[float, ...], x: Axis, y: Axis) -> str:
    """Return bars beside each other as one path, quick to draw however many there are."""
    floor = y(0)
    return (
        f'<path d="M{x.start:.1f} {floor:.1f}{_steps(values, x, y)}V{floor:.1f}Z" fill="{COMPOUND}" '
        'style="stroke:var(--ee-text)" stroke-width=".6"/>'
    )


def gate_bars(gates: tuple[float, ...], title: str, against: tuple[float, ...] = ()) -> list[str]:
    """Draw a bar a gate under its title.

    Args:
        gates: From 0 to 1.  # (c_mid,)
        title: What they are.
        against: Other gates of the same block, drawn as a line.  # (c_mid,)
    """
    x = Axis(0, len(gates), LEFT, WIDTH)
    parts = [_skyline(gates, x, GATES)]
    if against:
        path = f"M{x.start:.1f} {GATES(against[0]):.1f}{_steps(against, x, GATES)}"
        parts.append(f'<path d="{path}" fill="none" style="stroke:var(--ee-text)" stroke-width="1"/>')
    parts.append(text(0, 12, title, "title"))
    parts += [line(LEFT, GATES(tick), WIDTH, GATES(tick), "grid") for tick in (0, 0.5, 1)]
    parts += [text(LEFT - 5, GATES(tick) + 4, f"{tick:g}", "soft", "end") for tick in (0, 0.5, 1)]
    return parts


def _reach(largest: float) -> float:
    """Return the end of a scale on which differences of gates are drawn."""
    return next((end for end in (0.05, 0.1, 0.2, 0.5) if largest <= end), 1.0)


def contrast_bars(values: tuple[float, ...], compared: str, channel: int | None = None) -> list[str]:
    """Draw how much wider open each gate is for one class than for another.

    Args:
        values: Differences.  # (c_mid,)
        compared: What is subtracted from what.
        channel: A gate to mark.
    """
    reach = _reach(max(map(abs, values)))
    x = Axis(0, len(values), LEFT, WIDTH)
    y = Axis(-reach, reach, _CONTRAST_MIDDLE + _CONTRAST_REACH, _CONTRAST_MIDDLE - _CONTRAST_REACH)
    parts = [_skyline(values, x, y), line(LEFT, y(0), WIDTH, y(0), "axis")]
    ends = ((reach, f"+{reach:g}"), (-reach, f"−{reach:g}"))
    parts += [text(LEFT - 5, y(end) + 4, words, "soft", "end") for end, words in ends]
    if channel is not None:
        parts.append(circle(x(channel + 0.5), y(values[channel]), 4, "now"))
    parts.append(text(LEFT, y.start + 15, f"gates by class: {compared}", "soft"))
    return parts


def cost_bars(network: str, chosen: str, of_a: str | None = None) -> list[str]:
    """Draw the parameters at every width of the squeeze, those of squeeze-and-excitation on top.

    Args:
        network: One of `NETWORKS`.
        chosen: One of `SQUEEZES`.
        of_a: That of the pinned setting, where its network is the same.
    """
    costs = {squeeze: squeeze_cost(network, squeeze) for squeeze in SQUEEZES}
    y = Axis(0, max(cost.parameters for cost in costs.values()), _COSTS_FLOOR, _COSTS_TOP)
    step = _COSTS_RIGHT / len(costs)
    parts = []
    for index, (squeeze, cost) in enumerate(costs.items()):
        left, width = index * step + 8, step - 16
        top, middle = y(cost.parameters), y(cost.parameters - cost.squeeze_parameters)
        parts.append(rectangle(left, middle, width, y.start - middle, "past"))
        parts.append(rectangle(left, top, width, middle - top, "slab"))
        parts.append(hatching(left, top, width, middle - top))
        css = ""
        if squeeze == chosen:
            css = "title"
            parts.append(
                f'<rect x="{left - 3:.1f}" y="{top - 3:.1f}" width="{width + 6:.1f}" fill="none" '
                f'height="{y.start - top + 6:.1f}" style="stroke:var(--ee-text)" stroke-width="2"/>'
            )
        centre = left + width / 2
        parts.append(text(centre, top - 6, _count(cost.parameters), css, "middle"))
        letter = ", A" if squeeze == of_a else ""
        parts.append(text(centre, y.start + 17, f"{squeeze}{letter}", css or "soft", "middle"))
    parts.append(text(0, HEIGHT - 3, f"{named(network)}: parameters by squeeze width over c_in", "soft"))
    return parts


def _count(parameters: int) -> str:
    million = parameters >= 10**6
    return f"{digits(parameters / (1e6 if million else 1e3))} {'M' if million else 'k'}"


def costs_in_words(network: str, chosen: str) -> str:
    """Return what the bars of `cost_bars` show.

    Args:
        network: One of `NETWORKS`.
        chosen: One of `SQUEEZES`.
    """
    rows = (f"{squeeze} {_count(squeeze_cost(network, squeeze).parameters)}" for squeeze in SQUEEZES)
    return f"Parameters of {named(network)} by squeeze width, with {chosen} chosen: {', '.join(rows)}."


def cost_numbers(network: str, squeeze: str) -> tuple[Number, ...]:
    """Return what a network with a width of its squeeze costs.

    Args:
        network: One of `NETWORKS`.
        squeeze: One of `SQUEEZES`.
    """
    counted, usual = squeeze_cost(network, squeeze), squeeze_cost(network, USUAL)
    return (
        Number("parameters", counted.parameters / 1e6, "million"),
        Number("over SE 1/4", counted.parameters / usual.parameters, "×", decimals=2),
        Number("SE parameters", 100 * counted.squeeze_parameters / counted.parameters, "%", decimals=1),
        Number("SE MACs", 100 * counted.squeeze_macs / counted.macs, "%", decimals=2),
    )


def named(network: str) -> str:
    """Return a network's name in a sentence.

    Args:
        network: One of `NETWORKS`.
    """
    return "small network" if network == SMALL else network
