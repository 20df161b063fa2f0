"""What the study `scaling` found."""

from dataclasses import dataclass

from effnet_edu.model.cost import cost
from effnet_edu.studies.networks import WAYS
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.studies.words import IMAGES, against_bound, percent, points, seeds, sentence

#: Decided beforehand: smaller differences of accuracy do not matter.
BOUND = 0.005


@dataclass(frozen=True)
class ScaledPoint:
    """One network of one way of scaling.

    Attributes:
        way: `"depth"`, `"width"`, `"resolution"` or `"compound"`; the base belongs to each.
        level: Level of cost, 0 for the base.
        network: Its name.
        macs: MACs of one image.
        accuracy: Over seeds.
    """

    way: str
    level: int
    network: str
    macs: int
    accuracy: Estimate


def levels(result: StudyResult) -> list[int]:
    """Return the levels of cost above the base."""
    return [level for level in result.label_values("level") if level > 0]


def curve(result: StudyResult, images: str, way: str) -> list[ScaledPoint]:
    """Return the base and the networks of one way, by rising cost."""
    found = []
    for level in (0, *levels(result)):
        runs = result.where(images=images, way=way if level else "base", level=level)
        accuracy = estimate([run["accuracy"] for run in runs])
        found.append(ScaledPoint(way, level, runs[0]["network"], runs[0]["macs"], accuracy))
    return found


def accuracies(result: StudyResult, images: str, way: str, level: int) -> list[float]:
    """Return the accuracy of each seed."""
    return result.values("accuracy", images=images, way=way if level else "base", level=level)


def advantage(result: StudyResult, images: str, way: str, over: str) -> Estimate:
    """Return how much more accurate one way is than another, on average over all levels of cost."""
    each = [
        [
            first - second
            for first, second in zip(
                accuracies(result, images, way, level), accuracies(result, images, over, level), strict=True
            )
        ]
        for level in levels(result)
    ]
    return estimate([sum(of_seed) / len(of_seed) for of_seed in zip(*each, strict=True)])


def last_step(result: StudyResult, images: str, way: str) -> Estimate:
    """Return what the last step of cost brought."""
    *_, before, last = (0, *levels(result))
    return paired_difference(accuracies(result, images, way, last), accuracies(result, images, way, before))


def at_the_end(result: StudyResult, images: str, way: str, level: int) -> Estimate:
    """Return the share of its training images that a network classifies correctly in the last epoch."""
    runs = result.where(images=images, way=way if level else "base", level=level)
    return estimate([run["curve"]["train_accuracy"][-1] for run in runs])


def sentences(result: StudyResult) -> list[str]:
    """Return what was found, image set by image set, and what cannot be."""
    found = []
    for images in result.label_values("images"):
        name = IMAGES[images]
        base, *_, largest = curve(result, images, "compound")
        ends = {way: curve(result, images, way)[-1].accuracy for way in WAYS}
        found.append(
            f"{name}: the base reaches {percent(base.accuracy)} with {base.macs / 1e6:.2f} M MACs; at "
            f"{largest.macs / base.macs:.1f} times the MACs "
            + ", ".join(f"{way} reaches {percent(accuracy)}" for way, accuracy in ends.items())
            + "."
        )
        compared = (
            f"than {way} alone: {against_bound(advantage(result, images, 'compound', way), BOUND)}"
            for way in WAYS[:3]
        )
        found.append(
            f"{name}, mean over all levels of cost, {seeds(base.accuracy.count)}: compound rather "
            f"{'; rather '.join(compared)}."
        )
        found.append(sentence(f"{name}, at the last step of cost: {_last_steps(result, images)}"))
        every = [point for way in WAYS for point in curve(result, images, way)]
        least = min(every, key=lambda one: at_the_end(result, images, one.way, one.level).mean)
        learned = at_the_end(result, images, least.way, least.level)
        found.append(
            f"{name}: at the end every network classifies at least {learned.mean:.1%} of its training images "
            f"correctly; the least is {least.network if least.level else 'the base'}."
        )
    run = max(result.runs, key=lambda run: int(run["macs"]))
    b0 = cost("efficientnet_b0").macs / run["macs"]
    found.append(
        "What it cannot show: networks of a few million MACs at most, B0 alone has "
        f"{b0:.0f} times as many, and images so few that the networks learn them by heart. One recipe serves "
        "all ways, and a recipe tuned to each could change the order. Images of Fashion-MNIST are 28 "
        "pixels wide, so that a higher resolution only enlarges them."
    )
    return found


def _last_steps(result: StudyResult, images: str) -> str:
    """Return with which ways accuracy still rises or falls at the last step, and with which it is open."""
    rises: list[str] = []
    falls: list[str] = []
    open_ones: list[str] = []
    for way in WAYS:
        step = last_step(result, images, way)
        if not step.decides_sign:
            open_ones.append(f"{way} ({points(step)})")
        else:
            (rises if step.mean > 0 else falls).append(f"{way} ({points(step)})")
    parts = [f"accuracy still rises with {', '.join(rises)}"] if rises else []
    parts += [f"accuracy falls with {', '.join(falls)}"] if falls else []
    if open_ones:
        parts.append(f"the study does not decide whether accuracy still changes with {', '.join(open_ones)}")
    return "; ".join(parts)
