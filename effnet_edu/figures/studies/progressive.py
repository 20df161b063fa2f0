"""The figure of the study `progressive`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import (
    PLAIN,
    across,
    bars,
    caption,
    cells,
    equal_within,
    signed_cells,
    stamped,
)
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY, RESOLUTION
from effnet_edu.studies.progressive import findings
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate

#: The effects on an axis.
_SHORT = {
    "size": "growing images",
    "regularisation": "growing\nregularisation",
    "both": "regularisation: gain\nwith growing images\nover gain with fixed",
    "whole": "both together",
}
#: Colour by the size of the images, marker and dash by the regularisation.
_COLOURS = {"fixed": GREY, "growing": RESOLUTION}
_DASHES = {"constant": ("o", "-"), "growing": ("D", "--")}
#: Points below the least accuracy at the end where the panel begins.
_BELOW = 25


def _at_the_end(four: list[findings.Arm]) -> str:
    means = [100 * arm.accuracy.mean for arm in four]
    return f"At the end the four lie within {max(means) - min(means):.1f} points"


def _decided(effects: dict[str, Estimate]) -> str:
    """Return what the study decides of growing images, the first of its effects."""
    size = effects["size"]
    if not size.decides_sign:
        return "Growth: not decided"
    return f"Growing images {'lose' if size.mean < 0 else 'gain'} {abs(100 * size.mean):.1f} points"


@styled
def draw(result: StudyResult) -> Picture:
    """Draw accuracy over training time, or arithmetic where no time is known, and what each factor does."""
    figure, (left, right) = new_figure(4.0, columns=2, widths=(1.45, 1))
    _, *four = findings.arms(result)
    effects, bound = findings.effects(result), 100 * findings.BOUND
    measured = result.record.data.get("step_times")
    unit = "seconds of training" if measured else "arithmetic (computed), % of that at full size"
    ends = []
    for arm in four:
        colour, (marker, dash) = _COLOURS[arm.size], _DASHES[arm.regularisation]
        shares = [100 * share for share in findings.arithmetic(arm)]
        x = findings.seconds(measured, arm) if measured else shares
        ends.append(x[-1])
        left.plot(x, [100 * one for one in arm.curve], color=colour, linestyle=dash, linewidth=1.4)
        bars(left, x[-1:], [arm.accuracy.scaled(100)], (colour, marker), label=arm.name)
    left.set_ylim(max(0, 100 * min(arm.accuracy.mean for arm in four) - _BELOW))
    left.set(xlabel=unit, ylabel="test accuracy, %", title=_at_the_end(four))
    left.legend(loc="lower right")
    equal_within(right, bound, row=-0.7)
    across(right, [effect.scaled(100) for effect in effects.values()], PLAIN)
    right.set_yticks(range(len(effects))[::-1], [_SHORT[name] for name in effects])
    right.set(xlabel="accuracy, points", title=_decided(effects))
    right.set_ylim(-1.0, len(effects) - 0.4)
    return Picture(
        stamped(figure, result),
        alt=f"Accuracy at the end, and {unit}: "
        + "; ".join(
            f"{arm.name} {100 * arm.accuracy.mean:.1f}% after {end:.0f}"
            for arm, end in zip(four, ends, strict=True)
        )
        + ". Effects, in points: "
        + ", ".join(f"{findings.EFFECTS[name]} {100 * one.mean:+z.1f}" for name, one in effects.items())
        + ".",
        caption=caption(
            "Left: lines, means over seeds after each epoch, always tested at full size with a few hundred "
            "images; marks, the end, with all test images. Right: accuracy that growing brings rather than "
            "staying.",
            result,
        ),
        numbers=Numbers(
            ("what", "recorded, % or points", "interval", unit),
            [(arm.name, *cells(arm.accuracy), f"{end:.1f}") for arm, end in zip(four, ends, strict=True)]
            + [
                (findings.EFFECTS[name], *signed_cells(one.scaled(100), 2), "")
                for name, one in effects.items()
            ],
        ),
    )
