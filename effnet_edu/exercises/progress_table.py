"""The progress of a learner over the whole course: as a table, and as csv or json for a teacher."""

import csv
import html
import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Literal

from effnet_edu.exercises.catalogue import get, list_exercises, list_quizzes, quiz_of
from effnet_edu.exercises.look import State
from effnet_edu.exercises.outcome import MARKS
from effnet_edu.exercises.record import progress_file, read_record
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.palette import RIGHT


@dataclass(frozen=True)
class Task:
    """One exercise, one question of a quiz, or one prediction, and how far it is.

    Attributes:
        lesson: Name of its lesson.
        kind: `"exercise"`, `"question"` or `"prediction"`.
        name: Name of the exercise, or the number of the question, or what was guessed.
        title: Title of the exercise, or the question, or the guess.
        state: `"right"` once it was right or a guess close; `"wrong"` if all tries were; or
            `"not attempted"`.
        tries: How often it was checked.
        right_since: When it was right for the first time (UTC); empty before.
    """

    lesson: str
    kind: Literal["exercise", "question", "prediction"]
    name: str
    title: str
    state: State
    tries: int
    right_since: str


@dataclass(frozen=True)
class Progress:
    """All exercises and questions of the course, and how far each is.

    Attributes:
        tasks: In the order of the course.
        path: The file that this was read from.
        hindrance: A sentence if not all of the file could be read.
        predictions: Those that were committed.
        factors: How many times too high or too low each guess of a number was, 1 or more.
    """

    tasks: tuple[Task, ...]
    path: Path
    hindrance: str = ""
    predictions: tuple[Task, ...] = ()
    factors: tuple[float, ...] = ()

    def right(self, kind: str | None = None, lesson: str | None = None) -> tuple[int, int]:
        """Return how many are right, and how many there are.

        Args:
            kind: `"exercise"` or `"question"`; both if None.
            lesson: Name of a lesson; all if None.
        """
        chosen = [task for task in self.tasks if kind in (None, task.kind) and lesson in (None, task.lesson)]
        return sum(task.state == "right" for task in chosen), len(chosen)

    def export(self, path: str | Path) -> Path:
        """Write one row a task and a prediction, as csv or as json, and return where.

        Args:
            path: A file that ends in `.csv` or `.json`; it is replaced if it exists.

        Raises:
            ValueError: The name ends in something else.
        """
        path = Path(path)
        rows = [asdict(task) for task in (*self.tasks, *self.predictions)]
        if path.suffix == ".json":
            write_atomically(path, json.dumps(rows, indent=1) + "\n")
        elif path.suffix == ".csv":
            text = io.StringIO()
            writer = csv.DictWriter(text, [field.name for field in fields(Task)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            write_atomically(path, text.getvalue())
        else:
            raise ValueError(f"path is {quoted(str(path))}; it must end in .csv or .json.")
        return path

    def _lessons(self) -> list[str]:
        return list(dict.fromkeys(task.lesson for task in self.tasks))

    @property
    def guessing(self) -> str:
        """How good the guesses were, in a sentence; empty before the first."""
        if not self.predictions:
            return ""
        close = sum(task.state == "right" for task in self.predictions)
        said = f"{close} of {len(self.predictions)} predictions were close."
        if self.factors:
            said += f" Half of the guessed numbers were within a factor of {median(self.factors):.2g}."
        return said

    def __str__(self) -> str:
        lines = []
        for lesson in self._lessons():
            exercises, questions = self.right("exercise", lesson), self.right("question", lesson)
            lines.append(
                f"{lesson}: {exercises[0]} of {exercises[1]} exercises, {questions[0]} of {questions[1]} "
                "questions"
            )
        return "\n".join([*lines, *filter(None, (self.guessing, self.hindrance))])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align: left'>{html.escape(lesson)}</th>"
            f"{self._cell('exercise', lesson)}{self._cell('question', lesson)}</tr>"
            for lesson in self._lessons()
        )
        (done, of), (right, asked) = self.right("exercise"), self.right("question")
        key = ", ".join(f"{mark} {state}" for state, mark in MARKS.items())
        return (
            f"<table><caption>{done} of {of} exercises and {right} of {asked} questions are right.</caption>"
            "<thead><tr>"
            + "".join(f"<th style='text-align: left'>{name}</th>" for name in ("lesson", "exercises", "quiz"))
            + "</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            + f"<p>{self.guessing}</p>"
            * bool(self.guessing)
            + f"<p>{key}. All this is kept in one file on this machine alone; "
            "<code>ee.exercises.progress().path</code> says where. "
            f"{html.escape(self.hindrance)}</p>"
        )

    def _cell(self, kind: str, lesson: str) -> str:
        """Return how many are right in words, and a mark for each with its title."""
        done, of = self.right(kind, lesson)
        tasks = [task for task in self.tasks if (task.lesson, task.kind) == (lesson, kind)]
        marks = " ".join(
            f"<span title='{html.escape(task.title, quote=True)}: {task.state}'>{MARKS[task.state]}</span>"
            for task in tasks
        )
        filled = f"linear-gradient(90deg, {RIGHT} {100 * done // of}%, #8884 0)"
        bar = f"<span style='display: inline-block; width: 5em; height: .6em; background: {filled}'></span>"
        return (
            f"<td style='text-align: left'>{done} of {of} <span aria-hidden='true'>{bar} {marks}</span></td>"
        )


def progress() -> Progress:
    """Return what was done so far, in all lessons; a notebook shows it as a table."""
    record, hindrance = read_record()

    def task(lesson: str, kind: Literal["exercise", "question"], name: str, title: str) -> Task:
        entries = record["exercises"] if kind == "exercise" else record["answers"].get(lesson, {})
        entry = entries.get(name if kind == "exercise" else title)
        if entry is None:
            return Task(lesson, kind, name, title, "not attempted", 0, "")
        since = entry["right_since"]
        return Task(lesson, kind, name, title, "right" if since else "wrong", entry["tries"], since or "")

    tasks = []
    for lesson in list_quizzes():
        tasks += [task(lesson, "exercise", name, get(name).title) for name in list_exercises(lesson)]
        questions = quiz_of(lesson).questions
        tasks += [task(lesson, "question", str(n), q.text) for n, q in enumerate(questions, start=1)]
    guesses = [
        (
            Task(
                lesson,
                "prediction",
                what,
                guess["guess"],
                "right" if guess["close"] else "wrong",
                1,
                guess["at"],
            ),
            guess["factor"],
        )
        for lesson, entries in record["predictions"].items()
        for what, guess in entries.items()
    ]
    return Progress(
        tuple(tasks),
        progress_file(),
        hindrance,
        tuple(task for task, _ in guesses),
        tuple(factor for _, factor in guesses if factor is not None),
    )
