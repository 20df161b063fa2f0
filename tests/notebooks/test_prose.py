"""What the prose of a lesson says: its numbers are counted again, its words are checked."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

import effnet_edu as ee
from tests.notebooks.book import ROOT, code_cells, lesson_files, prose_cells, read

FILES = lesson_files()
NUMBER = re.compile(r"(?<![\w.:-])\d[\d,]*\d(?:\.\d+)?(?![\w.]*\d)|(?<![\w.:-])\d(?:\.\d+)?(?![\w.]*\d)")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in prose_cells(read(path)))


def said(path: Path) -> str:
    """Return the prose, and what the strings of the code say, such as why a prediction came out so."""
    strings = (
        node.value
        for cell in code_cells(read(path))
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return "\n\n".join((prose(path), *strings))


def facts(path: Path) -> ModuleType:
    return importlib.import_module(f"tests.notebooks.facts.lesson_{path.stem[:2]}")


def readable(text: str) -> str:
    """Return prose without code, formulas, links, headings, list numbers, names of lessons, and years."""
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"^(#.*|\d+\. |\*\*Time:\*\*.*)", " ", text, flags=re.MULTILINE)
    text = re.sub(r"(?<![\w.])0\d(?![\w.]*\d)", " ", text)  # the name of a lesson
    return re.sub(r"(?<![\w.])(?:19[89]|20[012])\d(?![\w.]*\d)|(?<=arXiv:)\S+", " ", text)


def stated(text: str) -> list[str]:
    """Return the numbers that prose states, as they are written."""
    return NUMBER.findall(readable(text))


def as_written(value: float, pattern: str) -> str:
    """Return a number with as many decimals as a pattern has, and with its commas."""
    decimals = len(pattern.partition(".")[2])
    return f"{Decimal(repr(float(value))):{',' * (',' in pattern)}.{decimals}f}"


def test_numbers_in_prose_are_counted_again(path: Path) -> None:
    known, joined = facts(path), re.sub(r"\s+", " ", said(path))
    for fragment, count in known.FACTS.items():
        assert fragment in joined, f"the lesson no longer says {fragment!r}"
        found = count()
        if isinstance(found, Iterable):
            numbers = stated(fragment)
            assert [
                as_written(value, number) for value, number in zip(found, numbers, strict=True)
            ] == numbers
        else:
            assert found is True or found == True, fragment  # noqa: E712 - numpy's True is another object


def test_no_number_in_prose_is_unaccounted_for(path: Path) -> None:
    known = facts(path)
    left = re.sub(r"\s+", " ", readable(prose(path)))
    for fragment in sorted(known.FACTS, key=len, reverse=True):
        left = left.replace(re.sub(r"\s+", " ", readable(fragment)).strip(), " ")
    loose = {number for number in NUMBER.findall(left) if len(number) > 1} - set(known.CHOICES)
    assert not loose, f"put them into FACTS or CHOICES of {known.__name__}: {sorted(loose)}"


def test_numbers_are_found_where_a_reader_sees_them() -> None:
    text = (
        "# 02 Title\n\n1. from 6.2 to 7.3, `1.5`, v1.2.3, ResNet-50 in 2019, $x^{12}$, B7, 5,288,548, 40%.\n"
    )
    assert stated(text + "Lesson 06 and lessons 03 to 05, arXiv:1905.11946, [x](12)") == [
        "6.2",
        "7.3",
        "5,288,548",
        "40",
    ]
    assert as_written(5288548, "5,288,548") == "5,288,548"
    assert as_written(6.249, "6.2") == "6.2"
    assert as_written(6.25000001, "6.2") != "6.2"


# Words


def texts_of_exercises(lesson: str) -> list[str]:
    exercises = [ee.exercises.get(name) for name in ee.exercises.list_exercises(lesson)]
    questions = ee.exercises.quiz_of(lesson).questions
    return [
        *(text for e in exercises for text in (e.title, e.task, *e.hints)),
        *(cause for e in exercises for _, cause in getattr(e.checker, "mistakes", ())),
        *(question.text for question in questions),
        *(text for q in questions for choice in q.choices for text in (choice.text, choice.explanation)),
    ]


def all_words(path: Path) -> str:
    """Return all that a reader of a lesson reads, with its code and what the code shows in words."""
    book = read(path)
    shown = [
        "".join(output.get("text", "")) or "".join(output.get("data", {}).get("text/plain", ""))
        for cell in code_cells(book)
        for output in cell.outputs
    ]
    cells = [cell.source for cell in book.cells]
    return "\n\n".join((*cells, *shown, *texts_of_exercises(path.stem)))


def test_flops_is_only_a_word_in_quotes(path: Path) -> None:
    said = re.sub(r'"[^"\n]*"|`[^`\n]*`', " ", all_words(path))
    assert not re.findall(r".{0,40}\b[KMGT]?FLOPs?\b.{0,20}", said, flags=re.IGNORECASE)


#: Another word for something that has a name in this course -> that name.
OTHER_WORDS = {
    r"swish": "SiLU",
    r"drop ?connect( rate)?": "drop_path_rate or stochastic depth",
    r"multiply-adds?": "MACs",
    r"phi-?values?": "phi",
    r"squeeze and excitation": "squeeze-and-excitation",
    r"fused ?mbconv": "Fused-MBConv",
}


def test_one_thing_has_one_name(path: Path) -> None:
    said = re.sub(r'"[^"\n]*"|`[^`\n]*`|\[[^\]]*\]\([^)]*\)', " ", prose(path))
    for other, name in OTHER_WORDS.items():
        found = re.findall(rf".{{0,30}}\b{other}\b.{{0,20}}", said, flags=re.IGNORECASE)
        assert not found, f"call it {name}, or put it in quotes: {found}"


def test_spelling(tmp_path: Path) -> None:
    for path in FILES:
        (tmp_path / f"{path.stem}.txt").write_text(all_words(path), encoding="utf-8")
    documents = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "effnet_edu")
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "--skip", "*.json,*.csv,*.js", *documents, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)
