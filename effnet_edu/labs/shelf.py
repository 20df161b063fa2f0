"""All labs in one place: one is seen, and each is built when it is first opened."""

from html import escape
from typing import Any

import ipywidgets

from effnet_edu import labs
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.page import exact


class Shelf(ipywidgets.VBox):
    """A row of buttons, and the lab that was chosen below its question.

    Attributes:
        choice: The buttons; `value` is the name of the lab that is seen.
        built: The labs that were opened so far, by name.
    """

    def __init__(self) -> None:
        self.built: dict[str, Any] = {}
        self.choice = ipywidgets.ToggleButtons(
            options=[(exact(lab)().title, lab) for lab in LABS], style={"button_width": "auto"}
        )
        self._words = ipywidgets.HTML()
        super().__init__([])
        self.choice.observe(lambda change: self._open(change["new"]), "value")
        self._open(self.choice.value)

    def _open(self, lab: str) -> None:
        if lab not in self.built:
            self.built[lab] = getattr(labs, lab)()
        self.children = (self.choice, self._words, self.built[lab])
        logic = exact(lab)  # its question comes last: where it stands, its lab is there
        self._words.value = f"<h2>{escape(logic.QUESTION)}</h2><p>{escape(logic.TRY)}</p>"
