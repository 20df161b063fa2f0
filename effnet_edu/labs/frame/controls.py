"""Controls of a lab: each is one setting with its name, its field or choice, its unit and a short help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import ipywidgets as widgets
import traitlets

from effnet_edu.labs.frame.logic import Status
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.settings import read_number


class Control(Protocol):
    """Whatever can stand in the column of controls; what groups or wraps others says which in `parts`."""

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
        """Return the widget, linked to the logic."""
        ...


def help_line(unit: str, help_text: str) -> widgets.HTML:
    """Return the short help of a control, after its unit."""
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
        dimension: Whose colour it has: `depth`, `width`, `resolution` or `compound`.
    """

    name: str
    step: float
    label: str = ""
    unit: str = ""
    help: str = ""
    dimension: str = ""

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
        """Return field, help and slider, linked to the logic."""
        trait: Any = logic.traits()[self.name]
        is_whole = isinstance(trait, traitlets.Integer)
        label, help_text = self.label or self.name, self.help or trait.help
        low, high = logic.ends(self.name)
        slider = (widgets.IntSlider if is_whole else widgets.FloatSlider)(
            min=low,
            max=high,
            step=self.step,
            value=getattr(logic, self.name),
            readout=False,
            tooltip=help_text,
            layout=widgets.Layout(width="98%", margin="0 0 4px"),
        )
        # Not a field for numbers: in a browser that drops what it cannot read, and says nothing.
        field = widgets.Text(
            continuous_update=False,
            description=label,
            tooltip=help_text,
            style={"description_width": "52px"},
            layout=widgets.Layout(width="116px", flex="0 0 auto", margin="0"),
        )
        slider.add_class(_css(self.name))
        field.add_class(f"{_css(self.name)}-field")
        is_showing = False
        drawn = slider.value

        def show(_change: object = None) -> None:
            nonlocal is_showing, drawn
            is_showing = True
            try:
                slider.max = logic.ends(self.name)[1]
                slider.value = drawn = self._step_nearest_to(getattr(logic, self.name), low, slider.max)
                field.value = f"{getattr(logic, self.name):g}"
            finally:
                is_showing = False

        def choose(value: float) -> None:
            try:
                setattr(logic, self.name, value)
            except traitlets.TraitError as error:
                logic.say(Status("failed", str(error)))
            show()

        def read(change: Any) -> None:
            if is_showing:
                return
            try:
                choose(read_number(label, change["new"], logic.ends(self.name), is_whole))
            except ValueError as error:
                logic.say(Status("failed", str(error)))
                show()

        def slide(change: Any) -> None:
            if not is_showing and abs(change["new"] - drawn) > self.step / 2:
                choose(change["new"])

        show()
        logic.observe(show, [self.name, "setting"])
        slider.observe(slide, "value")
        field.observe(read, "value")
        head = widgets.HBox([field, help_line(self.unit, help_text)])
        head.layout.align_items = "center"
        control = _control([head, slider])
        if self.dimension:
            control.add_class(f"ee-of-{self.dimension}")
        if self.name == logic.MAIN:
            control.add_class("ee-main")
        return control

    def _step_nearest_to(self, value: float, low: float, high: float) -> float:
        """Return where the handle stands for a value between two steps.

        A browser moves a handle to a step by itself and tells the kernel, as if a reader had done it.
        """
        nearest = low + round((value - low) / self.step) * self.step
        is_a_step = value >= high or abs(nearest - value) < 1e-6 * self.step
        return value if is_a_step else min(nearest, high)


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

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
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

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
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
class Several:
    """A checkbox for each of some choices; those that `logic.barred()` names cannot be chosen.

    Attributes:
        name: The setting, a tuple of whole numbers.
        options: Every choice.
        label: What a choice is called, with `{}` for its number.
        help: What they do, in a few words; the trait's help by default.
    """

    name: str
    options: Sequence[int]
    label: str
    help: str = ""

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
        """Return the checkboxes, linked to the logic."""
        boxes = {option: self._box(logic, option) for option in self.options}

        def show(_change: object = None) -> None:
            barred = logic.barred().get(self.name, ())
            for option, box in boxes.items():
                box.value, box.disabled = option in getattr(logic, self.name), option in barred

        show()
        logic.observe(show, ["setting", self.name])
        columns = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(74px, 1fr))", width="98%")
        grid = widgets.GridBox(list(boxes.values()), layout=columns)
        column = _control([help_line("", self.help or logic.traits()[self.name].help), grid])
        column.add_class("ee-several")
        column.layout.flex = f"2 1 {80 * len(self.options)}px"
        return column

    def _box(self, logic: Measuring[Any, Any], option: int) -> widgets.Checkbox:
        box = widgets.Checkbox(
            description=self.label.format(option),
            tooltip=f"{logic.traits()[self.name].help}: {self.label.format(option)}",
            indent=False,
            layout=widgets.Layout(width="auto", margin="0"),
        )
        box.add_class(f"{_css(self.name)}-{option}")

        def choose(change: Any) -> None:
            others = set(getattr(logic, self.name)) - {option}
            setattr(logic, self.name, tuple(others | {option} if change["new"] else others))

        box.observe(choose, "value")
        return box


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

    @property
    def parts(self) -> tuple[Control, ...]:
        """Both."""
        return self.left, self.right

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
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

    def build(self, logic: Measuring[Any, Any]) -> widgets.Widget:
        """Return the control, linked to the logic."""
        built = self.control.build(logic)

        def show(_change: object = None) -> None:
            built.layout.display = "" if getattr(logic, self.name) == self.value else "none"

        show()
        logic.observe(show, self.name)
        return built
