"""The command `answers`: what a teacher wants beside the lessons."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from effnet_edu.exercises.catalogue import get, list_exercises, list_quizzes, quiz_of

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `answers` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    parser = commands.add_parser("answers", help="solutions of the exercises and answers of the quizzes")
    parser.add_argument("lesson", metavar="LESSON", nargs="?", help=f"one of {', '.join(list_quizzes())}")
    parser.set_defaults(run=_answers)


def _answers(arguments: argparse.Namespace) -> int:
    lessons = list_quizzes() if arguments.lesson is None else [arguments.lesson]
    for lesson in lessons:
        sys.stdout.writelines(f"{line}\n" for line in answers(lesson))
    return 0


def answers(lesson: str) -> Iterator[str]:
    """Yield the solutions and answers of a lesson as lines of Markdown.

    Args:
        lesson: One of `list_quizzes()`.

    Raises:
        ValueError: There is no such lesson.
    """
    questions = quiz_of(lesson).questions
    yield f"# {lesson}\n"
    for name in list_exercises(lesson):
        exercise = get(name)
        yield f"## {exercise.title} ({exercise.difficulty}, {exercise.minutes} minutes)\n"
        yield f"{exercise.task}\n"
        yield f"```python\n{exercise.solved()}\n```\n"
    yield "## Quiz\n"
    for number, question in enumerate(questions, start=1):
        (right,) = (choice for choice in question.choices if choice.right)
        yield f"{number}. {question.text} **{right.text}.** {right.explanation}"
        for choice in question.choices:
            if not choice.right:
                yield f"   - Not {choice.text!r}: {choice.explanation}"
    yield ""
