"""Answers that print, never end, leave Python, or return what only resembles a number."""

import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from effnet_edu.exercises import get, learner, list_exercises
from effnet_edu.exercises.functions import FunctionCheck
from tests.exercises.test_exercises import answer

PIXEL = get("seen_as")


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(learner, "LIMIT_SECONDS", 0.5)
    monkeypatch.setattr(learner, "_BUSY_SECONDS", 0.2)
    monkeypatch.setattr(learner, "_LAST_SECONDS", 3.0)


@pytest.mark.parametrize(
    "convert",
    [
        Fraction,
        lambda value: Decimal(repr(value)),
        np.float64,
        np.float32,
        np.array,
        torch.tensor,
        lambda value: torch.tensor(value, dtype=torch.float64, requires_grad=True),
    ],
)
def test_a_number_of_any_kind_is_judged_by_its_value(convert):
    for name in (
        "implied_phi",
        "seen_as",
        "most_saved",
        "class_share",
        "fair_time",
        "accuracy_needed",
    ):
        right = answer(get(name), get(name).solved())
        assert get(name).check(lambda *given, right=right: convert(float(right(*given)))).state == "right", (
            name
        )
        assert (
            get(name).check(lambda *given, right=right: convert(1.001 * right(*given) + 1)).state == "wrong"
        )


@pytest.mark.parametrize("convert", [Fraction, Decimal, np.int64, np.float32, torch.tensor, float])
def test_a_whole_number_of_any_kind_is_judged_by_its_value(convert):
    for name in ("feature_side", "conv_macs", "blocks_after_scaling", "stage_side", "widest_squeeze"):
        right = answer(get(name), get(name).solved())
        assert get(name).check(lambda *given, right=right: convert(right(*given))).state == "right", name


def test_a_truth_value_counts_as_0_or_1():
    check = FunctionCheck(lambda x: int(x > 0.5), lambda generator: (generator.random(),), ("x",), whole=True)
    assert check(lambda x: x > 0.5).state == "right"
    assert check(lambda x: np.bool_(x > 0.5)).state == "right"
    assert check(lambda x: x <= 0.5).state == "wrong"


def test_both_ways_to_round_a_half_are_right():
    solved = "lambda stage, first, last, n: int(first + (last - first) * stage / (n - 1) + 0.5)"
    assert get("stage_side").check(answer(get("stage_side"), solved)).state == "right"


def test_the_card_does_not_print_its_own_answer():
    right = get("lite0_macs").checker
    assert "385" not in get("lite0_macs").task
    assert right("12e6").state == "wrong"


def test_what_is_printed_is_kept_short_and_off_the_page(capsys):
    def chatty(x):
        for line in range(1000):
            print("debug", line, x, "long" * 200)
        print("and an error", file=sys.stderr)
        return 128 * x / 255 + 127

    outcome = PIXEL.check(chatty)
    assert outcome.state == "right"
    assert capsys.readouterr() == ("", "")
    assert outcome.printed.startswith("debug 0 ")
    assert "more lines" in outcome.printed.splitlines()[-1]
    assert len(outcome.printed) < 700
    assert "<pre>debug 0 " in outcome._repr_html_()
    assert "debug 0 " in str(outcome)
    assert PIXEL.right_or_solved(chatty, {}) is chatty
    assert capsys.readouterr() == ("", "")


def test_two_lines_are_shown_whole():
    def chatty(x):
        print("x is", x) if x == 127 else None
        return x

    assert PIXEL.check(chatty).printed == "x is 127"


def endless(x):
    while True:
        x += 1


def stubborn(x):
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            x += 1


@pytest.mark.parametrize("loop", [endless, stubborn])
@pytest.mark.usefixtures("short")
def test_an_endless_loop_is_stopped(loop):
    outcome = PIXEL.check(loop)
    assert outcome.state == "wrong"
    assert "Does every loop in it come to an end?" in outcome.message
    assert get("mbconv_block").check(lambda *given: loop(1)).state == "wrong"


@pytest.mark.thorough
@pytest.mark.usefixtures("short")
def test_nothing_is_raised_after_the_check(monkeypatch):
    monkeypatch.setattr(learner, "_BUSY_SECONDS", 0.0)
    for seconds in (0.1, 0.25):  # the limit of half a second falls on the end of a call
        PIXEL.check(lambda x, seconds=seconds: time.sleep(seconds) or 0.0)
    for _ in range(100):
        time.sleep(0.01)


@pytest.mark.usefixtures("short")
def test_a_check_in_another_thread_has_the_same_limit():
    found = []
    thread = threading.Thread(target=lambda: found.append(PIXEL.check(endless)))
    thread.start()
    thread.join(60)
    assert "come to an end" in found[0].message


def test_without_threads_there_is_a_check_and_no_limit(monkeypatch):
    def no_threads(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_threads)
    assert PIXEL.check(lambda x: 128 * x / 255 + 127).state == "right"
    assert PIXEL.check(lambda x: 1 / 0).state == "wrong"


def leave(*_):
    sys.exit("bye")


def interrupt(*_):
    raise KeyboardInterrupt


class LeavesLater(float):
    def __float__(self):
        sys.exit()


@pytest.mark.parametrize("name", list_exercises())
def test_leaving_python_or_an_interrupt_never_escapes(name):
    exercise = get(name)
    assert exercise.check(leave).state == "wrong"
    if not type(exercise.checker).__name__.startswith("Number"):
        assert "leaves Python" in exercise.check(leave).message
        assert exercise.check(interrupt).state == "not attempted"
    assert exercise.check(lambda *_: LeavesLater(1.0)).state == "wrong"


def test_a_huge_answer_is_quoted_in_a_few_characters():
    for name in ("lite0_macs", "seen_as", "mbconv_block", "prepared", "published_name"):
        for value in ([1.0] * 10**6, "x" * 10**6, 10**5000, torch.zeros(1000), {n: n for n in range(10**5)}):
            assert len(get(name).check(value).message) < 500
            assert len(get(name).check(lambda *_, value=value: value).message) < 900

    def fails(x):
        raise ValueError("x" * 10**6)

    assert len(PIXEL.check(fails).message) < 500


def test_defaults_of_torch_are_as_they_were_and_do_not_matter():
    exercise = get("squeeze_excite_block")
    torch.set_default_dtype(torch.float64)
    try:
        assert exercise.check(answer(exercise, exercise.solved())).state == "right"
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
