"""How picture and numbers of a lab stand beside each other, in a notebook and in a page without a kernel."""

from collections.abc import Iterable
from html import escape

from effnet_edu.labs.drawing import Drawing


def side_by_side(drawings: Iterable[Drawing], note: str, numbers: str, *, compares: bool) -> str:
    """Return the pictures with their note, and the numbers beside them, as HTML.

    Args:
        drawings: From top to bottom.
        note: How to read them.
        numbers: Tables, as HTML.
        compares: Whether the numbers are those of two settings, which need more room.
    """
    css = "ee-split ee-wide" if compares else "ee-split"
    pictures = "".join(map(str, drawings))
    return (
        f"<div class='{css}'><div>{pictures}<p class='ee-note'>{escape(note)}</p></div>"
        f"<div>{numbers}</div></div>"
    )
