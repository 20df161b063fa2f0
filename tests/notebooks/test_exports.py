"""A lesson leaves Jupyter: as a page, a script, LaTeX and reStructuredText, run anew or as it is stored."""

import re
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter, LatexExporter, RSTExporter, ScriptExporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import NotebookNode

from effnet_edu.ground import front_end
from tests.cases import thorough_but_for
from tests.notebooks.book import LESSONS, read, tidy

CODE = """import effnet_edu as ee
ee.figures.network("efficientnet_b0")

ee.exercises.quiz("00_start_here")

ee.labs.PhiLab()"""


@pytest.fixture(scope="module")
def executed() -> NotebookNode:
    """Return a small lesson as `nbconvert --execute` has it."""
    cells = [nbformat.v4.new_code_cell(code) for code in CODE.split("\n\n")]
    book = nbformat.v4.new_notebook(cells=cells)
    return ExecutePreprocessor(timeout=300).preprocess(book, {})[0]


def pictures(html: str) -> list[str]:
    return re.findall(r"""src=["'](data:image/[^"']+)["']""", html)


@pytest.mark.parametrize(
    "options", thorough_but_for(({},), ({}, {"theme": "dark"}, {"template_name": "classic"}))
)
def test_a_page_keeps_figures_and_still_pictures(executed: NotebookNode, options: dict[str, Any]):
    page, _ = HTMLExporter(**options).from_notebook_node(executed)
    figure, quiz, lab = (cell.outputs[0].data["text/html"] for cell in executed.cells)
    for html in (figure, lab):
        assert pictures(html)
        assert set(pictures(html)) <= set(pictures(page))
        assert re.search(r"alt=.[^'\"]{40}", html)[0][5:] in page
    assert page.count("<details ") >= quiz.count("<details ") > 10
    assert '<script type="application/vnd.jupyter.widget-view+json">' not in page


def test_latex_shows_the_figure(executed: NotebookNode):
    text, resources = LatexExporter().from_notebook_node(executed)
    (name,) = re.findall(r"\\adjustimage\{.+\}\{([^}]+\.png)\}", text)
    assert resources["outputs"][name].startswith(b"\x89PNG")


def test_restructured_text_shows_the_figure(executed: NotebookNode):
    text, _ = RSTExporter().from_notebook_node(executed)
    assert ".. raw:: html" in text
    assert "data:image/svg+xml;base64," in text


def test_a_script_is_python(executed: NotebookNode):
    for path in sorted(LESSONS.glob("*.ipynb")):
        text, resources = ScriptExporter().from_notebook_node(read(path))
        assert resources["output_extension"] == ".py"
        compile(text, path.name, "exec")


def test_a_stored_lesson_keeps_its_pictures_on_the_page_and_no_second_copy(executed: NotebookNode):
    book = read(LESSONS / "06_benchmarks.ipynb")
    page, _ = HTMLExporter().from_notebook_node(book)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    stored = [src for output in outputs for src in pictures(str(output.get("data", {}).get("text/html", "")))]
    assert len(stored) > 5
    assert set(stored) <= set(pictures(page))
    assert "image/png" in executed.cells[0].outputs[0].data
    assert "image/png" not in tidy(nbformat.from_dict(executed)).cells[0].outputs[0].data


def test_a_front_end_gets_the_live_view(monkeypatch: pytest.MonkeyPatch):
    bundle = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "still"}
    assert front_end.without_a_dead_view(bundle) == bundle
    monkeypatch.setattr(front_end, "_is_answered", lambda: False)
    assert front_end.without_a_dead_view(bundle) == {"text/html": "still"}
