import ast
import functools
import importlib
import linecache
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from torch.nn import functional

import effnet_edu as ee
from effnet_edu.exercises import Exercise, Outcome, get, list_exercises
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck

LESSONS = Path(__file__).parents[2] / "lessons"
#: What code calls modules by.
MODULES = {*sys.stdlib_module_names, "torch", "nn", "F", "np"}
#: A file a lesson, found by its name.
ROOMS = [
    importlib.import_module(f"tests.exercises.wrong.{path.stem}")
    for path in sorted((Path(__file__).parent / "wrong").glob("lesson_*.py"))
]
WRONG = {name: answers for room in ROOMS for name, answers in room.WRONG.items()}


def names(exercise: Exercise) -> dict[str, Any]:
    """Return what a cell of the exercise's lesson can use."""
    room = next(room for room in ROOMS if exercise.name in room.WRONG)
    found = {"math": math, "functools": functools, "torch": torch, "nn": torch.nn, "F": functional, "ee": ee}
    exec(getattr(room, "SETUP", ""), found)  # noqa: S102
    return found


def answer(exercise: Exercise, code: str) -> Any:
    """Return what code gives as an answer: an expression, or statements that define the exercise's name."""
    found = names(exercise)
    try:
        return eval(code, found)  # noqa: S307
    except SyntaxError:
        exec(code, found)  # noqa: S102
        return found[exercise.name]


def test_every_exercise_has_wrong_answers():
    assert set(WRONG) == set(list_exercises())
    assert all(len(answers) >= 4 for answers in WRONG.values())


@pytest.mark.parametrize("name", list_exercises())
def test_stub_is_not_attempted_and_solution_is_right(name):
    exercise = get(name)
    assert exercise.check(answer(exercise, exercise.stub())).state == "not attempted"
    assert exercise.check(...).state == "not attempted"
    right = exercise.check(answer(exercise, exercise.solved()))
    assert right.state == "right"
    assert len(right.message.split()) > 8  # says what the answer shows
    assert not re.search(r"\d\.0 (are|is|pixels|pictures|channels|blocks|layers)\b", right.message)  # a count


@pytest.mark.parametrize(
    ("name", "code", "cause"), [(n, *wrong) for n, all_ in WRONG.items() for wrong in all_]
)
def test_wrong_answers_are_refused_with_their_cause(name, code, cause):
    exercise = get(name)
    outcome = exercise.check(answer(exercise, code))
    assert outcome.state == "wrong"
    assert cause in outcome.message


@pytest.mark.parametrize("name", list_exercises())
def test_every_listed_mistake_is_one_and_is_recognised(name):
    checker = get(name).checker
    assert len(checker.mistakes) >= 4
    for mistake, cause in checker.mistakes:
        outcome = checker(mistake() if isinstance(checker, NumberCheck) else mistake)
        assert (outcome.state, outcome.message) == ("wrong", cause)


def test_stub_and_solution_differ_only_in_the_blanks():
    for name in list_exercises():
        exercise = get(name)
        stub, solved = exercise.stub(), exercise.solved()
        for text in exercise.answers:
            stub = stub.replace("...", text, 1)
        assert stub == solved


def test_hints_go_on_and_can_be_asked_for_by_number():
    exercise = get("scaled_channels")
    texts = [str(exercise.hint()) for _ in range(5)]
    assert texts[0].startswith("Hint 1 of 3")
    assert texts[2] == texts[4]
    assert str(exercise.hint(2)) == texts[1]
    with pytest.raises(ValueError, match="hints 1 to 3"):
        exercise.hint(4)


def test_card_has_hints_and_solution_folded():
    exercise = get("blocks_after_scaling")
    html = exercise._repr_html_()
    assert html.count("<details>") == len(exercise.hints) + 1
    assert "sum(math.ceil(depth * count) for count in layers)" in html
    assert '<pre style="white-space:pre;' in html  # a long line is scrolled, not broken within a word
    assert exercise.stub() not in str(exercise)


@pytest.mark.parametrize("name", list_exercises())
def test_what_a_card_advises_runs_in_its_lesson(name):
    exercise = get(name)
    advised = " ".join((exercise.task, exercise.solved(), *exercise.hints))
    (path,) = LESSONS.glob(f"{exercise.lesson}.ipynb")
    cells = (cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    known = imported("\n".join(cells)) | set(re.findall(r"`import (\w+)`", advised))
    modules = {used for used in re.findall(r"(?<![\w.])(\w+)\.\w", advised) if used in MODULES}
    assert modules <= known


def imported(code: str) -> set[str]:
    """Return the names that imports give to modules, at the top of the code."""
    nodes = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {name.asname or name.name for node in nodes for name in node.names}


def test_unknown_exercise_names_the_nearest():
    with pytest.raises(ValueError, match=r"implied_phy.*Near it: implied_phi"):
        get("implied_phy")


class Flatterer:
    """Equal to everything: a check that trusted == would call it right."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


class NeverAlike(float):
    """A float whose comparisons always say what an impostor wants."""

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__
    __hash__ = float.__hash__


@pytest.mark.parametrize("impostor", [Flatterer(), NeverAlike(1.0)])
def test_an_answer_that_is_equal_to_everything_is_not_right(impostor):
    assert get("lite0_macs").check(impostor).state == "wrong"
    assert get("implied_phi").check(lambda *_: impostor).state == "wrong"


def test_a_function_that_changes_its_inputs_changes_only_its_own_copy():
    def spoil(layers, depth):
        blocks = sum(math.ceil(depth * count) for count in layers)
        layers.clear()
        return blocks

    assert get("blocks_after_scaling").check(spoil).state == "right"


def test_replacing_the_library_function_does_not_make_a_wrong_answer_right(monkeypatch):
    def wrong(*_):
        return 8

    monkeypatch.setattr(ee, "round_channels", wrong, raising=False)
    assert get("scaled_channels").check(wrong).state == "wrong"


def test_an_exception_of_the_learner_is_shown_with_its_input():
    def fails(*_):
        raise ZeroDivisionError("oh")

    message = get("implied_phi").check(fails).message
    assert "ZeroDivisionError: oh" in message
    assert "depth=" in message


def test_an_exception_in_a_cell_is_shown_with_its_line(monkeypatch):
    cell = "def fails(multiplier, base, *_):\n    half = base / 2\n    return multipler ** half\n"
    name = "/somewhere/ipykernel_1/2.py"
    monkeypatch.setitem(linecache.cache, name, (len(cell), None, cell.splitlines(keepends=True), name))
    found = {}
    exec(compile(cell, name, "exec"), found)  # noqa: S102
    message = get("implied_phi").check(found["fails"]).message
    assert "`return multipler ** half`" in message


def test_three_dots_inside_a_function_are_not_attempted():
    def unfinished(layers, depth):
        scaled = ...
        return sum(scaled)

    assert get("blocks_after_scaling").check(lambda layers, depth: ... + 1).state == "not attempted"
    assert get("blocks_after_scaling").check(unfinished).state == "not attempted"


def test_an_answer_that_fails_only_when_it_is_shown_is_not_right():
    def learned_by_heart(layers, depth):
        if layers == [1, 2, 2, 3, 3, 4, 1]:
            raise KeyError("never seen")
        return sum(math.ceil(depth * count) for count in layers)

    outcome = get("blocks_after_scaling").check(learned_by_heart)
    assert outcome.state == "wrong"
    assert "KeyError" in outcome.message


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e400, 10**400])
def test_what_is_not_finite_is_never_right(value):
    assert get("lite0_macs").check(value).state == "wrong"
    assert get("implied_phi").check(lambda *_: value).state == "wrong"
    assert get("blocks_after_scaling").check(lambda *_: value).state == "wrong"


def test_small_values_are_compared_as_exactly_as_large_ones():
    check = FunctionCheck(
        reference=lambda x: x,
        draw=lambda generator: (generator.uniform(1e-6, 1e-5),),
        arguments=("x",),
        mistakes=((lambda x: 0.0, "nothing"),),
    )
    assert check(lambda x: x).state == "right"
    assert check(lambda x: 1.01 * x).state == "wrong"


def test_outcome_shows_code_and_escapes_what_a_learner_wrote():
    outcome = Outcome("wrong", "`a` <script>")
    assert "<code>a</code> &lt;script&gt;" in outcome._repr_html_()
    assert str(outcome).startswith("✗ Not yet.")


def test_a_template_must_have_as_many_blanks_as_answers():
    check = NumberCheck(value=lambda: 1.0, variable="x")
    with pytest.raises(ValueError, match="2 answers for 1 blanks"):
        Exercise("x", "l", "t", "easy", 1, "task", "x = <answer>", ("1", "2"), ("hint",), check, str)


def test_reveal_folds_text_and_pictures():
    folded = ee.exercises.Reveal("`a` & b")._repr_html_()
    assert folded.startswith("<details><summary>")
    assert "<code>a</code> &amp; b" in folded
    assert "<table" in ee.exercises.Reveal(ee.published.read("effnet_table7"))._repr_html_()


def test_only_the_view_imports_ipywidgets():
    code = "import sys; import effnet_edu.exercises.catalogue; print('ipywidgets' in sys.modules)"
    answered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answered.stdout.strip() == "False"
