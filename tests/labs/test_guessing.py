"""Guess first: a lab measures only after a guess, and says how far off it was."""

import json
from typing import Any

import pytest

import effnet_edu as ee
from effnet_edu.labs.frame.layout import said
from effnet_edu.labs.frame.page import Page
from effnet_edu.labs.phi.lab import PhiLab
from effnet_edu.labs.phi.measured import MeasuredPhi
from effnet_edu.pictures.labels import words_box
from effnet_edu.pictures.scene import Mark
from tests.labs.conftest import SlowProfile

#: Settings of each lab at which there is something to guess, and its unit.
ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "PhiLab": ({}, "ms"),
    "ScalingProblemLab": ({}, "ms"),
    "MBConvLab": ({}, "ms"),
    "SqueezeExciteLab": ({}, "ms"),
    "V2Lab": ({"fused": (1, 2)}, "times"),
    "BenchmarkLab": ({"across": "throughput"}, "images/s"),
    "YourNetworkLab": ({"part": "precision"}, "ms"),
}


def marks(logic: Any) -> dict[str, Mark]:
    """Return what both pictures have of a guess, by key."""
    screen = logic.screen()
    both = (*screen.picture.marks, *screen.charts.marks)
    return {mark.key: mark for mark in both if mark.key.startswith("guess/")}


def asking(slow: SlowProfile, **settings: Any) -> MeasuredPhi:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", **settings)
    logic.predicts = True
    return logic


def test_nothing_is_measured_before_a_guess_is_committed_and_then_it_is_judged(slow: SlowProfile) -> None:
    logic = asking(slow)
    logic.phi = 1.0
    logic.request()
    assert logic.wait(60)
    assert (slow.calls, logic.asks, logic.verdict) == (0, True, None)
    assert "Your guess first" in logic.status.message
    logic.touch({"guess": 25.04})
    assert slow.calls == 0
    logic.touch({"commit": True})
    assert logic.wait(60)
    assert (slow.calls, logic.asks) == (1, False)
    assert logic.verdict is not None
    assert logic.verdict.sentence == "It is 10 ms; your guess is 2.5 times too high."
    assert logic.verdict.factor == pytest.approx(2.5)
    assert logic.verdict.sentence in said(logic, logic.screen())


def test_what_is_exact_is_shown_all_the_while(slow: SlowProfile) -> None:
    logic, plain = asking(slow, phi=1.0), MeasuredPhi(device="cpu", phi=1.0)
    assert logic.asks
    assert logic.shown() == plain.shown()
    assert logic.screen().picture == plain.screen().picture
    assert logic.screen().finding == plain.screen().finding


def test_guesses_are_asked_for_only_where_the_switch_is_on(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu")
    assert not logic.predicts
    logic.phi = 1.0
    assert logic.wait(60)
    assert slow.calls == 1
    logic.predicts = True
    assert not logic.asks  # it was shown already
    assert "before the next" in logic.status.message
    logic.phi = 2.0
    assert logic.wait(60)
    assert slow.calls == 1
    logic.predicts = False
    assert logic.wait(60)
    assert (slow.calls, logic.verdict) == (2, None)


def test_turning_it_on_while_it_measures_shows_nothing(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0)
    logic.request()
    assert slow.started.wait(60)
    logic.predicts = True
    assert logic.wait(60)
    assert (logic.history, logic.asks) == ((), True)


def test_a_new_setting_asks_anew_and_a_known_one_keeps_its_guess(slow: SlowProfile) -> None:
    logic = asking(slow, phi=1.0)
    logic.touch({"guess": 20.0})
    logic.phi = 1.5
    assert (logic.guess, logic.committed, logic.asks) == (None, None, True)
    with pytest.raises(ValueError, match="There is no guess yet: write a number in ms"):
        logic.touch({"commit": True})
    logic.touch({"guess": 5.0, "commit": True})
    assert logic.wait(60)
    logic.batch_size = 2
    assert logic.asks  # another batch takes another time
    logic.batch_size = 1
    assert logic.verdict is not None
    assert logic.verdict.sentence == "It is 10 ms; your guess is 2 times too low."
    logic.touch({"guess": 10.0, "commit": True})  # too late: the truth is known
    assert logic.verdict.factor == pytest.approx(2.0)
    logic.touch({"phi": 0.5, "guess": 30.0, "commit": True})  # it was meant for the setting before
    assert (logic.setting.phi, logic.guess, logic.committed) == (0.5, None, None)


@pytest.mark.parametrize(
    ("written", "value"),
    [("45", 45.0), ("45.67 ms", 45.7), ("0,05 s", 50.0), (12.345678, 12.3), ("about 100", 100.0)],
)
def test_a_guess_is_read_as_people_write_it(slow: SlowProfile, written: Any, value: float) -> None:
    logic = asking(slow)
    logic.touch({"guess": written})
    assert logic.guess == value


@pytest.mark.parametrize("written", ["many", "12 apples", "0", "-3", "1e9", "nan", float("inf"), "9" * 5000])
def test_what_is_no_guess_is_refused_in_a_sentence_and_changes_nothing(
    slow: SlowProfile, written: Any
) -> None:
    logic = asking(slow)
    logic.touch({"guess": 45})
    with pytest.raises(ValueError, match=r"number .*ms") as refused:
        logic.touch({"guess": written, "commit": True})
    assert len(str(refused.value)) < 400
    assert (logic.guess, logic.committed) == (45.0, None)


@pytest.mark.parametrize("name", ee.labs.LABS)
def test_every_lab_takes_a_guess_on_its_own_axis(name: str, unmeasured: None) -> None:
    settings, unit = ASKED[name]
    logic = getattr(ee.labs, name).LOGIC(device="cpu", **settings)
    has_axis = name != "SqueezeExciteLab"  # no chart of it has one of times
    assert not marks(logic)
    logic.predicts = True
    assert logic.asks
    assert logic.guessed(logic.setting).unit == unit
    for room in (240, 814, 1500):
        logic.room, logic.guess = room, None
        found = marks(logic)
        assert ("guess/touch" in found, "guess/commit touch" in found) == (has_axis, False)
        if has_axis:
            (drag,) = found["guess/touch"].drag
            x, y, width, height = found["guess/touch"].place
            low, high = (y, y + height) if drag.upright else (x, x + width)
            assert low - 1 <= min(drag.axis.start, drag.axis.end)
            assert max(drag.axis.start, drag.axis.end) <= high + 1
            assert drag.said == "no guess yet"
            for value in (drag.axis.low, drag.axis.high):
                logic.touch({"guess": value})
                assert logic.guess == pytest.approx(value, rel=0.01)
                assert marks(logic)["guess/commit touch"].sets == {"commit": True}
    logic.touch({"guess": "3", "commit": True})
    assert (logic.committed, logic.asks) == (3.0, False)
    found = marks(logic)
    assert ("guess/mark" in found, "guess/touch" in found) == (has_axis, False)


def test_where_there_is_nothing_to_guess_nothing_is_asked(unmeasured: None) -> None:
    """With no fused stage the time is one by definition; a size is known."""
    v2 = ee.labs.V2Lab.LOGIC(device="cpu", network="B0", fused=())
    benchmark = ee.labs.BenchmarkLab.LOGIC(device="cpu", across="MACs")
    for logic in (v2, benchmark):
        logic.predicts = True
        assert not logic.asks
    v2.fused, benchmark.across = (1,), "time"
    assert v2.asks
    assert benchmark.asks
    v2.part = "progressive learning"
    assert v2.guessed(v2.setting).unit == "%"
    assert v2.asks
    v2.stages = 1
    assert not v2.asks


def test_a_guess_of_one_kind_of_block_is_none_of_another(unmeasured: None) -> None:
    logic = ee.labs.MBConvLab.LOGIC(device="cpu")
    logic.predicts = True
    logic.touch({"guess": 3, "commit": True})
    logic.kind = "convolution"
    assert logic.committed is None
    assert logic.asks


def test_the_field_and_the_chart_are_one_guess(slow: SlowProfile) -> None:
    lab = PhiLab(device="cpu", phi=1.0)
    row = lab._asking
    field = row._field
    assert row.layout.display == "none"
    lab._ask.click()
    assert (row.layout.display, lab._ask.description) == ("", "Stop guessing")
    field.value = "3"
    field.value = "30"
    assert lab.logic.guess == 30.0
    lab.logic.touch({"guess": 61.23})
    assert field.value == "61.2"
    field.value = "soon"
    field._handle_custom_msg({"event": "submit"}, [])  # the Enter key
    assert "'soon' cannot be read as a number" in lab.logic.status.message
    assert lab.logic.asks
    field.value = "20 ms"
    assert field.value == "20 ms"  # what is being written is left alone
    slow.release.set()
    field._handle_custom_msg({"event": "submit"}, [])
    assert lab.logic.wait(60)
    assert row.layout.display == "none"
    assert row.told.value == "It is 10 ms; your guess is 2 times too high."
    assert row.told.value in lab._body.said.value
    lab.logic.phi = 1.5
    assert (row.layout.display, field.value, row.told.value) == ("", "", "")
    lab._ask.click()
    assert row.layout.display == "none"
    lab.logic.cancel()
    lab.close()
    assert lab.logic.wait(60)


def test_a_page_asks_before_it_times() -> None:
    page = Page("PhiLab")

    def answer(changed: dict[str, Any], press: str = "", **more: Any) -> Any:
        return json.loads(page.answer(json.dumps({"changed": changed, "press": press} | more)))

    assert page.shown()["asking"] is None
    shown = answer({}, "ask")
    assert shown["predicts"]
    assert shown["timing"]["asks"]
    assert shown["asking"]["unit"] == "ms"
    assert "guess=" not in shown["link"]
    assert answer({"guess": "ten", "commit": True})["refused"].startswith("'ten' cannot be read")
    assert answer({"guess": 40.04})["asking"]["guess"] == 40.0
    shown = answer({"guess": "0.02 s", "commit": True})
    assert (shown["asking"], shown["timing"]["asks"]) == (None, False)
    page.graph()
    timed = {"seconds": [0.01] * 5, "device_name": "a test", "clock_step": 1e-5, "was_hidden": False}
    shown = answer({}, timed=timed)
    verdict = "It is 10 ms; your guess is 2 times too high."
    assert verdict in shown["said"]
    assert verdict in shown["timing"]["found"]
    shown = answer({"phi": "2"})
    assert shown["timing"]["asks"]
    assert verdict not in shown["said"]
    assert not answer({}, "ask")["timing"]["asks"]


@pytest.mark.parametrize("room", [350, 1000])
@pytest.mark.parametrize("name", ["ScalingProblemLab", "MBConvLab"])
def test_where_rows_take_a_guess_the_button_covers_no_other_row(
    monkeypatch: pytest.MonkeyPatch, name: str, room: int
) -> None:
    lab = getattr(ee.labs, name).LOGIC
    monkeypatch.setattr(lab, "request", lambda *_, **__: None)
    logic = lab(device="cpu")
    logic.room, logic.predicts = room, True
    axis = marks(logic)["guess/touch"].drag[0].axis
    for guess in (axis.low, (axis.low + axis.high) / 2, axis.high):
        logic.touch({"guess": guess})
        screen = logic.screen()
        x, y, width, height = marks(logic)["guess/commit"].place
        own = marks(logic)["guess/touch"].place
        assert own[1] - 3 <= y
        assert y + height <= own[1] + own[3] + 3
        for mark in (*screen.picture.marks, *screen.charts.marks):
            if mark.key.endswith("/bar") and mark.place[0] < x + width and mark.place[0] + mark.place[2] > x:
                assert mark.place[1] + mark.place[3] <= y or mark.place[1] >= y + height, mark.key


@pytest.mark.parametrize("room", [220, 340, 1000])
def test_no_line_of_a_guess_goes_through_words(room: int, slow: SlowProfile) -> None:
    logic = asking(slow, phi=0.0)
    logic.room = room
    logic.touch({"guess": 25.0, "commit": True})  # from now on the chart has points, and words
    assert logic.wait(60)
    logic.phi = 1.0
    assert logic.asks
    for guess in (1.0, 1.3, 1.7, 2.2, 3.0, 6.0, 500.0, 1000.0):
        logic.touch({"guess": guess})
        x, height, end, _ = marks(logic)["guess/line"].place
        boxes = {
            mark.key: words_box(mark)
            for mark in logic.screen().charts.marks
            if mark.text and mark.key.startswith("times/")
        }
        assert "times/proportion said" in boxes
        for key, (left, top, right, bottom) in boxes.items():
            assert not (top < height < bottom and x < right and left < end), (guess, key)
