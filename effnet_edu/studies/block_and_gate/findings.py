"""What the study `block_and_gate` found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, paired_ratio
from effnet_edu.studies.words import against_bound, percent, sentence, times

#: Decided before the first run: a difference whose whole interval is nearer to 0 is none that matters.
BOUND = 0.005
BLOCKS = {"fused_mbconv": "Fused-MBConv", "mbconv": "MBConv"}
EFFECTS = {
    "block": "Fused-MBConv rather than MBConv",
    "gate": "gates (SE) rather than none",
    "both": "gates, in Fused-MBConv more than in MBConv",
}


@dataclass(frozen=True)
class Arm:
    """A network of the study.

    Attributes:
        block: Kind of the early stages.
        gate: Whether they have squeeze-and-excitation.
        macs: MACs of one image.
        parameters: Trainable numbers.
        accuracy: Over seeds.
    """

    block: str
    gate: bool
    macs: int
    parameters: int
    accuracy: Estimate

    @property
    def name(self) -> str:
        """What it is called in sentences and figures."""
        return f"{BLOCKS[self.block]} {'with' if self.gate else 'without'} SE"


def arms(result: StudyResult) -> list[Arm]:
    """Return the four networks."""
    return [
        Arm(
            labels["block"],
            labels["gate"],
            result.where(**labels)[0]["macs"],
            result.where(**labels)[0]["parameters"],
            estimate(result.values("accuracy", **labels)),
        )
        for labels in result.arms()
    ]


def effects(result: StudyResult) -> dict[str, Estimate]:
    """Return what each factor does to accuracy over the other, and how much each changes the other."""

    def accuracy(**labels: Any) -> list[float]:
        return result.by_seed("accuracy", **labels)

    def gain(block: str) -> list[float]:
        pairs = zip(accuracy(block=block, gate=True), accuracy(block=block, gate=False), strict=True)
        return [gated - plain for gated, plain in pairs]

    return {
        "block": paired_difference(accuracy(block="fused_mbconv"), accuracy(block="mbconv")),
        "gate": paired_difference(accuracy(gate=True), accuracy(gate=False)),
        "both": paired_difference(gain("fused_mbconv"), gain("mbconv")),
    }


def time_ratios(step_times: Mapping[str, Any]) -> dict[str, Estimate]:
    """Return the training time with a factor over that without, round by round, summed over the other.

    Args:
        step_times: What was measured of the steps of every arm.
    """

    def seconds(**labels: Any) -> list[float]:
        chosen = [
            row["train_seconds"]["rounds"]
            for row in step_times["arms"]
            if all(row["labels"][name] == value for name, value in labels.items())
        ]
        return [sum(each) for each in zip(*chosen, strict=True)]

    return {
        "block": paired_ratio(seconds(block="fused_mbconv"), seconds(block="mbconv")),
        "gate": paired_ratio(seconds(gate=True), seconds(gate=False)),
    }


def sentences(result: StudyResult) -> list[str]:
    """Return the accuracy of the four, what each factor does alone, and what cannot be shown."""
    four = arms(result)
    curves = [run["curve"]["train_accuracy"] for run in result.runs]
    reached = estimate([curve[-1] for curve in curves])
    found = [
        "Test accuracy: " + "; ".join(f"{arm.name} {percent(arm.accuracy)}" for arm in four) + ".",
        f"All are trained until they classify {reached.mean:.1%} of their training images correctly.",
        *(
            sentence(f"{EFFECTS[name]}: {against_bound(effect, BOUND)}")
            for name, effect in effects(result).items()
        ),
    ]
    measured = result.record.data.get("step_times")
    if measured is not None:
        ratios = time_ratios(measured)
        found.append(
            f"Training takes, on {measured['device']}: "
            + "; ".join(f"{EFFECTS[name]} {times(ratio, 'time')}" for name, ratio in ratios.items())
            + "."
        )
    untimed = "" if measured is not None else " Time was not measured: that wants a quiet machine."
    found.append(
        f"What it cannot show: fused stages cost {four[0].macs / four[2].macs:.2f} times the MACs of the "
        f"whole network, which were not matched, and small images leave little for a gate to see.{untimed}"
    )
    return found
