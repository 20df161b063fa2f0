"""The squeeze-and-excitation lab as widgets."""

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from effnet_edu.images.from_bytes import KINDS, MOST_BYTES
from effnet_edu.labs.controls import Choice, Pair, Slider
from effnet_edu.labs.frame import Lab
from effnet_edu.labs.gated_network import EXAMPLES, gated_network
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import LabLogic, devices
from effnet_edu.labs.squeeze_excite_logic import CHANNELS, SqueezeExciteLogic
from effnet_edu.labs.squeeze_excite_screen import NOTE, pictures, session_table


@dataclass(frozen=True)
class PictureChoice:
    """The list of pictures, with a button that takes one of the learner's own."""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return list and button, linked to the logic."""
        assert isinstance(logic, SqueezeExciteLogic)  # noqa: S101 - the only lab with pictures
        control = Choice("picture", logic.pictures, help="its class, or an").build(logic)
        dropdown, told = control.children
        button = widgets.FileUpload(
            accept=",".join(f".{kind.lower()}" for kind in (*KINDS, "JPG")),
            description="own picture",
            tooltip="Take a picture of your own: one of the ten characters, drawn or photographed; "
            f"up to {MOST_BYTES // 2**20} MiB.",
            layout=widgets.Layout(width="auto", margin="0 0 0 6px"),
        )
        button.add_class("ee-upload")

        def take(change: Any) -> None:
            if not change["new"]:
                return
            (file,) = change["new"]
            logic.offer(file["name"], bytes(file["content"]))
            button.value = ()  # the file is not kept

        button.observe(take, "value")
        row = widgets.HBox([told, button], layout=widgets.Layout(align_items="center", margin="0 0 3px"))
        control.children = (dropdown, row)
        return control


@dataclass(frozen=True)
class ChannelSlider:
    """The channel, which ends where the block's channels end."""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the slider, linked to the logic."""
        control = Slider("channel", 1).build(logic)
        head, slider = control.children
        ends = (slider, head.children[0])

        def fit(_change: object = None) -> None:
            for widget in ends:
                widget.max = CHANNELS[logic.block] - 1  # type: ignore[attr-defined]

        logic.observe(fit, "block")
        fit()
        return control


class SqueezeExciteLab(Lab):
    """An interactive look into the gates of a trained network, and at what they cost.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of picture (a class such as `"O"`, or a picture's file), example (1 to 10), other,
            block, channel, gates, gate (0 to 1), network (`"small"`, `"B0"` to `"B7"`), squeeze and
            batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range, or a file holds no picture.
    """

    LOGIC = SqueezeExciteLogic
    SUBJECT = "each channel has a gate"
    LEAD = "Set the gates of a small trained network, and its logits answer at once. Below: what gates cost."
    CONTROLS = (
        PictureChoice(),
        Pair(
            Choice("example", range(1, EXAMPLES + 1), label="number", help="of its class"),
            Choice("other", lambda: gated_network().class_names, label="with", help="to compare"),
        ),
        Choice("block"),
        ChannelSlider(),
        Choice("gates"),
        Slider("gate", 0.01),
        Choice("network"),
        Choice("squeeze"),
        Pair(Choice("batch_size", tuple(2**n for n in range(8)), label="batch"), Choice("device", devices)),
    )

    logic: SqueezeExciteLogic

    def draw(self) -> Screen:
        """Return the answer, the gates and their price."""
        note = NOTE if self.logic.pinned is None else ""
        return Screen(pictures(self.logic), note, session_table(self.logic))

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        logic = self.logic
        answer, label = logic.answer(logic.setting), logic.focus(logic.setting)
        return (
            f"{logic.title} at {logic.label(logic.setting)}: {logic.known.class_names[label]} has a "
            f"probability of {answer.probability(label):.1%}, with its own gates "
            f"{answer.probability(label, own=True):.1%}."
        )
