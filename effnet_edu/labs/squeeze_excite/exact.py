"""What the squeeze-and-excitation lab is without a network: recorded gates, and their price."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.in_page import (
    BrowserLayers,
    PageTiming,
    TimedGraph,
    network_graph,
    timed_layers,
)
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.labs.frame.settings import RoundedFloat, Whole
from effnet_edu.labs.squeeze_excite.charts import named
from effnet_edu.labs.squeeze_excite.numbers import (
    CHANNELS,
    CLASSES,
    EXAMPLES,
    GATES,
    OTHER,
    OWN,
    SqueezeExciteSetting,
    between_class_share,
    class_contrast,
    class_gates,
    price,
    recorded_numbers,
)
from effnet_edu.labs.squeeze_excite.recorded_screen import recorded_screen
from effnet_edu.labs.squeeze_excite.widths import (
    NETWORKS,
    SQUEEZES,
    USUAL,
    classes,
    spec_with,
    squeeze_cost,
)
from effnet_edu.model.cost import cost
from effnet_edu.profiling.layer_time import together

if TYPE_CHECKING:
    from effnet_edu.profiling.layers import LayerProfile


class SqueezeExciteLogic(LabLogic[SqueezeExciteSetting, Any]):
    """Mean gates of two classes in a block, as the study recorded them, and what squeezing costs."""

    LAB = "SqueezeExciteLab"
    SETTING = SqueezeExciteSetting
    MAIN = "gate"
    QUICK: ClassVar[Mapping[str, Any]] = {"network": "small", "gate": 0.5}
    MEASURED_ONLY = ("example", "channel", "gates", "by_hand", "gate", "batch_size", "device")
    FILES = ("published/*.csv", "studies/results/small_network.json")
    HEADLINE = ("decided by class", "parameters", "SE parameters", "SE MACs", "whole network")
    QUESTION = "A gate for each channel"
    TRY = "Choose block stages.3.0 and drag its gates down, one after another, until the network errs."

    picture = traitlets.Unicode(CLASSES[0], help="its class, or a file")
    example = Whole(1, min=1, max=EXAMPLES, help="which of its class")
    other = traitlets.Unicode(CLASSES[1], help="class to compare")
    block = traitlets.Enum(tuple(CHANNELS), list(CHANNELS)[-1], help="whose gates")
    channel = Whole(0, min=0, max=max(CHANNELS.values()) - 1, help="which gate")
    gates = traitlets.Enum(GATES, OWN, help="what it is given")
    by_hand = traitlets.Tuple(help="channels and their gates, set one by one")
    gate = RoundedFloat(min=0.0, max=1.0, help="0 shut, 1 open")
    network = traitlets.Enum(NETWORKS, "B0", help="for cost and time")
    squeeze = traitlets.Enum(SQUEEZES, USUAL, help="width, of c_in")
    batch_size = Whole(1, min=1, max=1024, help="images at once")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Squeeze-and-excitation lab"

    @traitlets.default("channel")
    def _telling_channel(self) -> int:
        """The channel by which the block tells the two classes apart best."""
        differences = [abs(value) for value in self.contrast_of(self.picture, self.other, self.block)]
        return differences.index(max(differences))

    @traitlets.default("gate")
    def _present_gate(self) -> float:
        name = self.other if self.gates == OTHER else self.picture
        gates = class_gates(self.block, name)
        return round(gates[int(self.channel)], 2)

    @traitlets.validate("picture")
    def _check_picture(self, proposal: Any) -> str:
        return _one_of_the_classes("picture", proposal["value"])

    @traitlets.validate("other")
    def _check_other(self, proposal: Any) -> str:
        return _one_of_the_classes("other", proposal["value"])

    @traitlets.validate("channel")
    def _check_channel(self, proposal: Any) -> int:
        last = CHANNELS[self.block] - 1
        if proposal["value"] > last:
            raise traitlets.TraitError(f"channel is {proposal['value']}; {self.block} has 0 to {last}.")
        return int(proposal["value"])

    @traitlets.validate("by_hand")
    def _check_by_hand(self, proposal: Any) -> tuple[tuple[int, float], ...]:
        value, last = proposal["value"], CHANNELS[self.block] - 1
        try:
            gates = {int(channel): float(gate) for channel, gate in value}
        except (TypeError, ValueError):
            gates = {-1: 0.0}
        if not all(0 <= channel <= last and 0 <= gate <= 1 for channel, gate in gates.items()):
            raise traitlets.TraitError(
                f"by_hand is {quoted(value)}; it must be pairs of a channel, 0 to {last}, and a gate, 0 to 1."
            )
        return tuple(sorted(gates.items()))

    def check(self, setting: SqueezeExciteSetting) -> None:
        """Raise TraitError where a block has not the channel that is looked at, or set by hand."""
        last = CHANNELS[setting.block] - 1
        for channel in (setting.channel, *dict(setting.by_hand)):
            if channel > last:
                raise traitlets.TraitError(f"channel is {channel}; {setting.block} has 0 to {last}.")

    def ends(self, name: str) -> tuple[float, float]:
        """Return from where to where a number goes: the channel as far as the block has some."""
        return (0, CHANNELS[self.block] - 1) if name == "channel" else super().ends(name)

    def contrast_of(self, picture: str, other: str, block: str) -> tuple[float, ...]:
        """Return how much wider open each gate is for the picture than for the other class, on the mean."""
        both = zip(class_gates(block, picture), class_gates(block, other), strict=True)
        return tuple(one - less for one, less in both)

    def on_change(self, name: str) -> None:
        """Look at the channel that tells the classes apart."""
        if name in ("picture", "other", "block"):
            self.channel = self._telling_channel()
            self.gate = self._present_gate()

    def label(self, setting: SqueezeExciteSetting) -> str:
        """Return `O and Q in stages.2.0; B0, SE 1/4`."""
        gates = f"{setting.picture} and {setting.other} in {setting.block}"
        return f"{gates}; {setting.network}, SE {setting.squeeze}"

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        setting = self.setting
        parameters = squeeze_cost(setting.network, setting.squeeze).parameters
        return (
            f"{self.label(setting)}: the class decides {between_class_share(setting):.1%} of these gates; "
            f"{parameters / 1e6:.3g} million parameters."
        )

    def numbers(self, setting: SqueezeExciteSetting) -> tuple[Section, ...]:
        """Return what the study found of the block, and what the network costs."""
        differences = class_contrast(setting)
        gates = (
            Number("channels", len(differences)),
            Number("largest difference", max(map(abs, differences)), decimals=3),
        )
        return (recorded_numbers(setting, *gates), price(setting))

    def screen(self) -> LiveScreen:
        """Return the gates with their price, and what the class decides from block to block."""
        return recorded_screen(self)

    def measured_label(self, setting: SqueezeExciteSetting) -> str:
        """Return what is counted and measured, such as `B0, SE 1/4`."""
        batch = f", batch {setting.batch_size}" if setting.batch_size > 1 else ""
        return f"{named(setting.network)}, SE {setting.squeeze}{batch}"

    def timed_graphs(self, setting: SqueezeExciteSetting) -> tuple[TimedGraph, ...]:
        """Return the network with its squeeze."""
        network, count = spec_with(setting.network, setting.squeeze), classes(setting.network)
        label = self.measured_label(setting)
        return (network_graph(label, network, setting.batch_size, count, with_kernels=True),)

    def timed_results(
        self, setting: SqueezeExciteSetting, timings: Mapping[TimedGraph, PageTiming]
    ) -> tuple[BrowserLayers, ...]:
        """Return its layers."""
        network, count = spec_with(setting.network, setting.squeeze), classes(setting.network)
        rows, results = cost(network, num_classes=count).layers, []
        for found in timings.values():
            layers = timed_layers(rows, found, setting.batch_size)
            is_told = min(together(layers).seconds) > 0  # some clocks move once in 100 ms
            results.append(BrowserLayers(layers if is_told else (), found))
        return tuple(results)

    def timed_in_words(self, record: Record[SqueezeExciteSetting, Any]) -> str:
        """Return the time of the whole network, and the share of squeeze-and-excitation."""
        found: BrowserLayers = record.measurement
        share = (
            f" SE takes {found.part_share('squeeze_excite')[0]:.1%} of its kernels' time."
            if found.layers
            else ""
        )
        return f"{self.measured_label(record.setting)}: {found.found}.{share}"

    def measured(self, record: Record[SqueezeExciteSetting, Any]) -> tuple[Number, ...]:
        """Return what the whole network takes, and squeeze-and-excitation of the time in its layers.

        What lies between the layers belongs to none of them, so the share is one of the layers' time.
        """
        found: LayerProfile | BrowserLayers = record.measurement
        low, high = (1000 * end for end in found.whole.interval)
        whole = Number("whole network", 1000 * found.whole.median, "ms", interval=(low, high))
        if not found.layers:
            return (whole,)
        inside = together([row for row in found.layers if row.part == "squeeze_excite"])
        share, *ends = found.part_share("squeeze_excite")
        return (
            whole,
            Number("SE", 1000 * inside.median, "ms"),
            Number(
                "SE of all layers",
                100 * share,
                "%",
                decimals=1,
                interval=(100 * ends[0], 100 * ends[1]),
                note=f"of {digits(1000 * together(found.layers).median)} ms",
            ),
        )

    def macs_behind(self, setting: SqueezeExciteSetting) -> float:
        """Return the multiply-adds of a batch in the whole network."""
        return setting.batch_size * squeeze_cost(setting.network, setting.squeeze).macs

    def measurement_key(self, setting: SqueezeExciteSetting) -> SqueezeExciteSetting:
        """A measurement depends on the network, its squeeze, the batch and the device."""
        return replace(
            setting, picture="", example=1, other="", block="", channel=0, gates=OWN, by_hand=(), gate=0.0
        )

    def guessed(self, setting: SqueezeExciteSetting) -> Guessed:
        """Return the time of the whole network; no chart has an axis of it."""
        record = self.newest(setting)
        truth = None if record is None else 1000 * record.measurement.whole.median
        return Guessed(f"How long does {self.measured_label(setting)} take here?", "ms", truth)


def _one_of_the_classes(name: str, value: Any) -> str:
    if value not in CLASSES:
        raise traitlets.TraitError(f"{name} is {quoted(value)}; it is one of {', '.join(CLASSES)}.")
    return str(value)
