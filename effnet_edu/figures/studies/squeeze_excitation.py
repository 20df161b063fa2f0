"""The figure of the study `squeeze_excitation`."""

from collections.abc import Sequence

from effnet_edu.figures.picture import Numbers, Picture
from effnet_edu.figures.studies.marks import (
    across,
    caption,
    cells,
    equal_within,
    signed_cells,
    stamped,
)
from effnet_edu.figures.style import new_figure, styled
from effnet_edu.ground.palette import GREY, SERIES
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.squeeze_excitation import findings
from effnet_edu.studies.words import IMAGES, points

#: The rows on the right, from the whole network to what is left without gates.
_AFTER = {
    "fixed": "gates held\nat their means",
    "renewed": "gates removed,\nbatch norm renewed",
    "open": "gates removed",
}


def _seeds(arms: Sequence[findings.Arm]) -> str:
    """Return how many seeds one set of images has, and how many where other gates have fewer."""
    _without, usual, *others = (arm.accuracy.count for arm in arms)
    fewer = f" ({min(others)} for other stages and widths)" if min(others, default=usual) < usual else ""
    return f"{usual} seeds{fewer}"


def _told(usual: Sequence[findings.Arm]) -> str:
    """Return what networks that were trained with gates gained over those without, for each set of images."""
    told = []
    for arm in usual:
        gain = f"{100 * arm.gain.mean:+z.1f}" if arm.gain.decides_sign else "not decided"
        told.append(f"{IMAGES[arm.images]} {'equal' if arm.gain.lies_within(findings.BOUND) else gain}")
    return ", ".join(told)


@styled
def draw(result: StudyResult) -> Picture:
    """Draw what gates bring against none, and what a network that was trained with them does without."""
    figure, (left, right) = new_figure(3.6, columns=2)
    bound = 100 * findings.BOUND
    sets = {images: findings.arms(result, images) for images in result.label_values("images")}
    gated = [arm for arms in sets.values() for arm in arms[1:]]
    equal_within(left, bound, row=-0.7)
    below = len(gated)
    for index, (_without, *own) in enumerate(sets.values()):
        below -= len(own)
        across(left, [arm.gain.scaled(100) for arm in own], SERIES[index][:2], lower=-below)
    left.set_yticks(range(len(gated))[::-1], [f"{IMAGES[arm.images]}\n{arm.name}" for arm in gated])
    gained = _told([usual for _, usual, *_ in sets.values()])
    left.set(xlabel="accuracy over that without gates, points", title=gained)
    left.set_ylim(-1.0, len(gated) - 0.4)
    changes = list(_AFTER)
    for index, (images, (_without, usual, *_others)) in enumerate(sets.items()):
        told = [usual.gain.scaled(-100), *(usual.changed[how].scaled(100) for how in changes)]
        across(right, told, SERIES[index][:2], label=IMAGES[images], lower=0.24 * index - 0.12)
    fell = [-100 * usual.changed["open"].mean for _, usual, *_ in sets.values()]
    rows = ["never had any", *_AFTER.values()]
    right.axvline(0, color=GREY, linewidth=1.0)
    right.set_yticks(range(len(rows))[::-1], rows)
    right.set(
        xlabel="accuracy over that with gates, points",
        title=f"Removed: {min(fell):.0f} to {max(fell):.0f} points lost",
    )
    right.set_ylim(-0.6, len(rows) - 0.4)
    right.legend(loc="center left")
    table = [
        (IMAGES[arm.images], arm.name, f"{arm.parameters:,}", f"{arm.macs / 1e6:.3f}", *cells(arm.accuracy))
        for arms in sets.values()
        for arm in arms
    ]
    table += [
        (
            IMAGES[arm.images],
            f"{arm.name}: {findings.CHANGES[how]}",
            "",
            "",
            *signed_cells(one.scaled(100), 1),
        )
        for arm in gated
        for how, one in arm.changed.items()
    ]
    for images in sets:
        runs = result.where(images=images, stages="all", ratio=findings.OF_EFFICIENTNET)
        table += [
            (
                IMAGES[images],
                f"gates of {one.block}, between classes",
                "",
                "",
                *cells(one.between_class_share),
            )
            for one in findings.block_gates(result, runs)
        ]
    told_of = "; ".join(
        f"{IMAGES[images]}: with gates in all stages {points(usual.gain)}, taken away after training "
        f"{points(usual.changed['open'])}"
        for images, (_without, usual, *_others) in sets.items()
    )
    seeds = ", ".join(f"{IMAGES[images]}: {_seeds(arms)}" for images, arms in sets.items())
    return Picture(
        stamped(figure, result),
        alt=f"Left, accuracy of networks with gates over those without; right, what is lost where the gates "
        f"are missing. {told_of}.",
        caption=caption(
            "Left: squeeze width as a share of the block's input. Right: the same networks changed after "
            "training, and above them others that were trained without gates. In the table, the share of the "
            f"gates' variance that lies between classes. {seeds}.",
            result,
            over="the seeds of each",
        ),
        numbers=Numbers(
            ("images", "what", "parameters", "MACs (computed), M", "recorded, % or points", "interval"), table
        ),
    )
