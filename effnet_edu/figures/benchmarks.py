"""Published benchmarks: accuracy over cost, table 2 counted again, and the way to ConvNeXt."""

import math
from collections.abc import Mapping, Sequence
from statistics import median

from matplotlib.axes import Axes

from effnet_edu.figures.labels import name_marks
from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import SMALLEST_TEXT, new_figure, plain_log_axis, styled
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.palette import CARD, COMPOUND, FAINT, GREY, INK, WIDTH
from effnet_edu.published.benchmarks import Result, speed_of
from effnet_edu.published.tables import Table

#: Colour and marker of the families that the lesson speaks of; the others are small grey circles.
_LOOKS = {
    "EfficientNet": (COMPOUND, "o"),
    "EfficientNet, newer recipe": (COMPOUND, "P"),
    "EfficientNetV2": (WIDTH, "s"),
    "ConvNeXt": (INK, "^"),
    "ResNet": (GREY, "D"),
    "ResNet, newer recipe": (GREY, "P"),
}
_OTHER = (GREY, "o")
_STEPS = (1, 2, 5)


def _draw_marks(axes: Axes, points: Sequence[tuple[float, Result]]) -> None:
    """Draw hollow marks, the families that the lesson speaks of above the others."""
    for family in ("other", *_LOOKS):
        is_other = family == "other"
        members = [
            (x, result.top1)
            for x, result in points
            if result.family == family or (is_other and result.family not in _LOOKS)
        ]
        colour, marker = _LOOKS.get(family, _OTHER)
        if members:
            axes.plot(
                *zip(*members, strict=True),
                marker=marker,
                linestyle="",
                markersize=4.5 if is_other else 7,
                markerfacecolor=CARD,
                markeredgecolor=colour,
                markeredgewidth=1 if is_other else 1.6,
                label=family,
            )


def _beside_its_mark(result: Result) -> str:
    """Return the name without its family, which the mark tells; nothing for the other families."""
    if result.family not in _LOOKS:
        return ""
    return result.short.removeprefix("ConvNeXt-").removeprefix("ResNet-")


def _frontier(points: Sequence[tuple[float, Result]]) -> list[tuple[float, Result]]:
    """Return the points that no other beats at the same x or less, in order of x."""
    kept: list[tuple[float, Result]] = []
    for x, result in sorted(points, key=lambda point: (point[0], -point[1].top1)):
        if not kept or result.top1 > kept[-1][1].top1:
            kept.append((x, result))
    return kept


def _log_ticks(axes: Axes, values: Sequence[float]) -> None:
    low, high = min(values) / 1.3, max(values) * 1.3
    steps = _STEPS if high < 300 * low else (1,)
    ticks = [step * 10.0**power for power in range(-2, 6) for step in steps]
    ticks = [tick for tick in ticks if low <= tick <= high]
    plain_log_axis(axes, "x", ticks, [f"{tick:,g}" for tick in ticks])
    axes.set_xlim(low, high)


def _scatter(
    points: Sequence[tuple[float, Result]], xlabel: str, faster_is_right: bool, where: str
) -> Picture:
    figure, (axes,) = new_figure(4.8)
    sign = -1 if faster_is_right else 1
    best = [(sign * x, result) for x, result in _frontier([(sign * x, result) for x, result in points])]
    axes.plot(
        [x for x, _ in best], [result.top1 for _, result in best], color=FAINT, linewidth=5, zorder=0.5,
        label="not beaten by any other",
    )  # fmt: skip
    _draw_marks(axes, points)
    _log_ticks(axes, [x for x, _ in points])
    axes.set(xlabel=xlabel, ylabel="ImageNet top-1, % (published)")
    figure.legend(loc="outside lower center", ncols=4)
    names = [_beside_its_mark(result) for _, result in points]
    name_marks(axes, [(x, result.top1) for x, result in points], names)
    ends = [best[0][1], best[-1][1]]
    leading = ", ".join(dict.fromkeys(result.name for _, result in best))
    return Picture(
        figure,
        alt=f"{len(points)} networks, published top-1 accuracy over {xlabel}. No other beats these: "
        f"{leading}. They run from {ends[0].top1:.1f}% to {ends[-1].top1:.1f}%.",
        caption=f"Hollow marks: published {where}. Grey band: the networks that no other beats in accuracy "
        "at the same cost or less.",
        numbers=Numbers(
            ("network", xlabel, "top-1 (published), %"),
            [
                (result.name, f"{x:g}", f"{result.top1:g}")
                for x, result in sorted(points, key=lambda point: sign * point[0])
            ],
        ),
    )


@styled
def accuracy_against_size(results: Sequence[Result], size: str = "MACs") -> Picture:
    """Draw published accuracy over published MACs or parameters.

    Args:
        results: From `ee.published.results`.
        size: `"MACs"` or `"parameters"`.

    Raises:
        ValueError: The size is another word.
    """
    if size == "MACs":
        points = [(result.macs, result) for result in results if result.macs is not None]
        return _scatter(points, "MACs of one image, billions (published)", False, "accuracy and MACs")
    if size == "parameters":
        points = [(result.parameters, result) for result in results]
        return _scatter(points, "parameters, millions (published)", False, "accuracy and parameters")
    raise ValueError(f"size is {quoted(size)}; it must be 'MACs' or 'parameters'.")


@styled
def accuracy_against_throughput(results: Sequence[Result], device: str) -> Picture:
    """Draw published accuracy over published throughput on one device.

    Args:
        results: From `ee.published.results`.
        device: One of `ee.published.DEVICES`.

    Raises:
        ValueError: Nobody's speeds on such a device are published here.
    """
    points = [
        (speed.images_per_second, result)
        for result in results
        if (speed := speed_of(result, device)) is not None
    ]
    label = f"images/s on {device} (published)"
    return _scatter(points, label, True, "accuracy, and throughput on this device")


@styled
def ratios_of_table_2(table: Table) -> Picture:
    """Draw the ratios that table 2 of the paper prints beside those of its own columns.

    Args:
        table: The table `effnet_table2`.
    """
    bases = {str(row["comparison_group"]): row for row in table if row["parameters_ratio"] == 1}
    figure, panels = new_figure(4.6, columns=2)
    peers = [row for row in table if row["parameters_ratio"] != 1]
    names = [f"{row['network']} / {row['comparison_group']}" for row in peers]
    at = list(range(len(peers)))[::-1]
    rows, worst = [], (0.0, "")
    for axes, column, ratio, title in (
        (panels[0], "parameters_millions", "parameters_ratio", "parameters"),
        (panels[1], "macs_billions", "macs_ratio", "MACs"),
    ):
        drawn = [(place, row) for place, row in zip(at, peers, strict=True) if row[column] is not None]
        places = [place for place, _ in drawn]
        printed = [row.number(ratio) for _, row in drawn]
        again = [row.number(column) / bases[str(row["comparison_group"])].number(column) for _, row in drawn]
        axes.hlines(places, 0, again, color=FAINT, linewidth=4, zorder=0.5)
        axes.plot(again, places, "|", color=INK, markersize=11, markeredgewidth=2)
        axes.plot(printed, places, "o", markerfacecolor="none", markeredgecolor=COMPOUND, markeredgewidth=1.6)
        for (_, row), one, other in zip(drawn, printed, again, strict=True):
            said = f"{row['network']}: {title} printed {one:g}, divided {other:.2f}"
            worst = max(worst, (abs(one / other - 1), said))
            pair = f"{row['network']} / {row['comparison_group']}"
            rows.append((pair, title, f"{one:g}", f"{other:.2f}"))
        axes.set(title=title.replace("parameters", "Parameters"), xlim=(0, None))
        axes.set_xlabel("times those of the EfficientNet")
        axes.set_yticks(at, names if axes is panels[0] else [])
    smaller = [row.number("parameters_ratio") for row in peers]
    return Picture(
        figure,
        alt=f"Ratios of table 2 for {len(peers)} networks. In parameters they run from {min(smaller):g} to "
        f"{max(smaller):g}, with {median(smaller):g} in the middle. The largest difference between a printed "
        f"ratio and its own columns: {worst[1]}.",
        caption="Rings: the ratio as printed (arXiv:1905.11946v5, table 2). Bars: divided again from the two "
        "columns that the same table prints.",
        numbers=Numbers(("networks", "of", "ratio (published)", "ratio (computed)"), rows),
    )


def _half_a_digit(printed: float) -> float:
    """Return half a unit of the second digit of a number, which is as precise as table 2 prints."""
    return 0.5 * 10.0 ** (math.floor(math.log10(printed)) - 1)


@styled
def counted_table_2(table: Table, counts: Mapping[str, tuple[int, int]]) -> Picture:
    """Draw by how much the parameters and MACs of table 2 differ from an exact count.

    Args:
        table: The table `effnet_table2`.
        counts: Name of a network in that table to its exact parameters and MACs.
    """
    figure, (axes,) = new_figure(3.6)
    names = list(counts)
    rows, beyond, marks = [], [], []
    for shift, index, column, scale, marker, label in (
        (-0.14, 0, "parameters_millions", 1e6, "+", "parameters"),
        (0.14, 1, "macs_billions", 1e9, "x", "MACs"),
    ):
        off: list[float] = []
        slacks: list[float] = []
        for name in names:
            printed, exact = table.row(network=name).number(column), counts[name][index] / scale
            slack = 100 * _half_a_digit(printed) / printed
            off.append(100 * (exact / printed - 1))
            slacks.append(slack)
            if abs(off[-1]) > slack:
                beyond.append(f"{label} of {name}")
            rows.append((name, label, f"{printed:g}", f"{exact:.4g}", f"{off[-1]:+.1f}%", f"{slack:.1f}%"))
        at = [place + shift for place in range(len(names))]
        grey = axes.vlines(at, [-slack for slack in slacks], slacks, color=FAINT, linewidth=9, zorder=0.5)
        marks += axes.plot(at, off, marker, color=INK, markersize=10, markeredgewidth=2.2, label=label)
    grey.set_label("what rounding to two digits explains")
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xticks(range(len(names)), [name.replace("EfficientNet-", "") for name in names])
    axes.set_ylabel("exact count over\nprinted number, %")
    figure.legend(handles=[*marks, grey], loc="outside lower center", ncols=3)
    largest = max(rows, key=lambda row: abs(float(row[4].rstrip("%"))))
    return Picture(
        figure,
        alt=f"Exact counts of {len(names)} networks over what table 2 prints. The largest difference: "
        f"{largest[1]} of {largest[0]}, printed {largest[2]}, counted {largest[3]}. Rounding does not "
        f"explain {len(beyond)} of {len(rows)}: {', '.join(beyond)}.",
        caption="Crosses: our exact count (computed) over the printed number (published in "
        "arXiv:1905.11946v5, table 2). Grey: as far as a number printed with two digits may be off.",
        numbers=Numbers(
            ("network", "what", "published", "computed", "difference", "explained by rounding"), rows
        ),
    )


@styled
def modernized(table: Table, roadmap: str = "ResNet-50 -> ConvNeXt-T") -> Picture:
    """Draw the steps from a ResNet to a ConvNeXt: accuracy of each, and its MACs.

    Args:
        table: The table `convnext_modernized`.
        roadmap: One of its roadmaps.
    """
    rows = list(table.where(roadmap=roadmap))
    steps, other = rows[:-1], rows[-1]
    figure, (axes,) = new_figure(5.2)
    at = list(range(len(rows)))[::-1]
    for place, row in zip(at, rows, strict=True):
        colour, marker = (GREY, "D") if row is other else (INK, "^")
        spread = row["spread"]
        if spread is not None:
            low, high = (
                row.number("top1_percent") - row.number("spread"),
                row.number("top1_percent") + row.number("spread"),
            )
            axes.plot([low, high], [place, place], color=colour, linewidth=1.4)
        axes.plot(
            [row.number("top1_percent")], [place], marker, markerfacecolor=CARD, markeredgecolor=colour,
            markeredgewidth=1.6,
        )  # fmt: skip
        words = f"{row['top1_percent']}%, {row['macs_billions']} G"
        where = (row.number("top1_percent"), place)
        axes.annotate(words, where, (12, -3), textcoords="offset points", fontsize=SMALLEST_TEXT)
    axes.plot(
        [row.number("top1_percent") for row in steps], at[: len(steps)], color=FAINT, linewidth=3, zorder=0.5
    )
    axes.set_yticks(at, [str(row["change"]) for row in rows])
    top = [row.number("top1_percent") for row in rows]
    axes.set(xlabel="ImageNet top-1, % (published)", xlim=(min(top) - 0.5, max(top) + 1.6))
    recipe = steps[1].number("top1_percent") - steps[0].number("top1_percent")
    whole = steps[-1].number("top1_percent") - steps[0].number("top1_percent")
    return Picture(
        figure,
        alt=f"{len(steps) - 1} steps from {steps[0]['change']} with {steps[0]['top1_percent']}% to "
        f"{steps[-1]['change']} with {steps[-1]['top1_percent']}%. The first, a better recipe for the same "
        f"network, gives {recipe:.2f} of the {whole:.2f} points.",
        caption=f"Published: {steps[0]['source']}, with the spread of several runs where it is printed; "
        "G: billions of MACs.",
        numbers=Numbers(
            ("step", "top-1 (published), %", "spread", "MACs (published), G"),
            [
                (
                    str(row["change"]), str(row["top1_percent"]),
                    "" if row["spread"] is None else str(row["spread"]), str(row["macs_billions"]),
                )
                for row in rows
            ],
        ),
    )  # fmt: skip
