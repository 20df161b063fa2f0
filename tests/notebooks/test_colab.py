"""Lessons run on Colab with one cell that does nothing elsewhere. Colab itself is not reached from a test."""

import subprocess
import sys
import types

import nbformat
import pytest

from tests.notebooks.book import lesson_files, read
from tests.notebooks.colab import HAS, PLACE, TAGS, is_colab, packages, source, with_cell


@pytest.fixture
def asked(monkeypatch):
    """What the cell runs, instead of running it."""
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda words, check: calls.append(words))
    return calls


def test_elsewhere_it_does_nothing(asked):
    before = set(sys.modules)
    names = {}
    exec(source(), names)  # noqa: S102
    assert asked == []
    assert set(sys.modules) == before
    assert set(names) - {"__builtins__"} == {"sys"}


def test_on_colab_it_installs_the_course_beside_colabs_own_torch_and_kernel(asked, monkeypatch):
    switched_on = []
    output = types.SimpleNamespace(enable_custom_widget_manager=lambda: switched_on.append(True))
    colab = types.ModuleType("google.colab")
    colab.output = output
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    exec(source(), {})  # noqa: S102
    course, others = asked
    assert course[1:] == ["-m", "pip", "install", "--quiet", "--no-deps", "effnet-edu"]
    assert others[5:] == packages()
    assert not {line.split(">")[0].split("=")[0] for line in packages()} & HAS
    assert any(line.startswith("ipywidgets>=8") for line in packages())
    assert switched_on == [True]


def test_every_lesson_has_it_after_its_title():
    for path in lesson_files():
        book = read(path)
        held = [cell for cell in book.cells if is_colab(cell)]
        assert [cell.source for cell in held] == [source()], (
            f"{path.stem}: run `python -m tests.notebooks.colab`"
        )
        assert book.cells[PLACE] is held[0], path.stem


def test_putting_it_in_twice_is_putting_it_in_once():
    once = with_cell(read(lesson_files()[0]))
    assert with_cell(nbformat.from_dict(once)) == once
    assert once.cells[PLACE].metadata.tags == TAGS
    nbformat.validate(once)
