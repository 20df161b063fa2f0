"""What the study `progressive` found."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from effnet_edu.model.cost import cost
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, paired_ratio
from effnet_edu.studies.words import against_bound, percent, points, sentence, times

#: Decided before the first run: a difference whose whole interval is nearer to 0 is none that matters.
BOUND = 0.005
EFFECTS = {
    "size": "images that grow rather than stay",
    "regularisation": "regularisation that grows rather than stays",
    "both": "growing regularisation, with growing images more than with images of one size",
    "whole": "both growing rather than both constant",
}


@dataclass(frozen=True)
class Arm:
    """One way of training.

    Attributes:
        size: Whether images are of a `"fixed"` or `"growing"` size.
        regularisation: `"constant"`, `"growing"` or `"none"`.
        accuracy: Over seeds.
        curve: Test accuracy after each epoch, the mean over seeds, of the images that were watched.
        sides: Side of the training images in each epoch.
    """

    size: str
    regularisation: str
    accuracy: Estimate
    curve: tuple[float, ...]
    sides: tuple[int, ...]

    @property
    def name(self) -> str:
        """What it is called in sentences and figures."""
        how = "no" if self.regularisation == "none" else self.regularisation
        return f"{self.size} size, {how} regularisation"

    @property
    def labels(self) -> dict[str, str]:
        """What picks its runs."""
        return {"size": self.size, "regularisation": self.regularisation}


def arms(result: StudyResult) -> list[Arm]:
    """Return every way of training: without regularisation, then both constant, ..., both growing."""
    found = []
    for labels in result.arms():
        runs = result.where(**labels)
        curves = zip(*(run["curve"]["test_accuracy"] for run in runs), strict=True)
        found.append(
            Arm(
                **labels,
                accuracy=estimate([run["accuracy"] for run in runs]),
                curve=tuple(statistics.fmean(values) for values in curves),
                sides=tuple(runs[0]["curve"]["side"]),
            )
        )
    return found


def effects(result: StudyResult) -> dict[str, Estimate]:
    """Return what each factor does over the other, how much one changes the other, and what both do."""

    def accuracy(size: str, regularisation: str) -> list[float]:
        return result.values("accuracy", size=size, regularisation=regularisation)

    ways = {
        (size, how): accuracy(size, how) for size in ("fixed", "growing") for how in ("constant", "growing")
    }

    def contrast(weights: Sequence[float]) -> Estimate:
        rows = zip(*ways.values(), strict=True)
        return estimate([sum(w * one for w, one in zip(weights, row, strict=True)) for row in rows])

    return {
        "size": contrast((-0.5, -0.5, 0.5, 0.5)),
        "regularisation": contrast((-0.5, 0.5, -0.5, 0.5)),
        "both": contrast((1, -1, -1, 1)),
        "whole": contrast((-1, 0, 0, 1)),
    }


def regularisation_pays(result: StudyResult) -> Estimate:
    """Return the accuracy with regularisation minus that without, at fixed size."""
    without = result.where(size="fixed", regularisation="none")
    fixed = {run["seed"]: run["accuracy"] for run in result.where(size="fixed", regularisation="constant")}
    return paired_difference([fixed[run["seed"]] for run in without], [run["accuracy"] for run in without])


def other_side(result: StudyResult, size: str, side: int, kind: str = "accuracy") -> Estimate:
    """Return the accuracy at one side minus that at the last, over both regularised ways.

    Args:
        result: The study.
        size: `"fixed"` or `"growing"`.
        side: Side of the test images in pixels.
        kind: `"accuracy"`, or `"renewed"` with the statistics of batch norm taken anew at `side`.
    """

    def change(run: Mapping[str, Any]) -> float:
        at = {row["side"]: row for row in run["sides"]}
        return float(at[side][kind] - at[run["curve"]["side"][-1]]["accuracy"])

    return _over_both(result, size, change)


def last_training_accuracy(result: StudyResult, size: str) -> Estimate:
    """Return the training accuracy of the last epoch, over both regularised ways with one kind of size."""
    return _over_both(result, size, lambda run: float(run["curve"]["train_accuracy"][-1]))


def _over_both(result: StudyResult, size: str, number: Callable[[Mapping[str, Any]], float]) -> Estimate:
    """Return a number of each run with one kind of size, the mean over both regularised ways, over seeds."""
    ways = (result.where(size=size, regularisation=how) for how in ("constant", "growing"))
    return estimate([statistics.fmean(map(number, runs)) for runs in zip(*ways, strict=True)])


def _row(step_times: Mapping[str, Any], arm: Arm) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(row for row in step_times["arms"] if row["labels"] == arm.labels)
    return found


def time_ratio(step_times: Mapping[str, Any], arm: Arm, fixed: Arm) -> Estimate:
    """Return the training time of one way over that of another, round by round."""
    return paired_ratio(
        *(_row(step_times, one)["train_seconds"]["rounds"] for one in (arm, fixed)),
    )


def seconds(step_times: Mapping[str, Any], arm: Arm) -> list[float]:
    """Return the training time after each epoch: steps times the median step at the size of each epoch."""
    row = _row(step_times, arm)
    median = {int(side): statistics.median(rounds) for side, rounds in row["step_seconds"].items()}
    steps = row["steps"] / len(arm.sides)
    return list(accumulate(steps * median[side] for side in arm.sides))


def arithmetic(arm: Arm) -> list[float]:
    """Return the MACs done after each epoch, as shares of those of a whole training at the last size."""
    macs = {side: cost(base_network(), side, num_classes=10).macs for side in set(arm.sides)}
    whole = len(arm.sides) * macs[arm.sides[-1]]
    return list(accumulate(macs[side] / whole for side in arm.sides))


def sentences(result: StudyResult) -> list[str]:
    """Return that the regime is right, what each factor does, what it saves, and what cannot be shown."""
    plain, *four = arms(result)
    saturated = estimate([run["curve"]["train_accuracy"][-1] for run in result.where(regularisation="none")])
    pays = regularisation_pays(result)
    found = [
        "Test accuracy: " + "; ".join(f"{arm.name} {percent(arm.accuracy)}" for arm in (*four, plain)) + ".",
        f"The training is one in which regularisation can pay: without any, the network "
        f"classifies {saturated.mean:.1%} of its training images correctly, and at fixed size constant "
        f"regularisation rather than none is {against_bound(pays, BOUND)}, {pays.count} seeds.",
        *(
            sentence(f"{EFFECTS[name]}: {against_bound(effect, BOUND)}")
            for name, effect in effects(result).items()
        ),
    ]
    learned = {size: last_training_accuracy(result, size) for size in ("fixed", "growing")}
    found.append(
        "In the last epoch, in which the four ways are alike, training images classified correctly are "
        + " and ".join(f"{percent(one)} with {size} size" for size, one in learned.items())
        + "."
    )
    found.append(f"Growing images need {arithmetic(four[3])[-1]:.0%} of the arithmetic of one size.")
    measured = result.record.data.get("step_times")
    if measured is not None:
        ratio = time_ratio(measured, four[3], four[0])
        found.append(f"Both growing take {times(ratio, 'time')} of both constant on {measured['device']}.")
    found.append(_on_sides(result))
    untimed = "" if measured is not None else " Time was not measured: that wants a quiet machine."
    found += [
        "The first size was chosen after one seed, not recorded, which lost more when it began at 16 px.",
        "What it cannot show: whether growth catches up in a longer training. V2 trains for 350 epochs on "
        "ImageNet, with images ten times as wide; here a step of a small network has a cost that does not "
        f"shrink with the image.{untimed}",
    ]
    return found


def _on_sides(result: StudyResult) -> str:
    """Return what testing at another side does, with the statistics of batch norm as they are and renewed."""
    small, last, large = (row["side"] for row in result.runs[0]["sides"])
    told = [
        f"{size} size {points(other_side(result, size, side))} at {side} px"
        for size in ("fixed", "growing")
        for side in (small, large)
    ]
    renewed = [
        f"{size} size {points(other_side(result, size, last, 'renewed'))}" for size in ("fixed", "growing")
    ]
    return (
        f"Tested at another side than the last, {last} px: {'; '.join(told)}. With the statistics of batch "
        f"norm taken anew at {last} px after training: {'; '.join(renewed)}."
    )
