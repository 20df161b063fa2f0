"""The words and controls of the squeeze-and-excitation lab."""

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from effnet_edu.images.reader import MOST_BYTES, SUFFIXES
from effnet_edu.labs.frame.controls import Choice, Pair, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import Measuring, devices
from effnet_edu.labs.squeeze_excite.measured import MeasuredSqueezeExcite
from effnet_edu.labs.squeeze_excite.numbers import CLASSES, EXAMPLES


@dataclass(frozen=True)
class PictureChoice:
    """The list of pictures, with a button that takes one of the learner's own."""

    #: What a page without a network has of it.
    parts = (Choice("picture", CLASSES, label="class"),)

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
        """Return list and button, linked to the logic."""
        assert isinstance(logic, MeasuredSqueezeExcite)  # noqa: S101 - the only lab with pictures
        control = Choice("picture", logic.pictures, help="its class, or an").build(logic)
        dropdown, told = control.children
        button = widgets.FileUpload(
            accept=",".join(SUFFIXES),
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


class SqueezeExciteLab(Lab):
    """An interactive look into the gates of a trained network, and at what they cost.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of picture (a class such as `"O"`, or a picture's file), example (1 to 10), other,
            block, channel, gates (`"its own"`, `"most useful shut"`, `"shuffled"`, `"other class's"` or
            `"all by hand"`), by_hand (pairs of a channel and its gate), gate (0 to 1), network
            (`"small"`, `"B0"` to `"B7"`), squeeze and batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range, or a file holds no picture.
    """

    LOGIC = MeasuredSqueezeExcite
    SUBJECT = "each channel has a gate"
    CONTROLS = (
        PictureChoice(),
        Pair(
            Choice("example", range(1, EXAMPLES + 1), label="number", help="of its class"),
            Choice("other", CLASSES, label="with", help="to compare"),
        ),
        Choice("block"),
        Slider("channel", 1),
        Choice("gates"),
        Slider("gate", 0.01),
        Choice("network"),
        Choice("squeeze"),
        Pair(Choice("batch_size", tuple(2**n for n in range(8)), label="batch"), Choice("device", devices)),
    )
