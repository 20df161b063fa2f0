"""What the V2 lab is without a device: fuse stages, let training images grow; counted exactly and drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import PageTiming, TimedGraph, forward_pass, network_graph
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.labs.frame.settings import RoundedFloat, Whole
from effnet_edu.labs.v2.numbers import (
    FUSING,
    MOST_STAGES,
    NETWORKS,
    OWN,
    PROGRESSIVE,
    SCHEDULES,
    V2Setting,
    counted_at,
    epoch_macs,
    label,
    listed,
    numbers,
    own_fused,
    published_schedule,
)
from effnet_edu.labs.v2.results import FusedTimes, StageTimes, Steps, V2Result, numbers_of
from effnet_edu.labs.v2.screen import fusing_screen, network_of
from effnet_edu.labs.v2.stages_screen import stages_screen
from effnet_edu.model.variants import spec
from effnet_edu.pictures.network import Moved

_LARGE = {
    FUSING: ("MACs", "parameters", "training step", "step / none fused"),
    PROGRESSIVE: ("MACs / full size", "MACs an epoch", "time / full size", "time an epoch"),
}
#: In a page, which trains nothing.
_LARGE_IN_PAGE = ("MACs", "parameters", "inference", "inference / none fused")


class V2Logic(LabLogic[V2Setting, V2Result]):
    """Fuse stages of a network, or let its training images grow.

    Choosing a network takes the stages that are fused in it as released. Choosing a published schedule moves
    the sliders to it, and moving one of them makes it the learner's own. The first side is never larger than
    the last: where one is moved beyond the other, it takes the other along.
    """

    LAB = "V2Lab"
    SETTING = V2Setting
    MAIN = "side"
    QUICK: ClassVar[Mapping[str, Any]] = {
        "part": PROGRESSIVE,
        "network": "B0",
        "stages": 2,
        "first_side": 64,
        "side": 96,
        "batch_size": 2,
    }
    MEASURED_ONLY = ("part", "batch_size", "device")
    FILES = ("published/*.csv", "studies/results/devices/*/fused_networks.json")
    QUESTION = "What made EfficientNetV2 quick to train"
    TRY = "Fuse the first stages of B4: the MACs rise. Does the time of a training step rise too?"

    part = traitlets.Enum((FUSING, PROGRESSIVE), FUSING, help="two questions")
    network = traitlets.Enum(tuple(NETWORKS), "B4", help="B4: table 3")
    fused: Any = traitlets.Tuple((), help="Fused-MBConv in these stages")
    side = Whole(160, min=32, max=512, help="largest input")
    schedule = traitlets.Enum((OWN, *SCHEDULES), OWN, help="published, or own")
    stages = Whole(4, min=1, max=6, help="of equal length")
    first_side = Whole(96, min=32, max=512, help="of the first stage")
    randaugment = RoundedFloat(15.0, min=0.0, max=29.0, help="magnitude, last")
    mixup = RoundedFloat(0.0, min=0.0, max=1.0, help="alpha, last stage")
    dropout = RoundedFloat(0.3, min=0.0, max=0.9, help="rate, last stage")
    growing = traitlets.Bool(True, help="regularisation")
    batch_size = Whole(2, min=1, max=256, help="at once")

    #: What lights up in the picture: whatever was moved last.
    _moved: Moved = ""

    @traitlets.validate("fused")
    def _check_fused(self, proposal: Any) -> tuple[int, ...]:
        chosen, last = proposal["value"], self.last_stage
        for stage in chosen:
            if isinstance(stage, bool) or stage not in range(1, last + 1):
                raise traitlets.TraitError(
                    f"fused has {quoted(stage)}; {self.network} has stages 1 to {last}."
                )
        return tuple(sorted(set(chosen)))

    @property
    def last_stage(self) -> int:
        """The number of the present network's last stage."""
        return len(spec(NETWORKS[self.network]).stages)

    def barred(self) -> Mapping[str, Sequence[int]]:
        """Return the stages that the present network does not have."""
        return {"fused": list(range(self.last_stage + 1, MOST_STAGES + 1))}

    def on_change(self, name: str) -> None:
        """Take a network's own fused stages and a schedule's numbers; leave the schedule when one moves."""
        self._moved = "resolution" if name == "side" else ""
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
        if name == "first_side":
            self.side = max(self.side, self.first_side)
        elif name == "side":
            self.first_side = min(self.first_side, self.side)

    def check(self, setting: V2Setting) -> None:
        """Refuse images that shrink."""
        if setting.first_side > setting.side:
            raise traitlets.TraitError(
                f"first_side is {setting.first_side}; it must be no larger than side, {setting.side}."
            )

    def _default(self, name: str) -> Any:
        return own_fused(self.network) if name == "fused" else super()._default(name)

    def label(self, setting: V2Setting) -> str:
        """Return `B4, fused 1-3, 224 px`, with the sides of all stages in a schedule."""
        return label(setting)

    def in_words(self) -> str:
        """Return the lab in one sentence; with a device, its times too."""
        if self.MEASURES:
            return super().in_words()
        setting = self.setting
        now, none = counted_at(setting), counted_at(setting, fused=())
        return (
            f"{setting.network}, fused {listed(setting.fused)}: {now.parameters / 1e6:.1f} M "
            f"parameters, {now.macs / 1e9:.2f} G MACs at {setting.side} px, {now.macs / none.macs:.2f} times "
            f"those of none fused."
        )

    def numbers(self, setting: V2Setting) -> tuple[Section, ...]:
        """Return what is counted exactly, and what the paper prints for the same network."""
        return numbers(setting)

    def screen(self) -> LiveScreen:
        """Return what the chosen part shows."""
        return fusing_screen(self, self._moved) if self.setting.part == FUSING else stages_screen(self)

    def headline(self) -> tuple[str, ...]:
        """Return the large numbers of the chosen part."""
        in_page = self.setting.part == FUSING and not self.MEASURES
        return _LARGE_IN_PAGE if in_page else _LARGE[self.setting.part]

    @property
    def is_unmeasured(self) -> bool:
        """Whether nothing of the chosen part was measured in this session."""
        kind = FusedTimes if self.setting.part == FUSING else StageTimes
        return not any(isinstance(record.measurement, kind) for record in self.history)

    def timed_graphs(self, setting: V2Setting) -> tuple[TimedGraph, ...]:
        """Return the network with its fused stages, and the same with none."""
        if setting.part == PROGRESSIVE:
            return ()
        both = dict.fromkeys((setting, replace(setting, fused=())))
        return tuple(network_graph(label(one), network_of(one), setting.batch_size) for one in both)

    def timed_results(
        self, setting: V2Setting, timings: Mapping[TimedGraph, PageTiming]
    ) -> tuple[V2Result, ...]:
        """Return the forward passes of both, as soon as both are there."""
        graphs = self.timed_graphs(setting)
        if not graphs or len(timings) < len(graphs):
            return ()
        chosen, plain = (
            Steps(forward_pass(network_of(one), setting.batch_size, timings[graph]), None)
            for one, graph in ((setting, graphs[0]), (replace(setting, fused=()), graphs[-1]))
        )
        return (FusedTimes(chosen, plain),)

    def timed_in_words(self, record: Record[V2Setting, V2Result]) -> str:
        """Return the time of the forward pass, and that of none fused."""
        found = record.measurement
        assert isinstance(found, FusedTimes)  # noqa: S101 - a page times nothing else
        said = f"{self.measured_label(record.setting)}: {found.chosen.inference}"
        return (
            f"{said}; none fused: {digits(found.plain.inference.median_ms)} ms."
            if record.setting.fused
            else f"{said}."
        )

    def untimed(self, setting: V2Setting) -> str:
        """A page trains nothing."""
        return "" if setting.part == FUSING else "Training is not timed in a page: JupyterLab does it."

    def measured(self, record: Record[V2Setting, V2Result]) -> tuple[Number, ...]:
        """Return times, and how they compare with no fused stage or with a training at full size."""
        return numbers_of(record.measurement)

    def macs_behind(self, setting: V2Setting) -> float:
        """Return the multiply-adds of a training step or an epoch, or in a page of a forward pass."""
        if setting.part == PROGRESSIVE:
            macs = epoch_macs(setting)
            return sum(macs) / len(macs)
        found = counted_at(setting)
        return setting.batch_size * (found.training_macs if self.MEASURES else found.macs)

    def guessed(self, setting: V2Setting) -> Guessed | None:
        """Return the time of a training step over none fused, or of the first stage over the last.

        In a page, which trains nothing, it is the forward pass over that of none fused.
        """
        record = self.newest(setting)
        found = None if record is None else record.measurement
        if setting.part == FUSING and not self.MEASURES:
            question = "How many times as long does a forward pass take here as with none fused?"
            truth = found.inference_ratio if isinstance(found, FusedTimes) else None
            return Guessed(question, "times", truth) if setting.fused else None
        if setting.part == FUSING:
            question = "How many times as long does a training step take here as with none fused?"
            truth = found.step_ratio if isinstance(found, FusedTimes) else None
            return Guessed(question, "times", truth) if setting.fused else None
        question = "How long does an epoch of stage 1 take here, in percent of the last stage's?"
        truth = 100 * found.shares[0] if isinstance(found, StageTimes) else None
        return Guessed(question, "%", truth) if setting.stages > 1 else None

    def measured_label(self, setting: V2Setting) -> str:
        """Return the setting with its batch."""
        return f"{label(setting)}, batch {setting.batch_size}"

    def measurement_key(self, setting: V2Setting) -> V2Setting:
        """Of a schedule only the sides are timed, and nothing of it where stages are fused."""
        plain = replace(setting, schedule=OWN, randaugment=0.0, mixup=0.0, dropout=0.0, growing=True)
        if setting.part == PROGRESSIVE and setting.stages > 1:
            return plain
        return replace(plain, first_side=setting.side, stages=1)
