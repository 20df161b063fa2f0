"""What of a lab follows its setting: finding, living pictures, numbers and tables."""

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as widgets
import traitlets

from effnet_edu.labs.frame.layout import NARROWEST, WIDEST, LiveScreen, all_numbers, figures, said
from effnet_edu.labs.frame.logic import Status
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.numbers import comparisons_csv, sections_csv
from effnet_edu.labs.frame.picture import LivePicture


def html(css: str) -> widgets.HTML:
    """Return a place for HTML with a class of the style sheet."""
    made = widgets.HTML()
    made.add_class(css)
    return made


class LiveBody:
    """Shows a logic whose screen is a `LiveScreen`, and tells it what was touched.

    Args:
        logic: The logic.
        screen: Its screen at first.
    """

    def __init__(self, logic: Measuring[Any, Any], screen: LiveScreen) -> None:
        self._logic = logic
        self.said, self.figures, self.table = html("ee-said"), html("ee-numbers"), html("ee-all")
        self.picture = LivePicture(screen.picture, self._touched, self._widened)
        self.charts = LivePicture(screen.charts, self._touched)
        self.picture.add_class("ee-hero")
        self.charts.add_class("ee-charts")
        self.is_table = False

    def show(self) -> None:
        """Show the logic as it is now."""
        logic = self._logic
        screen: Any = logic.screen()
        # In the order in which the eye takes them; the page draws one while Python counts the next.
        self.picture.show(screen.picture)
        self.said.value = said(logic, screen)
        self.figures.value = figures(logic)
        self.charts.show(screen.charts)
        self.table.layout.display = "" if self.is_table else "none"
        self.charts.layout.display = "none" if self.is_table else ""
        if not self.is_table:
            self.table.value = ""
        else:
            compares = logic.pinned is not None
            csv = comparisons_csv(logic.compared()) if compares else sections_csv(logic.shown())
            more = logic.all_tables()
            self.table.value = f"{all_numbers(logic, more)}<pre class='ee-csv' hidden>{escape(csv)}</pre>"

    def _touched(self, sets: Mapping[str, Any], _moving: bool) -> None:
        try:
            self._logic.touch(sets)
        except (traitlets.TraitError, ValueError) as error:
            self._logic.say(Status("failed", str(error)))

    def _widened(self, width: int) -> None:
        self._logic.room = min(max(width, NARROWEST), WIDEST)
