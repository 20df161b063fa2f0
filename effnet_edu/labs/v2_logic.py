"""What the V2 lab does, without a widget: fuse stages, let training images grow, count and measure both."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import traitlets

from effnet_edu.labs.logic import LabLogic, Record, RoundedFloat, Watch
from effnet_edu.labs.numbers import Number, Section
from effnet_edu.labs.v2_setting import (
    FUSING,
    NETWORKS,
    OWN,
    PROGRESSIVE,
    SCHEDULES,
    Setting,
    counted_at,
    epoch_macs,
    fused_network,
    listed,
    own_fused,
    published_schedule,
    published_step,
    schedule_of,
    table_3_row,
)
from effnet_edu.model.variants import spec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.published import IMAGENET_IMAGES

if TYPE_CHECKING:
    from effnet_edu.profiling.timing import Timing
    from effnet_edu.profiling.training_cost import TrainingMeasurement

#: How long each timing lasts at most; three steps are timed in any case.
SECONDS = 0.4


@dataclass(frozen=True)
class Steps:
    """Inference and training step of one network.

    Attributes:
        inference: Its forward pass in evaluation mode.
        training: A training step.
    """

    inference: Measurement
    training: "TrainingMeasurement"


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
    def step_ratio(self) -> float:
        """Time of a training step over that of none fused."""
        return whole_step(self.chosen.training).median / whole_step(self.plain.training).median


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


Found = FusedTimes | StageTimes


def whole_step(found: "TrainingMeasurement") -> "Timing":
    """Return the times of whole training steps: forward, backward and optimizer.

    Args:
        found: What was measured.
    """
    from effnet_edu.profiling.timing import Timing

    parts = (found.forward.seconds, found.backward.seconds, found.step.seconds)
    return Timing(tuple(map(sum, zip(*parts, strict=True))))


def epoch_hours(found: "TrainingMeasurement") -> tuple[float, tuple[float, float]]:
    """Return the hours of an epoch of ImageNet at the measured speed, and their interval.

    Args:
        found: What was measured.
    """
    timing, steps = whole_step(found), IMAGENET_IMAGES / found.batch_size / 3600
    return steps * timing.median, (steps * timing.interval[0], steps * timing.interval[1])


class V2Logic(LabLogic[Setting, Found]):
    """Fuse stages of a network, or let its training images grow; count both exactly, and measure.

    Choosing a network takes the stages that are fused in it as released. Choosing a published schedule moves
    the sliders to it, and moving one of them makes it the learner's own.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the fields of `Setting`.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LAB = "V2Lab"
    SETTING = Setting
    INVITATION = "Change something: real training steps are measured when it rests."

    part = traitlets.Enum((FUSING, PROGRESSIVE), FUSING, help="two questions")
    network = traitlets.Enum(tuple(NETWORKS), "B4", help="B4: table 3")
    fused: Any = traitlets.Tuple((), help="Fused-MBConv in these stages")
    side = traitlets.Int(224, min=32, max=512, help="largest input, px")
    schedule = traitlets.Enum((OWN, *SCHEDULES), OWN, help="published, or own")
    stages = traitlets.Int(4, min=1, max=6, help="of equal length")
    first_side = traitlets.Int(128, min=32, max=512, help="px, first stage")
    randaugment = RoundedFloat(15.0, min=0.0, max=29.0, help="magnitude, last")
    mixup = RoundedFloat(0.0, min=0.0, max=1.0, help="alpha, last stage")
    dropout = RoundedFloat(0.3, min=0.0, max=0.9, help="rate, last stage")
    growing = traitlets.Bool(True, help="regularisation")
    batch_size = traitlets.Int(4, min=1, max=256, help="at once")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._plain: dict[Setting, Steps] = {}
        super().__init__(device, **settings)

    @traitlets.validate("fused")
    def _check_fused(self, proposal: Any) -> tuple[int, ...]:
        chosen, last = proposal["value"], self.last_stage
        for stage in chosen:
            if isinstance(stage, bool) or stage not in range(1, last + 1):
                raise traitlets.TraitError(f"fused has {stage!r}; {self.network} has stages 1 to {last}.")
        return tuple(sorted(set(chosen)))

    @property
    def last_stage(self) -> int:
        """The number of the present network's last stage."""
        return len(spec(NETWORKS[self.network]).stages)

    def follow(self, name: str) -> None:
        """Take a network's own fused stages and a schedule's numbers; leave the schedule when one moves."""
        if name == "network":
            self.fused = own_fused(self.network)
        elif name == "schedule" and self.schedule != OWN:
            chosen = published_schedule(self.schedule).stages
            self.stages, self.growing = len(chosen), True
            self.first_side, self.side = chosen[0].side, chosen[-1].side
            self.randaugment, self.mixup = chosen[-1].randaugment, chosen[-1].mixup
            self.dropout = chosen[-1].dropout or 0.0
        elif name in ("stages", "first_side", "side", "randaugment", "mixup", "dropout", "growing"):
            self.schedule = OWN

    def label(self, setting: Setting) -> str:
        """Return `B4, fused 1-3, 224 px`, with the sides of all stages in a schedule."""
        named = f"{setting.network}, fused {listed(setting.fused)}"
        sides = [stage.side for stage in schedule_of(setting).stages]
        if setting.part == FUSING or len(sides) == 1:
            return f"{named}, {setting.side} px"
        return f"{named}, {sides[0]} to {sides[-1]} px in {len(sides)} stages"

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what is counted exactly, and what the paper prints for the same network."""
        return _fusing_numbers(setting) if setting.part == FUSING else _schedule_numbers(setting)

    def measured(self, record: Record[Setting, Found]) -> tuple[Number, ...]:
        """Return times, and how they compare with no fused stage or with a training at full size."""
        found = record.measurement
        return _fused_times(found) if isinstance(found, FusedTimes) else _stage_times(found)

    def take(self, setting: Setting, watch: Watch) -> Found:
        """Build the network and measure: inference and training step, or a step at each stage's side."""
        if setting.part == PROGRESSIVE:
            return StageTimes(self._take_stages(setting, watch))
        # No fused stage is the measure of all others: taken once for each network, side, batch and device.
        none = self.essence(replace(setting, fused=()))
        parts = 1 if none in self._plain or not setting.fused else 2
        chosen = self._take_steps(setting, _part_of(watch, 0, parts))
        if not setting.fused:
            self._plain[none] = chosen
        elif none not in self._plain:
            self._plain[none] = self._take_steps(none, _part_of(watch, 1, parts))
        return FusedTimes(chosen, self._plain[none])

    def essence(self, setting: Setting) -> Setting:
        """Of a schedule only the sides are timed, and nothing of it where stages are fused."""
        plain = replace(setting, schedule=OWN, randaugment=0.0, mixup=0.0, dropout=0.0, growing=True)
        if setting.part == PROGRESSIVE and setting.stages > 1:
            return plain
        return replace(plain, first_side=setting.side, stages=1)

    def remark(self, record: Record[Setting, Found]) -> str:
        """Say how times compare, and whether they are noisy."""
        found = record.measurement
        if isinstance(found, FusedTimes):
            said = f"a training step takes {found.step_ratio:.2f} times as long as with none fused."
        else:
            share = sum(found.shares) / len(found.shares)
            said = f"all stages take {share:.2f} times as long as all at full size."
        noisy = any(whole_step(one).noisy for one in _trainings(found))
        return f"{said} Noisy: measure again." if noisy else said

    def row(self, record: Record[Setting, Found]) -> dict[str, object]:
        """Return all settings, then times of steps by stage with their intervals, and the device's name."""
        found = record.measurement
        trainings = _trainings(found)
        timings = [whole_step(one) for one in trainings]
        row: dict[str, object] = asdict(record.setting)
        row |= {"fused": listed(record.setting.fused), "device_name": trainings[0].device_name}
        row |= {
            "sides": _joined([one.resolution for one in trainings]),
            "step_ms": _joined([1000 * one.median for one in timings]),
            "step_low_ms": _joined([1000 * one.interval[0] for one in timings]),
            "step_high_ms": _joined([1000 * one.interval[1] for one in timings]),
            "inference_ms": "",
            "none_fused_step_ms": "",
            "none_fused_inference_ms": "",
        }
        if isinstance(found, FusedTimes):
            row["inference_ms"] = found.chosen.inference.median_ms
            row["none_fused_step_ms"] = 1000 * whole_step(found.plain.training).median
            row["none_fused_inference_ms"] = found.plain.inference.median_ms
        return row

    def _default(self, name: str) -> Any:
        return own_fused(self.network) if name == "fused" else super()._default(name)

    def _take_steps(self, setting: Setting, watch: Watch) -> Steps:
        from effnet_edu.profiling.profile import profile

        first, second = _part_of(watch, 0, 2), _part_of(watch, 1, 2)
        inference = profile(
            fused_network(setting.network, setting.fused),
            setting.batch_size,
            setting.side,
            device=self.place(setting),
            seconds=SECONDS,
            is_cancelled=watch.is_cancelled,
            progress=first.progress,
            waiting=watch.waiting,
        )
        return Steps(inference, self._take_training(setting, setting.side, second))

    def _take_stages(self, setting: Setting, watch: Watch) -> "tuple[TrainingMeasurement, ...]":
        sides = [stage.side for stage in schedule_of(setting).stages]
        return tuple(
            self._take_training(setting, side, _part_of(watch, index, len(sides)))
            for index, side in enumerate(sides)
        )

    def _take_training(self, setting: Setting, side: int, watch: Watch) -> "TrainingMeasurement":
        from effnet_edu.profiling.training_cost import profile_training

        return profile_training(
            fused_network(setting.network, setting.fused),
            setting.batch_size,
            side,
            self.place(setting),
            seconds=SECONDS,
            is_cancelled=watch.is_cancelled,
            progress=watch.progress,
            waiting=watch.waiting,
        )


def _trainings(found: Found) -> "tuple[TrainingMeasurement, ...]":
    return (found.chosen.training,) if isinstance(found, FusedTimes) else found.stages


def _joined(values: Sequence[float]) -> str:
    return " ".join(f"{value:.6g}" for value in values)


def _part_of(watch: Watch, index: int, parts: int) -> Watch:
    """Return a watch whose progress is one part of several equal ones."""
    return replace(watch, progress=lambda share: watch.progress((index + share) / parts))


def _fusing_numbers(setting: Setting) -> tuple[Section, ...]:
    now, none = counted_at(setting), counted_at(setting, fused=())
    computed = (
        Number("parameters", now.parameters / 1e6, "million"),
        Number("MACs", now.macs / 1e9, "billion"),
        Number("MACs to train", now.training_macs / 1e9, "billion"),
        Number("kept for backward", now.saved_bytes / 2**20, "MiB", decimals=0),
        Number("parameters / none", now.parameters / none.parameters, "×", decimals=2),
        Number("MACs / none", now.macs / none.macs, "×", decimals=2),
        Number("kept / none", now.saved_bytes / none.saved_bytes, "×", decimals=2),
    )
    section = Section("computed", computed, "computed, for one image")
    row = table_3_row(setting)
    if row is None:
        return (section,)
    printed = (
        Number("parameters, paper", row.number("parameters_millions"), "million"),
        Number("MACs, paper", row.number("macs_billions"), "billion"),
        Number("top-1, paper", row.number("top1_percent"), "%", decimals=1),
        Number("step / none, V100", published_step(row, "v100"), "×", decimals=2),
        Number("step / none, TPUv3", published_step(row, "tpu_core"), "×", decimals=2),
    )
    return (section, Section("published", printed, "published, table 3"))


def _schedule_numbers(setting: Setting) -> tuple[Section, ...]:
    macs = epoch_macs(setting)
    by_stage = (Number(f"MACs, stage {n}", one / 1e15, "peta") for n, one in enumerate(macs, 1))
    total = Number("MACs / full size", sum(macs) / (len(macs) * macs[-1]), "×", decimals=2)
    return (Section("computed", (*by_stage, total), "computed, ImageNet epoch"),)


def _fused_times(found: FusedTimes) -> tuple[Number, ...]:
    inference, step = found.chosen.inference, whole_step(found.chosen.training)
    low, high = (1000 * end for end in step.interval)
    return (
        Number("inference", inference.median_ms, "ms", interval=(inference.low_ms, inference.high_ms)),
        Number("training step", 1000 * step.median, "ms", interval=(low, high)),
        Number("inference / none", found.inference_ratio, "×", decimals=2),
        Number("step / none", found.step_ratio, "×", decimals=2),
    )


def _stage_times(found: StageTimes) -> tuple[Number, ...]:
    numbers = []
    for n, stage in enumerate(found.stages, 1):
        hours, interval = epoch_hours(stage)
        numbers.append(Number(f"epoch, stage {n}", hours, "h", interval=interval))
    return (*numbers, Number("time / full size", sum(found.shares) / len(found.shares), "×", decimals=2))
