"""What the study `scaling` found."""

from dataclasses import dataclass

from effnet_edu.model.cost import cost
from effnet_edu.studies.networks import WAYS
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.studies.words import IMAGES, percent, points, sentence, verdict


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
            verdict("compound", f"{way} alone", advantage(result, images, "compound", way))
            for way in WAYS[:3]
        )
        found.append(f"{name}, mean over all levels of cost: {'; '.join(compared)}.")
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
            parts.append(
                f"the study does not decide whether accuracy still changes with {', '.join(open_ones)}"
            )
        found.append(sentence(f"{name}, at the last step of cost: {'; '.join(parts)}"))
    run = max(result.runs, key=lambda run: int(run["macs"]))
    b0 = cost("efficientnet_b0").macs / run["macs"]
    recipe = result.record.data["recipes"][run["recipe"]]
    images_seen = result.record.data["images"][run["images"]]["train"]
    found.append(
        f"What it cannot show: networks of a few million MACs at most, {images_seen:,} images and "
        f"{recipe['epochs']} epochs leave every network short of what it could learn, so that this compares "
        f"how much is learned early, not where each way ends; B0 alone has {b0:.0f} times the MACs. "
        "One recipe serves all, and a recipe tuned to each could change the order. Fashion-MNIST has no "
        "detail beyond 28 pixels, so a higher resolution only enlarges it."
    )
    return found
