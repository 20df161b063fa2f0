"""How picture and numbers of a lab stand beside each other, in a notebook and in a page without a kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from effnet_edu.labs.frame.against import against
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.tables import comparison_table, figure, full_table, no_figure
from effnet_edu.pictures.scene import Scene, joined

#: What room a picture may be told that it has, in pixels: from a phone's notebook to a projector.
NARROWEST, WIDEST = 220, 2400
#: From so many pixels on there is room for higher pictures.
ROOMY = 1300
#: How high picture and charts may be together where the screen is low.
LOW = 400
#: From so many pixels on, all charts of a lab can stand in one row.
_ONE_ROW = 760


def is_low(room: float) -> bool:
    """Return whether pictures so wide stand on a low screen: on a laptop, perhaps beside a list of files."""
    return _ONE_ROW <= room < ROOMY


@dataclass(frozen=True)
class LiveScreen:
    """What a lab shows at a setting, as wide as `logic.room`: a finding, scenes that move, and tables.

    Attributes:
        finding: What the setting shows, as one computed sentence.
        picture: What the lab is about, above the controls.
        draw_charts: Draws what stands below the large numbers, once that is asked for: the picture is first.
        aside: What the finding leaves out, as one more sentence.
        tables: More tables, made by `tables.plain_table`, for the view of all numbers.
    """

    finding: str
    picture: Scene
    draw_charts: Callable[[], Scene]
    aside: str = ""
    tables: str = ""

    @cached_property
    def charts(self) -> Scene:
        """What stands below the large numbers."""
        return self.draw_charts()

    @property
    def whole(self) -> Scene:
        """Picture and charts in one, for a still."""
        below = self.picture.height + 16
        return joined(
            self.picture.title, (("picture", self.picture, 0, 0), ("charts", self.charts, 0, below))
        )


def figures(logic: LabLogic[Any, Any]) -> str:
    """Return the numbers that matter, large, as HTML."""
    shown = {number.name: (section, number) for section in logic.shown() for number in section.numbers}
    pinned = () if logic.pinned is None else logic.sections(logic.pinned)
    before = {(number.name, number.unit): number for section in pinned for number in section.numbers}
    parts = []
    for name in logic.headline():
        if name in shown:
            section, number = shown[name]
            parts.append(figure(name, section, number, before.get((name, number.unit))))
        elif logic.MEASURES:
            parts.append(no_figure(name))
    return f"<dl class='ee-figures'>{''.join(parts)}</dl>"


def said(logic: LabLogic[Any, Any], screen: LiveScreen) -> str:
    """Return the finding, and below it how far off a guess was, what changed from A, or an aside, as HTML."""
    finding = f"<p class='ee-finding'>{escape(screen.finding)}</p>"
    if logic.asks:
        return finding  # in place of the aside stands the question
    if (verdict := logic.verdict) is not None:
        css, words = "ee-close" if verdict.is_close else "ee-off", escape(verdict.sentence)
        return f"{finding}<p class='ee-verdict {css}'><b>{verdict.mark}</b> {words}</p>"
    sentences = (screen.aside,) if logic.pinned is None else against(logic)
    said = " ".join(f"<span>{escape(sentence)}</span>" for sentence in sentences)
    return f"{finding}<p class='ee-aside'>{said}</p>"


def all_numbers(logic: LabLogic[Any, Any], tables: str) -> str:
    """Return all numbers at the present setting, beside those of A where there is one, as HTML tables."""
    table = full_table(logic.shown()) if logic.pinned is None else comparison(logic, details=True)
    # What can be scrolled must be reached by Tab.
    return f"<div class='ee-tables' tabindex='0' role='region' aria-label='all numbers'>{table}{tables}</div>"


def comparison(logic: LabLogic[Any, Any], *, details: bool) -> str:
    """Return the numbers of A beside those of the present setting, as a table."""
    rows = [row for row in logic.compared() if details or not row.is_detail]
    return comparison_table(rows, logic.label(logic.pinned), logic.label(logic.setting))
