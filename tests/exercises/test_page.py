"""Exercises in a page: the same verdicts from the same checks, without torch."""

import json
import subprocess
import sys

import pytest

from effnet_edu.exercises import get, list_exercises, list_quizzes
from effnet_edu.exercises.page import check, on_pages
from tests.exercises.test_exercises import WRONG
from tests.exercises.wrong.lesson_04 import HELPERS

NAMES = [(lesson, name) for lesson in list_quizzes() for name in on_pages(lesson)]


def as_cell(name: str, code: str) -> str:
    """Return a wrong answer as it would stand in the exercise's cell."""
    is_whole = f"def {name}" in code or f"\n{name} =" in f"\n{code}"
    helpers = HELPERS if name == "class_share" else ""
    return helpers + (code if is_whole else f"{name} = {code}")


def test_31_of_38_exercises_need_no_torch():
    assert len(list_exercises()) == 38
    assert len(NAMES) == 31
    heavy = ("torch", "numpy", "filelock", "psutil", "ipywidgets")
    program = (
        f"import sys\nsys.modules |= dict.fromkeys({heavy})\n"
        "from effnet_edu.exercises.page import on_pages\n"
        "print(sum(len(on_pages(f'0{n}')) for n in range(9)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "31"


@pytest.mark.parametrize(("lesson", "name"), NAMES)
def test_stub_solution_and_wrong_answers_are_told_apart(lesson, name):
    exercise = get(name)
    assert json.loads(check(lesson, name, exercise.stub()))["state"] == "not attempted"
    assert json.loads(check(lesson, name, exercise.solved()))["state"] == "right"
    for code, cause in WRONG[name]:
        found = json.loads(check(lesson, name, as_cell(name, code)))
        assert found["state"] == "wrong"
        assert cause in found["html"].replace("<code>", "`").replace("</code>", "`").replace("&lt;", "<")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def implied_phi(", "Line 1 is no Python"),
        ("other = 3", "The code defines no <code>implied_phi</code>"),
        ("1 / 0", "The code stops with ZeroDivisionError"),
        ("raise SystemExit", "The code stops with SystemExit"),
        ("def implied_phi(*given):\n    return given.x", "in the line <code>return given.x</code>"),
    ],
)  # fmt: skip
def test_code_that_cannot_be_checked_is_a_sentence(code, sentence):
    found = json.loads(check("02_compound_scaling", "implied_phi", code))
    assert found["state"] == "wrong"
    assert sentence in found["html"]
