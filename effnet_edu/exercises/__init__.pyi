"""The public names of this room; `__init__.py` reads this file."""

from .catalogue import get, list_exercises, list_quizzes, predict, quiz, quiz_of
from .exercise import Exercise
from .outcome import Outcome, Reveal
from .progress_table import Progress, progress
from .questions import Choice, Question, Quiz
from .record import add_progress, reset_progress

__all__ = [
    "Choice",
    "Exercise",
    "Outcome",
    "Progress",
    "Question",
    "Quiz",
    "Reveal",
    "add_progress",
    "get",
    "list_exercises",
    "list_quizzes",
    "predict",
    "progress",
    "quiz",
    "quiz_of",
    "reset_progress",
]
