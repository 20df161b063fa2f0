"""What the squeeze-and-excitation lab does, without a widget: gates taken apart, then their price."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
import traitlets
from PIL import Image, ImageOps
from torch import Tensor

from effnet_edu.images.from_bytes import MOST_BYTES, picture_from_bytes
from effnet_edu.labs.gated_network import EXAMPLES, GatedNetwork, Halt, gated_network
from effnet_edu.labs.logic import LabLogic, Record, RoundedFloat, Status, Watch
from effnet_edu.labs.numbers import Number, Section
from effnet_edu.labs.squeeze_pictures import cost_numbers, named
from effnet_edu.labs.squeeze_widths import NETWORKS, SMALL, SQUEEZES, USUAL, build_with
from effnet_edu.model.specs import resolve
from effnet_edu.profiling.layers import LayerProfile, profile_layers
from effnet_edu.published import read
from effnet_edu.studies.small_network import network as small_network

#: Blocks of the trained network, and the channels that each can weigh.
CHANNELS = {
    f"stages.{block.stage}.{block.index}": block.channels_hidden for block in resolve(small_network())
}
#: Which gates the rest of the network is given.
OWN, ONE, ALL, OTHER = "its own", "one by hand", "all by hand", "other class's"
GATES = (OWN, ONE, ALL, OTHER)
MEASURED_SECONDS = 1.0
_LONGEST_NAME = 40

#: Pictures that the learner gave, in this session, by name.  # (3, side, side)
_given: dict[str, Tensor] = {}


@dataclass(frozen=True)
class Setting:
    """What the learner can choose."""

    picture: str
    example: int
    other: str
    block: str
    channel: int
    gates: str
    gate: float
    network: str
    squeeze: str
    batch_size: int
    device: str


@dataclass(frozen=True)
class Answer:
    """What the network says to a picture with its own gates and with those that it is given.

    Attributes:
        own_gates: What the block computes from the picture.
        gates: What the rest of the network is given instead.
        own_logits: The answer with its own.
        logits: The answer with the others.
    """

    own_gates: tuple[float, ...]
    gates: tuple[float, ...]
    own_logits: tuple[float, ...]
    logits: tuple[float, ...]

    def probability(self, label: int, own: bool = False) -> float:
        """Return the softmax of a logit.

        Args:
            label: Which.
            own: Whether with the picture's own gates.
        """
        logits = np.array(self.own_logits if own else self.logits)
        shares = np.exp(logits - logits.max())
        return float(shares[label] / shares.sum())


@lru_cache(maxsize=32)
def _halt(pixels: bytes, block: str) -> Halt:
    known = gated_network()
    side = known.network.spec.resolution
    return known.halt(torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(3, side, side), block)


@lru_cache(maxsize=256)
def _answer(pixels: bytes, block: str, gates: tuple[tuple[int, float], ...]) -> Answer:
    """Return the answer when the gates of some channels are replaced."""
    halt = _halt(pixels, block)
    used = halt.gates.clone()
    if gates:
        channels, values = zip(*gates, strict=True)
        used[list(channels)] = torch.tensor(values)
    logits = gated_network().logits(halt.before, halt.ungated, used, block)
    return Answer(*(tuple(values.tolist()) for values in (halt.gates, used, halt.logits, logits)))


class SqueezeExciteLogic(LabLogic[Setting, LayerProfile]):
    """Look at the gates of a trained network, set them by hand, and count and measure what they cost.

    The gates and the answer are those of the small network that comes with the course. Cost and time are
    those of the network in `network`, with the squeeze width in `squeeze`.
    """

    LAB = "SqueezeExciteLab"
    SETTING = Setting
    INVITATION = "Choose a network or a squeeze width: it is built and measured when it rests."

    picture = traitlets.Unicode(help="its class, or a file")
    example = traitlets.Int(1, min=1, max=EXAMPLES, help="which of its class")
    other = traitlets.Unicode(help="class to compare")
    block = traitlets.Enum(tuple(CHANNELS), list(CHANNELS)[-1], help="whose gates")
    channel = traitlets.Int(0, min=0, max=max(CHANNELS.values()) - 1, help="which gate")
    gates = traitlets.Enum(GATES, OWN, help="what it is given")
    gate = RoundedFloat(min=0.0, max=1.0, help="0 shut, 1 open")
    network = traitlets.Enum(NETWORKS, "B0", help="for cost and time")
    squeeze = traitlets.Enum(SQUEEZES, USUAL, help="width, of c_in")
    batch_size = traitlets.Int(1, min=1, max=1024, help="images at once")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Squeeze-and-excitation lab"

    @property
    def known(self) -> GatedNetwork:
        """The trained network."""
        return gated_network()

    def pictures(self) -> tuple[str, ...]:
        """Return what `picture` can be: every class, and the learner's own of this session."""
        return (*self.known.class_names, *_given)

    @traitlets.default("picture")
    def _first_class(self) -> str:
        return self.known.class_names[0]

    @traitlets.default("other")
    def _second_class(self) -> str:
        return self.known.class_names[1]

    @traitlets.default("channel")
    def _telling_channel(self) -> int:
        """The channel by which the block tells the two classes apart best."""
        return int(np.abs(self._contrast(self.picture, self.other, self.block)).argmax())

    @traitlets.default("gate")
    def _present_gate(self) -> float:
        chosen = {name: getattr(self, name) for name in self.names() if name not in ("gates", "gate")}
        gates = OTHER if self.gates == OTHER else OWN
        return round(self.answer(Setting(**chosen, gates=gates, gate=0.0)).gates[self.channel], 2)

    @traitlets.validate("picture")
    def _check_picture(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if name not in self.pictures():
            if not _is_file(name):
                known = ", ".join(self.known.class_names)
                raise traitlets.TraitError(f"picture is {name!r}; it is one of {known}, or a picture's file.")
            with Path(name).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            try:
                _given[name] = self._fitted(content, name)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
        return name

    @traitlets.validate("other")
    def _check_other(self, proposal: Any) -> str:
        if proposal["value"] not in self.known.class_names:
            known = ", ".join(self.known.class_names)
            raise traitlets.TraitError(f"other is {proposal['value']!r}; it is one of {known}.")
        return str(proposal["value"])

    @traitlets.validate("channel")
    def _check_channel(self, proposal: Any) -> int:
        last = CHANNELS[self.block] - 1
        if proposal["value"] > last:
            raise traitlets.TraitError(f"channel is {proposal['value']}; {self.block} has 0 to {last}.")
        return int(proposal["value"])

    def follow(self, name: str) -> None:
        """Show the gate of a chosen channel, and set one by hand when the gate is moved."""
        if name == "gate":
            if self.gates in (OWN, OTHER):
                self.gates = ONE
            return
        if name == "block":
            self.channel = min(self.channel, CHANNELS[self.block] - 1)
        if name in ("block", "channel") and self.gates == ONE:
            self.gates = OWN
        if self.gates in (OWN, OTHER):
            self.gate = self._present_gate()

    def offer(self, name: str, content: bytes) -> None:
        """Take a picture that the learner chose, or say in the status line why not.

        Args:
            name: Name of its file.
            content: The file.
        """
        called = _plain(name)
        try:
            pixels = self._fitted(content, called)
        except ValueError as error:
            self.say(Status("failed", str(error)))
            return
        taken, number = called, 1
        while taken in self.known.class_names or (taken in _given and not torch.equal(_given[taken], pixels)):
            number += 1
            taken = f"{called} ({number})"
        _given[taken] = pixels
        self.picture = taken

    def _fitted(self, content: bytes, name: str) -> Tensor:  # -> (3, side, side)
        side = self.known.network.spec.resolution
        image = ImageOps.fit(picture_from_bytes(content, name), (side, side), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()

    def pixels(self, setting: Setting) -> Tensor:  # -> (3, side, side)
        """Return the picture of a setting, uint8.

        Args:
            setting: Any setting.
        """
        if setting.picture in self.known.class_names:
            return self.known.picture(self.known.class_names.index(setting.picture), setting.example - 1)
        return _given[setting.picture]

    def answer(self, setting: Setting) -> Answer:
        """Return what the trained network says.

        Args:
            setting: Any setting.
        """
        replaced: tuple[tuple[int, float], ...] = ()
        if setting.gates == ONE:
            replaced = ((setting.channel, setting.gate),)
        elif setting.gates == ALL:
            replaced = tuple((channel, setting.gate) for channel in range(CHANNELS[setting.block]))
        elif setting.gates == OTHER:
            replaced = tuple(enumerate(self.class_gates(setting.block, setting.other)))
        return _answer(self.pixels(setting).numpy().tobytes(), setting.block, replaced)

    def class_gates(self, block: str, name: str) -> tuple[float, ...]:
        """Return the mean gates of a class in a block, over the study's test pictures.

        Args:
            block: Name of the block.
            name: Name of the class.
        """
        return self.known.by_block[block].means[self.known.class_names.index(name)]

    def contrast(self, setting: Setting) -> tuple[float, ...]:
        """Return how much wider open each gate is than for the other class.

        Mean of the picture's class less mean of the other; for a learner's own picture, its own gates.

        Args:
            setting: Any setting.
        """
        found = self._contrast(setting.picture, setting.other, setting.block)
        return tuple(float(value) for value in found)

    def compared_classes(self, setting: Setting) -> str:
        """Return in words what `contrast` subtracts, such as `mean of O less mean of Q`.

        Args:
            setting: Any setting.
        """
        drawn = setting.picture in self.known.class_names
        return f"{f'mean of {setting.picture}' if drawn else 'this picture'} less mean of {setting.other}"

    def _contrast(self, picture: str, other: str, block: str) -> Any:
        if picture in self.known.class_names:
            here: tuple[float, ...] = self.class_gates(block, picture)
        else:
            here = _answer(_given[picture].numpy().tobytes(), block, ()).own_gates
        return np.array(here) - np.array(self.class_gates(block, other))

    def focus(self, setting: Setting) -> int:
        """Return the class whose probability is shown: the picture's, or what its own gates lead to.

        Args:
            setting: Any setting.
        """
        if setting.picture in self.known.class_names:
            return self.known.class_names.index(setting.picture)
        return int(np.argmax(self.answer(setting).own_logits))

    def called(self, setting: Setting) -> str:
        """Return the picture in words, such as `O, picture 3`.

        Args:
            setting: Any setting.
        """
        drawn = setting.picture in self.known.class_names
        return f"{setting.picture}, picture {setting.example}" if drawn else setting.picture

    def gates_in_words(self, setting: Setting) -> str:
        """Return which gates the network is given, in a few words.

        Args:
            setting: Any setting.
        """
        return {
            OWN: "its own gates",
            ONE: f"gate {setting.channel} at {setting.gate:.2f}",
            ALL: f"all gates at {setting.gate:.2f}",
            OTHER: f"mean gates of {setting.other}",
        }[setting.gates]

    def measured_label(self, setting: Setting) -> str:
        """Return what is counted and measured, such as `B0, SE 1/4`."""
        batch = f", batch {setting.batch_size}" if setting.batch_size > 1 else ""
        return f"{named(setting.network)}, SE {setting.squeeze}{batch}"

    def label(self, setting: Setting) -> str:
        """Return picture and gates, and what is counted and measured."""
        shown = f"{self.called(setting)}, {setting.block}, {self.gates_in_words(setting)}"
        return f"{shown}; {self.measured_label(setting)}"

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return gates and answer, what the study found, and what the network costs."""
        answer, label = self.answer(setting), self.focus(setting)
        name = f"for {self.known.class_names[label]}"
        found = (
            Number("its own gate", answer.own_gates[setting.channel], decimals=3),
            Number("gate given", answer.gates[setting.channel], decimals=3),
            Number("mean gate given", sum(answer.gates) / len(answer.gates), decimals=3),
            Number("logit", answer.logits[label], decimals=2, note=name),
            Number("probability", 100 * answer.probability(label), "%", decimals=1),
            Number("with own gates", 100 * answer.probability(label, own=True), "%", decimals=1),
        )
        share = 100 * self.known.by_block[setting.block].between_class_share
        recorded = (Number("decided by class", share, "%", decimals=1),)
        costs = cost_numbers(setting.network, setting.squeeze)
        return (
            Section("computed", found, f"computed, {setting.block}"),
            Section("recorded", recorded, f"recorded, {self.known.tested:,} test pictures"),
            Section("computed", costs, f"computed, {named(setting.network)}"),
            *_printed(setting.network),
            self._details(setting),
        )

    def _details(self, setting: Setting) -> Section:
        """Return every logit, every gate and every difference that the picture shows."""
        answer, names = self.answer(setting), self.known.class_names
        logits = (
            Number(f"logit of {name}{words}", values[label], decimals=2, is_detail=True)
            for label, name in enumerate(names)
            for words, values in (("", answer.logits), (", own gates", answer.own_logits))
        )
        three = (
            (" given", answer.gates),
            (", its own", answer.own_gates),
            (f", {self.compared_classes(setting)}", self.contrast(setting)),
        )
        gates = (
            Number(f"gate {channel}{words}", values[channel], decimals=3, is_detail=True)
            for channel in range(len(answer.gates))
            for words, values in three
        )
        return Section("computed", (*logits, *gates), f"computed, {setting.block}")

    def measured(self, record: Record[Setting, LayerProfile]) -> tuple[Number, ...]:
        """Return what the whole network and its squeeze-and-excitation take."""
        found = record.measurement
        low, high = (1000 * end for end in found.whole.interval)
        inside = 1000 * found.by_part().get("squeeze_excite", 0.0)
        share, *ends = found.part_share("squeeze_excite") if inside else (0.0, 0.0, 0.0)
        return (
            Number("whole network", 1000 * found.whole.median, "ms", interval=(low, high)),
            Number("SE", inside, "ms"),
            Number("SE share", 100 * share, "%", decimals=1, interval=(100 * ends[0], 100 * ends[1])),
        )

    def take(self, setting: Setting, watch: Watch) -> LayerProfile:
        """Build the network with random weights and measure its layers."""
        return profile_layers(
            build_with(setting.network, setting.squeeze),
            setting.batch_size,
            device=self.place(setting),
            seconds=MEASURED_SECONDS,
            is_cancelled=watch.is_cancelled,
            progress=watch.progress,
            waiting=watch.waiting,
        )

    def essence(self, setting: Setting) -> Setting:
        """A measurement depends on the network, its squeeze, the batch and the device."""
        return replace(setting, picture="", example=1, other="", block="", channel=0, gates=OWN, gate=0.0)

    def remark(self, record: Record[Setting, LayerProfile]) -> str:
        """Say which share of the time squeeze-and-excitation takes."""
        return f"SE takes {self.measured(record)[-1]} of the time."

    def row(self, record: Record[Setting, LayerProfile]) -> dict[str, object]:
        """Return the settings that a measurement depends on, then what it found."""
        names = ("network", "squeeze", "batch_size", "device")
        settings = {name: getattr(record.setting, name) for name in names}
        found = {"device_name": record.measurement.device_name}
        for number in self.measured(record):
            found[f"{number.name}, {number.unit}"] = number.value  # type: ignore[assignment]
        return settings | found


def _printed(network: str) -> tuple[Section, ...]:
    if network == SMALL:
        return ()
    row = read("effnet_table2").row(network=f"EfficientNet-{network}")
    printed = Number("parameters, paper", row.number("parameters_millions"), "million")
    return (Section("published", (printed,), "published"),)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return False


def _plain(name: str) -> str:
    """Return the last part of a file's name, without what no name needs."""
    last = PurePath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isprintable())
    return kept[-_LONGEST_NAME:] or "picture"
