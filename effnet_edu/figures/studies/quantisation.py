"""The figure of the study `quantisation`."""

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import (
    OTHER,
    PLAIN,
    across,
    caption,
    equal_within,
    signed_cells,
    stamped,
)
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY
from effnet_edu.studies.quantisation import findings
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate

#: The factors on an axis, a line each.
_SHORT = {
    "gate": "SE gates,\nagainst none",
    "activation": "SiLU,\nagainst ReLU6",
    "steps": "by tensor,\nagainst by channel",
}
_NAMES = {"gate": "SE", "activation": "SiLU", "steps": "One step"}


def _cost(arms: list[findings.Arm], bits: list[int]) -> str:
    """Return the most points that any network loses in each number of bits."""
    most = [max(0.0, *(-100 * arm.changes[width].mean for arm in arms)) for width in bits]
    first, *others = (f"{width} bits {lost:.1f}" for width, lost in zip(bits, most, strict=True))
    return ", ".join((f"Most points lost: {first}", *others))


def _noisiest(noise: dict[str, Estimate]) -> str:
    """Return which factor adds the most noise."""
    factor = max(noise, key=lambda name: noise[name].mean)
    return f"{_NAMES[factor]} adds the most noise"


@styled
def draw(result: StudyResult) -> Picture:
    """Draw what few bits do to each network's accuracy, and which factor makes how much of the noise."""
    arms, noise = findings.arms(result), findings.noise_effects(result)
    bits = findings.bits(result)
    figure, (left, right) = new_figure(3.9, columns=2, widths=(2.6, 2))
    bound = 100 * findings.BOUND
    equal_within(left, bound, row=-0.9)
    for width, look in zip(bits, (PLAIN, OTHER), strict=False):
        across(left, [arm.changes[width].scaled(100) for arm in arms], look, f"{width} bits")
    left.set_yticks(range(len(arms))[::-1], [arm.name for arm in arms])
    left.set(xlabel="accuracy minus that in floats, points", title=_cost(arms, bits))
    means = [100 * arm.changes[width].mean for arm in arms for width in bits]
    # One network that loses much more than its fellows has an interval over which nothing else could be seen.
    ends = min(3 * min(means), -2 * bound), max(2 * max(means), 5 * bound)
    changed = [arm.changes[width].scaled(100) for arm in arms for width in bits]
    cut = any(each.low < ends[0] or each.high > ends[1] for each in changed)
    left.set_xlim(ends)
    left.set_ylim(-1.4, len(arms) - 0.4)
    left.legend(loc="lower left", ncols=2)
    for row, each in enumerate(reversed(findings.noise_by_seed(result).values())):
        right.plot(each, [row + 0.18] * len(each), color=GREY, marker="|", linestyle="none")
    across(right, list(noise.values()), PLAIN)
    right.axvline(0, color=GREY, linewidth=1.0)
    right.set_yticks(range(len(noise))[::-1], [_SHORT[factor] for factor in noise])
    right.set(xlabel="noise added in int8, dB", title=_noisiest(noise))
    right.set_ylim(-0.6, len(noise) - 0.4)
    return Picture(
        stamped(figure, result),
        alt="Accuracy in few bits minus that in floats, points: "
        + "; ".join(
            f"{arm.name}: "
            + ", ".join(f"{100 * arm.changes[width].mean:+z.1f} in {width} bits" for width in bits)
            for arm in arms
        )
        + ". Noise in the logits in int8: "
        + ", ".join(f"{findings.WORDS[factor]} {effect.mean:+z.1f} dB" for factor, effect in noise.items())
        + ".",
        caption=caption(
            f"Left: the same weights in floats and in {' and '.join(map(str, bits))} bits. Right: what each "
            "factor adds to the noise of the logits in int8, a stroke for each seed; gates and activations "
            "with a step for each channel. 3 dB are twice the power."
            + (" An interval that runs out of the panel is whole in the table." if cut else ""),
            result,
        ),
        numbers=Numbers(
            ("what", "unit", "recorded", "interval"),
            [
                (f"{arm.name}, {width} bits", "points", *signed_cells(arm.changes[width].scaled(100), 2))
                for width in bits
                for arm in arms
            ]
            + [
                (findings.WORDS[factor], "dB of noise", *signed_cells(effect, 1))
                for factor, effect in noise.items()
            ],
        ),
    )
