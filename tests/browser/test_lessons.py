"""Every lesson in JupyterLab in a real browser, with its solutions put in: one run for many checks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from playwright.sync_api import Page, expect

from effnet_edu.exercises import get
from tests.browser.conftest import watched
from tests.browser.jupyter import Notebook
from tests.cases import thorough_but_for
from tests.notebooks.book import (
    BUDGET_SECONDS,
    IMAGES,
    LESSONS,
    WIDGET,
    code_cells,
    is_compared,
    lesson_files,
    read,
    solved,
)

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Done:
    """A lesson that ran to its end.

    Attributes:
        stored: The lesson as it is stored, without solutions.
        cells: The code cells after the run, as JupyterLab holds them.
        seconds: Processor time that the kernel took for it.
        notebook: The open notebook.
    """

    stored: NotebookNode
    cells: list[dict[str, Any]]
    seconds: float
    notebook: Notebook


@pytest.fixture(
    scope="module",
    params=thorough_but_for([LESSONS / "02_compound_scaling.ipynb"], lesson_files()),
    ids=lambda path: path.stem,
)
def opened(page: Page, served: tuple[str, Path], request: pytest.FixtureRequest) -> Iterator[Done]:
    """Open a lesson and run all of it; a cell that fails is an error here."""
    stored = read(request.param)
    nbformat.write(solved(stored), served[1] / request.param.name)
    page.complaints.clear()  # type: ignore[attr-defined]
    notebook = Notebook(page)
    notebook.open(request.param.name)
    notebook.run_all()
    seconds = float(notebook.run_in_kernel("import time; print(time.process_time())"))
    print(f"{request.param.stem}: {seconds:.1f} of {BUDGET_SECONDS} s")
    assert notebook.hidden_errors() == []
    assert page.complaints == []  # type: ignore[attr-defined]
    yield Done(stored, notebook.code_cells(), seconds, notebook)
    notebook.close()


@pytest.fixture
def done(opened: Done, page: Page, request: pytest.FixtureRequest) -> Iterator[Done]:
    """The same lesson for one test, which leaves it as it is; a failure leaves what it saw."""
    with watched(page, opened.notebook, request.node):
        yield opened


def shown(outputs: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what a cell shows, however its text is cut, without what stored outputs leave out."""
    parts = []
    for output in outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        parts.append({kind: "".join(text) for kind, text in data.items() if kind not in (WIDGET, *IMAGES)})
    return parts


def shows_answers(cell: NotebookNode) -> bool:
    """Return whether a cell shows something else once exercises are solved."""
    return ".check(" in cell.source or "shows-answers" in cell.metadata.get("tags", ())


def test_every_check_passes_with_the_solutions(done: Done) -> None:
    exercises = [cell.metadata["exercise"] for cell in code_cells(done.stored) if "exercise" in cell.metadata]
    checks = [cell for cell in done.cells if ".check(" in "".join(cell["source"])]
    said = [shown(cell["outputs"])[0]["text/plain"] for cell in checks]
    assert len(said) == len(exercises) >= 3
    for name, text in zip(exercises, said, strict=True):
        assert text.startswith("✓ Right."), get(name).title


def test_a_second_run_shows_what_is_stored(done: Done) -> None:
    changed = [
        old.id
        for old, cell in zip(code_cells(done.stored), done.cells, strict=True)
        if is_compared(old) and not shows_answers(old) and shown(cell["outputs"]) != shown(old.outputs)
    ]
    assert not changed, f"these cells show something else than what is stored: {changed}"


def test_it_keeps_its_budget(done: Done) -> None:
    assert done.seconds <= BUDGET_SECONDS


def test_every_widget_and_every_picture_is_there(done: Done, page: Page) -> None:
    """Go to each cell that shows something but text, as a reader would, and look for what should be there."""
    seen = page.evaluate(
        """async widget => {
        const seen = [];
        for (const [index, cell] of doc.content.widgets.entries()) {
            if (cell.model.type !== 'code') continue;
            const outputs = cell.model.toJSON().outputs.filter(o => o.data);
            const wanted = outputs.filter(o => widget in o.data).length;
            const pictures = outputs.filter(o => !(widget in o.data))
                .map(o => [o.data['text/html'] ?? ''].flat().join('')).join('').split('<img ').length - 1;
            if (!wanted && !pictures) continue;
            await doc.content.scrollToItem(index, 'start');
            let views = 0, images = 0, nameless = 0;
            for (let wait = 0; wait < 100 && (views < wanted || images < pictures || nameless); wait++) {
                await new Promise(done => setTimeout(done, 50));
                views = cell.node.querySelectorAll('.jp-OutputArea-output > .jupyter-widgets').length;
                images = [...cell.node.querySelectorAll('.jp-OutputArea-output img')]
                    .filter(image => image.complete && image.naturalWidth > 0).length;
                nameless = [...cell.node.querySelectorAll('.effnet-question .widget-text input')]
                    .filter(field => !field.ariaLabel).length;
            }
            const astray = [...cell.node.querySelectorAll('.effnet-question .widget-radio-box label')].filter(
                choice => choice.querySelector('input').getBoundingClientRect().bottom
                    > choice.getBoundingClientRect().bottom + 1).map(choice => choice.innerText);
            const broken = /displaying widget|Loading widget|Javascript Error/i
                .test(cell.node.innerText);
            seen.push({index, wanted, views, pictures, images, nameless, astray, broken});
        }
        return seen }""",
        WIDGET,
    )
    assert sum(cell["wanted"] for cell in seen) >= 2  # a lab and a quiz
    for cell in seen:
        assert cell["views"] >= cell["wanted"], cell
        assert cell["images"] >= cell["pictures"], cell
        assert not cell["nameless"], cell  # the field of a guess
        assert not cell["astray"], cell  # the circle of a choice of two lines
        assert not cell["broken"], cell


def test_the_quiz_is_answered_by_keyboard_alone(done: Done, page: Page) -> None:
    """Tab into the first question, choose with the arrows, go on with Tab, press Check with Space."""
    index = next(n for n, cell in enumerate(done.stored.cells) if "ee.exercises.quiz(" in cell.source)
    page.evaluate("index => doc.content.scrollToItem(index, 'start')", index)
    checked = page.get_by_role("button", name="Check")  # a prediction is committed
    question = page.locator(".effnet-question").filter(has=checked).first
    question.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    expect(question.locator("input[type=radio]").first).to_be_checked()
    assert done.notebook.hidden_errors() == []  # the kernel has heard of it
    page.keyboard.press("ArrowDown")
    expect(question.locator("input[type=radio]").nth(1)).to_be_checked()
    page.keyboard.press("Tab")
    expect(question.get_by_role("button", name="Check")).to_be_focused()
    page.keyboard.press("Space")
    expect(question.get_by_role("status")).to_contain_text(re.compile("Right|Not yet"))
    page.keyboard.press("Tab")
    focused = page.evaluate("() => document.activeElement.closest('.effnet-question') !== null")
    assert focused, "Tab leads to the next question"
