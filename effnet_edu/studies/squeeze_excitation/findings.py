"""What the study `squeeze_excitation` found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.studies.words import IMAGES, against_bound, percent, points, seeds

#: Decided before the first run: a difference whose whole interval is nearer to 0 is none that matters.
BOUND = 0.005
#: The ratio of EfficientNet.
OF_EFFICIENTNET = 0.25
#: What is done to the gates of a trained network, without training again.
CHANGES = {
    "fixed": "gates held at their means",
    "renewed": "gates removed, batch norm renewed",
    "open": "gates removed",
}


@dataclass(frozen=True)
class Arm:
    """A network of the study on one set of images.

    Attributes:
        images: Name of the images.
        stages: `"none"`, `"early"`, `"late"` or `"all"`: which stages have gates.
        ratio: Squeeze width over the channels of the block's input; 0 for no gates.
        parameters: Trainable numbers.
        macs: MACs of one image.
        accuracy: Over seeds.
        gain: Accuracy minus that of the network without gates, seed by seed.
        changed: One of `CHANGES` to the accuracy with it minus the network's own; empty without gates.
    """

    images: str
    stages: str
    ratio: float
    parameters: int
    macs: int
    accuracy: Estimate
    gain: Estimate
    changed: Mapping[str, Estimate]

    @property
    def name(self) -> str:
        """What it is called in sentences and figures."""
        if self.stages == "none":
            return "without SE"
        return f"{self.stages}{'' if self.stages == 'all' else ' two'} stages, {Fraction(self.ratio)}"


@dataclass(frozen=True)
class BlockGates:
    """How much the gates of one block depend on the class.

    Attributes:
        block: Name of the block in the network.
        between_class_share: Share of the gates' variance that lies between classes, over seeds.
        by_chance: What that share would be if the class told nothing.
        deviation: Standard deviation of a gate over images, mean over channels and seeds.
    """

    block: str
    between_class_share: Estimate
    by_chance: float
    deviation: float


def arms(result: StudyResult, images: str) -> list[Arm]:
    """Return every network on one set of images: without gates, with those of EfficientNet, then others."""
    without = {run["seed"]: run["accuracy"] for run in result.where(images=images, stages="none")}
    found = []
    for labels in result.arms():
        if labels["images"] != images:
            continue
        runs = result.where(**labels)
        accuracies = [run["accuracy"] for run in runs]
        changed = {
            how: paired_difference([run[f"accuracy_{how}"] for run in runs], accuracies)
            for how in CHANGES
            if f"accuracy_{how}" in runs[0]
        }
        found.append(
            Arm(
                **labels,
                parameters=runs[0]["parameters"],
                macs=runs[0]["macs"],
                accuracy=estimate(accuracies),
                gain=paired_difference(accuracies, [without[run["seed"]] for run in runs]),
                changed=changed,
            )
        )
    return found


def lag(result: StudyResult, images: str, epoch: int) -> Estimate:
    """Return the training accuracy after an epoch with EfficientNet's gates minus that without.

    Args:
        result: The study.
        images: Name of the images.
        epoch: From 0; -1 for the last.
    """
    with_gates, without = (
        [run["curve"]["train_accuracy"][epoch] for run in _of(result, images, *arm)]
        for arm in (("all", OF_EFFICIENTNET), ("none", 0.0))
    )
    return paired_difference(with_gates, without)


def block_gates(result: StudyResult, runs: Sequence[Mapping[str, Any]]) -> list[BlockGates]:
    """Return the gates by block, from the first to the last."""
    images = result.record.data["images"][runs[0]["images"]]
    by_chance = (len(runs[0]["class_names"]) - 1) / (images["test"] - 1)
    return [
        BlockGates(
            of_block[0]["block"],
            estimate([row["between_class_share"] for row in of_block]),
            by_chance,
            sum(row["deviation"] for row in of_block) / len(of_block),
        )
        for of_block in zip(*(run["gates"] for run in runs), strict=True)
    ]


def sentences(result: StudyResult) -> list[str]:
    """Return what gates bring, where and how narrow, what losing them does, and what they follow."""
    found = []
    for images in result.label_values("images"):
        without, usual, *others = arms(result, images)
        name = IMAGES[images]
        found.append(
            f"{name}: without squeeze-and-excitation {percent(without.accuracy)}; with a quarter of the "
            f"block's input {percent(usual.accuracy)}, for {usual.parameters / without.parameters - 1:.1%} "
            f"more parameters and {usual.macs / without.macs - 1:.1%} more MACs: "
            f"{against_bound(usual.gain, BOUND)}, {seeds(usual.gain.count)}."
        )
        if others:
            told = "; ".join(f"{arm.name} {against_bound(arm.gain, BOUND)}" for arm in others)
            found.append(
                f"{name}, other places and widths rather than none, {seeds(others[0].gain.count)}: {told}."
            )
        lost = "; ".join(f"{CHANGES[how]} {points(change)}" for how, change in usual.changed.items())
        found.append(
            f"{name}, changed after training without training again: {lost}. Trained without from the start: "
            f"{points(usual.gain.scaled(-1))}."
        )
        found.append(f"{name}: {_learned(result, images)}")
        found.append(f"{name}: {_follows(result, images)}")
    found.append(
        "What it cannot show: the SE paper's networks are far deeper and tell 1,000 classes apart, and their "
        "images are fourteen times as wide; here the narrowest bottlenecks have a single channel. Time was "
        "not measured: on small maps the gates cost more time than their MACs suggest."
    )
    return found


def _learned(result: StudyResult, images: str) -> str:
    """Return that the networks are trained to the end, and that gates are slower at the start."""
    compared = _of(result, images, "none", 0.0), _of(result, images, "all", OF_EFFICIENTNET)
    curves = [run["curve"]["train_accuracy"] for runs in compared for run in runs]
    reached, early = estimate([curve[-1] for curve in curves]), min(2, len(curves[0]))
    return (
        f"at the end {reached.mean:.1%} of the training images are classified correctly. With gates rather "
        f"than without, training accuracy after {early} epochs: {points(lag(result, images, early - 1))}; at "
        f"the end: {points(lag(result, images, -1))}."
    )


def _follows(result: StudyResult, images: str) -> str:
    """Return how much of the gates the class decides, early and late."""
    runs = _of(result, images, "all", OF_EFFICIENTNET)
    first, *_, last = block_gates(result, runs)
    difference = paired_difference(
        [run["gates"][-1]["between_class_share"] for run in runs],
        [run["gates"][0]["between_class_share"] for run in runs],
    )
    if not difference.decides_sign:
        told = "whether late gates depend more on the class than early ones the study does not decide"
    elif difference.mean > 0:
        told = "as in the SE paper, late gates depend more on the class than early ones"
    else:
        told = "unlike in the SE paper, late gates depend less on the class than early ones"
    early, late = first.between_class_share.mean, last.between_class_share.mean
    return (
        f"the class decides {early:.0%} of the variance of the gates in the first block, {late:.0%} in the "
        f"last (by chance {first.by_chance:.1%}); {told}."
    )


def _of(result: StudyResult, images: str, stages: str, ratio: float) -> tuple[Mapping[str, Any], ...]:
    return result.where(images=images, stages=stages, ratio=ratio)
