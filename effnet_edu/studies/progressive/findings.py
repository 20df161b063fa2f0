"""What the study `progressive` found."""

import statistics
from collections import defaultdict
from dataclasses import dataclass

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, paired_ratio
from effnet_edu.studies.words import percent, sentence, times, verdict

NAMES = {
    "fixed": "fixed size",
    "fixed_unregularised": "fixed size without regularisation",
    "progressive": "progressive, regularisation grows",
    "progressive_constant": "progressive, regularisation constant",
}
#: An epoch that took this many times as long as the median of equal epochs was disturbed.
DISTURBED = 1.5


@dataclass(frozen=True)
class Arm:
    """One way of training.

    Attributes:
        arm: Its name in the study.
        accuracy: Over seeds.
        gain: Accuracy minus that of fixed size, seed by seed.
        seconds: Time of the training steps, over seeds.
        time: Time over that of fixed size, seed by seed.
    """

    arm: str
    accuracy: Estimate
    gain: Estimate
    seconds: Estimate
    time: Estimate

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return NAMES[self.arm]


def arms(result: StudyResult) -> list[Arm]:
    """Return every way of training, fixed size first."""
    fixed = result.where(arm="fixed")
    found = []
    for arm in result.label_values("arm"):
        runs = result.where(arm=arm)
        found.append(
            Arm(
                arm,
                estimate([run["accuracy"] for run in runs]),
                paired_difference([run["accuracy"] for run in runs], [run["accuracy"] for run in fixed]),
                estimate([run["train_seconds"] for run in runs]),
                paired_ratio([run["train_seconds"] for run in runs], [run["train_seconds"] for run in fixed]),
            )
        )
    return found


def disturbed_epochs(result: StudyResult) -> int:
    """Return how many epochs took much longer than equal ones: the machine did something else as well."""
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    for run in result.runs:
        curve = run["curve"]
        for side, speed in zip(curve["side"], curve["images_per_second"], strict=True):
            seconds[run["labels"]["arm"], side].append(1 / speed)
    return sum(one > DISTURBED * statistics.median(equal) for equal in seconds.values() for one in equal)


def sentences(result: StudyResult) -> list[str]:
    """Return accuracy and time of each way, and what cannot be shown."""
    by_arm = {arm.arm: arm for arm in arms(result)}
    fixed = by_arm["fixed"]
    found = [
        f"{NAMES['fixed'].capitalize()} reaches {percent(fixed.accuracy)} in {fixed.seconds.mean:.0f} s of "
        f"training steps on {result.provenance.device}."
    ]
    found += [
        sentence(f"{verdict(arm.name, fixed.name, arm.gain)}; it takes {times(arm.time, 'time')}")
        for arm in by_arm.values()
        if arm is not fixed
    ]
    adaptive = paired_difference(
        result.values("accuracy", arm="progressive"), result.values("accuracy", arm="progressive_constant")
    )
    found.append(
        sentence(
            "whether regularisation should grow with the images: "
            + verdict("growing regularisation", "constant regularisation", adaptive)
        )
    )
    disturbed = disturbed_epochs(result)
    if disturbed:
        found.append(
            f"{disturbed} epochs took more than {DISTURBED:g} times as long as equal ones: the device was "
            "disturbed, and the times are less sure than their intervals say."
        )
    found.append(
        "What it cannot show: V2 trains for 350 epochs on ImageNet, where regularisation has time to pay; "
        "here a small network sees a few thousand images of 28 pixels a few times. Time belongs to this "
        "device, and on small images the augmentation takes a share of it that does not shrink with the size."
    )
    return found
