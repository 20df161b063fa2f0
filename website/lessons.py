"""The lessons as pages: what the first cell of each says, and what a page needs beyond the notebook."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import nbformat
from nbformat import NotebookNode

from effnet_edu.exercises.page import on_pages
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.page import Page
from website.results import raw

ROOT = Path(__file__).parents[1]
LESSONS = ROOT / "lessons"

#: Labs that run in the reader's browser: class to page.
LIVE = {lab: f"{folder}_lab" for lab, folder in LABS.items()}
#: What stands below the first cell of a lesson that asks a network what it sees.
PHOTOGRAPH = "**[Show it a photograph of yours, in your browser](../live/photograph.md)**"


@dataclass(frozen=True)
class Lesson:
    """A lesson, and what its first cell says of it.

    Attributes:
        path: The notebook.
        title: With its number.
        claim: The claim in a sentence.
        minutes: Of a reader.
    """

    path: Path
    title: str
    claim: str
    minutes: int

    def book(self) -> NotebookNode:
        """Return the notebook."""
        return nbformat.read(self.path, as_version=4)


def lessons(folder: Path = LESSONS) -> list[Lesson]:
    """Return all lessons in their order.

    Args:
        folder: Where the notebooks are.

    Raises:
        ValueError: A first cell lacks title, claim or time.
    """
    return [_lesson(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def _lesson(path: Path) -> Lesson:
    first = nbformat.read(path, as_version=4).cells[0].source
    found = {
        "title": re.search(r"\A# (.+)", first),
        "claim": re.search(r"\*\*The claim\.\*\* (.+)", first),
        "minutes": re.search(r"\*\*Time:\*\* reader (\d+) minutes", first),
    }
    missing = [name for name, match in found.items() if match is None]
    if missing:
        raise ValueError(f"The first cell of {path.name} does not say its {missing[0]}.")
    title, claim, minutes = (match[1] for match in found.values() if match)
    return Lesson(path, title, claim, int(minutes))


def page_of(lesson: Lesson) -> NotebookNode:
    """Return a lesson as the site shows it: with a way to the notebook, and to what is live in a browser.

    Args:
        lesson: Which one.
    """
    book = lesson.book()
    stem = lesson.path.stem
    ways = f"<a href='../notebooks/{stem}.ipynb' download>Download this lesson</a> to run it yourself, "
    ways += f"or see its <a href='../slides/{stem}.html'>slides</a>."
    cells = [book.cells[0], _words(ways)]
    checkable = on_pages(stem)
    for cell in book.cells[1:]:
        name = cell.metadata.get("exercise")
        if name in checkable:
            cells.append(_words(raw(_editor(stem, name, cell.source))))
        elif not any(cell.source == f'ee.exercises.get("{each}").check({each})' for each in checkable):
            if re.fullmatch(r'ee\.exercises\.(get|quiz)\("\w+"\)', cell.source):
                cell.metadata["tags"] = ["remove-input"]  # the card says it all
            cells.append(cell)
        if cell.cell_type == "code":
            cells += [_words(raw(place)) for place in live_places(cell.source)]
        asks = cell.cell_type == "code" and "ee.classify(" in cell.source
        if asks and all(one.source != PHOTOGRAPH for one in cells):
            cells.append(_words(PHOTOGRAPH))
    cells.append(_words(raw('<div data-progress class="effnet-progress"></div>')))
    for index, cell in enumerate(cells):
        if "id" not in cell:
            cell["id"] = f"site-{index}"
    book.cells = cells
    return book


def live_places(source: str) -> Iterator[str]:
    """Yield where a lab that a cell shows can be moved: in the same page with scripts, in its own without.

    Args:
        source: Code of the cell.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=lab), keywords=keywords) if lab in LIVE:
                logic = Page(lab).logic
                known = set(logic.names()) - set(logic.MEASURED_ONLY)
                given = {one.arg: ast.literal_eval(one.value) for one in keywords if one.arg in known}
                yield (
                    f'<p class="ee-embed"><a href="../live/{LIVE[lab]}.html#{escape(urlencode(given))}" '
                    f'data-lab="{escape(logic.title)}">Move it in your browser</a></p>'
                )


def _editor(lesson: str, name: str, stub: str) -> str:
    """Return where a page puts an editor; without scripts it shows the stub."""
    place = f'<div class="effnet-exercise" data-lesson="{lesson}" data-exercise="{name}">'
    return f"{place}<pre>{escape(stub)}</pre></div>"


def _words(markdown: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(markdown)
