"""What the study `fused` found."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, paired_ratio
from effnet_edu.studies.words import percent, sentence, times, verdict


@dataclass(frozen=True)
class FusedPoint:
    """The network with its first stages fused.

    Attributes:
        fused_stages: How many.
        macs: MACs of one image.
        parameters: Trainable numbers.
        accuracy: Over seeds.
        gain: Accuracy minus that without a fused stage, seed by seed.
        images_per_second: Training throughput, over seeds.
        speed: Throughput over that without a fused stage, seed by seed.
    """

    fused_stages: int
    macs: int
    parameters: int
    accuracy: Estimate
    gain: Estimate
    images_per_second: Estimate
    speed: Estimate


def throughput(run: Mapping[str, Any]) -> float:
    """Return the training throughput of a run in images a second: the median epoch, the first left out."""
    measured: list[float] = run["curve"]["images_per_second"]
    return statistics.median(measured[1:] or measured)


def fused_points(result: StudyResult) -> list[FusedPoint]:
    """Return the networks from no fused stage to all."""
    plain = result.where(fused_stages=0)
    found = []
    for stages in result.label_values("fused_stages"):
        runs = result.where(fused_stages=stages)
        found.append(
            FusedPoint(
                stages,
                runs[0]["macs"],
                runs[0]["parameters"],
                estimate([run["accuracy"] for run in runs]),
                paired_difference([run["accuracy"] for run in runs], [run["accuracy"] for run in plain]),
                estimate([throughput(run) for run in runs]),
                paired_ratio([throughput(run) for run in runs], [throughput(run) for run in plain]),
            )
        )
    return found


def sentences(result: StudyResult) -> list[str]:
    """Return accuracy and speed for each number of fused stages, and what cannot be shown."""
    plain, *others = fused_points(result)
    found = [
        f"Without a fused stage: {percent(plain.accuracy)}, {plain.images_per_second.mean:,.0f} images/s in "
        f"training on {result.provenance.device}, {plain.macs / 1e6:.2f} M MACs."
    ]
    for point in others:
        stages = "the first stage" if point.fused_stages == 1 else f"the first {point.fused_stages} stages"
        compared = verdict(f"fusing {stages}", "fusing none", point.gain)
        found.append(
            sentence(
                f"{compared}; it trains at {times(point.speed, 'speed')} with "
                f"{point.macs / plain.macs:.2f} times the MACs"
            )
        )
    fastest = max((plain, *others), key=lambda point: point.images_per_second.mean)
    found.append(
        "Fastest on average is the network with "
        + ("no fused stage." if fastest is plain else f"{fastest.fused_stages} fused, from the first.")
    )
    found.append(
        "What it cannot show: speed belongs to this device, this batch size and these few channels; on "
        "another device the order can differ. Fused stages have no squeeze-and-excitation, as in the "
        "released V2, so that accuracy compares both changes at once, and MACs are not matched."
    )
    return found
