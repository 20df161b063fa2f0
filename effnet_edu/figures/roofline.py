"""Measured layers: under the ceilings of their device, and their share of time beside their share of MACs."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import SMALLEST_TEXT, new_figure, styled
from effnet_edu.ground.palette import EDGE, GREY, INK, OTHER_ROLE, ROLES, look
from effnet_edu.profiling.layers import LayerProfile
from effnet_edu.profiling.roof_lines import Roof
from effnet_edu.profiling.roofs import Roofline, RooflinePoint

#: Square points of a marker whose layer takes all of the time, and of the smallest one.
_WHOLE, _LEAST = 2600.0, 14.0
#: In this order the right panel shows the layers that only move bytes.
#: Where layers lie that are bound so.
_PLACES = {
    "arithmetic": "near the flat roof",
    "memory": "near the slope",
    "overhead": "far below the roof",
}
_MOVERS = ("norm", "activation", "scale", "add", "pool")


def _words(part: str) -> str:
    return part.replace("squeeze_excite", "squeeze-excite").replace("_", " ")


def _draw_points(axes: Axes, points: Sequence[tuple[float, RooflinePoint]], total: float) -> None:
    # The largest first, so that a small marker is never hidden by a large one.
    for x, point in sorted(points, key=lambda pair: -pair[1].layer.seconds):
        colour, marker, _ = look(point.layer.role)
        rate = point.achieved / 1e9
        low, high = point.layer.timing.interval
        seconds = point.layer.seconds
        axes.plot([x, x], [rate * seconds / high, rate * seconds / low], color=GREY, linewidth=0.7, zorder=2)
        axes.scatter(
            [x],
            [rate],
            s=max(_LEAST, _WHOLE * seconds / total),
            marker=marker,
            facecolor=colour,
            edgecolor=EDGE,
            linewidth=0.6,
            alpha=0.85,
            zorder=3,
        )


_LINES: dict[str, Literal["-", "--"]] = {"memory": "-", "last cache": "--"}


def _roof(placed: Roofline) -> Roof:
    return Roof.of(placed.ceilings, placed.profile.precision)


def _legend(figure: Figure, placed: Roofline) -> None:
    roles = list(dict.fromkeys(point.layer.role for point in placed.points))
    looks = [(look(role), _words(role)) for role in ROLES if role in roles]
    looks.append((OTHER_ROLE, ", ".join(role for role in roles if role not in ROLES)))
    marks = [
        Line2D([], [], linestyle="", marker=marker, markerfacecolor=colour, markeredgecolor=EDGE, label=label)
        for (colour, marker, _), label in looks
    ]
    lines = [
        Line2D([], [], color=INK, linewidth=1.4, linestyle=_LINES[name], label=f"{name}, {rate:,.3g} GB/s")
        for name, rate in _roof(placed).bandwidths.items()
    ]
    figure.legend(handles=[*marks, *lines], loc="outside lower center", ncols=4)


def _draw_roofs(axes: Axes, placed: Roofline, left: float, right: float) -> None:
    roof = _roof(placed)
    peak = roof.peak
    for name, ends in roof.slopes(left, right).items():
        axes.plot(*zip(*ends, strict=True), linestyle=_LINES[name], color=INK, linewidth=1.4)
    axes.plot(*zip(*roof.flat(left, right), strict=True), color=INK, linewidth=1.4)
    axes.annotate(
        f"arithmetic in {placed.profile.precision}, {peak:,.3g} GMAC/s",
        (right, peak),
        xytext=(-2, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        size=SMALLEST_TEXT,
    )


def _plain(value: float, _position: float) -> str:
    return f"{value:,.10g}"


def _rates(axes: Axes, top: float) -> None:
    """Make the rates logarithmic, with plain numbers and room above the highest ceiling."""
    axes.set_yscale("log")
    axes.set_ylim(top=max(3 * top, axes.get_ylim()[1]))
    axes.yaxis.set_major_formatter(_plain)
    axes.grid(visible=True, which="major")
    axes.minorticks_off()


def _finding(placed: Roofline) -> str:
    """Return where most of the time of the drawn layers goes, as a sentence."""
    spent = dict.fromkeys(_PLACES, 0.0)
    for point in placed.points:
        spent[point.bound] += point.layer.seconds
    most = max(spent, key=lambda bound: spent[bound])
    return f"{spent[most] / sum(spent.values()):.0%} of this time goes to layers {_PLACES[most]}"


def _fastest(moving: Sequence[RooflinePoint]) -> str:
    """Return how many bytes a second the layers without MACs move at most."""
    return f"At most {max(point.achieved for point in moving) / 1e9:.2g} GB/s" if moving else ""


@styled
def roofline(placed: Roofline) -> Picture:
    """Draw every layer under the ceilings: MACs per second over intensity, and bytes per second beside it.

    Args:
        placed: From `ee.roofline`.
    """
    figure, (left, right) = new_figure(5.2, columns=2, widths=(2.1, 1))
    profile, total = placed.profile, placed.profile.total_seconds
    counting = [point for point in placed.points if point.layer.macs]
    moving = [point for point in placed.points if not point.layer.macs]
    intensities = [point.intensity for point in counting]
    lowest, highest = min(intensities) / 1.6, max(intensities) * 1.6
    _draw_points(left, [(point.intensity, point) for point in counting], total)
    _draw_roofs(left, placed, lowest, highest)
    left.set_xscale("log")
    left.xaxis.set_major_formatter(_plain)
    left.set_xlim(lowest, highest)
    left.set(xlabel="arithmetic intensity, MACs per byte", ylabel="GMAC/s", title=_finding(placed))
    _rates(left, placed.points[0].peak / 1e9)

    kinds = [kind for kind in _MOVERS if any(point.layer.kind == kind for point in moving)]
    spread = []
    for index, kind in enumerate(kinds):
        rows = [point for point in moving if point.layer.kind == kind]
        step = 0.7 / max(len(rows) - 1, 1)
        spread += [(index - 0.35 + step * place, point) for place, point in enumerate(rows)]
    _draw_points(right, spread, total)
    bandwidths = _roof(placed).bandwidths
    for name, rate in bandwidths.items():
        right.axhline(rate, color=INK, linewidth=1.4, linestyle=_LINES[name])
    right.set_xlim(-0.5, len(kinds) - 0.5)
    right.set_xticks(range(len(kinds)), kinds, rotation=25)
    right.set(xlabel="layers without MACs", ylabel="GB/s", title=_fastest(moving))
    _rates(right, max(bandwidths.values()))
    _legend(figure, placed)

    where = f"{profile.network}, {profile.resolution} px, batch {profile.batch_size}, {profile.precision}"
    kind = "recorded" if placed.recorded else "measured"
    return Picture(
        figure,
        alt=f"Roofline of {where} on {profile.device_name}, with ceilings {kind} there. "
        + " ".join(placed.sentences),
        caption=f"Filled marks: layers of {where}, {kind} on {profile.device_name}, with intervals; the "
        f"area is the share of time. Lines: ceilings {kind} on the same device. A mark above a line found "
        "its data in a nearer cache than that line stands for.",
        numbers=Numbers(
            (
                "layer",
                "role",
                "MACs (computed), M",
                "MACs per byte (computed)",
                f"time ({kind}), µs",
                f"reached ({kind})",
                f"allowed ({kind} ceilings)",
                "bound by",
            ),
            [
                (
                    point.layer.name,
                    _words(point.layer.role),
                    f"{point.layer.macs / 1e6:,.2f}",
                    f"{point.intensity:.2f}",
                    f"{1e6 * point.layer.seconds:,.0f}",
                    f"{point.achieved / 1e9:,.3g} G{point.unit}/s",
                    f"{point.attainable / 1e9:,.3g} G{point.unit}/s",
                    point.bound,
                )
                for point in placed.points
            ],
        ),
    )


@styled
def macs_against_time(layer_profile: LayerProfile) -> Picture:
    """Draw, for each part of a network, its share of the MACs beside its share of the time.

    Args:
        layer_profile: From `ee.profile_layers`.
    """
    seconds, macs = layer_profile.by_part(), layer_profile.by_part(lambda row: row.macs)
    shares = {part: layer_profile.part_share(part) for part in seconds}
    parts = sorted(shares, key=lambda part: shares[part][0])
    figure, (axes,) = new_figure(0.46 * len(parts) + 1.2)
    for index, part in enumerate(parts):
        colour, _, hatch = look(part)
        of_macs, of_time = 100 * macs[part] / layer_profile.macs, 100 * shares[part][0]
        axes.plot([0, of_macs], [index + 0.2] * 2, color=INK, linewidth=2.2, solid_capstyle="butt")
        axes.plot([of_macs], [index + 0.2], "|", color=INK, markersize=9, markeredgewidth=2.2)
        axes.barh(index - 0.19, of_time, 0.36, facecolor=colour, edgecolor=EDGE, linewidth=0.6, hatch=hatch)
        low, high = (100 * end for end in shares[part][1:])
        axes.plot([low, high], [index - 0.19] * 2, color=INK, linewidth=1, marker="|", markersize=6)
        axes.text(of_macs + 0.8, index + 0.2, f"{of_macs:.1f}%", va="center", size=SMALLEST_TEXT)
        axes.text(
            max(of_time, high) + 0.6,
            index - 0.19,
            f"{of_time:.1f}%",
            va="center",
            size=SMALLEST_TEXT,
            weight="bold",
        )
    most = max(parts, key=lambda part: shares[part][0] - macs[part] / layer_profile.macs)
    title = (
        f"{_words(most).capitalize()}: {macs[most] / layer_profile.macs:.0%} of the MACs, "
        f"{shares[most][0]:.0%} of the time"
    )
    axes.set_yticks(range(len(parts)), [_words(part) for part in parts])
    axes.set(xlabel="share, %", title=title)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08)
    axes.legend(
        handles=[
            Line2D([], [], color=INK, linewidth=2.2, label="MACs (computed)"),
            Line2D([], [], linestyle="", marker="s", color=GREY, label="time (measured)"),
        ],
        loc="lower right",
    )
    where = f"{layer_profile.network}, {layer_profile.resolution} px, batch {layer_profile.batch_size}"
    said = "; ".join(
        f"{_words(part)} {macs[part] / layer_profile.macs:.1%} of the MACs and {shares[part][0]:.1%} "
        "of the time"
        for part in reversed(parts)
    )
    return Picture(
        figure,
        alt=f"Share of MACs and of time in {where} on {layer_profile.device_name}: {said}.",
        caption=f"{where}, {layer_profile.precision}. Lines: MACs (computed). Bars: time, measured on "
        f"{layer_profile.device_name}, with its interval, as a share of the sum over all layers of a pass. "
        "The role names stand for convolutions alone; norms and activations are counted for themselves.",
        numbers=Numbers(
            ("part", "MACs (computed), M", "share of MACs", "time (measured), ms", "share of time"),
            [
                (
                    _words(part),
                    f"{macs[part] / 1e6:,.1f}",
                    f"{macs[part] / layer_profile.macs:.1%}",
                    f"{1000 * seconds[part]:.3f}",
                    f"{shares[part][0]:.1%}",
                )
                for part in reversed(parts)
            ],
        ),
    )
