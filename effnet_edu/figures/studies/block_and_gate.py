"""The figure of the study `block_and_gate`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import (
    PLAIN,
    across,
    caption,
    cells,
    equal_within,
    signed_cells,
    stamped,
)
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.studies.block_and_gate import findings
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate

#: The effects on an axis.
_SHORT = {
    "block": "Fused-MBConv\nrather than MBConv",
    "gate": "SE\nrather than none",
    "both": "SE in Fused-MBConv\nmore than in MBConv",
}


def _spread(arms: list[findings.Arm]) -> str:
    means = [100 * arm.accuracy.mean for arm in arms]
    return f"The four lie within {max(means) - min(means):.1f} points"


def _alone(effects: dict[str, Estimate]) -> str:
    small = [name for name in ("block", "gate") if effects[name].lies_within(findings.BOUND)]
    words = {2: "Neither matters alone", 1: f"The {small[0] if small else ''} alone does not matter"}
    return words.get(len(small), "Each alone may matter")


@styled
def draw(result: StudyResult) -> Picture:
    """Draw the accuracy of the four networks, and what block and gate do to it, each alone."""
    arms, effects = findings.arms(result), findings.effects(result)
    bound = 100 * findings.BOUND
    figure, (left, right) = new_figure(3.2, columns=2)
    across(left, [arm.accuracy.scaled(100) for arm in arms], PLAIN)
    left.set_yticks(range(len(arms))[::-1], [arm.name for arm in arms])
    left.set(xlabel="test accuracy, %", title=_spread(arms))
    left.set_ylim(-0.6, len(arms) - 0.4)
    equal_within(right, bound, row=-0.7)
    across(right, [effect.scaled(100) for effect in effects.values()], PLAIN)
    right.set_yticks(range(len(effects))[::-1], [_SHORT[name] for name in effects])
    right.set(xlabel="accuracy, points", title=_alone(effects))
    right.set_ylim(-1.0, len(effects) - 0.4)
    return Picture(
        stamped(figure, result),
        alt="Accuracy: "
        + ", ".join(f"{arm.name} {100 * arm.accuracy.mean:.1f}%" for arm in arms)
        + ". Alone, in points: "
        + ", ".join(f"{findings.EFFECTS[name]} {100 * one.mean:+z.1f}" for name, one in effects.items())
        + ".",
        caption=caption(
            "Left: accuracy at the end. Right: the effect of one factor, the mean over the other; last, how "
            "much more the gate brings in one block than in the other.",
            result,
        ),
        numbers=Numbers(
            ("what", "parameters", "MACs (computed), M", "recorded, % or points", "interval"),
            [(arm.name, f"{arm.parameters:,}", f"{arm.macs / 1e6:.3f}", *cells(arm.accuracy)) for arm in arms]
            + [
                (findings.EFFECTS[name], "", "", *signed_cells(one.scaled(100), 2))
                for name, one in effects.items()
            ],
        ),
    )
