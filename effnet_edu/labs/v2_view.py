"""The V2 lab as widgets."""

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from effnet_edu.labs.controls import Choice, OnlyWhile, Pair, Slider, Toggle, help_line
from effnet_edu.labs.frame import Lab
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import LabLogic, devices
from effnet_edu.labs.v2_logic import V2Logic
from effnet_edu.labs.v2_screen import fusing_screen
from effnet_edu.labs.v2_setting import FUSING, MOST_STAGES, PROGRESSIVE
from effnet_edu.labs.v2_stages_screen import stages_screen


@dataclass(frozen=True)
class StageToggles:
    """A checkbox for each stage of the network."""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the checkboxes, linked to the logic."""
        boxes = {n: self._box(logic, n) for n in range(1, MOST_STAGES + 1)}

        def show(_change: object = None) -> None:
            for n, box in boxes.items():
                box.value, box.disabled = n in logic.fused, n > logic.last_stage  # type: ignore[attr-defined]

        show()
        logic.observe(show, ["fused", "network"])
        columns = widgets.Layout(grid_template_columns="repeat(2, 1fr)", width="98%")
        column = widgets.VBox(
            [
                help_line("", logic.traits()["fused"].help),
                widgets.GridBox(list(boxes.values()), layout=columns),
            ]
        )
        column.add_class("ee-control")
        column.add_class("ee-stages")
        return column

    def _box(self, logic: LabLogic[Any, Any], n: int) -> widgets.Checkbox:
        box = widgets.Checkbox(
            description=f"stage {n}",
            tooltip=f"Fused-MBConv in stage {n}",
            indent=False,
            layout=widgets.Layout(width="auto", margin="0"),
        )
        box.add_class(f"ee-fused-{n}")

        def choose(change: Any) -> None:
            others = set(logic.fused) - {n}  # type: ignore[attr-defined]
            logic.fused = tuple(others | {n} if change["new"] else others)  # type: ignore[attr-defined]

        box.observe(choose, "value")
        return box


@dataclass(frozen=True)
class Flat:
    """A slider beside its field, with the help below, where many of them must fit.

    Attributes:
        slider: The slider.
    """

    slider: Slider

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the slider, linked to the logic."""
        control = self.slider.build(logic)
        head, slider = control.children
        field, help_text = head.children
        field.style.description_width, field.layout.width = "66px", "122px"
        slider.layout = widgets.Layout(flex="1 1 auto", width="auto", margin="0 4px 0 8px")
        head.children, control.children = (field, slider), (head, help_text)
        return control


class V2Lab(Lab):
    """What made EfficientNetV2 quick to train, on real networks: fused stages, and images that grow.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of part (`"fused stages"` or `"progressive learning"`), network (`"B0"` to `"B4"`,
            `"V2-B0"`, `"V2-S"`, `"V2-M"`), fused (stages counted from 1, such as `(1, 2, 3)`), side,
            schedule, stages, first_side, randaugment, mixup, dropout, growing and batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = V2Logic
    SUBJECT = "fused stages, and images that grow"
    LEAD = "Counts follow at once; real training steps are measured when you let go."
    CONTROLS = (
        Choice("part", label_width=28),
        Pair(Choice("network"), Choice("batch_size", tuple(2**n for n in range(9)), label="batch"), 58),
        OnlyWhile("part", FUSING, StageToggles()),
        OnlyWhile("part", PROGRESSIVE, Choice("schedule")),
        OnlyWhile("part", PROGRESSIVE, Flat(Slider("stages", 1))),
        OnlyWhile("part", PROGRESSIVE, Flat(Slider("first_side", 4, label="first side"))),
        Flat(Slider("side", 4, label="side")),
        OnlyWhile("part", PROGRESSIVE, Flat(Slider("randaugment", 1, label="RandAug."))),
        OnlyWhile("part", PROGRESSIVE, Flat(Slider("mixup", 0.1))),
        OnlyWhile("part", PROGRESSIVE, Flat(Slider("dropout", 0.05))),
        Pair(Choice("device", devices), OnlyWhile("part", PROGRESSIVE, Toggle("growing")), 58),
    )

    logic: V2Logic

    def draw(self) -> Screen:
        """Return the pictures of the chosen part."""
        return (fusing_screen if self.logic.setting.part == FUSING else stages_screen)(self.logic)
