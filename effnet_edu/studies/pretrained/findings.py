"""What the study `pretrained` found."""

from dataclasses import dataclass

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, paired_ratio
from effnet_edu.studies.words import against_bound, percent, points, sentence, verdict

#: Decided before the first run: who waits for all layers wants more than this.
BOUND = 0.02
WAYS = {
    "scratch": "a small network from scratch",
    "frozen": "Lite0 frozen, with a new classifier",
    "all": "all layers of Lite0",
}


@dataclass(frozen=True)
class Arm:
    """One way with so many pictures of each class.

    Attributes:
        way: `"scratch"`, `"frozen"` or `"all"`.
        pictures: Labelled pictures of each class.
        accuracy: Over seeds.
        seconds: Of a processor, from the pictures to the trained network, over seeds.
    """

    way: str
    pictures: int
    accuracy: Estimate
    seconds: Estimate

    @property
    def name(self) -> str:
        """What it is called in sentences and figures."""
        return f"{WAYS[self.way]}, {self.pictures} pictures a class"


def arms(result: StudyResult) -> list[Arm]:
    """Return every way with every number of pictures, by way."""
    return [
        Arm(
            way,
            pictures,
            estimate(result.values("accuracy", way=way, pictures=pictures)),
            estimate(result.values("processor_seconds", way=way, pictures=pictures)),
        )
        for way in WAYS
        for pictures in result.label_values("pictures")
    ]


def gains(result: StudyResult, way: str, over: str) -> dict[int, Estimate]:
    """Return how much more accurate one way is than another, seed by seed, by pictures of each class."""

    def accuracies(of: str, pictures: int) -> list[float]:
        return result.values("accuracy", way=of, pictures=pictures)

    return {
        pictures: paired_difference(accuracies(way, pictures), accuracies(over, pictures))
        for pictures in result.label_values("pictures")
    }


def flatness(result: StudyResult) -> tuple[Estimate, Estimate]:
    """Return what share of its training images the small network tells at the end, and what it still gained.

    Returns:
        Training accuracy after the last epoch, and the rise of test accuracy in the last fifth of the epochs.
    """
    curves = [run["curve"] for run in result.where(way="scratch")]

    def rise(curve: list[float]) -> float:
        return curve[-1] - curve[-1 - len(curve) // 5]

    return (
        estimate([curve["train_accuracy"][-1] for curve in curves]),
        estimate([rise(curve["test_accuracy"]) for curve in curves]),
    )


def sentences(result: StudyResult) -> list[str]:
    """Return the accuracies, what weights and all layers bring, their price, and what cannot be shown."""
    counts = result.label_values("pictures")
    fewest, most = min(counts), max(counts)

    def accuracies(way: str, pictures: int) -> list[float]:
        return result.values("accuracy", way=way, pictures=pictures)

    few_frozen = paired_difference(accuracies("frozen", fewest), accuracies("scratch", most))
    every = arms(result)
    told = [
        f"{pictures} pictures a class: "
        + ", ".join(f"{WAYS[arm.way]} {percent(arm.accuracy)}" for arm in every if arm.pictures == pictures)
        for pictures in counts
    ]
    price = [
        paired_ratio(
            result.values("processor_seconds", way="all", pictures=pictures),
            result.values("processor_seconds", way="frozen", pictures=pictures),
        )
        for pictures in counts
    ]
    reached, rose = flatness(result)
    return [
        f"Test accuracy. {'; '.join(told)}.",
        "What published weights bring, frozen against from scratch: "
        + "; ".join(f"{n} a class {points(gain)}" for n, gain in gains(result, "frozen", "scratch").items())
        + ".",
        sentence(
            verdict(f"Lite0 frozen with {fewest} a class", f"the small network with {most}", few_frozen)
        ),
        "Training all layers rather than the classifier alone: "
        + "; ".join(
            f"{n} a class {against_bound(gain, BOUND)}" for n, gain in gains(result, "all", "frozen").items()
        )
        + f". The bound, {100 * BOUND:g} points, was decided beforehand.",
        "Seconds of one processor until the network is trained: "
        + "; ".join(
            f"{WAYS[way]} {', '.join(f'{arm.seconds.mean:.1f}' for arm in every if arm.way == way)}"
            for way in WAYS
        )
        + f", with {', '.join(map(str, counts))} a class. All layers take "
        + ", ".join(f"{ratio.mean:.0f}" for ratio in price)
        + " times as long as the classifier alone.",
        f"The small network is trained until it tells {reached.mean:.1%} of its training images; in the last "
        f"fifth of its epochs the accuracy on test images changed by {points(rose)}.",
        "What it cannot show: from scratch learns a network of 50,526 parameters that suits so few pictures, "
        "not Lite0 itself. The pictures are grey, 28 px wide, and enlarged to 64 px for weights trained at "
        "224 px. The rate of fine-tuning was chosen from two, and its epochs were not searched. Each seed is "
        "judged on 1,500 test images of its own choice, so that intervals hold that choice, too.",
    ]
