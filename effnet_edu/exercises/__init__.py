"""Exercises with a check, hints and a solution; quizzes; and predictions to open afterwards."""

from effnet_edu.exercises.catalogue import get, list_exercises, list_quizzes, quiz, quiz_of
from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.outcome import Outcome, Reveal
from effnet_edu.exercises.quiz import Choice, Question, Quiz

__all__ = [
    "Choice",
    "Exercise",
    "Outcome",
    "Question",
    "Quiz",
    "Reveal",
    "get",
    "list_exercises",
    "list_quizzes",
    "quiz",
    "quiz_of",
]
