"""Exercises with a check, hints and a solution; quizzes; predictions to open afterwards; and progress."""

from effnet_edu.exercises.catalogue import get, list_exercises, list_quizzes, quiz, quiz_of
from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.outcome import Outcome, Reveal
from effnet_edu.exercises.progress_table import Progress, progress
from effnet_edu.exercises.quiz import Choice, Question, Quiz
from effnet_edu.exercises.record import reset_progress

__all__ = [
    "Choice",
    "Exercise",
    "Outcome",
    "Progress",
    "Question",
    "Quiz",
    "Reveal",
    "get",
    "list_exercises",
    "list_quizzes",
    "progress",
    "quiz",
    "quiz_of",
    "reset_progress",
]
