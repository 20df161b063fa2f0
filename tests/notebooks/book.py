"""Lessons as files: reading, running and fingerprinting them."""

import ast
import copy
import hashlib
import os
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from effnet_edu.checkpoints.atomic import write_atomically

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "lessons"
LIBRARY = ROOT / "effnet_edu"

KEY = "effnet_edu"
UNCOMPARED = "nbval-ignore-output"
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 120


def lesson_files() -> list[Path]:
    return sorted(LESSONS.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def prose_cells(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "markdown"]


def is_compared(cell: NotebookNode) -> bool:
    return UNCOMPARED not in cell.metadata.get("tags", ())


def run(book: NotebookNode) -> NotebookNode:
    """Return the lesson with the outputs of a fresh kernel; raises at the first cell that fails."""
    fresh = copy.deepcopy(book)
    client = NotebookClient(
        fresh,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(LESSONS)}},
    )
    # One thread: two lessons run at once on two cores, and threads that wait for a core take it from others.
    client.execute(env={"OMP_NUM_THREADS": "1", **os.environ})
    return tidy(fresh)


def tidy(book: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run and what only a live kernel can use."""
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = {"name": "python"}
    for cell in code_cells(book):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET, None)
    return book


def solved(book: NotebookNode) -> NotebookNode:
    """Return the lesson with the solution of every exercise in place of its stub."""
    from effnet_edu import exercises

    filled = copy.deepcopy(book)
    for cell in code_cells(filled):
        if name := cell.metadata.get("exercise"):
            cell.source = exercises.get(name).solved()
    return filled


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cell_fingerprints(book: NotebookNode) -> dict[str, str]:
    return {cell.id: _digest(cell.source) for cell in code_cells(book)}


def effective_code(text: str) -> str:
    """Return Python source without docstrings, comment lines and blank lines: they change no output."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            first = node.body[0]
            lines[first.lineno - 1 : first.end_lineno] = [""] * (first.end_lineno - first.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def shown_files(book: NotebookNode, number: str) -> list[Path]:
    """Return the files that a lesson's stored numbers and pictures come from; others may change freely."""
    import effnet_edu as ee

    code = "\n".join(cell.source for cell in code_cells(book))
    figures = {
        getattr(ee.figures, name).__module__.split(".")[-1]
        for name in re.findall(r"ee\.figures\.(\w+)", code)
    }
    exercises = LIBRARY / "exercises" / f"lesson_{number}.py"
    tables = set(re.findall(r'read\("(\w+)"\)', code + exercises.read_text(encoding="utf-8")))
    joined = LIBRARY / "published" / "benchmarks.py"  # joins most tables, and few lessons show what it makes
    if "ee.published.results(" in code:
        tables |= set(re.findall(r'read\("(\w+)"\)', joined.read_text(encoding="utf-8")))
    return sorted(
        [
            *(LIBRARY / "model").glob("*.py"),
            *(LIBRARY / "figures" / f"{name}.py" for name in {"style", "picture", *figures}),
            *(path for path in (LIBRARY / "exercises").glob("*.py") if not path.stem.startswith("lesson_")),
            exercises,
            LIBRARY / "published" / "tables.py",
            *([joined] if "ee.published.results(" in code else ()),
            *(LIBRARY / "published" / f"{name}.csv" for name in tables),
        ]
    )


def library_fingerprint(book: NotebookNode, number: str) -> str:
    parts = []
    for path in shown_files(book, number):
        text = path.read_text(encoding="utf-8")
        parts.append(path.relative_to(LIBRARY).as_posix())
        parts.append(effective_code(text) if path.suffix == ".py" else text)
    return _digest("\n".join(parts))


def stamp(book: NotebookNode, number: str) -> NotebookNode:
    """Note which cells and which library the outputs belong to."""
    book.metadata[KEY] = {"cells": cell_fingerprints(book), "library": library_fingerprint(book, number)}
    return book


def write(book: NotebookNode, path: Path) -> None:
    """Write to a temporary file and rename, so that an interruption leaves the old lesson."""
    nbformat.validate(book)
    write_atomically(path, nbformat.writes(book) + "\n")
