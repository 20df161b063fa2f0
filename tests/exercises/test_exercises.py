import functools
import math
import statistics
import subprocess
import sys

import numpy as np
import pytest
import torch

import effnet_edu as ee
from effnet_edu.exercises import Exercise, Outcome, get, list_exercises
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck

#: Plausible wrong answers: exercise -> (code of the answer, words that name the likely cause).
WRONG = {
    "lite0_macs": [
        ("4_652_008", "its parameters"),
        ("2 * 385_195_456", "counted multiplications and additions apart"),
        ("'503 million'", "at 256 pixels"),
        ("385", "means 385 MACs"),
        ("'385 M parameters'", "not in MACs"),
        ("'many'", "cannot be read as a number"),
        ("100e6", "more than that"),
    ],
    "feature_side": [
        (
            "lambda side, strides: [side := side // stride for stride in strides][-1]",
            "rounds down at each stride",
        ),
        ("lambda side, strides: side // math.prod(strides)", "rounds down at each stride"),
        (
            "lambda side, strides: functools.reduce(lambda a, b: round(a / b), strides, side)",
            "12.5 down to 12",
        ),
        ("lambda side, strides: side / math.prod(strides)", "only a whole number"),
        ("lambda side, strides: -(-side // strides[0])", "stops after the first stride"),
        ("lambda side, strides: side // stride", "NameError"),
        ("lambda side, strides: [side]", "returns a list"),
    ],
    "prepared_pixel": [
        ("lambda x: x / 255", "scales to 0..1"),
        ("lambda x: x - 127 / 128", "brackets"),
        ("lambda x: (x - 128) / 128", "subtracts 128"),
        ("lambda x: x / 127.5 - 1", "exactly -1..1"),
        ("lambda x: None", "returns nothing"),
    ],
    "implied_phi": [
        ("lambda multiplier, base: math.log(multiplier)", "logarithm of the multiplier alone"),
        ("lambda multiplier, base: multiplier / base", "divide their logarithms"),
        ("lambda multiplier, base: math.log(base) / math.log(multiplier)", "upside down"),
        ("lambda multiplier, base: math.log(multiplier / base)", "quotient of two logarithms"),
        ("lambda multiplier, base: base ** multiplier", "raises the base once more"),
        ("lambda multiplier: math.log(multiplier)", "TypeError"),
        ("3.0", "wants the function itself"),
    ],
    "blocks_after_scaling": [
        ("lambda layers, depth: math.ceil(depth * sum(layers))", "rounds up once, at the end"),
        ("lambda layers, depth: sum(round(depth * n) for n in layers)", "rounds to the nearest"),
        ("lambda layers, depth: sum(math.floor(depth * n) for n in layers)", "rounds down in every stage"),
        ("lambda layers, depth: sum(n * math.ceil(depth) for n in layers)", "rounds the multiplier up"),
        ("lambda layers, depth: [math.ceil(depth * n) for n in layers]", "returns a list"),
        ("lambda layers, depth: depth * sum(layers)", "only a whole number"),
    ],
    "scaled_channels": [
        ("lambda channels, width: max(8, int(channels * width + 4) // 8 * 8)", "last step is missing"),
        ("lambda channels, width: max(8, 8 * round(channels * width / 8))", "even neighbour"),
        ("lambda channels, width: math.ceil(channels * width / 8) * 8", "always rounds up"),
        ("lambda channels, width: channels * width // 8 * 8", "always rounds down"),
        ("lambda channels, width: int(channels * width)", "multiple of 8 at all"),
        ("lambda channels, width: channels + 8", "agrees on"),
    ],
    "largest_phi": [
        (
            "math.log(2e9 / ee.cost('efficientnet_b0').macs) / math.log(ee.cost_factor())",
            "smooth rule promises",
        ),
        ("2.52", "smooth rule promises"),
        ("2.23", "One hundredth too far"),
        ("2.0", "more than that"),
        ("lambda: 2.2", "function"),
    ],
    "images_per_second": [
        ("lambda milliseconds, batch_size: 1000 / milliseconds", "counts batches in a second"),
        ("lambda milliseconds, batch_size: batch_size / milliseconds", "images in a millisecond"),
        ("lambda milliseconds, batch_size: milliseconds / batch_size", "time of one image"),
        ("lambda milliseconds, batch_size: 1000 / milliseconds / batch_size", "belongs above the line"),
        ("lambda milliseconds, batch_size: 1000 * batch_size", "agrees on 0 of"),
        ("50", "wants the function itself"),
    ],
    "fair_time": [
        ("lambda times, warmup: statistics.median(times)", "first runs are still in it"),
        ("lambda times, warmup: sum(times[warmup:]) / len(times[warmup:])", "This is the mean"),
        ("lambda times, warmup: min(times)", "luckiest run"),
        (
            "lambda times, warmup: sorted(times)[warmup:][len(times[warmup:]) // 2]",
            "sorts before leaving out",
        ),
        ("lambda times, warmup: sorted(times[warmup:])[len(times[warmup:]) // 2]", "an even number"),
        ("lambda times, warmup: times[warmup:]", "returns a list"),
    ],
    "best_within": [
        (
            "lambda networks, budget: max([t for ms, t in networks if ms < budget], default=0)",
            "`<=`, not `<`",
        ),
        ("lambda networks, budget: max(t for ms, t in networks)", "best of all networks"),
        (
            "lambda networks, budget: min([n for n in networks if n[0] <= budget], default=(0, 0))[1]",
            "the fastest network",
        ),
        (
            "lambda networks, budget: max([n for n in networks if n[0] <= budget], default=(0, 0))[1]",
            "slowest network that fits",
        ),
        ("lambda networks, budget: max(t for ms, t in networks if ms <= budget)", "ValueError"),
    ],
    "same_recipe_speedup": [
        ("139 / 13", "hours of table 7"),
        ("11", "less than that"),
        ("13 / 54", "upside down"),
        ("170 / 57", "inference"),
        ("'4.2 hours'", "is not in plain numbers"),
    ],
}


def answer(exercise: Exercise, code: str) -> object:
    return eval(code, {"math": math, "statistics": statistics, "functools": functools, "ee": ee})  # noqa: S307


def run(exercise: Exercise, code: str) -> object:
    names = {"math": math, "statistics": statistics, "ee": ee}
    exec(code, names)  # noqa: S102
    return names[exercise.name]


def test_every_exercise_has_wrong_answers():
    assert set(WRONG) == set(list_exercises())
    assert all(len(answers) >= 3 for answers in WRONG.values())


@pytest.mark.parametrize("name", list_exercises())
def test_stub_is_not_attempted_and_solution_is_right(name):
    exercise = get(name)
    assert exercise.check(run(exercise, exercise.stub())).state == "not attempted"
    assert exercise.check(...).state == "not attempted"
    right = exercise.check(run(exercise, exercise.solved()))
    assert right.state == "right"
    assert len(right.message.split()) > 8  # says what the answer shows


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
    for mistake in checker.mistakes:
        given = mistake.function if isinstance(checker, FunctionCheck) else mistake.value()
        outcome = checker(given)
        assert (outcome.state, outcome.message) == ("wrong", mistake.cause)


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
    assert exercise.stub() not in str(exercise)


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


@pytest.mark.parametrize(
    "written",
    [
        385_195_456,
        3.85e8,
        np.float32(3.85e8),
        torch.tensor(385_000_000),
        "385 M",
        "385M",
        "385 million",
        "385 million MACs",
        "0.385 G",
        "0.385 GMACs",
        "0.385 billion macs",
        "385,195,456",
        "385_195_456 MACs",
        "3.85e8",
        " 385 Million ",
    ],
)
def test_numbers_are_read_as_a_sensible_person_writes_them(written):
    assert get("lite0_macs").check(written).state == "right"


@pytest.mark.parametrize("written", ["", "385 M images", "385 x", "-", None, [385e6], True, "1e", {}])
def test_what_is_no_number_is_refused_with_a_sentence(written):
    outcome = get("lite0_macs").check(written)
    assert outcome.state == "wrong"
    assert "number" in outcome.message


def test_an_exception_of_the_learner_is_shown_with_its_input():
    def fails(multiplier, base):
        raise ZeroDivisionError("oh")

    message = get("implied_phi").check(fails).message
    assert "ZeroDivisionError: oh" in message
    assert "multiplier=" in message


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
    code = (
        "import sys; import effnet_edu.exercises.lesson_02, effnet_edu.exercises.quiz; "
        "print('ipywidgets' in sys.modules or 'torch' in sys.modules)"
    )
    answered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answered.stdout.strip() == "False"
