"""What a choice of a network rests on: accuracy over a price by family, by recipe, and time by engine."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from effnet_edu.figures.labels import name_marks
from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import SMALLEST_TEXT, new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, COMPOUND, FAINT, GREY, INK, WIDTH
from effnet_edu.profiling.fastest import EngineComparison
from effnet_edu.profiling.repeats import median_interval
from effnet_edu.published.tables import Row, Table

T = TypeVar("T")

#: Prices are drawn from this share of the limit to this many times the limit: who chooses looks no further.
_CHEAPEST, _DEAREST = 1 / 3, 1.6

#: Colour, marker and line of the families that are drawn; the band speaks for all of the table.
_FAMILIES = {
    "EfficientNet": (COMPOUND, "o", "-"),
    "EfficientNetV2": (WIDTH, "s", "-"),
    "MobileNetV3": (GREY, "v", "--"),
    "MobileNetV4": (INK, "v", "--"),
    "ConvNeXt V2": (INK, "^", "-"),
    "EfficientViT": (GREY, "D", ":"),
    "ViT small": (GREY, "X", "-."),
}


def front(points: Sequence[tuple[float, float, T]]) -> list[tuple[float, float, T]]:
    """Return the points that no other beats at the same price or less, in order of price.

    Args:
        points: Price, accuracy, and whatever they belong to.
    """
    kept: list[tuple[float, float, T]] = []
    for point in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or point[1] > kept[-1][1]:
            kept.append(point)
    return kept


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers for a logarithmic axis: powers of ten on a long one, more on a short one.

    Args:
        low: Where the axis begins, above 0.
        high: Where it ends.
    """
    steps: tuple[float, ...] = (1, 2, 5) if high < 300 * low else (1,)
    if high < 10 * low:
        steps = (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**power for power in range(-2, 6) for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def _in_words(point: tuple[float, float, Row]) -> str:
    _, top1, row = point
    return f"{row['weights']} at {row['resolution']} px, {top1:.1f}%"


@styled
def accuracy_by_family(
    table: Table, price: Callable[[Row], float | None], unit: str, limit: float
) -> Picture:
    """Draw published accuracy over a price, a line for the best of each family, and the limit of the price.

    Args:
        table: The table `timm_since_2022`, or some of its rows.
        price: Returns what a row costs, above 0, lower being cheaper; None where nobody published it.
        unit: What the price counts, such as `"million parameters"`.
        limit: The highest price that is allowed.

    Raises:
        ValueError: No price of the families that are drawn lies near the limit.
    """
    priced = [(cost, row.number("top1_percent"), row) for row in table if (cost := price(row)) is not None]
    near = [point for point in priced if _CHEAPEST * limit <= point[0] <= _DEAREST * limit]
    best = front(near)
    figure, (axes,) = new_figure(4.4)
    axes.plot(
        [cost for cost, _, _ in best], [top1 for _, top1, _ in best], color=FAINT, linewidth=6, zorder=0.5,
        label="not beaten by any of the table",
    )  # fmt: skip
    drawn: list[tuple[float, float, Row]] = []
    for family, (colour, marker, line) in _FAMILIES.items():
        members = front([point for point in near if point[2]["family"] == family])
        if not members:
            continue
        drawn += members
        axes.plot(
            [cost for cost, _, _ in members], [top1 for _, top1, _ in members], color=colour, marker=marker,
            linestyle=line, linewidth=1, markersize=6, markerfacecolor=CARD, markeredgewidth=1.4,
            label=family,
        )  # fmt: skip
    if not drawn:
        found = [cost for cost, _, _ in priced]
        known = f"the prices run from {min(found):g} to {max(found):g}" if found else "no row has a price"
        raise ValueError(f"limit is {limit:g}; {known}, and nothing to draw lies near it.")
    axes.axvline(limit, color=INK, linewidth=1.4)
    low, high = min(cost for cost, _, _ in drawn) / 1.2, 1.04 * _DEAREST * limit  # room for a whole marker
    ticks = log_ticks(low, high)
    plain_log_axis(axes, "x", ticks, [f"{tick:,g}" for tick in ticks])
    axes.set(xlim=(low, high), xlabel=f"{unit} (published)", ylabel="ImageNet top-1, % (published)")
    axes.annotate(
        f" limit: {limit:,g}", (limit, axes.get_ylim()[0]), (3, 4), textcoords="offset points",
        fontsize=SMALLEST_TEXT,
    )  # fmt: skip
    figure.legend(loc="outside lower center", ncols=4)
    allowed = [point for point in priced if point[0] <= limit]
    said = "Nothing of the table lies within the limit."
    if allowed:
        winner = max(allowed, key=lambda point: point[1])
        said = f"Best within the limit: {_in_words(winner)}."
        ours = [point for point in allowed if str(point[2]["family"]).startswith("EfficientNet")]
        if ours and winner not in ours:
            said += f" Best EfficientNet: {_in_words(max(ours, key=lambda point: point[1]))}."
    axes.set_title(said.replace(". Best", ".\nBest"), fontsize=9.5)
    families = {row["family"] for _, _, row in drawn}
    return Picture(
        figure,
        alt=f"Published top-1 accuracy over {unit} of {len(near)} rows, the best of each of "
        f"{len(families)} families joined by a line; the limit is {limit:,g}. {said}",
        caption="Hollow marks: published accuracy and price, from timm's results files (Apache-2.0). Grey "
        "band: what none of the table's families beats at the same price or less.",
        numbers=Numbers(
            ("family", "weights", "px", f"{unit} (published)", "top-1 (published), %"),
            [
                (str(row["family"]), str(row["weights"]), str(row["resolution"]), f"{cost:.3g}", f"{top1:g}")
                for cost, top1, row in drawn
            ],
        ),
    )


@styled
def accuracy_by_recipe(recipes: Mapping[str, Mapping[str, float]]) -> Picture:
    """Draw the published accuracies of networks, a mark a recipe; a line joins those of the same recipe.

    Args:
        recipes: Network to recipe to top-1 in percent.
    """
    figure, (axes,) = new_figure(0.6 * len(recipes) + 1.1)
    places = {network: -place for place, network in enumerate(recipes)}
    marks = [(top1, places[n], recipe) for n, found in recipes.items() for recipe, top1 in found.items()]
    for recipe in dict.fromkeys(recipe for _, _, recipe in marks):
        shared = [(top1, place) for top1, place, name in marks if name == recipe]
        if len(shared) > 1:
            axes.plot(*zip(*shared, strict=True), color=GREY, linestyle="--", linewidth=1, zorder=1)
    for network, found in recipes.items():
        colour, marker = (COMPOUND, "o") if network.startswith("EfficientNet") else (GREY, "D")
        axes.plot(
            list(found.values()), [places[network]] * len(found), linestyle="", marker=marker,
            markerfacecolor=CARD, markeredgecolor=colour, markeredgewidth=1.6,
        )  # fmt: skip
    axes.set_yticks(list(places.values()), list(places))
    axes.set(xlabel="ImageNet top-1, % (published)", ylim=(min(places.values()) - 0.6, 0.6))
    axes.margins(x=0.06)
    said = "Points from the worst recipe to the best: " + ", ".join(
        f"{network} {max(found.values()) - min(found.values()):.1f}" for network, found in recipes.items()
    )
    axes.set_title(said, fontsize=9.5)
    name_marks(axes, [(top1, place) for top1, place, _ in marks], [recipe for _, _, recipe in marks])
    return Picture(
        figure,
        alt=f"{said}. Published top-1 accuracy of "
        + "; ".join(
            f"{network}: {', '.join(f'{top1:g}% with {recipe}' for recipe, top1 in found.items())}"
            for network, found in recipes.items()
        )
        + ".",
        caption="Hollow marks: published, from timm's results files (Apache-2.0), each named as its weights "
        "name the recipe. A dashed line joins the same recipe.",
        numbers=Numbers(
            ("network", "recipe", "top-1 (published), %"),
            [(n, recipe, f"{top1:g}") for n, found in recipes.items() for recipe, top1 in found.items()],
        ),
    )


@styled
def engines(comparison: EngineComparison) -> Picture:
    """Draw the times of one network in several engines on one axis: each round, the median, its interval.

    Args:
        comparison: From `ee.fastest`.
    """
    figure, (axes,) = new_figure(0.42 * len(comparison.rows) + 1.3)
    rows = []
    for place, row in enumerate(comparison.rows):
        low, high = median_interval(row.round_ms)
        axes.plot(row.round_ms, [place] * len(row.round_ms), "|", color=GREY, markersize=9)
        axes.plot([low, high], [place] * 2, color=INK, linewidth=1.6)
        axes.plot([row.median_ms], [place], "o", color=INK)
        ratio, *interval = comparison.speedup(row.engine)
        axes.text(1.03 * max(row.round_ms), place, f"{row.median_ms:.1f} ms", va="center", size=SMALLEST_TEXT)
        faster = f"{ratio:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"
        rows.append(
            (
                f"{row.engine} {row.version}".strip(),
                f"{row.median_ms:.2f}",
                f"{low:.2f} to {high:.2f}",
                faster,
            )
        )
    axes.set_yticks(range(len(rows)), [row.engine for row in comparison.rows])
    axes.invert_yaxis()
    axes.margins(y=0.2)
    of = "one image" if comparison.batch_size == 1 else f"a batch of {comparison.batch_size}"
    slowest = max(time for row in comparison.rows for time in row.round_ms)
    axes.set(xlim=(0, 1.15 * slowest), xlabel=f"ms for {of} (measured)", title=comparison.verdict)
    where = (
        f"{comparison.network}, {comparison.resolution} px, batch {comparison.batch_size}, fp32, on "
        f"{comparison.device_name}"
    )
    return Picture(
        figure,
        alt=f"Times of {where}: "
        + ", ".join(f"{row.engine} {row.median_ms:.1f} ms" for row in comparison.rows)
        + f". {comparison.verdict}",
        caption=f"Measured in turns: {where}. Filled marks: medians with their interval; ticks: the "
        f"{len(comparison.rows[0].round_ms)} rounds.",
        numbers=Numbers(("engine", "median, ms", "95% interval, ms", "times as fast as torch"), rows),
    )
