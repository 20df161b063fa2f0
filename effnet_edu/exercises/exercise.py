"""An exercise: its card, its stub and solution from one template, its hints, and its check."""

import html
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from effnet_edu.exercises.functions import AnswerCheck
from effnet_edu.exercises.learner import Refused, Runner, stopped
from effnet_edu.exercises.look import CARD
from effnet_edu.exercises.outcome import Outcome, folded, prose
from effnet_edu.exercises.printed_view import printed
from effnet_edu.ground.checks import whole_number

Difficulty = Literal["easy", "medium", "hard"]
BLANK = "<answer>"


@dataclass(frozen=True)
class Note:
    """A hint or a solution, ready to be shown.

    Attributes:
        text: Sentences, or code.
        is_code: Whether it is code.
    """

    text: str
    is_code: bool = False

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        if not self.is_code:
            return f"<p>{prose(self.text)}</p>"
        # JupyterLab would break long lines in the middle of a word
        return f'<pre style="white-space:pre;overflow:auto">{html.escape(self.text, quote=False)}</pre>'


@dataclass(frozen=True, repr=False)
class Exercise:
    """One exercise. A notebook shows it as a card with folded hints and a folded solution.

    Attributes:
        name: How `get` finds it.
        lesson: Name of the lesson it belongs to.
        title: A few words.
        difficulty: `"easy"`, `"medium"` or `"hard"`.
        minutes: How long it may take.
        task: What to do.
        template: Code with `<answer>` wherever the learner has to write.
        answers: What belongs there, in order. Stub and solution both come from the template.
        hints: From the vaguest to the plainest.
        checker: Turns an answer into an outcome; a right one's message is replaced by `shows`.
        shows: Turns a right answer into the sentence that says what it shows.
    """

    name: str
    lesson: str
    title: str
    difficulty: Difficulty
    minutes: int
    task: str
    template: str
    answers: tuple[str, ...]
    hints: tuple[str, ...]
    checker: Callable[[Any], Outcome]
    shows: Callable[[Any], str]
    _given: Iterator[int] = field(default_factory=itertools.count, compare=False)

    def __post_init__(self) -> None:
        if self.template.count(BLANK) != len(self.answers):
            raise ValueError(
                f"{self.name} has {len(self.answers)} answers for {self.template.count(BLANK)} blanks."
            )

    def stub(self) -> str:
        """Return the code that the learner finds: three dots in each blank."""
        return self.template.replace(BLANK, "...")

    def solved(self) -> str:
        """Return the same code with the answers in it."""
        pieces = self.template.split(BLANK)
        return "".join(itertools.chain(*zip(pieces, (*self.answers, ""), strict=True)))

    def check(self, answer: Any) -> Outcome:
        """Return whether the answer is right, and if not, the likely cause; the learner's record keeps it.

        Args:
            answer: What the stub asks for: a function, a class, or a number.
        """
        outcome = self.judge(answer)
        if outcome.state == "not attempted":
            return outcome
        from effnet_edu.exercises.record import note_check  # needs files and locks, which a page has not

        hindrance = note_check(self.name, outcome.state == "right")
        return replace(outcome, message=f"{outcome.message} {hindrance}") if hindrance else outcome

    def judge(self, answer: Any) -> Outcome:
        """Return the outcome, whatever the learner's code does: nothing is printed, kept, or escapes.

        Args:
            answer: What the stub asks for: a function, a class, or a number.
        """
        with printed() as text:
            try:
                outcome = self.checker(answer)
                if outcome.state == "right":  # what it shows calls the learner's code once more
                    plain = self.checker.plain(answer) if isinstance(self.checker, AnswerCheck) else answer
                    shows = Runner()(self.shows, plain, given="one more input", where="the answer")
                    outcome = Outcome("right", shows)
            except Refused as refused:
                outcome = refused.outcome
            except BaseException as error:  # what is returned may be an object that raises when it is read
                outcome = stopped(error, "what it was given", "the answer")
        return replace(outcome, printed=str(text))

    def right_or_solved(self, answer: Any, names: dict[str, Any]) -> Any:
        """Return an answer if it is right, and what the solution defines if it is not; nothing is noted.

        What comes later in a lesson can build on it, and runs before the exercise is done.

        Args:
            answer: What the stub asks for.
            names: What the solution's code may use, such as `globals()` of a notebook.
        """
        if self.judge(answer).state == "right":
            return answer
        lent = dict(names)
        exec(self.solved(), lent)  # noqa: S102 - the course's own code
        return lent[self.name]

    def hint(self, number: int | None = None) -> Note:
        """Return a hint: the next one at each call, or the one of this number.

        Args:
            number: 1 for the first, vaguest hint.

        Raises:
            ValueError: There is no hint of this number.
        """
        last = len(self.hints)
        chosen = min(next(self._given) + 1, last) if number is None else whole_number("number", number)
        if chosen > last:
            raise ValueError(f"number is {chosen}; this exercise has hints 1 to {last}.")
        return Note(f"Hint {chosen} of {last}: {self.hints[chosen - 1]}")

    def solution(self) -> Note:
        """Return the code of the solution."""
        return Note(self.solved(), is_code=True)

    def __repr__(self) -> str:
        return f"{self.title} ({self.difficulty}, {self.minutes} minutes). {self.task}"

    def _repr_html_(self) -> str:
        hints = "".join(
            folded(f"Hint {number} of {len(self.hints)}", f"<p>{prose(text)}</p>")
            for number, text in enumerate(self.hints, start=1)
        )
        solution = folded("Solution", self.solution()._repr_html_())
        return (
            f'<section style="{CARD}"><small>Exercise, {self.difficulty}, {self.minutes} '
            f'minutes</small><h4 style="margin:.2em 0;font-weight:600">{html.escape(self.title)}</h4>'
            f"<p>{prose(self.task)}</p>{hints}{solution}</section>"
        )
