"""Notebooks that learners handed in, checked by the course's own checkers, away from each other.

What learners wrote is run. It gets a folder of its own and a limit of time and memory, and cannot end the
grading; it is no prison, so grade where you would run their notebooks.
"""

import argparse
import ast
import csv
import io
import json
import multiprocessing
import os
import symtable
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from effnet_edu.course.assignments import POINTS, Tool, export_assignments, source_of
from effnet_edu.course.start import lessons_folder
from effnet_edu.exercises import get, list_exercises, list_quizzes
from effnet_edu.exercises.look import State
from effnet_edu.exercises.outcome import Outcome
from effnet_edu.ground.arguments import some_path
from effnet_edu.ground.checks import quoted
from effnet_edu.training.sweep import sweep

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

#: For one exercise (a check that does not end stops itself sooner), its memory, and for a notebook's file.
MOST_SECONDS, MOST_MEMORY, MOST_BYTES = 150.0, 8 * 2**30, 2**24


@dataclass(frozen=True)
class Grade:
    """One exercise of one notebook.

    Attributes:
        notebook: Path of the notebook, from the folder that was graded.
        exercise: Name of the exercise; empty where the notebook could not be read.
        state: `"right"`, `"wrong"` or `"not attempted"`.
        points: What it earns.
        of: What it could earn.
        message: What the check says.
    """

    notebook: str
    exercise: str
    state: State
    points: int
    of: int
    message: str


def grade(folder: Path, jobs: int | None = None) -> list[Grade]:
    """Check every exercise of all notebooks in a folder, and return the grades in their order.

    A notebook is recognised by the exercises that it answers, and its lesson's others count as not attempted.
    What an answer uses of the lesson above it comes from the course's own copy.

    Args:
        folder: Where they were handed in: `submitted` of nbgrader, or any folder with notebooks below it.
        jobs: As `sweep` takes it: -1 for one a core, None for what joblib is configured to.

    Raises:
        FileNotFoundError: There is no notebook below the folder.
    """
    found = sorted(
        path for path in folder.rglob("*.ipynb") if not any(part.startswith(".") for part in path.parts)
    )
    if not found:
        raise FileNotFoundError(f"There is no notebook in {folder} or below it.")
    settings = ({"path": path, "name": str(path.relative_to(folder))} for path in found)
    return [each for grades in sweep(_apart, settings, jobs) for each in grades]


def as_csv(grades: list[Grade]) -> str:
    """Return the grades as a table, a line an exercise.

    Args:
        grades: What `grade` returned.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Grade)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, grades))
    return text.getvalue()


def _apart(path: Path, name: str) -> list[Grade]:
    """Grade one notebook; whatever an answer does, the others are checked."""
    try:
        answers = _answers(path)
    except ValueError as error:
        return [Grade(name, "", "not attempted", 0, 0, str(error))]
    outcomes: list[Outcome] = []
    expected = _expected(answers)
    while len(outcomes) < len(expected):
        outcomes += _outcomes(expected[len(outcomes) :], answers)
        if len(outcomes) < len(expected):
            outcomes.append(Outcome("wrong", "It ended the program that checked it, or took too long."))
    return [_grade(name, *each) for each in zip(expected, outcomes, strict=True)]


def _outcomes(names: list[str], answers: dict[str, str]) -> Iterator[Outcome]:
    """Yield the outcomes of exercises from a process of its own, as far as it comes."""
    # Forked from one that has imported torch and runs nothing else; where there is no fork, a new one each.
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["effnet_edu.course.grading", "torch", "effnet_edu.exercises.modules"])
    here, there = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(there, names, answers), daemon=True)
    with _may_have_children():
        worker.start()
    there.close()
    try:
        for _ in names:
            if not here.poll(MOST_SECONDS):
                return
            yield here.recv()
    except EOFError:  # its code has ended the process
        return
    finally:
        worker.kill()
        worker.join()
        here.close()


@contextmanager
def _may_have_children() -> Iterator[None]:
    """Let a worker of Dask start a process: as a daemon it could not, and ours end before it does."""
    own: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    kept = own.pop("daemon", None)
    try:
        yield
    finally:
        if kept is not None:
            own["daemon"] = kept


def _grade(notebook: str, exercise: str, outcome: Outcome) -> Grade:
    of = POINTS[get(exercise).difficulty]
    earned = of if outcome.state == "right" else 0
    return Grade(notebook, exercise, outcome.state, earned, of, outcome.message)


def _work(there: Connection, names: list[str], answers: dict[str, str]) -> None:
    import torch

    torch.set_num_threads(1)
    if sys.platform != "win32":
        import resource

        with suppress(ValueError, OSError):  # a lower limit is set already
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with tempfile.TemporaryDirectory() as own:
        os.chdir(own)
        os.environ["EFFNET_EDU_PROGRESS"] = str(Path(own, "progress.json"))
        for name in names:
            there.send(_checked(name, answers))
        os.chdir("/")


def _answers(path: Path) -> dict[str, str]:
    """Return the last cell of a notebook that defines each exercise, by the exercise's name."""
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path.name} is no file, or larger than {MOST_BYTES:,} bytes.")
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        cells = [source_of(cell) for cell in book["cells"] if cell["cell_type"] == "code"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{path.name} is no notebook ({quoted(error)}).") from error
    known = set(list_exercises())
    found = {name: source for source in cells for name in known & _defined(source)}
    if not found:
        raise ValueError(f"{path.name} has no cell that answers an exercise of the course.")
    return found


def _expected(answers: dict[str, str]) -> list[str]:
    """Return all exercises of the lesson that most of the answers belong to."""
    lessons = [get(name).lesson for name in answers]
    return list_exercises(max(list_quizzes(), key=lessons.count))


def _checked(name: str, answers: dict[str, str]) -> Outcome:
    if name not in answers:
        return Outcome("not attempted", "No cell of the notebook defines it.")
    own = _needed(get(name).lesson, name, answers)
    outcome = _judged(name, own)
    # A mistake further up must not cost this answer its points too.
    course = _needed(get(name).lesson, name, {name: answers[name]})
    return outcome if outcome.state == "right" or own == course else _judged(name, course)


def _judged(name: str, sources: list[str]) -> Outcome:
    exercise = get(name)
    lent: dict[str, Any] = {}
    try:
        with io.StringIO() as printed, redirect_stdout(printed), redirect_stderr(printed):
            for source in sources:
                exec(compile(source, "<notebook>", "exec"), lent)  # noqa: S102 - what grading is for
    except SyntaxError as error:
        return Outcome("wrong", f"It is no Python: {quoted(error)}.")
    except BaseException as error:  # the learner's code may raise anything
        return Outcome("wrong", f"The cell stops with {type(error).__name__}: {quoted(error)}.")
    return exercise.judge(lent[name])  # a grade is nobody's progress


def _needed(lesson: str, name: str, answers: dict[str, str]) -> list[str]:
    """Return what has to run, in order, so that an answer finds all that it uses of the lesson above it."""
    book = json.loads((lessons_folder() / f"{lesson}.ipynb").read_text(encoding="utf-8"))
    statements: list[tuple[str, set[str], set[str]]] = []
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        own = cell["metadata"].get("exercise")
        if own == name:
            break
        if own:
            sources = [answers[own] if own in answers else get(own).solved()]
        else:
            sources = [ast.unparse(node) for node in ast.parse(source_of(cell)).body]
        statements += [(source, _defined(source), _used(source)) for source in sources]
    wanted, taken = _used(answers[name]), []
    for source, defines, uses in reversed(statements):
        if defines & wanted:
            wanted |= uses
            taken.append(source)
    return [*reversed(taken), answers[name]]


def _defined(source: str) -> set[str]:
    """Return the names that code binds at its top level."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        else:
            found |= {
                each.id
                for each in ast.walk(node)
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            }
    return found


def _used(source: str) -> set[str]:
    """Return the names that code looks up at its top level; a parameter or a local name is none of them."""
    try:
        tables = [symtable.symtable(source, "<notebook>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for table in tables:  # grows as it goes
        is_top = table.get_type() == "module"
        found |= {each.get_name() for each in table.get_symbols() if is_top or each.is_global()}
        tables += table.get_children()
    return found


def add_commands(commands: "Commands") -> None:
    """Add `export-assignments` and `grade` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    exporting = commands.add_parser("export-assignments", help="the lessons for nbgrader or Otter-Grader")
    exporting.add_argument("folder", metavar="FOLDER", type=some_path, help="a new or empty folder")
    exporting.add_argument("--to", choices=get_args(Tool), required=True, help="which tool")
    exporting.set_defaults(run=_export)
    grading = commands.add_parser("grade", help="check notebooks that were handed in; writes a csv")
    grading.add_argument("folder", metavar="FOLDER", type=some_path, help="a folder with notebooks below it")
    grading.add_argument("--jobs", type=int, default=-1, help="processes (default: one a core)")
    grading.set_defaults(run=_grade_folder)


def _export(arguments: argparse.Namespace) -> int:
    sys.stdout.writelines(f"{path}\n" for path in export_assignments(arguments.folder, arguments.to))
    return 0


def _grade_folder(arguments: argparse.Namespace) -> int:
    sys.stdout.write(as_csv(grade(arguments.folder, arguments.jobs)))
    return 0
