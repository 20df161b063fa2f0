"""Published benchmarks: accuracy over cost, table 2 counted again, and the way to ConvNeXt."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from effnet_edu.figures.choosing import front, log_ticks
from effnet_edu.figures.labels import name_marks
from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import SMALLEST_TEXT, new_figure, plain_log_axis, styled
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.palette import CARD, COMPOUND, FAINT, GREY, INK, WIDTH
from effnet_edu.published.benchmarks import Result
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


@styled
def accuracy_against_size(results: Sequence[Result], size: str = "MACs") -> Picture:
    """Draw published accuracy over published MACs or parameters.

    Args:
        results: From `ee.published.results`.
        size: `"MACs"` or `"parameters"`.

    Raises:
        ValueError: The size is another word.
    """
    if size not in ("MACs", "parameters"):
        raise ValueError(f"size is {quoted(size)}; it must be 'MACs' or 'parameters'.")
    if size == "MACs":
        points = [(result.macs, result) for result in results if result.macs is not None]
        label = "MACs of one image, billions (published)"
    else:
        points = [(result.parameters, result) for result in results]
        label = "parameters, millions (published)"
    figure, (axes,) = new_figure(4.8)
    best = front([(x, result.top1, result) for x, result in points])
    axes.plot(
        [x for x, _, _ in best], [top1 for _, top1, _ in best], color=FAINT, linewidth=5, zorder=0.5,
        label="not beaten by any other",
    )  # fmt: skip
    _draw_marks(axes, points)
    low, high = min(x for x, _ in points) / 1.3, max(x for x, _ in points) * 1.3
    ticks = log_ticks(low, high)
    plain_log_axis(axes, "x", ticks, [f"{tick:,g}" for tick in ticks])
    axes.set(xlim=(low, high), xlabel=label, ylabel="ImageNet top-1, % (published)")
    figure.legend(loc="outside lower center", ncols=4)
    ours = sum(result.family.startswith("EfficientNet") for _, _, result in best)
    axes.set_title(
        f"{len(best)} of {len(points)} networks are beaten by none; {ours} of them are EfficientNets"
    )
    names = [_beside_its_mark(result) for _, result in points]  # after all that takes room from the panel
    name_marks(axes, [(x, result.top1) for x, result in points], names)
    leading = ", ".join(dict.fromkeys(result.name for _, _, result in best))
    return Picture(
        figure,
        alt=f"{len(points)} networks, published top-1 accuracy over {label}. No other beats these: "
        f"{leading}. They run from {best[0][1]:.1f}% to {best[-1][1]:.1f}%.",
        caption=f"Hollow marks: published accuracy and {size}; a ConvNeXt has the letter of its size, and "
        "the same letter twice is one network at two image sizes. Grey band: the networks that no other "
        "beats in accuracy at the same cost or less.",
        numbers=Numbers(
            ("network", label, "top-1 (published), %"),
            [
                (result.name, f"{x:g}", f"{result.top1:g}")
                for x, result in sorted(points, key=lambda point: point[0])
            ],
        ),
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
    axes.set_title(
        f"Rounding explains {len(rows) - len(beyond)} of {len(rows)} printed numbers; {largest[1]} of "
        f"{largest[0]} are off by {largest[4]}"
    )
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
        axes.annotate(
            words,
            where,
            (12, -3),
            textcoords="offset points",
            fontsize=SMALLEST_TEXT,
            bbox={"color": CARD, "pad": 0.3},
        )
    axes.plot(
        [row.number("top1_percent") for row in steps], at[: len(steps)], color=FAINT, linewidth=3, zorder=0.5
    )
    axes.set_yticks(at, [str(row["change"]) for row in rows])
    top = [row.number("top1_percent") for row in rows]
    axes.set(xlabel="ImageNet top-1, % (published)", xlim=(min(top) - 0.5, max(top) + 1.6))
    recipe = steps[1].number("top1_percent") - steps[0].number("top1_percent")
    whole = steps[-1].number("top1_percent") - steps[0].number("top1_percent")
    axes.set_title(f"The recipe alone, the first step, gives {recipe:.2f} of {whole:.2f} points")
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
