"""What the MBConv lab is without a device: one block of three kinds, counted exactly and drawn."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import PageTiming, TimedGraph, only_fp32, plain_ms
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.labs.frame.settings import OneOf, RoundedFloat, Whole
from effnet_edu.labs.mbconv.in_page import graphs, result
from effnet_edu.labs.mbconv.numbers import (
    KINDS,
    MBCONV,
    MBConvSetting,
    abbreviated,
    block,
    cost_of,
    label,
    numbers,
)
from effnet_edu.labs.mbconv.results import MBConvResult, measured_numbers
from effnet_edu.labs.mbconv.screen import screen
from effnet_edu.labs.mbconv.work import LAYERS
from effnet_edu.model.specs import BlockSpec
from effnet_edu.profiling.names import PRECISION_BYTES


class MBConvLogic(LabLogic[MBConvSetting, MBConvResult]):
    """Choose a block's shape, and see what MBConv, Fused-MBConv and a plain convolution cost."""

    LAB = "MBConvLab"
    SETTING = MBConvSetting
    MAIN = "side"
    QUICK: ClassVar[Mapping[str, Any]] = {"side": 28}
    FILES = ("studies/results/devices/*/ceilings.json",)
    HEADLINE = ("MACs an image", "parameters", "MACs per byte", "time a batch")
    QUESTION = "Inside one block"
    TRY = "Change MBConv into a plain convolution of the same shape. Compare the MACs, and then the time."

    kind = traitlets.Enum(KINDS, MBCONV, help="which one is drawn")
    expansion = Whole(6, min=1, max=8, help="c_mid over c_in")
    channels_in = Whole(40, min=8, max=320, help="channels in")
    channels_out = Whole(40, min=8, max=320, help="channels out")
    side = Whole(28, min=4, max=128, help="H and W of the input")
    kernel = OneOf((3, 5, 7), 3, help="k x k pixels")
    stride = OneOf((1, 2), 1, help="2 halves the side")
    squeeze_ratio = RoundedFloat(0.25, min=0.0, max=1.0, help="of c_in; 0 is off")
    batch_size = Whole(1, min=1, max=256, help="images")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of numbers")
    layer = traitlets.Enum(LAYERS, "depthwise", help="whose work is shown")
    work = Whole(37, min=0, max=100, help="done of the layer")

    @property
    def block(self) -> BlockSpec:
        """The present block."""
        return block(self.setting, self.kind)

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "MBConv lab"

    def label(self, setting: MBConvSetting) -> str:
        """Return the block in a few words, such as `MBConv6 k3 s1, 40 -> 40 at 28 px`."""
        return label(setting)

    def in_words(self) -> str:
        """Return the lab in one sentence; with a device, its times too."""
        if self.MEASURES:
            return super().in_words()
        counted = cost_of(self.setting, self.setting.kind)
        return (
            f"{label(self.setting)}: {abbreviated(counted.macs)} MACs an image, "
            f"{digits(counted.parameters / 1e3)} thousand parameters, "
            f"{digits(counted.intensity)} MACs per byte."
        )

    def numbers(self, setting: MBConvSetting) -> tuple[Section, ...]:
        """Return what is counted exactly: the drawn block, its roles, and all three kinds."""
        return numbers(setting)

    def screen(self) -> LiveScreen:
        """Return the block, the work of a layer, and the charts."""
        return screen(self)

    def timed_graphs(self, setting: MBConvSetting) -> tuple[TimedGraph, ...]:
        """Return the ceilings and the three kinds of block."""
        return () if self.untimed(setting) else graphs(setting)

    def timed_results(
        self, setting: MBConvSetting, timings: Mapping[TimedGraph, PageTiming]
    ) -> tuple[MBConvResult, ...]:
        """Return the blocks under the ceilings, as soon as all are there."""
        wanted = self.timed_graphs(setting)
        return (result(setting, timings),) if wanted and len(timings) == len(wanted) else ()

    def timed_in_words(self, record: Record[MBConvSetting, MBConvResult]) -> str:
        """Return the time of the drawn block, and those of the others."""
        blocks = record.measurement.blocks
        said = [f"{label(record.setting)}: left out, a pass would take seconds"]
        if (drawn := blocks.get(record.setting.kind)) is not None:
            page = drawn.profile
            assert isinstance(page, PageTiming)  # noqa: S101 - nothing else was timed in a page
            repeats = page.passes if drawn.points else page.repeats
            said = [f"{label(record.setting)}: {page.said(drawn.timing(), repeats)}"]
        said += [
            f"{kind} {plain_ms(one.timing().median)} ms"
            for kind, one in blocks.items()
            if kind != record.setting.kind
        ]
        return f"{'; '.join(said)}."

    def untimed(self, setting: MBConvSetting) -> str:
        """A browser computes in fp32."""
        return only_fp32(setting.precision)

    def measured(self, record: Record[MBConvSetting, MBConvResult]) -> tuple[Number, ...]:
        """Return the time of the drawn block and of its roles, that of all kinds, and the ceilings."""
        return measured_numbers(record.measurement, record.setting.kind, record.setting.precision)

    def macs_behind(self, setting: MBConvSetting) -> float:
        """Return the multiply-adds of a batch in the drawn block."""
        return setting.batch_size * cost_of(setting, setting.kind).macs

    def measurement_key(self, setting: MBConvSetting) -> MBConvSetting:
        """All three kinds are measured at once, whichever is drawn and whatever of it is shown."""
        return replace(setting, kind=MBCONV, layer="depthwise", work=0)

    def guessed(self, setting: MBConvSetting) -> Guessed:
        """Return the time of a batch in the drawn block."""
        record = self.newest(setting)
        block = None if record is None else record.measurement.blocks.get(setting.kind)
        truth = None if block is None else 1000 * block.timing().median
        return Guessed("How long does a batch take in this block here?", "ms", truth)

    def guess_key(self, setting: MBConvSetting) -> MBConvSetting:
        """What is guessed is the time of the drawn kind alone."""
        return replace(self.measurement_key(setting), kind=setting.kind)

    def newest(self, setting: MBConvSetting) -> Record[MBConvSetting, MBConvResult] | None:
        """Return the newest measurement of these blocks, as one of this setting, or None."""
        found = super().newest(setting)
        return None if found is None else replace(found, setting=setting)

    def row(self, record: Record[MBConvSetting, MBConvResult]) -> dict[str, object]:
        """Return a record as a row of the exported table, without what is only shown."""
        return {name: value for name, value in super().row(record).items() if name not in ("layer", "work")}
