"""What a check says: not attempted, wrong with the likely cause, or right with what it shows."""

import html
import re
from dataclasses import dataclass

from effnet_edu.exercises.look import State, verdict

MARKS: dict[State, str] = {"not attempted": "○", "wrong": "✗", "right": "✓"}
_WORD = {"not attempted": "Not attempted.", "wrong": "Not yet.", "right": "Right."}
_PRINTED = "Your code printed this while it was checked:"


def prose(text: str) -> str:
    """Return text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def folded(summary: str, body: str) -> str:
    """Return HTML that opens on a click or a key; the summary is plain text."""
    return f"<details><summary>{html.escape(summary)}</summary>{body}</details>"


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        state: `"not attempted"`, `"wrong"` or `"right"`.
        message: Sentences for the learner: the likely cause, or what the answer shows.
        printed: The first lines of what the learner's code printed.
    """

    state: State
    message: str
    printed: str = ""

    def __str__(self) -> str:
        printed = f"\n{_PRINTED}\n{self.printed}" if self.printed else ""
        return f"{MARKS[self.state]} {_WORD[self.state]} {self.message}{printed}"

    def __repr__(self) -> str:
        return str(self)

    @property
    def sentence(self) -> str:
        """Mark, word and message as HTML."""
        return f"{MARKS[self.state]} <b>{_WORD[self.state]}</b> {prose(self.message)}"

    def _repr_html_(self) -> str:
        printed = f"<p>{_PRINTED}</p><pre>{html.escape(self.printed)}</pre>" if self.printed else ""
        return verdict(self.state, self.sentence + printed)


def not_attempted(where: str) -> Outcome:
    """Return the outcome of an answer that still has its three dots where the learner is told to look."""
    return Outcome("not attempted", f"Replace the three dots in {where} and run both cells again.")


@dataclass(frozen=True)
class Reveal:
    """What a notebook keeps folded until the reader has made a prediction; in lessons mostly a figure.

    Attributes:
        answer: Sentences, or anything that can show itself.
        summary: What is seen before it is opened.
    """

    answer: object
    summary: str = "Then open the figure"

    def __repr__(self) -> str:
        return f"{self.summary}: {self.answer}"

    def _repr_html_(self) -> str:
        show = getattr(self.answer, "_repr_html_", None)
        return folded(self.summary, show() if show else f"<p>{prose(str(self.answer))}</p>")
