"""All exercises and quizzes by name."""

import difflib
from typing import TYPE_CHECKING

from effnet_edu.exercises import (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
)
from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.quiz import Question, Quiz

if TYPE_CHECKING:
    from effnet_edu.exercises.quiz_view import QuizView

#: One file a lesson, in the order of the course.
_LESSONS = (lesson_00, lesson_01, lesson_02, lesson_03, lesson_04, lesson_05, lesson_06, lesson_07)
_EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for room in _LESSONS for exercise in room.EXERCISES
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
    return ValueError(f"There is no {what} named {name!r}.{hint} There are: {', '.join(known)}.")


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
