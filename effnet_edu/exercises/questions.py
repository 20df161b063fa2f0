"""A quiz without its view: questions, choices with an explanation each, and what was answered."""

import html
from dataclasses import dataclass, field

from effnet_edu.exercises.look import QUESTIONS
from effnet_edu.exercises.outcome import Outcome, prose
from effnet_edu.ground.checks import quoted


@dataclass(frozen=True)
class Choice:
    """One choice of a question.

    Attributes:
        text: What it says.
        explanation: Why it is right, or why somebody may believe it and is wrong.
        right: Whether it is the right one.
    """

    text: str
    explanation: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question with one right choice.

    Attributes:
        text: The question.
        choices: All choices, in the order in which they are shown.
    """

    text: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if sum(choice.right for choice in self.choices) != 1 or len({c.text for c in self.choices}) < 2:
            raise ValueError(
                f"{quoted(self.text)} needs two or more different choices, exactly one of them right."
            )

    def answer(self, choice: int) -> Outcome:
        """Return whether a choice is right, with its explanation.

        Args:
            choice: Index of the choice.
        """
        chosen = self.choices[choice]
        return Outcome("right" if chosen.right else "wrong", chosen.explanation)


@dataclass
class Quiz:
    """Some questions and the answers given so far.

    Attributes:
        lesson: Name of the lesson it belongs to.
        questions: The questions.
        given: Index of a question to the index of the choice last made.
    """

    lesson: str
    questions: tuple[Question, ...]
    given: dict[int, int] = field(default_factory=dict)

    def answer(self, question: int, choice: int) -> Outcome:
        """Keep an answer and return what it is worth.

        Args:
            question: Index of the question.
            choice: Index of the choice.
        """
        outcome = self.questions[question].answer(choice)
        self.given[question] = choice
        return outcome

    @property
    def score(self) -> tuple[int, int]:
        """Right answers, and questions."""
        right = sum(self.questions[question].choices[choice].right for question, choice in self.given.items())
        return right, len(self.questions)

    def __str__(self) -> str:
        return f"A quiz of {len(self.questions)} questions on lesson {self.lesson}."

    def to_html(self) -> str:
        """Return the quiz for a reader without a kernel: every choice opens its own explanation."""
        parts = []
        for number, question in enumerate(self.questions, start=1):
            choices = []
            for choice, outcome in ((each, question.answer(n)) for n, each in enumerate(question.choices)):
                said = f"<summary>{html.escape(choice.text)}</summary><p>{outcome.sentence}</p>"
                # Those of one name close each other.
                choices.append(f'<details name="{number}" data-state="{outcome.state}">{said}</details>')
            title = f"<p><b>{number}. {prose(question.text)}</b></p>"
            name = html.escape(question.text, quote=True)
            parts.append(
                f'<div class="effnet-question" data-question="{name}">{title}{"".join(choices)}</div>'
            )
        label, lesson = (html.escape(text, quote=True) for text in (str(self), self.lesson))
        shown = f"<style>{QUESTIONS}</style>{''.join(parts)}"
        return f'<section aria-label="{label}" data-quiz="{lesson}">{shown}</section>'
