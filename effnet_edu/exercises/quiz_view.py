"""The quiz as widgets: radio buttons and a Check button, all of it usable by keyboard."""

import html
from pathlib import Path
from typing import Any

import ipywidgets

from effnet_edu.exercises.look import QUESTIONS
from effnet_edu.exercises.outcome import Outcome, prose
from effnet_edu.exercises.questions import Question, Quiz
from effnet_edu.exercises.record import note_answer
from effnet_edu.ground.front_end import without_a_dead_view

#: What JupyterLab's own rules for widgets leave to do.
_WIDGETS = (
    ".effnet-question .widget-html-content{line-height:1.5}.effnet-question [role=status]{margin-top:6px}"
    # A choice of two lines: its circle stays beside the first, and the next choice below the second.
    ".effnet-question .widget-radio-box{height:auto}"
    ".effnet-question .widget-radio-box label{display:flex;flex-direction:row-reverse;"
    "justify-content:flex-end;align-items:flex-start;height:auto;white-space:normal}"
    ".effnet-question .widget-radio-box label input{float:none;flex:none}"
)


def radio_script() -> str:
    """Return a style sheet that runs quiz.js on arrival; JupyterLab runs no script element of a widget."""
    script = Path(__file__).with_name("quiz.js").read_text(encoding="utf-8")
    return f'<style onload="{html.escape(script, quote=True)}">{QUESTIONS}{_WIDGETS}</style>'


class QuestionView(ipywidgets.VBox):
    """One question of a quiz.

    Args:
        quiz: The quiz.
        index: Which of its questions, from 0.

    Attributes:
        choice: The radio buttons.
        button: Checks the choice.
        verdict: Says whether it is right, and why.
    """

    def __init__(self, quiz: Quiz, index: int) -> None:
        question: Question = quiz.questions[index]
        self._quiz, self._index = quiz, index
        title = ipywidgets.HTML(f"<b>{index + 1}. {prose(question.text)}</b>")
        self.choice = ipywidgets.RadioButtons(
            options=[(choice.text, number) for number, choice in enumerate(question.choices)],
            value=None,
            layout=ipywidgets.Layout(width="auto"),
        )
        # Never disabled: it would be enabled a moment after the choice, and a quick Tab would pass it by.
        self.button = ipywidgets.Button(
            description="Check", tooltip=f"Check the answer to question {index + 1}"
        )
        self.verdict = ipywidgets.HTML()
        self.choice.observe(self._chosen, "value")
        self.button.on_click(self._check)
        super().__init__([title, self.choice, self.button, self.verdict])
        self.add_class("effnet-question")

    def _chosen(self, _change: Any) -> None:
        self.verdict.value = ""

    def _check(self, _button: Any) -> None:
        if self.choice.value is None:
            self.verdict.value = Outcome("not attempted", "Choose an answer first.")._repr_html_()
            return
        outcome = self._quiz.answer(self._index, self.choice.value)
        question = self._quiz.questions[self._index].text
        hindrance = note_answer(self._quiz.lesson, question, outcome.state == "right")
        self.verdict.value = outcome._repr_html_() + prose(hindrance)


class QuizView(ipywidgets.VBox):
    """A quiz as a notebook shows it; without a kernel its questions and explanations are plain HTML.

    Attributes:
        quiz: Questions and answers.
        questions: A view a question.
    """

    def __init__(self, quiz: Quiz) -> None:
        self.quiz = quiz
        self.questions = [QuestionView(quiz, index) for index in range(len(quiz.questions))]
        super().__init__([*self.questions, ipywidgets.HTML(radio_script())])
        self.add_class("effnet-quiz")

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = str(self.quiz)
        bundle["text/html"] = self.quiz.to_html()
        return without_a_dead_view(bundle)
