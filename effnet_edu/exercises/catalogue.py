"""All exercises and quizzes by name."""

import difflib
from typing import TYPE_CHECKING

from effnet_edu.exercises import (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_03_block,
    lesson_04,
    lesson_04_block,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
)
from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.questions import Question, Quiz
from effnet_edu.ground.checks import quoted

if TYPE_CHECKING:
    from effnet_edu.exercises.prediction_view import PredictionView
    from effnet_edu.exercises.quiz_view import QuizView

#: One file a lesson, in the order of the course.
_LESSONS = (lesson_00, lesson_01, lesson_02, lesson_03, lesson_04, lesson_05, lesson_06, lesson_07, lesson_08)
_BLOCKS = {each.name: each for each in (lesson_03_block.MBCONV_BLOCK, lesson_04_block.SQUEEZE_EXCITE_BLOCK)}
_LISTED: list[Exercise | str] = [exercise for room in _LESSONS for exercise in room.EXERCISES]
_EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (_BLOCKS[each] if isinstance(each, str) else each for each in _LISTED)
}
_QUIZZES: dict[str, tuple[Question, ...]] = {room.LESSON: room.QUIZ for room in _LESSONS}


def list_exercises(lesson: str | None = None) -> list[str]:
    """Return the names of all exercises, or of one lesson's, in the order in which they are set.

    Args:
        lesson: Name of a lesson, such as `"02_compound_scaling"`.
    """
    return [name for name, exercise in _EXERCISES.items() if lesson in (None, exercise.lesson)]


def list_quizzes() -> list[str]:
    """Return the names of the lessons that have a quiz."""
    return list(_QUIZZES)


def _unknown(what: str, name: object, known: list[str]) -> ValueError:
    near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.4)
    hint = f" Near it: {', '.join(near)}." if near else ""
    return ValueError(f"There is no {what} named {quoted(name)}.{hint} There are: {', '.join(known)}.")


def get(name: str) -> Exercise:
    """Return an exercise; a notebook shows it as a card.

    Args:
        name: One of `list_exercises()`.

    Raises:
        ValueError: There is no such exercise.
    """
    if name not in _EXERCISES:
        raise _unknown("exercise", name, list(_EXERCISES))
    return _EXERCISES[name]


def quiz_of(lesson: str) -> Quiz:
    """Return a lesson's quiz without a view, nothing answered yet.

    Args:
        lesson: One of `list_quizzes()`.

    Raises:
        ValueError: The lesson has no quiz.
    """
    if lesson not in _QUIZZES:
        raise _unknown("quiz", lesson, list(_QUIZZES))
    return Quiz(lesson, _QUIZZES[lesson])


def quiz(lesson: str) -> "QuizView":
    """Return a lesson's quiz as widgets.

    Args:
        lesson: One of `list_quizzes()`.

    Raises:
        ValueError: The lesson has no quiz.
    """
    from effnet_edu.exercises.quiz_view import QuizView

    return QuizView(quiz_of(lesson))


def predict(
    lesson: str,
    what: str,
    truth: float | str,
    because: str,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
) -> "PredictionView":
    """Ask for a guess as widgets, and tell afterwards how far off it was; the first guess is kept.

    Args:
        lesson: One of `list_quizzes()`.
        what: What is guessed, as a label: `"MACs at phi 1, those of B0 being 1"`.
        truth: The number, computed or just measured; or one of the choices.
        because: Why it is so, in a sentence or two.
        unit: Unit of a number, such as `"MACs"`, `"ms"`, `"%"` or `"times"`.
        choices: What can be chosen; empty for a number or a range.

    Raises:
        ValueError: There is no such lesson, or the truth is neither a finite number nor one of the choices.
    """
    from effnet_edu.exercises.prediction import Prediction
    from effnet_edu.exercises.prediction_view import PredictionView

    if lesson not in _QUIZZES:
        raise _unknown("lesson", lesson, list(_QUIZZES))
    return PredictionView(Prediction(lesson, what, truth, because, unit, choices))
