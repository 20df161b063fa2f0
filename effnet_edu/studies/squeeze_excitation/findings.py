"""What the study `squeeze_excitation` found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.studies.words import IMAGES, percent, verdict

#: The ratio of EfficientNet, whose gates are looked at.
OF_EFFICIENTNET = 0.25


@dataclass(frozen=True)
class RatioPoint:
    """One width of the bottleneck.

    Attributes:
        ratio: Squeeze width over the channels of the block's input; 0 for none.
        parameters: Trainable numbers.
        macs: MACs of one image.
        accuracy: Over seeds.
        gain: Accuracy minus that without, seed by seed.
    """

    ratio: float
    parameters: int
    macs: int
    accuracy: Estimate
    gain: Estimate

    @property
    def name(self) -> str:
        """The ratio as it is written."""
        return str(Fraction(self.ratio)) if self.ratio else "without"


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


def ratios(result: StudyResult, images: str) -> list[RatioPoint]:
    """Return every ratio, from none to the widest."""
    without = result.values("accuracy", images=images, ratio=0.0)
    found = []
    for ratio in sorted(result.label_values("ratio")):
        runs = result.where(images=images, ratio=ratio)
        accuracies = [run["accuracy"] for run in runs]
        found.append(
            RatioPoint(
                ratio,
                runs[0]["parameters"],
                runs[0]["macs"],
                estimate(accuracies),
                paired_difference(accuracies, without),
            )
        )
    return found


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
    """Return what it costs, what it brings, how narrow it may be, and what the gates learned."""
    found = []
    for images in result.label_values("images"):
        without, *others = ratios(result, images)
        name = IMAGES[images]
        usual = next(point for point in others if point.ratio == OF_EFFICIENTNET)
        found.append(
            f"{name}: without squeeze-and-excitation {percent(without.accuracy)}; with a quarter of the "
            f"block's input {percent(usual.accuracy)}, for "
            f"{usual.parameters / without.parameters - 1:.1%} more parameters and "
            f"{usual.macs / without.macs - 1:.1%} more MACs: "
            f"{verdict('with it', 'without', usual.gain)}."
        )
        rest = [point for point in others if point is not usual]
        if rest:
            compared = (
                verdict(
                    point.name,
                    usual.name,
                    paired_difference(
                        result.values("accuracy", images=images, ratio=point.ratio),
                        result.values("accuracy", images=images, ratio=OF_EFFICIENTNET),
                    ),
                )
                for point in rest
            )
            found.append(f"{name}, width of the bottleneck: {'; '.join(compared)}.")
        runs = result.where(images=images, ratio=OF_EFFICIENTNET)
        first, *_, last = block_gates(result, runs)
        difference = paired_difference(
            [run["gates"][-1]["between_class_share"] for run in runs],
            [run["gates"][0]["between_class_share"] for run in runs],
        )
        shares = (
            f"the class decides {first.between_class_share.mean:.0%} of the variance of the gates in the "
            f"first block and {last.between_class_share.mean:.0%} in the last "
            f"(by chance {first.by_chance:.1%})"
        )
        if not difference.decides_sign:
            told = "whether late gates depend more on the class than early ones the study does not decide"
        elif difference.mean > 0:
            told = "as in the SE paper, late gates depend more on the class than early ones"
        else:
            told = "unlike in the SE paper, late gates depend less on the class than early ones"
        found.append(f"{name}: {shares}; {told}.")
    found.append(
        "What it cannot show: the SE paper's networks are far deeper and tell 1,000 classes apart; "
        "here the narrowest bottlenecks have a single channel. Time was not measured: on small maps the "
        "gates cost more time than their MACs suggest."
    )
    return found
