"""The row in which a learner writes a guess before it is measured; the chart takes one as well."""

from contextlib import suppress
from typing import Any

import ipywidgets as widgets

from effnet_edu.labs.frame.logic import Status
from effnet_edu.labs.frame.measuring import Measuring


class Asking(widgets.HBox):
    """A question with a field, there only while a lab asks for a guess.

    Args:
        logic: The lab.

    Attributes:
        told: How far off the guess was, for screen readers, which are not told of what changes elsewhere.
    """

    def __init__(self, logic: Measuring[Any, Any]) -> None:
        self._logic, self._is_showing = logic, False
        self._of: Any = None
        self.told = widgets.HTML()
        self.told.add_class("ee-told")
        self._question, self._unit = widgets.HTML(), widgets.HTML()
        self._field = widgets.Text(layout=widgets.Layout(width="72px", margin="0"))
        button = widgets.Button(
            description="Commit",
            tooltip="Commit the guess; then it is measured.",
            layout=widgets.Layout(width="auto", margin="0"),
        )
        button.on_click(lambda _: self._commit())
        self._field.on_msg(self._heard)
        self._field.observe(self._written, "value")
        super().__init__([self._question, self._field, self._unit, button])
        self.add_class("ee-asking")

    def show(self) -> None:
        """Show the question and the guess so far, or nothing."""
        logic = self._logic
        self.told.value = "" if logic.verdict is None else logic.verdict.sentence
        what = logic.guessed(logic.setting) if logic.asks else None
        self.layout.display = "none" if what is None else ""
        if what is None:
            return
        self._is_showing = True
        try:
            self._question.value = f"<b>Guess first.</b> {what.question}"
            self._unit.value = what.unit
            if self._of != (key := logic.guess_key(logic.setting)):
                self._of, self._field.value = key, ""  # what was written was for another setting
            if logic.guess is not None and self._read() != logic.guess:
                self._field.value = f"{logic.guess:g}"
        finally:
            self._is_showing = False

    def _read(self) -> float | None:
        """Return what the field says as a guess, or None while it is none."""
        what = self._logic.guessed(self._logic.setting)
        with suppress(ValueError):
            return None if what is None else what.read(self._field.value)
        return None

    def _written(self, _change: object) -> None:
        if not self._is_showing and (guess := self._read()) is not None:
            self._logic.touch({"guess": guess})

    def _heard(self, _field: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":  # the Enter key
            self._commit()

    def _commit(self) -> None:
        try:
            self._logic.touch({"guess": self._field.value or None, "commit": True})
        except ValueError as error:
            self._logic.say(Status("failed", str(error)))
