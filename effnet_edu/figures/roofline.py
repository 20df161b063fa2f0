"""Measured layers: under the ceilings of their device, and their share of time beside their share of MACs."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import (
    CARD,
    EDGE,
    GREY,
    INK,
    OTHER_ROLE,
    ROLES,
    SMALLEST_TEXT,
    new_figure,
    styled,
)
from effnet_edu.profiling.layers import LayerProfile
from effnet_edu.profiling.roofline import Roofline, RooflinePoint

#: Square points of a marker whose layer takes all of the time, and of the smallest one.
_WHOLE, _LEAST = 2600.0, 10.0
#: In this order the right panel shows the layers that only move bytes.
_MOVERS = ("norm", "activation", "scale", "add", "pool")


def _look(role: str) -> tuple[str, str, str]:
    return ROLES.get(role, OTHER_ROLE)


def _words(part: str) -> str:
    return part.replace("squeeze_excite", "squeeze-excite").replace("_", " ")


def _draw_points(axes: Axes, points: Sequence[tuple[float, RooflinePoint]], total: float) -> None:
    # The largest first, so that a small marker is never hidden by a large one.
    for x, point in sorted(points, key=lambda pair: -pair[1].layer.seconds):
        colour, marker, _ = _look(point.layer.role)
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


def _legend(axes: Axes, roles: Sequence[str]) -> None:
    shown = [role for role in ROLES if role in roles]
    others = [role for role in roles if role not in ROLES]
    handles = [(_look(role), _words(role)) for role in shown]
    if others:
        handles.append((OTHER_ROLE, ", ".join(others)))
    axes.legend(
        handles=[
            Line2D(
                [], [], linestyle="", marker=marker, markerfacecolor=colour, markeredgecolor=EDGE, label=label
            )
            for (colour, marker, _), label in handles
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=3,
        handletextpad=0.3,
        columnspacing=1.2,
    )


def _draw_roofs(axes: Axes, placed: Roofline, left: float, right: float) -> None:
    peak = placed.points[0].peak / 1e9
    levels = [("memory", placed.ceilings.memory, "-")]
    if placed.ceilings.cache:
        levels.append(("last cache", placed.ceilings.cache, "--"))
    for index, (name, ceiling, line) in enumerate(levels):
        bandwidth = ceiling.per_second / 1e9
        ridge = peak / bandwidth
        axes.plot(
            [left, min(ridge, right)],
            [left * bandwidth, min(ridge, right) * bandwidth],
            line,
            color=INK,
            linewidth=1.4,
        )
        axes.annotate(
            f"{name} {bandwidth:,.3g} GB/s",
            (left, left * bandwidth),
            xytext=(3, -4 if index == 0 else 4),
            textcoords="offset points",
            rotation=45,
            rotation_mode="anchor",
            va="top" if index == 0 else "bottom",
            size=SMALLEST_TEXT,
        )
    ridge = peak / (max(level[1].per_second for level in levels) / 1e9)
    axes.plot([ridge, right], [peak, peak], color=INK, linewidth=1.4)
    axes.annotate(
        f"arithmetic, {placed.profile.precision}: {peak:,.3g} GMAC/s",
        (right, peak),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        size=SMALLEST_TEXT,
    )


@styled
def roofline(placed: Roofline) -> Picture:
    """Draw every layer under the ceilings: MACs per second over intensity, and bytes per second beside it.

    Args:
        placed: From `ee.roofline`.
    """
    figure, (left, right) = new_figure(5.2, columns=2)
    left.get_subplotspec().get_gridspec().set_width_ratios((2.1, 1))
    profile, total = placed.profile, placed.profile.total_seconds
    counting = [point for point in placed.points if point.layer.macs]
    moving = [point for point in placed.points if not point.layer.macs]
    intensities = [point.intensity for point in counting]
    lowest, highest = min(intensities) / 1.6, max(intensities) * 1.6
    left.set_xscale("log")
    left.set_yscale("log")
    _draw_points(left, [(point.intensity, point) for point in counting], total)
    _draw_roofs(left, placed, lowest, highest)
    left.set_xlim(lowest, highest)
    left.set(xlabel="arithmetic intensity, MACs per byte", ylabel="GMAC/s", title="Layers with MACs")
    _legend(left, list(dict.fromkeys(point.layer.role for point in counting)))

    kinds = [kind for kind in _MOVERS if any(point.layer.kind == kind for point in moving)]
    spread = []
    for index, kind in enumerate(kinds):
        rows = [point for point in moving if point.layer.kind == kind]
        step = 0.7 / max(len(rows) - 1, 1)
        spread += [(index - 0.35 + step * place, point) for place, point in enumerate(rows)]
    right.set_yscale("log")
    _draw_points(right, spread, total)
    roofs = [("memory", placed.ceilings.memory, "-"), ("last cache", placed.ceilings.cache, "--")]
    for name, ceiling, line in roofs:
        if ceiling:
            right.axhline(ceiling.per_second / 1e9, color=INK, linewidth=1.4, linestyle=line)
            right.annotate(
                name,
                (len(kinds) - 0.5, ceiling.per_second / 1e9),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                va="bottom",
                size=SMALLEST_TEXT,
            )
    right.set_xlim(-0.5, len(kinds) - 0.5)
    right.set_xticks(range(len(kinds)), kinds, rotation=25)
    right.set(ylabel="GB/s", title="Layers that only move bytes")
    for axes in (left, right):
        axes.grid(visible=True, which="major")
        axes.minorticks_off()

    where = f"{profile.network}, {profile.resolution} px, batch {profile.batch_size}, {profile.precision}"
    return Picture(
        figure,
        alt=f"Roofline of {where} on {profile.device_name}, with ceilings measured there. "
        + " ".join(placed.sentences),
        caption=f"Filled marks: layers of {where}, measured on {profile.device_name} with intervals; the "
        "area is the share of time. Lines: ceilings measured on the same device. A mark above a line found "
        "its data in a nearer cache than that line stands for.",
        numbers=Numbers(
            (
                "layer",
                "role",
                "MACs (computed), M",
                "MACs per byte (computed)",
                "time (measured), us",
                "reached (measured)",
                "allowed (measured ceilings)",
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
    total = layer_profile.total_seconds
    parts = sorted(seconds, key=lambda part: seconds[part])
    figure, (axes,) = new_figure(0.46 * len(parts) + 1.2)
    for index, part in enumerate(parts):
        colour, _, hatch = _look(part)
        of_macs, of_time = 100 * macs[part] / layer_profile.macs, 100 * seconds[part] / total
        axes.barh(index + 0.19, of_macs, 0.34, facecolor=CARD, edgecolor=colour, linewidth=1.6)
        axes.barh(index - 0.19, of_time, 0.36, facecolor=colour, edgecolor=EDGE, linewidth=0.6, hatch=hatch)
        low, high = layer_profile.part_timing(part).interval
        axes.plot(
            [100 * low / total, 100 * high / total], [index - 0.19] * 2, color=INK, linewidth=1, marker="|"
        )
        axes.text(of_macs + 0.6, index + 0.19, f"{of_macs:.1f}%", va="center", size=SMALLEST_TEXT)
        axes.text(
            max(of_time, 100 * high / total) + 0.6,
            index - 0.19,
            f"{of_time:.1f}%",
            va="center",
            size=SMALLEST_TEXT,
            weight="bold",
        )
    axes.set_yticks(range(len(parts)), [_words(part) for part in parts])
    axes.set(xlabel="share, %", title="MACs are not time")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08)
    axes.legend(
        handles=[
            Line2D(
                [], [], linestyle="", marker="s", markerfacecolor=CARD, markeredgecolor=GREY, label="MACs"
            ),
            Line2D([], [], linestyle="", marker="s", color=GREY, label="time"),
        ],
        loc="lower right",
    )
    where = f"{layer_profile.network}, {layer_profile.resolution} px, batch {layer_profile.batch_size}"
    said = "; ".join(
        f"{_words(part)} {macs[part] / layer_profile.macs:.1%} of the MACs and {seconds[part] / total:.1%} "
        "of the time"
        for part in reversed(parts)
    )
    return Picture(
        figure,
        alt=f"Share of MACs and of time in {where} on {layer_profile.device_name}: {said}.",
        caption=f"{where}, {layer_profile.precision}. Hollow: MACs (computed). Filled: time, measured on "
        f"{layer_profile.device_name}, with its interval, as a share of the sum over all layers. The role "
        "names stand for convolutions alone; norms and activations are counted for themselves.",
        numbers=Numbers(
            ("part", "MACs (computed), M", "share of MACs", "time (measured), ms", "share of time"),
            [
                (
                    _words(part),
                    f"{macs[part] / 1e6:,.1f}",
                    f"{macs[part] / layer_profile.macs:.1%}",
                    f"{1000 * seconds[part]:.3f}",
                    f"{seconds[part] / total:.1%}",
                )
                for part in reversed(parts)
            ],
        ),
    )
