"""The MBConv lab as widgets."""

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from effnet_edu.labs.controls import Choice, Slider
from effnet_edu.labs.frame import Lab, Screen
from effnet_edu.labs.logic import LabLogic, devices
from effnet_edu.labs.mbconv_logic import MBConvLogic
from effnet_edu.labs.mbconv_screen import NOTE, drawings


@dataclass(frozen=True)
class Pair:
    """Two lists side by side, for settings whose names and values are short.

    Attributes:
        left: One of them.
        right: The other.
    """

    left: Choice
    right: Choice

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return both lists, linked to the logic.

        Args:
            logic: The lab.
        """
        row = widgets.HBox([choice.build(logic) for choice in (self.left, self.right)])
        row.add_class("ee-pair")
        for control in row.children:
            control.layout.flex = "1 1 0"
            dropdown, _help = control.children
            dropdown.style.description_width = "44px"
            dropdown.layout.width = "auto"
        return row


class MBConvLab(Lab):
    """An interactive picture of one block: MBConv, Fused-MBConv or a plain convolution of the same shape.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of kind (`"MBConv"`, `"Fused-MBConv"`, `"convolution"`), expansion (1 to 8),
            channels_in and channels_out (8 to 320), side (4 to 128 px), kernel (3, 5 or 7), stride (1 or 2),
            squeeze_ratio (0 is off), batch_size and precision.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MBConvLogic
    SUBJECT = "one block, and who spends what in it"
    LEAD = (
        "Shape one block. Exact counts follow at once; when it rests, three kinds are built and timed here."
    )
    CONTROLS = (
        Choice("kind"),
        Slider("expansion", 1, label="expand"),
        Slider("channels_in", 8, label="c_in"),
        Slider("channels_out", 8, label="c_out"),
        Slider("side", 1, unit="px"),
        Pair(Choice("kernel", label="kernel"), Choice("stride", label="stride")),
        Pair(
            Choice("squeeze_ratio", (0.0, 0.0625, 0.125, 0.25, 0.5, 1.0), label="SE"),
            Choice("batch_size", tuple(2**n for n in range(9)), label="batch"),
        ),
        Pair(Choice("precision", label="type"), Choice("device", devices, label="on")),
    )

    logic: MBConvLogic

    def draw(self) -> Screen:
        """Return the block and its charts."""
        return Screen(drawings(self.logic), NOTE if self.logic.pinned is None else "")
