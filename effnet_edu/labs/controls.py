"""Controls of a lab: each is one setting with its name, its field or choice, its unit and a short help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import ipywidgets as widgets
import traitlets

from effnet_edu.labs.logic import LabLogic


class Control(Protocol):
    """Whatever can stand in the column of controls."""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the widget, linked to the logic.

        Args:
            logic: The lab.
        """
        ...


def help_line(unit: str, help_text: str) -> widgets.HTML:
    """Return the short help of a control.

    Args:
        unit: Of its setting; empty for none.
        help_text: What it does, in a few words.
    """
    shown = f"<span class='ee-unit'>{escape(unit)}</span> " if unit else ""
    line = widgets.HTML(f"{shown}<span class='ee-help'>{escape(help_text)}</span>")
    line.add_class("ee-helped")
    return line


def _css(name: str) -> str:
    return f"ee-{name.replace('_', '-')}"


def _control(parts: Sequence[widgets.Widget]) -> widgets.VBox:
    box = widgets.VBox(parts)
    box.add_class("ee-control")
    return box


@dataclass(frozen=True)
class Slider:
    """A slider and a field for a number; the trait says from where to where it goes.

    Attributes:
        name: The setting.
        step: By how much an arrow key moves it.
        label: What it is called; the setting's name by default.
        unit: Its unit.
        help: What it does, in a few words; the trait's help by default.
    """

    name: str
    step: float
    label: str = ""
    unit: str = ""
    help: str = ""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return field, help and slider, linked to the logic."""
        trait: Any = logic.traits()[self.name]
        whole = isinstance(trait, traitlets.Integer)
        label, help_text = self.label or self.name, self.help or trait.help
        bounds = {"min": trait.min, "max": trait.max, "step": self.step, "value": getattr(logic, self.name)}
        slider = (widgets.IntSlider if whole else widgets.FloatSlider)(
            **bounds, readout=False, tooltip=help_text, layout=widgets.Layout(width="98%", margin="0 0 4px")
        )
        field = (widgets.BoundedIntText if whole else widgets.BoundedFloatText)(
            **bounds,
            description=label,
            tooltip=help_text,
            style={"description_width": "52px"},
            layout=widgets.Layout(width="116px", flex="0 0 auto", margin="0"),
        )
        slider.add_class(_css(self.name))
        field.add_class(f"{_css(self.name)}-field")
        widgets.link((logic, self.name), (slider, "value"))
        widgets.link((logic, self.name), (field, "value"))
        head = widgets.HBox([field, help_line(self.unit, help_text)])
        head.layout.align_items = "center"
        return _control([head, slider])


@dataclass(frozen=True)
class Choice:
    """A list to choose from.

    Attributes:
        name: The setting.
        options: What there is, or what returns it; the trait's own values by default.
        label: What it is called; the setting's name by default.
        help: What it does, in a few words; the trait's help by default.
        label_width: Of the name, in pixels; less leaves more room for long values.
    """

    name: str
    options: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    label: str = ""
    help: str = ""
    label_width: int = 70

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the list, linked to the logic; a value set by code joins the options."""
        trait: Any = logic.traits()[self.name]
        given = self.options() if callable(self.options) else self.options
        options = list(given or trait.values)
        help_text = self.help or trait.help
        dropdown = widgets.Dropdown(
            options=_joined(options, getattr(logic, self.name)),
            value=getattr(logic, self.name),
            description=self.label or self.name,
            tooltip=help_text,
            style={"description_width": f"{self.label_width}px"},
            layout=widgets.Layout(width="98%"),
        )
        dropdown.add_class(_css(self.name))

        def show(change: Any) -> None:
            if change["new"] not in dropdown.options:
                dropdown.options = _joined(options, change["new"])
            dropdown.value = change["new"]

        def choose(change: Any) -> None:
            # Replacing the options sets the value to None for a moment.
            if change["new"] is not None:
                setattr(logic, self.name, change["new"])

        logic.observe(show, self.name)
        dropdown.observe(choose, "value")
        return _control([dropdown, help_line("", help_text)])


def _joined(options: list[Any], value: Any) -> list[Any]:
    return options if value in options else sorted([*options, value])


@dataclass(frozen=True)
class Toggle:
    """Something that is on or off.

    Attributes:
        name: The setting.
        label: What it is called; the setting's name by default.
        help: What it does, in a few words; the trait's help by default.
    """

    name: str
    label: str = ""
    help: str = ""

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return a checkbox, linked to the logic."""
        help_text = self.help or logic.traits()[self.name].help
        box = widgets.Checkbox(
            value=getattr(logic, self.name),
            description=self.label or self.name,
            tooltip=help_text,
            indent=False,
            layout=widgets.Layout(width="98%"),
        )
        box.add_class(_css(self.name))
        widgets.link((logic, self.name), (box, "value"))
        return _control([box, help_line("", help_text)])


@dataclass(frozen=True)
class Pair:
    """Two narrow controls in one row.

    Attributes:
        left: One of them.
        right: The other.
        left_share: Percent of the row that the left one has.
    """

    left: Control
    right: Control
    left_share: int = 50

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return both, linked to the logic."""
        built = [control.build(logic) for control in (self.left, self.right)]
        for control, share in zip(built, (self.left_share, 100 - self.left_share), strict=True):
            control.layout.width = f"{share}%"
            control.children[0].style.description_width = "initial"
        row = widgets.HBox(built)
        row.add_class("ee-pair")
        return row


@dataclass(frozen=True)
class OnlyWhile:
    """A control that is there only while another setting has one value.

    Attributes:
        name: The other setting.
        value: Its value.
        control: The control.
    """

    name: str
    value: Any
    control: Control

    def build(self, logic: LabLogic[Any, Any]) -> widgets.Widget:
        """Return the control, linked to the logic."""
        built = self.control.build(logic)

        def show(_change: object = None) -> None:
            built.layout.display = "" if getattr(logic, self.name) == self.value else "none"

        show()
        logic.observe(show, self.name)
        return built
