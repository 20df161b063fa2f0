"""What a learner's code prints while it is checked: its beginning is kept, and none of it floods the page."""

import contextlib
import io
import sys
from collections.abc import Iterator

from effnet_edu.exercises.learner import cut

_LINES, _CHARACTERS = 3, 600


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed, and counts the lines of all of it."""

    def __init__(self) -> None:
        self._kept, self._newlines, self._unfinished = "", 0, False

    def write(self, text: str) -> int:
        """Take one piece of text."""
        self._kept += text[: _CHARACTERS - len(self._kept)]
        self._newlines += text.count("\n")
        self._unfinished = not text.endswith("\n") if text else self._unfinished
        return len(text)

    def __str__(self) -> str:
        lines = self._newlines + self._unfinished
        shown = "\n".join(map(cut, self._kept.splitlines()[:_LINES]))
        more = lines - _LINES
        return f"{shown}\n... and {more:,} more line{'s' * (more > 1)}" if more > 0 else shown


@contextlib.contextmanager
def printed() -> Iterator[Printed]:
    """Keep what is printed and displayed off the page; yields what holds the beginning of it."""
    text = Printed()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(text))
        stack.enter_context(contextlib.redirect_stderr(text))
        if "IPython" in sys.modules:
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output(stdout=False, stderr=False, display=True))
        yield text
