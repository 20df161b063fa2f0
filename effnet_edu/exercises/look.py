"""How exercises, quizzes and verdicts look, in every front end and in both themes."""

from typing import Literal

from effnet_edu.ground.palette import COMPOUND, RIGHT, WRONG

State = Literal["not attempted", "wrong", "right"]
_COLOUR: dict[State, str] = {"right": RIGHT, "wrong": WRONG, "not attempted": "#888888"}
_EDGE = "border:1px solid #8886;border-radius:8px;padding:.5em 1em;max-width:46em"
#: The style of a card, for an attribute: what an untrusted notebook keeps.
CARD = f"{_EDGE};border-left:5px solid {COMPOUND}"
#: A style sheet for questions, as widgets and as plain HTML.
QUESTIONS = (
    f".effnet-question{{{_EDGE};margin:.6em 0;box-sizing:border-box;overflow:hidden}}"
    ".effnet-question details{border:1px solid #8886;border-radius:6px;margin:.3em 0;padding:0 .7em}"
    ".effnet-question summary{list-style:none;cursor:pointer;padding:.35em 0}"
    ".effnet-question summary::-webkit-details-marker{display:none}"
    '.effnet-question summary::before{content:"○"/"";margin-right:.6em}'
    '.effnet-question [open] summary::before{content:"●"/""}'
    + "".join(
        f".effnet-question [open][data-state={state}]{{border-color:{_COLOUR[state]};"
        f"background:{_COLOUR[state]}18}}"
        for state in ("right", "wrong")
    )
)


def verdict(state: State, shown: str) -> str:
    """Return a verdict as HTML that says its state by more than its words; a screen reader is told.

    Args:
        state: How an answer was.
        shown: The verdict as HTML.
    """
    colour = _COLOUR[state]
    style = f"border-left:5px solid {colour};background:{colour}18;border-radius:4px;padding:.3em .8em"
    return f'<div role="status" data-state="{state}" style="{style}">{shown}</div>'
