"""What a measurement of the V2 lab found: steps with fused stages and without, or at each stage's side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from effnet_edu.labs.frame.in_page import BrowserMeasurement
from effnet_edu.labs.frame.numbers import Number
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.repeats import Timing
from effnet_edu.published import IMAGENET_IMAGES

if TYPE_CHECKING:
    from effnet_edu.profiling.training_cost import TrainingMeasurement


@dataclass(frozen=True)
class Steps:
    """Inference and training step of one network.

    Attributes:
        inference: Its forward pass in evaluation mode.
        training: A training step; None in a browser, which trains nothing.
    """

    inference: Measurement | BrowserMeasurement
    training: "TrainingMeasurement | None"


@dataclass(frozen=True)
class FusedTimes:
    """A network with fused stages, and the same without, measured in one session.

    Attributes:
        chosen: With the chosen stages fused.
        plain: With none.
    """

    chosen: Steps
    plain: Steps

    @property
    def inference_ratio(self) -> float:
        """Time of the forward pass over that of none fused."""
        return self.chosen.inference.median_ms / self.plain.inference.median_ms

    @property
    def step_ratio(self) -> float | None:
        """Time of a training step over that of none fused, where training was timed."""
        chosen, plain = self.chosen.training, self.plain.training
        if chosen is None or plain is None:
            return None
        return whole_step(chosen).median / whole_step(plain).median


@dataclass(frozen=True)
class StageTimes:
    """A training step at each stage of a schedule.

    Attributes:
        stages: First stage first.
    """

    stages: "tuple[TrainingMeasurement, ...]"

    @property
    def shares(self) -> tuple[float, ...]:
        """Time of each stage's step over that of the last stage's."""
        medians = [whole_step(stage).median for stage in self.stages]
        return tuple(one / medians[-1] for one in medians)


V2Result = FusedTimes | StageTimes


def whole_step(found: "TrainingMeasurement") -> Timing:
    """Return the times of whole training steps: forward, backward and optimizer."""
    parts = (found.forward.seconds, found.backward.seconds, found.step.seconds)
    return Timing(tuple(map(sum, zip(*parts, strict=True))))


def epoch_hours(found: "TrainingMeasurement") -> tuple[float, tuple[float, float]]:
    """Return the hours of an epoch of ImageNet at the measured speed, and their interval."""
    timing, steps = whole_step(found), IMAGENET_IMAGES / found.batch_size / 3600
    return steps * timing.median, (steps * timing.interval[0], steps * timing.interval[1])


def trainings(found: V2Result) -> "tuple[TrainingMeasurement, ...]":
    """Return the training steps that are shown."""
    if isinstance(found, StageTimes):
        return found.stages
    return () if found.chosen.training is None else (found.chosen.training,)


def joined(values: Sequence[float]) -> str:
    """Return numbers as one cell of a table."""
    return " ".join(f"{value:.6g}" for value in values)


def numbers_of(found: V2Result) -> tuple[Number, ...]:
    """Return times, and how they compare with no fused stage or with a training at full size."""
    return _fused_times(found) if isinstance(found, FusedTimes) else _stage_times(found)


def _fused_times(found: FusedTimes) -> tuple[Number, ...]:
    inference, ratio = (
        found.chosen.inference,
        Number("inference / none fused", found.inference_ratio, "×", decimals=2),
    )
    time = Number("inference", inference.median_ms, "ms", interval=(inference.low_ms, inference.high_ms))
    if found.chosen.training is None or found.step_ratio is None:
        return time, ratio
    step = whole_step(found.chosen.training)
    low, high = (1000 * end for end in step.interval)
    return (
        time,
        Number("training step", 1000 * step.median, "ms", interval=(low, high)),
        ratio,
        Number("step / none fused", found.step_ratio, "×", decimals=2),
    )


def _stage_times(found: StageTimes) -> tuple[Number, ...]:
    numbers = []
    for n, stage in enumerate(found.stages, 1):
        hours, interval = epoch_hours(stage)
        numbers.append(Number(f"epoch, stage {n}", hours, "h", interval=interval, is_detail=True))
    mean = sum(epoch_hours(stage)[0] for stage in found.stages) / len(found.stages)
    return (
        *numbers,
        Number("time an epoch", mean, "h"),
        Number("time / full size", sum(found.shares) / len(found.shares), "×", decimals=2),
    )
