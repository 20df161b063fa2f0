"""The pages for teachers and for who carries on: their code runs and prints what they say."""

import contextlib
import io
import re
from pathlib import Path

import nbformat
import pytest

import effnet_edu as ee
from effnet_edu.model import variants
from effnet_edu.start import lessons_folder
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


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_and_links_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            found = (page.parent / name).resolve() if name else page
            assert found.exists(), target
            if anchor:
                headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings}
    for name in re.findall(r"`((?:effnet_edu|tests|lessons|docs)/[\w/.]+)`", prose):
        generic = "NAME" in name or "NN" in name or "08" in name
        assert generic or (ROOT / name).exists(), name


def test_the_memory_of_a_learner_is_the_one_that_was_measured():
    assert memory.PAGE.read_text(encoding="utf-8") == memory.page_with(memory.read())
    labs = {row["lab"] for row in memory.read()}
    assert {part.lab for part in memory.PARTS} < labs


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
