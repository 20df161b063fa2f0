"""Lessons as assignments in the formats of the tools that classes grade with: nbgrader and Otter-Grader.

A lesson keeps its cells. The card of an exercise becomes its task with its hints, without the solution; its
stub becomes the cell to answer in, and its check becomes a test with points.

Sources: nbgrader's metadata, schema version 3, https://nbgrader.readthedocs.io; the notebook format of
`otter assign`, https://otter-grader.readthedocs.io.
"""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from effnet_edu.course.start import lessons_folder
from effnet_edu.exercises import Exercise, get
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import choice

Tool = Literal["nbgrader", "otter"]
#: A cell of a notebook, as nbformat 4 has it.
Cell = dict[str, Any]
#: What an exercise is worth.
POINTS = {"easy": 1, "medium": 2, "hard": 3}
# nbgrader's own list without ClearSolutions, which would put its words in place of the stubs.
_NBGRADER_CONFIG = """\
from nbgrader.preprocessors import (
    CheckCellMetadata, ClearOutput, ComputeChecksums, IncludeHeaderFooter, LockCells, SaveCells,
)

c = get_config()
c.CourseDirectory.course_id = "effnet-edu"
c.GenerateAssignment.preprocessors = [
    IncludeHeaderFooter, LockCells, ComputeChecksums, SaveCells, ClearOutput, CheckCellMetadata,
]
c.ExecutePreprocessor.timeout = 300
"""


def export_assignments(folder: Path, tool: Tool) -> list[Path]:
    """Write every lesson that has exercises as an assignment, and return the notebooks.

    Args:
        folder: A new or empty folder. For nbgrader it becomes the folder of a course, with `source` and a
            configuration; for Otter-Grader each lesson is ready for `otter assign`.
        tool: `"nbgrader"` or `"otter"`.

    Raises:
        ValueError: There is no such tool.
        FileExistsError: Something is in the folder.
    """
    choice("tool", tool, get_args(Tool))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already; name a new or an empty folder.")
    written = []
    for lesson in sorted(lessons_folder().glob("[0-9][0-9]_*.ipynb")):
        book = json.loads(lesson.read_text(encoding="utf-8"))
        if not any("exercise" in cell["metadata"] for cell in book["cells"]):
            continue
        book["cells"] = [cell for each in _grouped(book["cells"]) for cell in _TURNED[tool](each)]
        if tool == "otter":
            config = f"# ASSIGNMENT CONFIG\nname: {lesson.stem}\nexport_cell: false\nsolutions_pdf: false"
            book["cells"].insert(0, _new("raw", config))
        for index, cell in enumerate(book["cells"]):
            cell["id"] = f"cell-{index}"
        inside = folder / "source" / lesson.stem if tool == "nbgrader" else folder / lesson.stem
        inside.mkdir(parents=True)
        write_atomically(inside / lesson.name, json.dumps(book, indent=1, ensure_ascii=False) + "\n")
        written.append(inside / lesson.name)
    if tool == "nbgrader":
        write_atomically(folder / "nbgrader_config.py", _NBGRADER_CONFIG)
    return written


#: An exercise with its stub, or any other cell.
_Part = tuple[Exercise, Cell] | Cell


def _grouped(cells: list[Cell]) -> Iterator[_Part]:
    """Yield an exercise and its stub in place of its card, stub and check; and other cells as they are."""
    for cell in cells:
        if "exercise" in cell["metadata"]:
            yield get(cell["metadata"]["exercise"]), _new("code", source_of(cell), **cell["metadata"])
        elif not re.fullmatch(r"ee\.exercises\.get\(\"\w+\"\)(\.check\(\w+\))?", source_of(cell).strip()):
            source = source_of(cell).replace("hints and a solution to unfold", "hints to unfold")
            yield _new(cell["cell_type"], source, **cell["metadata"])


def source_of(cell: Cell) -> str:
    """Return what stands in a cell; files have it whole or in lines.

    Args:
        cell: Of a notebook's file.
    """
    return "".join(cell["source"])


def _new(kind: str, source: str, **metadata: Any) -> Cell:
    rest: Cell = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **rest}


def _task(exercise: Exercise) -> Cell:
    hints = "".join(
        f"\n<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>\n"
        for number, hint in enumerate(exercise.hints, start=1)
    )
    title = f"#### {exercise.title}\n\n*{exercise.difficulty}, {exercise.minutes} minutes*"
    return _new("markdown", f"{title}\n\n{exercise.task}\n{hints}")


def _test(exercise: Exercise) -> str:
    name = exercise.name
    return (
        f'outcome = ee.exercises.get("{name}").check({name})\nassert outcome.state == "right", str(outcome)'
    )


def _for_nbgrader(part: _Part) -> Iterator[Cell]:
    if isinstance(part, dict):
        yield part
        return
    exercise, stub = part
    both = {"schema_version": 3, "task": False}
    answer = {"grade": False, "grade_id": f"answer-{exercise.name}", "locked": False, "solution": True}
    test = {"grade": True, "grade_id": f"test-{exercise.name}", "locked": True, "solution": False}
    yield _task(exercise)
    stub["metadata"]["nbgrader"] = answer | both
    yield stub
    yield _new("code", _test(exercise), nbgrader=test | both | {"points": POINTS[exercise.difficulty]})


def _for_otter(part: _Part) -> Iterator[Cell]:
    if isinstance(part, dict):
        yield part
        return
    exercise, stub = part
    yield _new("raw", f"# BEGIN QUESTION\nname: {exercise.name}\npoints: {POINTS[exercise.difficulty]}")
    yield _task(exercise)
    yield _new("raw", "# BEGIN SOLUTION")
    yield _new("code", otter_solution(exercise), **stub["metadata"])
    yield _new("raw", "# END SOLUTION")
    yield _new("raw", "# BEGIN TESTS")
    yield _new("code", _test(exercise))
    yield _new("raw", "# END TESTS")
    yield _new("raw", "# END QUESTION")


def otter_solution(exercise: Exercise) -> str:
    """Return a solution between the marks that `otter assign` replaces by the stub.

    Args:
        exercise: Which one.
    """
    solved, stub = exercise.solved(), exercise.stub()
    quotes = "'''" if '"""' in stub else '"""'
    prompt = f"{quotes} # BEGIN PROMPT\n{stub}\n{quotes}; # END PROMPT"
    whole = f"{prompt}\n# BEGIN SOLUTION NO PROMPT\n{solved}\n# END SOLUTION"
    ast.parse(textwrap.dedent(whole))
    return whole


_TURNED = {"nbgrader": _for_nbgrader, "otter": _for_otter}
