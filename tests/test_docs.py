"""The pages for teachers and for who carries on: their code runs and prints what they say."""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import effnet_edu as ee
from effnet_edu.course.start import lessons_folder
from effnet_edu.model import variants
from tests import memory
from tests.notebooks.test_lessons import SECTIONS

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOLD = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.fixture
def variants_as_they_were(monkeypatch):
    monkeypatch.setattr(variants, "_TABLE", dict(variants._TABLE))
    yield
    variants.spec.cache_clear()


#: What it says goes into files: tests/labs/test_add_a_lab.py follows it.
WITH_FILES = ("add_a_lab",)


@pytest.mark.parametrize(
    "page", [page for page in WITH_CODE if page.stem not in WITH_FILES], ids=lambda page: page.stem
)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, variants_as_they_were):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8")))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, page.name, "exec"), {"__name__": "__main__"})  # noqa: S102
    told = TOLD.findall(code)
    assert len(told) >= 1
    assert said.getvalue().splitlines() == told


def test_there_is_a_page_with_a_worked_example_for_each_thing_to_add():
    wanted = {"add_a_variant", "add_a_lesson", "add_an_exercise", "add_a_lab", "add_a_study"}
    assert wanted <= {page.stem for page in WITH_CODE}


def test_the_bones_of_a_lesson_have_the_sections_that_lessons_must_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = BLOCK.findall((ROOT / "docs" / "add_a_lesson.md").read_text(encoding="utf-8"))
    exec(code, {"print": lambda *_: None})  # noqa: S102
    (path,) = tmp_path.glob("*.ipynb")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    places = [prose.index(heading) for heading in SECTIONS]
    assert places == sorted(places)
    real = nbformat.read(lessons_folder() / "02_compound_scaling.ipynb", as_version=4).cells[0].source
    bold = re.compile(r"\*\*[^*]+\*\*")
    assert bold.findall(book.cells[0].source) == bold.findall(real)


def missing(page: Path) -> Iterator[str]:
    """Yield what a page links to or names that is not there."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE) if anchor else ()
        anchors = {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings}
        if not found.exists() or (anchor and anchor not in anchors):
            yield target
    for name in re.findall(r"`((?:effnet_edu|tests|lessons|docs)/[\w/.]+)`", prose):
        generic = "NAME" in name or "NN" in name or "09" in name
        if not (generic or (ROOT / name).exists()):
            yield name


def test_files_and_links_that_a_page_names_exist():
    assert [f"{page.name}: {name}" for page in PAGES for name in missing(page)] == []


def test_the_memory_of_a_learner_is_the_one_that_was_measured():
    assert memory.PAGE.read_text(encoding="utf-8") == memory.page_with(memory.read())
    labs = {row["lab"] for row in memory.read()}
    assert set(ee.labs.LABS) < labs


def test_pages_know_how_many_labs_there_are():
    """In words, as prose has it; a lab more or less is told by this test."""
    numbers = dict(enumerate(("five", "six", "seven", "eight", "nine", "ten"), 5))
    said = re.compile(rf"\b({'|'.join(numbers.values())})\s+labs\b", re.IGNORECASE)
    pages = (*PAGES, ROOT / "README.md")
    told = [word.lower() for page in pages for word in said.findall(page.read_text(encoding="utf-8"))]
    assert len(told) >= 5
    assert set(told) == {numbers[len(ee.labs.LABS)]}


def test_each_lab_measures_first_within_a_gibibyte():
    """A class on machines of 1 GiB each can use every lab."""
    peaks = {row["lab"]: int(row["peak_mib"]) for row in memory.read()}
    (server,) = (peak for name, peak in peaks.items() if name.startswith("JupyterLab's server"))
    assert max(peaks[lab] for lab in ee.labs.LABS) + server < 1024, peaks


def test_answers_are_there_for_every_exercise_and_every_question(capsys):
    from effnet_edu.__main__ import main

    assert main(["answers"]) == 0
    said = capsys.readouterr().out
    for name in ee.exercises.list_exercises():
        assert ee.exercises.get(name).solved() in said
    for lesson in ee.exercises.list_quizzes():
        for question in ee.exercises.quiz_of(lesson).questions:
            (right,) = (choice.text for choice in question.choices if choice.right)
            assert f"{question.text} **{right}.**" in said
