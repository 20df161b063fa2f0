"""Compound scaling in pictures: the phi that published networks imply, and the formula against the table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.palette import CARD, COMPOUND, DIMENSIONS, GREY, INK
from effnet_edu.model.scaling import FittedPhi, Multipliers, compound_multipliers


@dataclass(frozen=True)
class ImpliedPhi:
    """What phi one published network implies.

    Attributes:
        multipliers: Its published multipliers over the base.
        phi: The phi that each of them gives.
        from_macs: The phi that its MACs give.
        macs: MACs of one image.
    """

    multipliers: Multipliers
    phi: FittedPhi
    from_macs: float
    macs: float

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest of the three phi of depth, width and resolution."""
        found = (self.phi.depth, self.phi.width, self.phi.resolution)
        return min(found), max(found)

    @property
    def middle(self) -> float:
        """The middle one of the three phi of depth, width and resolution."""
        return median((self.phi.depth, self.phi.width, self.phi.resolution))


def _hollow(axes: Axes, x: float, y: float, colour: str, marker: str) -> None:
    axes.plot([x], [y], marker, markerfacecolor=CARD, markeredgecolor=colour, markeredgewidth=1.8, zorder=3)


def _dimension_legend() -> list[Line2D]:
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            markerfacecolor=CARD,
            markeredgecolor=colour,
            markeredgewidth=1.8,
            label=f"from {dimension}",
        )
        for dimension, (colour, marker) in DIMENSIONS.items()
    ]


@styled
def fitted_phi(implied: Mapping[str, ImpliedPhi]) -> Picture:
    """Draw, for each published network, the phi that its depth, width, resolution and MACs imply.

    Args:
        implied: Short name of the network, such as `"B1"`, to what it implies.
    """
    figure, (axes,) = new_figure(4.1)
    names = list(implied)
    for index, name in enumerate(names):
        phi = implied[name].phi
        values = {"depth": phi.depth, "width": phi.width, "resolution": phi.resolution}
        axes.plot([index, index], implied[name].span, color=GREY, linewidth=1)
        for offset, (dimension, (colour, marker)) in zip((-0.13, 0.0, 0.13), DIMENSIONS.items(), strict=True):
            _hollow(axes, index + offset, values[dimension], colour, marker)
        axes.plot(
            [index - 0.28, index + 0.28],
            [implied[name].from_macs] * 2,
            color=COMPOUND,
            linewidth=2.6,
            zorder=2,
        )
    digits = [int(name[1:]) for name in names]
    axes.plot(range(len(names)), digits, color=GREY, linestyle=":", linewidth=1.4)
    axes.annotate(
        'the common mistake: "B1 is phi 1, B2 is phi 2, ..."',
        (1.6, digits[1] + 0.6),
        xytext=(0.0, max(digits) - 0.7),
        arrowprops={"arrowstyle": "-", "color": GREY},
        color=GREY,
    )
    axes.set_xticks(range(len(names)), names)
    agrees = min(names, key=lambda name: implied[name].span[1] - implied[name].span[0])
    low, high = implied[names[-1]].span
    axes.set(
        ylabel="phi that it implies",
        title=f"The three phi of {agrees} agree, near {implied[agrees].middle:.1f}; those of {names[-1]} run "
        f"from {low:.1f} to {high:.1f}",
    )
    handles = [
        *_dimension_legend(),
        Line2D([], [], color=COMPOUND, linewidth=2.6, label="from MACs (computed)"),
    ]
    axes.legend(handles=handles, loc="lower right")
    first, last = names[0], names[-1]

    def spread(name: str) -> str:
        phi = implied[name].phi
        return (
            f"{name} implies {phi.depth:.2f} by depth, {phi.width:.2f} by width and {phi.resolution:.2f} by "
            "resolution"
        )

    return Picture(
        figure,
        alt=f"The phi implied by each published network. {spread(first)}; {spread(last)}. A dotted line "
        "shows the mistaken reading in which the number in the name is phi.",
        caption="Hollow marks are read backwards from the multipliers in the authors' released code "
        "(published); bars come from the network's exact MACs (computed).",
        numbers=Numbers(
            (
                "network",
                "phi from depth",
                "phi from width",
                "phi from resolution",
                "phi from MACs (computed)",
            ),
            [
                (
                    name,
                    f"{one.phi.depth:.2f}",
                    f"{one.phi.width:.2f}",
                    f"{one.phi.resolution:.2f}",
                    f"{one.from_macs:.2f}",
                )
                for name, one in implied.items()
            ],
        ),
    )


@styled
def formula_against_table(implied: Mapping[str, ImpliedPhi]) -> Picture:
    """Draw the three multipliers of the formula as curves over phi, with the published networks beside them.

    Each network stands at the middle one of its own three phi.

    Args:
        implied: Short name of the network to what it implies.
    """
    figure, panels = new_figure(3.3, columns=3)
    grid = [index / 20 for index in range(int(20 * (max(one.middle for one in implied.values()) + 0.4)))]
    rows = []
    last = list(implied)[-1]
    formula = compound_multipliers(implied[last].middle)
    for axes, (dimension, (colour, marker)) in zip(panels, DIMENSIONS.items(), strict=True):
        axes.plot(grid, [getattr(compound_multipliers(phi), dimension) for phi in grid], color=colour)
        for name, one in implied.items():
            value = getattr(one.multipliers, dimension)
            _hollow(axes, one.middle, value, colour, marker)
            axes.annotate(
                name, (one.middle, value), xytext=(5, -11), textcoords="offset points", size=8.5, color=INK
            )
        asked, has = getattr(formula, dimension), getattr(implied[last].multipliers, dimension)
        axes.set(
            title=f"{last}: {has:.2f}, formula {asked:.2f}",
            xlabel="phi",
            ylabel=f"{dimension} multiplier",
        )
    for name, one in implied.items():
        by_formula = compound_multipliers(one.middle)
        rows.append(
            (
                name,
                f"{one.middle:.2f}",
                *(
                    f"{getattr(one.multipliers, dimension):.2f} ({getattr(by_formula, dimension):.2f})"
                    for dimension in DIMENSIONS
                ),
            )
        )
    return Picture(
        figure,
        alt="Three panels: depth, width and resolution multiplier of the formula over phi as curves, with "
        f"the published networks as hollow marks. At phi {implied[last].middle:.2f} the formula asks "
        f"{last} for depth {formula.depth:.2f} and gets {implied[last].multipliers.depth:.2f}, for width "
        f"{formula.width:.2f} and gets {implied[last].multipliers.width:.2f}.",
        caption="Curves: the formula (computed). Hollow marks: the released multipliers (published), each "
        "network at the middle one of its three phi. In width and resolution the large networks nearly "
        "follow the formula; in depth they lag behind it.",
        numbers=Numbers(
            (
                "network",
                "phi (middle one)",
                *(f"{dimension}: published (formula)" for dimension in DIMENSIONS),
            ),
            rows,
        ),
    )


@styled
def macs_against_phi(
    curve: Sequence[tuple[float, float]], growth: float, implied: Mapping[str, ImpliedPhi]
) -> Picture:
    """Draw exact MACs over phi, the smooth rule beside them, and where the published networks lie.

    Args:
        curve: Pairs of phi and the MACs of the network that the formula builds there, by rising phi; the
            first one is the base.
        growth: The factor by which MACs should grow with each whole phi, such as 1.92.
        implied: Short name of the network to what it implies.
    """
    figure, (axes,) = new_figure(4.3)
    base = curve[0][1]
    axes.plot(
        [phi for phi, _ in curve],
        [macs / 1e9 for _, macs in curve],
        color=COMPOUND,
        drawstyle="steps-post",
        label="built by the formula",
    )
    axes.plot(
        [phi for phi, _ in curve],
        [base * growth**phi / 1e9 for phi, _ in curve],
        color=GREY,
        linestyle="--",
        linewidth=1.3,
        label=f"{base / 1e9:.3f} G x {growth:.2f}^phi",
    )
    for name, one in implied.items():
        values = {"depth": one.phi.depth, "width": one.phi.width, "resolution": one.phi.resolution}
        height = one.macs / 1e9
        axes.plot([min(values.values()), max(values.values())], [height, height], color=GREY, linewidth=1)
        for dimension, (colour, marker) in DIMENSIONS.items():
            _hollow(axes, values[dimension], height, colour, marker)
        axes.annotate(
            name, (max(values.values()), height), xytext=(8, -13), textcoords="offset points", weight="bold"
        )
    ticks = [0.4, 0.7, 1, 2, 4, 10, 20, 40]
    plain_log_axis(axes, "y", ticks, [f"{tick:g}" for tick in ticks])
    phi, macs = min(curve, key=lambda point: abs(point[0] - 1))
    axes.set(
        xlabel="phi",
        ylabel="MACs for one image, G",
        title=f"At phi {phi:g} the formula's network needs {macs / base:.2f} times the MACs of its base, not "
        f"{growth**phi:.2f}",
    )
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(handles=[*handles, *_dimension_legend()], loc="lower right", ncols=2)
    end_phi, end_macs = curve[-1]
    return Picture(
        figure,
        alt=f"Exact MACs of the formula's networks climb in steps from {base / 1e9:.2f} G at phi 0 to "
        f"{end_macs / 1e9:.1f} G at phi {end_phi:g}, above the smooth rule, which gives "
        f"{base * growth**end_phi / 1e9:.1f} G. Each published network is three hollow marks on one "
        "height.",
        caption="Solid line: exact MACs of the network that the formula builds (computed). Hollow marks: "
        "the published networks at their exact MACs, at the phi that their depth, width and "
        "resolution imply.",
        numbers=Numbers(
            ("phi", "MACs built (computed), G", "smooth rule, G"),
            [
                (f"{phi:g}", f"{macs / 1e9:.3g}", f"{base * growth**phi / 1e9:.3g}")
                for phi, macs in curve
                if math.isclose(phi * 2, round(phi * 2), abs_tol=1e-9)
            ],
        ),
    )
