"""What the V2 lab measures: inference and training steps, and what a stage of a training sees."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.v2.exact import V2Logic
from effnet_edu.labs.v2.numbers import PROGRESSIVE, V2Setting, fused_network, listed, schedule_of
from effnet_edu.labs.v2.photographs import examples
from effnet_edu.labs.v2.results import (
    FusedTimes,
    StageTimes,
    Steps,
    V2Result,
    joined,
    trainings,
    whole_step,
)
from effnet_edu.labs.v2.stages_screen import stages_screen
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.training_cost import TrainingMeasurement, profile_training

#: How long each timing lasts at most; three steps are timed in any case.
SECONDS = 0.4


class MeasuredV2(Measuring[V2Setting, V2Result], V2Logic):
    """The V2 lab with a device: steps with fused stages and without, or a step at each stage's side."""

    INVITATION = "Change something: real training steps are measured when it rests."
    RESULT = V2Result

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._plain: dict[V2Setting, Steps] = {}
        super().__init__(device, **settings)

    def screen(self) -> LiveScreen:
        """Return what the chosen part shows, with photographs as each stage trains on them."""
        if self.setting.part == PROGRESSIVE:
            return stages_screen(self, [examples(stage) for stage in schedule_of(self.setting).stages])
        return super().screen()

    def measure(self, setting: V2Setting, watch: Watch) -> Iterator[V2Result]:
        """Build the network and measure: inference and training step, or a step at each stage's side."""
        if setting.part == PROGRESSIVE:
            sides = [stage.side for stage in schedule_of(setting).stages]
            count = len(sides)
            steps = (
                _training(setting, side, watch.part(n / count, 1 / count)) for n, side in enumerate(sides)
            )
            yield StageTimes(tuple(steps))
            return
        # No fused stage is the measure of all others: taken once for each network, side, batch and device.
        none = self.measurement_key(replace(setting, fused=()))
        count = 1 if none in self._plain or not setting.fused else 2
        chosen = _steps(setting, watch.part(0, 1 / count))
        if not setting.fused:
            self._plain[none] = chosen
        elif none not in self._plain:
            self._plain[none] = _steps(none, watch.part(1 / count, 1 / count))
        yield FusedTimes(chosen, self._plain[none])

    def remark(self, record: Record[V2Setting, V2Result]) -> str:
        """Say how times compare, and whether they are noisy."""
        found = record.measurement
        if isinstance(found, FusedTimes):
            said = f"a training step takes {found.step_ratio:.2f} times as long as with none fused."
        else:
            share = sum(found.shares) / len(found.shares)
            said = f"all stages take {share:.2f} times as long as all at full size."
        noisy = any(whole_step(one).noisy for one in trainings(found))
        return f"{said} Noisy: measure again." if noisy else said

    def row(self, record: Record[V2Setting, V2Result]) -> dict[str, object]:
        """Return all settings, then times of steps by stage with their intervals, and the device's name."""
        found = record.measurement
        steps = trainings(found)
        timings = [whole_step(one) for one in steps]
        row: dict[str, object] = asdict(record.setting)
        row |= {"fused": listed(record.setting.fused), "device_name": steps[0].device_name}
        row |= {
            "sides": joined([one.resolution for one in steps]),
            "step_ms": joined([1000 * one.median for one in timings]),
            "step_low_ms": joined([1000 * one.interval[0] for one in timings]),
            "step_high_ms": joined([1000 * one.interval[1] for one in timings]),
            "inference_ms": "",
            "none_fused_step_ms": "",
            "none_fused_inference_ms": "",
        }
        if isinstance(found, FusedTimes):
            row["inference_ms"] = found.chosen.inference.median_ms
            if found.plain.training is not None:
                row["none_fused_step_ms"] = 1000 * whole_step(found.plain.training).median
            row["none_fused_inference_ms"] = found.plain.inference.median_ms
        return row


def _steps(setting: V2Setting, watch: Watch) -> Steps:
    inference = profile(
        fused_network(setting.network, setting.fused),
        setting.batch_size,
        setting.side,
        device=setting.device,
        seconds=SECONDS,
        watch=watch.part(0, 1 / 2),
    )
    return Steps(inference, _training(setting, setting.side, watch.part(1 / 2, 1 / 2)))


def _training(setting: V2Setting, side: int, watch: Watch) -> TrainingMeasurement:
    return profile_training(
        fused_network(setting.network, setting.fused),
        setting.batch_size,
        side,
        setting.device,
        seconds=SECONDS,
        watch=watch,
    )
