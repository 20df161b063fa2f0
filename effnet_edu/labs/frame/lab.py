"""The frame of all labs: finding and picture, controls, large numbers, charts, the device's state below."""

import base64
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as widgets

from effnet_edu.ground.front_end import without_a_dead_view
from effnet_edu.labs.frame.asking import Asking
from effnet_edu.labs.frame.body import LiveBody, html
from effnet_edu.labs.frame.cells import close_when_its_cell_runs_again
from effnet_edu.labs.frame.controls import Control
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.numbers import without_details
from effnet_edu.labs.frame.tables import numbers_table
from effnet_edu.labs.frame.theme import STYLE_SHEET
from effnet_edu.pictures.still import still

#: What the picture follows.
FOLLOWED = ["setting", "history", "pinned", "room", "opened", "predicts", "guess", "guesses"]


@cache
def _style() -> str:
    script = Path(__file__).with_name("frame.js").read_text(encoding="utf-8")
    return f'<style onload="{escape(script)}">{STYLE_SHEET}</style>'


class Lab(widgets.VBox):
    """A lab in a notebook; a subclass names its logic, its words and its controls.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any setting of the logic.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    #: The logic.
    LOGIC: ClassVar[type[Measuring[Any, Any]]]
    #: What the lab is about, after its name.
    SUBJECT: ClassVar[str]
    #: The controls, in the order in which they are reached.
    CONTROLS: ClassVar[tuple[Control, ...]]

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self.logic = self.LOGIC(device, **settings)
        close_when_its_cell_runs_again(self)
        body = self._body = LiveBody(self.logic, self.logic.screen())
        # It observes before the controls do: the numbers must not wait for the controls to be synchronised.
        self.logic.observe(self._redraw, FOLLOWED)
        controls = widgets.VBox([control.build(self.logic) for control in self.CONTROLS])
        controls.add_class("ee-controls")
        below = (body.picture, controls, body.figures, body.charts, body.table)
        super().__init__([self._head(), *below, self._foot()])
        self.add_class("ee-live")
        self.add_class("ee-lab")
        self._redraw()
        self._tell()
        self.logic.observe(self._tell, "status")
        self.logic.observe(self._begin, "status")
        self.logic.observe(self._name_pin, "pinned")

    def in_words(self) -> str:
        """Return the lab in one sentence, for text alone and as the words of the still picture."""
        return self.logic.in_words()

    def still(self) -> str:
        """Return the lab as a picture with alternative text and tables, for readers without a kernel."""
        screen = self.logic.screen()
        picture = still(screen.whole, alone=True)
        encoded = base64.b64encode(picture.encode()).decode()
        return (
            f"<p><b>{escape(self.logic.title)}</b> (a still picture; a running notebook has the controls)</p>"
            f"<p>{escape(screen.finding)}</p>"
            f"<img alt='{escape(self.in_words(), quote=True)}' src='data:image/svg+xml;base64,{encoded}'>"
            f"{numbers_table(without_details(self.logic.shown()))}"
        )

    def close(self) -> None:
        """Stop measuring, give the device back, and leave nothing in the page and in memory."""
        if "logic" not in vars(self):  # a setting was refused, and Python now clears away what was begun
            return
        self.logic.cancel()
        self.logic.unobserve_all()
        for widget in _family(self):
            widget.unobserve_all()
            if widget is not self:
                widget.close()
        super().close()

    def _head(self) -> widgets.Widget:
        title = widgets.HTML(
            f"{_style()}<p class='ee-title'>{escape(self.logic.title)}: {escape(self.SUBJECT)}</p>"
        )
        title.add_class("ee-words")
        self._pin = _button("Pin as A", "Keep this setting as A, and see later ones against it.", "pin")
        self._view = _button("Numbers", "Show all numbers as a table.", "numbers")
        self._size = _button(
            "Present", "Picture, one control and one number for a projector (key P).", "size"
        )
        self._ask = _button("Guess first", "Guess before it is measured, and see how far off you are.", "ask")
        self._ask.layout.display = "" if self.logic.can_ask() else "none"
        self._asking = Asking(self.logic)
        self._pin.on_click(self._toggle_pin)
        self._ask.on_click(self._toggle_ask)
        self._view.on_click(self._toggle_view)
        self._size.on_click(self._toggle_size)
        buttons = _box("ee-buttons", self._ask, self._pin, self._view, self._size)
        return _box("ee-head", title, buttons, self._body.said, self._asking, self._asking.told)

    def _foot(self) -> widgets.Widget:
        self._status = html("ee-status")
        self._bar = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="90px", margin="0"))
        self._bar.add_class("ee-bar")
        self._cancel = _button("Cancel", "Stop the measurement; what was measured before stays.")
        measure = _button("Measure", "Measure the present setting once more.")
        reset = _button("Reset", "Back to the settings at the start; measured points stay.")
        export = _button("Export csv", "Save every measurement of this session as csv.")
        self._cancel.on_click(lambda _: self.logic.cancel())
        measure.on_click(lambda _: self.logic.request())
        reset.on_click(lambda _: self.logic.reset())
        export.on_click(self._export)
        self._code = html("ee-line")
        self._copy_csv = _copy_button("Copy csv", "pre.ee-csv")
        self._copy_csv.layout.display = "none"
        self._exported = html("ee-exported")
        # One quiet line; what is seldom needed comes with the table.
        export.add_class("ee-with-table")
        state = (self._status, self._bar, self._cancel, measure, reset)
        code = (self._code, _copy_button("Copy code", "code.ee-code"))
        return widgets.VBox([_box("ee-foot", *state, *code, export, self._copy_csv), self._exported])

    def _redraw(self, _change: object = None) -> None:
        # Changes come from the learner and from the thread that measures: the last to draw sees the newest.
        with self.logic.lock:
            self._body.show()
            self._asking.show()
            self._code.value = f"<code class='ee-code'>{escape(self.logic.code())}</code>"

    def _tell(self, _change: object = None) -> None:
        status = self.logic.status
        self._status.value = f"<span>{escape(status.message)}</span>"
        self._bar.value = status.progress
        self._bar.layout.display = "" if status.is_busy else "none"
        self._cancel.disabled = not status.is_busy

    def _begin(self, change: Any) -> None:
        """Say in an empty chart that the first measurement is under way, or no longer."""
        if self.logic.is_unmeasured and change["old"].is_busy != change["new"].is_busy:
            self._redraw()

    def _toggle_ask(self, _button: object) -> None:
        self.logic.predicts = not self.logic.predicts
        self._ask.description = "Stop guessing" if self.logic.predicts else "Guess first"

    def _toggle_pin(self, _button: object) -> None:
        if self.logic.pinned is None:
            self.logic.pin()
        else:
            self.logic.unpin()

    def _name_pin(self, _change: object) -> None:
        self._pin.description = "Pin as A" if self.logic.pinned is None else "Forget A"

    def _toggle_view(self, _button: object) -> None:
        is_table = self._body.is_table = not self._body.is_table
        (self.add_class if is_table else self.remove_class)("ee-as-table")
        self._view.description = "Picture" if is_table else "Numbers"
        self._copy_csv.layout.display = "" if is_table else "none"
        self._redraw()

    def _toggle_size(self, _button: object) -> None:
        is_large = "ee-large" in self._dom_classes
        (self.remove_class if is_large else self.add_class)("ee-large")
        self._size.description = "Present" if is_large else "Normal text"

    def _export(self, _button: object) -> None:
        data = base64.b64encode(self.logic.csv().encode()).decode()
        count, name = len(self.logic.history), f"{self.logic.title.lower().replace(' ', '_')}.csv"
        self._exported.value = (
            f"<p class='ee-note'>{count} measurement{'' if count == 1 else 's'} in this session. "
            f"<a download='{name}' href='data:text/csv;base64,{data}'>Save {name}</a></p>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a still picture for readers without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = self.still()
        bundle["text/plain"] = self.in_words()
        return without_a_dead_view(bundle)


def _family(widget: widgets.Widget) -> list[widgets.Widget]:
    """Return a widget and all that it holds: children, layouts, styles, and whatever else is a widget."""
    found = [widget]
    for one in found:
        held = [value for name in one.keys if isinstance(value := getattr(one, name), widgets.Widget)]
        found += [part for part in (*held, *getattr(one, "children", ())) if part not in found]
    return found


def _box(css: str, *children: widgets.Widget) -> widgets.Box:
    box = widgets.Box(children)
    box.add_class(css)
    return box


def _button(name: str, help_text: str, css: str = "") -> widgets.Button:
    button = widgets.Button(
        description=name, tooltip=help_text, layout=widgets.Layout(width="auto", margin="0")
    )
    button.add_class(f"ee-button-{css or name.split()[0].lower()}")
    return button


def _copy_button(name: str, selector: str) -> widgets.HTML:
    """Return a button that copies what an element of the lab says; the page does it, not the kernel."""
    return widgets.HTML(
        f"<button type='button' class='jupyter-button ee-copy' data-ee-copy='{selector}' "
        f"aria-live='polite'>{name}</button>",
        layout=widgets.Layout(margin="0"),
    )
