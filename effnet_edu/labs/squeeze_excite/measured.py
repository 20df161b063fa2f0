"""What the squeeze-and-excitation lab does with a network: gates are set and answered, and measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.images.reader import MOST_BYTES
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import Record, Status
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.numbers import Section, digits
from effnet_edu.labs.squeeze_excite import answers
from effnet_edu.labs.squeeze_excite.answer_screen import answer_screen
from effnet_edu.labs.squeeze_excite.exact import SqueezeExciteLogic
from effnet_edu.labs.squeeze_excite.numbers import (
    ALL,
    CHANNELS,
    CLASSES,
    OWN,
    SqueezeExciteSetting,
    price,
    printed,
    recorded_numbers,
)
from effnet_edu.labs.squeeze_excite.widths import classes, spec_with
from effnet_edu.model.network import EfficientNet
from effnet_edu.profiling.layers import LayerProfile, profile_layers

SECONDS = 1.0


def build_with(network: str, squeeze: str) -> EfficientNet:
    """Return a network with random weights and a width of its squeeze."""
    return EfficientNet(spec_with(network, squeeze), classes(network))


class MeasuredSqueezeExcite(Measuring[SqueezeExciteSetting, LayerProfile], SqueezeExciteLogic):
    """Look at the gates of a trained network, set them by hand, and count and measure what they cost.

    The gates and the answer are those of the small network that comes with the course. Cost and time are
    those of the network in `network`, with the squeeze width in `squeeze`.
    """

    HEADLINE = ("probability", "with own gates", "parameters", "SE parameters", "whole network")
    INVITATION = "Choose a network or a squeeze width: it is built and measured when it rests."
    RESULT = LayerProfile

    def pictures(self) -> tuple[str, ...]:
        """Return what `picture` can be: every class, and the learner's own of this session."""
        return (*CLASSES, *answers.given)

    @traitlets.default("gate")
    def _present_gate(self) -> float:
        chosen = {name: getattr(self, name) for name in self.names() if name not in ("gates", "gate")}
        gates = OWN if self.gates == ALL else self.gates
        given = answers.answer(SqueezeExciteSetting(**chosen, gates=gates, gate=0.0)).gates
        return round(given[int(self.channel)], 2)

    @traitlets.validate("picture")
    def _check_picture(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if name not in self.pictures():
            if not answers.is_file(name):
                raise traitlets.TraitError(
                    f"picture is {quoted(name)}; it is one of {', '.join(CLASSES)}, or a picture's file."
                )
            with Path(name).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            try:
                answers.given[name] = answers.fitted(content, name)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
        return name

    def contrast_of(self, picture: str, other: str, block: str) -> tuple[float, ...]:
        """Return how much wider open each gate is than for the other class; of an own picture its gates."""
        return answers.contrast(picture, other, block)

    def on_change(self, name: str) -> None:
        """Show the gate of a chosen channel, and keep what is set by hand until block or gates change."""
        if name == "gate":
            if self.gates != ALL:
                self.by_hand = tuple((dict(self.by_hand) | {self.channel: self.gate}).items())
            return
        if name == "block":
            self.channel = min(self.channel, CHANNELS[self.block] - 1)
        if name in ("block", "gates"):
            self.by_hand = ()
        if self.gates != ALL:
            self.gate = self._present_gate()

    def offer(self, name: str, content: bytes) -> None:
        """Take a picture that the learner chose, or say in the status line why not."""
        try:
            self.picture = answers.keep(name, content)
        except ValueError as error:
            self.say(Status("failed", str(error)))

    def label(self, setting: SqueezeExciteSetting) -> str:
        """Return picture and gates, and what is counted and measured."""
        shown = f"{answers.called(setting)}, {setting.block}, {answers.gates_in_words(setting)}"
        return f"{shown}; {self.measured_label(setting)}"

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        answer, label = answers.answer(self.setting), answers.focus(self.setting)
        return (
            f"{self.title} at {self.label(self.setting)}: {CLASSES[label]} has a probability of "
            f"{answer.probability(label):.1%}, with its own gates {answer.probability(label, own=True):.1%}."
        )

    def numbers(self, setting: SqueezeExciteSetting) -> tuple[Section, ...]:
        """Return gates and answer, what the study found, and what the network costs."""
        return (
            answers.answer_numbers(setting),
            recorded_numbers(setting),
            price(setting),
            *printed(setting.network),
            answers.answer_details(setting),
        )

    def screen(self) -> LiveScreen:
        """Return the answer, the gates and their price."""
        return answer_screen(self)

    def measure(self, setting: SqueezeExciteSetting, watch: Watch) -> Iterator[LayerProfile]:
        """Build the network with random weights and measure its layers."""
        yield profile_layers(
            build_with(setting.network, setting.squeeze),
            setting.batch_size,
            device=setting.device,
            seconds=SECONDS,
            watch=watch,
        )

    def remark(self, record: Record[SqueezeExciteSetting, LayerProfile]) -> str:
        """Say which share of the layers' time squeeze-and-excitation takes."""
        share = self.measured(record)[-1]
        return f"SE takes {digits(share.value, 1)}% of the layers' {share.note.removeprefix('of ')}."

    def row(self, record: Record[SqueezeExciteSetting, LayerProfile]) -> dict[str, object]:
        """Return the settings that a measurement depends on, then what it found."""
        names = ("network", "squeeze", "batch_size", "device")
        settings = {name: getattr(record.setting, name) for name in names}
        found = {"device_name": record.measurement.device_name}
        for number in self.measured(record):
            found[f"{number.name}, {number.unit}"] = number.value  # type: ignore[assignment]
        return settings | found
