"""What every lesson must be, read from its file: fresh, whole and readable."""

import ast
import builtins
import re
from html.parser import HTMLParser
from statistics import mean

import pytest

import effnet_edu as ee
from tests.notebooks.book import (
    KEY,
    LESSONS,
    WIDGET,
    cell_fingerprints,
    code_cells,
    data_fingerprint,
    is_compared,
    lesson_files,
    prose_cells,
    read,
)
from tests.notebooks.colab import is_colab

FILES = lesson_files()
SECTIONS = (
    "## Exercises",
    "## What the evidence says, and what it does not",
    "## Quiz",
    "## Three takeaways",
    "## Primary sources",
    "## Next",
)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def book(path):
    return read(path)


def prose(book):
    return "\n\n".join(cell.source for cell in prose_cells(book))


def outputs(book):
    return [(cell, output) for cell in code_cells(book) for output in cell.outputs]


def section(text, heading):
    start = text.index(heading) + len(heading)
    return re.split(r"^## ", text[start:], maxsplit=1, flags=re.MULTILINE)[0]


# Fresh


def test_every_cell_was_run_as_it_stands(book):
    stored = book.metadata[KEY]["cells"]
    edited = [name for name, digest in cell_fingerprints(book).items() if stored.get(name) != digest]
    assert not edited, f"edited and not run again: {edited}; run `make outputs`"
    assert set(stored) == {cell.id for cell in code_cells(book)}
    assert [cell.execution_count for cell in code_cells(book)] == list(range(1, len(code_cells(book)) + 1))


def test_the_tables_and_results_are_those_whose_numbers_are_shown(book, path):
    assert book.metadata[KEY]["data"] == data_fingerprint(book, path.stem[:2]), (
        "tables or recorded results that this lesson shows changed after its outputs were stored; "
        "run `make outputs`"
    )


def test_nothing_volatile_and_nothing_wrong_is_stored(book):
    assert set(book.metadata) == {"kernelspec", "language_info", KEY}
    assert book.metadata.kernelspec.name == "python3"
    for cell, output in outputs(book):
        assert output.output_type != "error", cell.id
        assert output.get("name") != "stderr", f"{cell.id} wrote to stderr: {output.get('text')}"
        assert WIDGET not in output.get("data", {}), cell.id
    for cell in code_cells(book):
        # The cell for Colab is folded; elsewhere nobody needs to see it.
        folded = {"jupyter"} if is_colab(cell) else set()
        assert set(cell.metadata) <= {"tags", "exercise"} | folded, cell.id
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{3,64}", name) for name in ids)


# Whole


def test_the_first_cell_says_what_a_learner_must_know(book, path):
    first = book.cells[0].source
    number = path.stem[:2]
    assert first.startswith(f"# {number} ")
    claim = re.search(r"\*\*The claim\.\*\* (.+)", first)
    assert claim
    objectives = section_list(first, "**After this lesson you can**")
    assert 4 <= len(objectives) <= 6
    assert "**Before:**" in first
    time = re.search(r"\*\*Time:\*\* reader (\d+) minutes, CPU (\d+) seconds, GPU (\d+) seconds\.", first)
    assert time
    assert int(time[2]) <= 60
    assert int(time[3]) <= 60


def section_list(text, heading):
    return re.findall(r"^\d\. .+", text.split(heading)[1].split("**Before")[0], flags=re.MULTILINE)


def test_every_section_is_there_in_order(book):
    places = [prose(book).index(heading) for heading in SECTIONS]
    assert places == sorted(places)
    assert len(re.findall(r"^\d\. ", section(prose(book), "## Three takeaways"), flags=re.MULTILINE)) == 3
    links = re.findall(r"\]\((https://[^)]+)\)", section(prose(book), "## Primary sources"))
    assert 3 <= len(set(links)) <= 6


def test_it_opens_with_something_surprising_made_by_code(book):
    cells = [cell for cell in book.cells if not is_colab(cell)]
    assert [cell.cell_type for cell in cells[:4]] == ["markdown", "code", "markdown", "code"]
    assert cells[3].outputs


def test_the_reader_predicts_and_tries(book):
    text = prose(book)
    assert len(re.findall(r"\*\*Predict", text)) >= 3
    lab = [cell for cell in code_cells(book) if "ee.labs." in cell.source]
    assert lab
    assert "**Three things to try**" in text
    assert len(re.findall(r"^\d\. ", text.split("**Three things to try**")[1][:900], flags=re.MULTILINE)) >= 3


def test_sizes(book, path):
    words = sum(len(cell.source.split()) for cell in prose_cells(book))
    assert 40 <= sum(not is_colab(cell) for cell in book.cells) <= 70
    assert 1300 <= words <= 3000
    assert path.stat().st_size <= 300 * 1024
    lines = [len(cell.source.splitlines()) for cell in code_cells(book)]
    assert mean(lines) <= 8
    assert max(lines) <= 30


def test_exercises_stand_as_card_stub_and_check(book, path):
    cells = code_cells(book)
    named = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    assert named == ee.exercises.list_exercises(path.stem)
    assert 3 <= len(named) <= 5
    for index, cell in enumerate(cells):
        if name := cell.metadata.get("exercise"):
            assert cells[index - 1].source == f'ee.exercises.get("{name}")'
            assert cell.source == ee.exercises.get(name).stub()
            assert cells[index + 1].source == f'ee.exercises.get("{name}").check({name})'
            assert "Not attempted." in str(cells[index + 1].outputs)


def loaded_and_bound(source):
    """Return the names that code reads, and those that it gives a value, wherever it does."""
    nodes = list(ast.walk(ast.parse(source)))
    needed = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {(node.asname or node.name).partition(".")[0] for node in nodes if isinstance(node, ast.alias)}
    return needed, bound


def test_a_solution_needs_no_name_that_its_lesson_does_not_have(book, path):
    given = set(dir(builtins)).union(*(loaded_and_bound(cell.source)[1] for cell in code_cells(book)))
    for name in ee.exercises.list_exercises(path.stem):
        needed, own = loaded_and_bound(ee.exercises.get(name).solved())
        assert needed <= given | own, name


def test_the_quiz_is_the_lessons_own(book, path):
    assert any(cell.source == f'ee.exercises.quiz("{path.stem}")' for cell in code_cells(book))
    assert 4 <= len(ee.exercises.quiz_of(path.stem).questions) <= 6


def test_it_uses_the_library_by_its_public_names(book):
    for cell in code_cells(book):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("effnet_edu"), cell.id
            if isinstance(node, ast.Attribute):
                private = node.attr.startswith("_") and not node.attr.endswith("__")
                assert not private, cell.id


def test_what_depends_on_the_device_is_not_compared(book):
    for cell in code_cells(book):
        timed = re.search(r"ee\.profile\(|check_machine|\.wait\(|sweep\[|ee\.labs\.", cell.source)
        assert not (timed and is_compared(cell)), (
            f"{cell.id} shows something of the device: tag it nbval-ignore-output"
        )


# Readable


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_every_image_has_alt_text_caption_and_numbers(book):
    for cell, output in outputs(book):
        data = output.get("data", {})
        assert "text/html" in data or not {"image/png", "image/jpeg"} & set(data), (
            f"{cell.id}: JupyterLab drops the alt text of a bare image"
        )
        parser = Tags()
        parser.feed("".join(data.get("text/html", "")))
        tags = [tag for tag, _ in parser.found]
        for tag, attributes in parser.found:
            if tag == "img":
                assert len(attributes.get("alt", "").split()) >= 8, cell.id
                assert attributes["src"].startswith("data:image/"), cell.id
                assert {"figcaption", "caption"} & set(tags), cell.id
                assert {"details", "table"} & set(tags), cell.id  # the same numbers in words
            if tag == "svg":
                assert {"aria-label", "aria-hidden"} & set(attributes), cell.id
    assert "![" not in prose(book)


def test_no_widget_is_without_a_still_picture(book):
    for cell in code_cells(book):
        if re.search(r"^(lab|ee\.exercises\.quiz\(.*\))$", cell.source, flags=re.MULTILINE):
            assert any("text/html" in output.get("data", {}) for output in cell.outputs), cell.id


def test_links_inside_the_course_resolve(book):
    for target in re.findall(r"\]\(([^)]+)\)", prose(book)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        assert (LESSONS / name).is_file(), target
        assert not anchor, "anchors differ between JupyterLab and GitHub"


def test_the_map_of_the_course_leads_to_every_lesson():
    text = prose(read(LESSONS / "00_start_here.ipynb"))
    linked = re.findall(r"^\| \*\*\[\d\d .+?\]\((.+)\.ipynb\)\*\* \|", text, flags=re.MULTILINE)
    assert ["00_start_here", *linked] == [path.stem for path in FILES]
    assert len(FILES) == 9
