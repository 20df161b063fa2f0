"""Lessons as files: reading, running and fingerprinting them; and what surrounds a lesson that is tested."""

import copy
import hashlib
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from effnet_edu.ground.atomic import write_atomically

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "lessons"
LIBRARY = ROOT / "effnet_edu"

KEY = "effnet_edu"
UNCOMPARED = "nbval-ignore-output"
#: What `nbconvert --to script` needs to write a `.py`.
LANGUAGE = {"name": "python", "file_extension": ".py", "nbconvert_exporter": "python"}
IMAGES = ("image/png", "image/jpeg")
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 120
BUDGET_SECONDS = 60
OFFLINE = Path(__file__).parent / "offline"


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
    with tempfile.TemporaryDirectory() as folder:
        client.execute(env={**os.environ, **surroundings(Path(folder))})
    return tidy(fresh)


def surroundings(folder: Path) -> dict[str, str]:
    """Return the variables under which lessons are run: nothing fetched, nothing done before, and no network.

    Args:
        folder: An empty folder for what they keep.
    """
    paths = [str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "EFFNET_EDU_CACHE": str(folder / "cache"),
        "EFFNET_EDU_PROGRESS": str(folder / "progress.json"),
        # Two lessons run at once on two cores, and threads that wait for a core take it from others.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


def tidy(book: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run and what only a live kernel can use."""
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = LANGUAGE
    for cell in code_cells(book):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            data = output.get("data", {})
            data.pop(WIDGET, None)
            if "text/html" in data:  # it has the picture; a second one would not fit into 300 KiB
                for kind in IMAGES:
                    data.pop(kind, None)
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


def read_files(book: NotebookNode, number: str) -> Iterator[Path]:
    """Yield the published tables and recorded results that a lesson's numbers come from.

    The code behind them may change freely: `make notebooks` runs it, and compares what it prints.
    """
    import effnet_edu as ee

    lesson = LIBRARY / "exercises" / f"lesson_{number}.py"
    code = "\n".join(cell.source for cell in code_cells(book) if is_compared(cell))
    named = set(re.findall(r"""["'](\w+)["']""", code + lesson.read_text(encoding="utf-8")))
    for name, member in sorted(set(re.findall(r"\bee\.(\w+)(?:\.(\w+))?", code))):
        if name == "published":
            shown = getattr(ee.published, member)
            named |= set(re.findall(r'read\("(\w+)"\)', inspect.getsource(sys.modules[shown.__module__])))
    for folder in ("published", "studies"):
        yield from (path for path in sorted((LIBRARY / folder).rglob("*.[cj]s*")) if path.stem in named)


def data_fingerprint(book: NotebookNode, number: str) -> str:
    return _digest("\n".join(path.read_text(encoding="utf-8") for path in read_files(book, number)))


def stamp(book: NotebookNode, number: str) -> NotebookNode:
    """Note which cells and which tables and results the outputs belong to."""
    book.metadata[KEY] = {"cells": cell_fingerprints(book), "data": data_fingerprint(book, number)}
    return book


def write(book: NotebookNode, path: Path) -> None:
    """Write to a temporary file and rename, so that an interruption leaves the old lesson."""
    nbformat.validate(book)
    write_atomically(path, nbformat.writes(book) + "\n")
