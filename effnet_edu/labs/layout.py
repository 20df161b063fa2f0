"""How picture and numbers of a lab stand beside each other, in a notebook and in a page without a kernel."""

from dataclasses import dataclass
from html import escape
from typing import Any

from effnet_edu.labs.drawing import Drawing
from effnet_edu.labs.logic import LabLogic
from effnet_edu.labs.numbers import without_details
from effnet_edu.labs.tables import comparison_table, numbers_table


@dataclass(frozen=True)
class Screen:
    """What a lab shows at a setting, beside the numbers.

    Attributes:
        drawings: From top to bottom.
        note: How to read them, in a sentence or two.
        tables: More tables, made by `tables.plain_table`, below the numbers.
    """

    drawings: tuple[Drawing, ...]
    note: str
    tables: str = ""


def side_by_side(logic: LabLogic[Any, Any], screen: Screen) -> str:
    """Return the pictures with their note, and the numbers beside them, as HTML.

    Args:
        logic: The lab; where A is pinned, its numbers stand beside those of the present setting.
        screen: What it shows beside them.
    """
    compares = logic.pinned is not None
    # The numbers of two settings need more room.
    css = "ee-split ee-wide" if compares else "ee-split"
    numbers = comparison(logic, details=False) if compares else numbers_table(without_details(logic.shown()))
    pictures = "".join(map(str, screen.drawings))
    return (
        f"<div class='{css}'><div>{pictures}<p class='ee-note'>{escape(screen.note)}</p></div>"
        f"<div>{numbers}{screen.tables}</div></div>"
    )


def comparison(logic: LabLogic[Any, Any], *, details: bool) -> str:
    """Return the numbers of the pinned setting beside those of the present one, as a table.

    Args:
        logic: The lab, with A pinned.
        details: Whether those that the picture leaves out are in it.
    """
    rows = [row for row in logic.compared() if details or not row.is_detail]
    return comparison_table(rows, logic.label(logic.pinned), logic.label(logic.setting))
