"""What the scaling problem lab is without a device: a budget of MACs spent on B0, counted and drawn."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.labs.frame.settings import RoundedFloat, Whole
from effnet_edu.labs.scaling_problem.evidence import B0, IMAGES, PAPERS
from effnet_edu.labs.scaling_problem.numbers import (
    MIX,
    SLIDERS,
    WEIGHTS,
    ScalingProblemSetting,
    bought,
    label,
    numbers,
)
from effnet_edu.labs.scaling_problem.screen import screen
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.studies.networks import WAYS


class ScalingProblemLogic(ForwardLogic[ScalingProblemSetting]):
    """Spend a budget of MACs on depth, width or resolution of EfficientNet-B0, alone or together.

    Choosing a way sets the three weights; moving a weight makes it a mix of the learner's own.
    """

    LAB = "ScalingProblemLab"
    SETTING = ScalingProblemSetting
    MAIN = "budget"
    QUICK: ClassVar[Mapping[str, Any]] = {"budget": 0.6}
    MEASURED_ONLY = ("batch_size", "device")
    FILES = ("published/*.csv", "studies/results/scaling.json")
    HEADLINE = ("MACs", "parameters", "activations", "kept to train", "time a batch")
    QUESTION = "What does a larger network buy?"
    TRY = (
        "Double the budget and spend it on depth alone, then on resolution alone: which costs parameters, "
        "and which costs memory?"
    )

    budget = RoundedFloat(1.8, min=0.4, max=10.0, help="for one image")
    way = traitlets.Enum((*WAYS, MIX), "compound", help="where it goes")
    depth_weight = Whole(WEIGHTS["compound"][0], min=0, max=100, help="weight, for layers")
    width_weight = Whole(WEIGHTS["compound"][1], min=0, max=100, help="weight, for channels")
    resolution_weight = Whole(WEIGHTS["compound"][2], min=0, max=100, help="weight, for pixels")
    paper = traitlets.Enum(PAPERS, B0, help="whose accuracy")
    images = traitlets.Enum(tuple(IMAGES), "glyphs", help="in our study")
    batch_size = Whole(1, min=1, max=256, help="images at once")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Scaling problem lab"

    def on_change(self, name: str) -> None:
        """Set the weights of a chosen way, and leave the way when a weight is moved."""
        if name in SLIDERS:
            self.way = MIX
        elif name == "way" and self.way != MIX:
            for slider, weight in zip(SLIDERS, WEIGHTS[self.way], strict=True):
                setattr(self, slider, weight)

    def _default(self, name: str) -> object:
        """Return what a setting is unless it is chosen: weights are those of the way."""
        if name in SLIDERS and self.way != MIX:
            return WEIGHTS[self.way][SLIDERS.index(name)]
        return super()._default(name)

    def timed_network(self, setting: ScalingProblemSetting) -> NetworkSpec:
        """Return the network that was bought."""
        return bought(setting).network

    def label(self, setting: ScalingProblemSetting) -> str:
        """Return `depth alone, 1.8 billion`, or what the mix is."""
        return label(setting)

    def in_words(self) -> str:
        """Return the lab in one sentence; with a device, its times too."""
        if self.MEASURES:
            return super().in_words()
        purchase = bought(self.setting)
        return (
            f"{label(self.setting)}: {purchase.network.layers} blocks, {purchase.network.resolution} px, "
            f"{digits(purchase.totals.parameters / 1e6)} million parameters, "
            f"{digits(purchase.totals.macs / 1e9)} billion MACs."
        )

    def numbers(self, setting: ScalingProblemSetting) -> tuple[Section, ...]:
        """Return the exact price, and the accuracy of the nearest networks that somebody trained."""
        return numbers(self, setting)

    def screen(self) -> LiveScreen:
        """Return the network and its charts: shares, the price of each way, and what others got."""
        return screen(self)

    def measured(self, record: Record[ScalingProblemSetting, Measurement]) -> tuple[Number, ...]:
        """Return time, throughput, speed and memory; the charts have the time of an image."""
        time, throughput, *others = super().measured(record)
        return (time, replace(throughput, is_detail=True), *others)

    def measurement_key(self, setting: ScalingProblemSetting) -> ScalingProblemSetting:
        """The same network is the same whatever it was bought with, and the evidence is not measured."""
        purchase = bought(setting)
        return replace(
            setting,
            budget=purchase.totals.macs,
            way=MIX,
            depth_weight=purchase.network.layers,
            width_weight=purchase.network.head_channels,
            resolution_weight=purchase.network.resolution,
            paper=B0,
            images="glyphs",
        )
