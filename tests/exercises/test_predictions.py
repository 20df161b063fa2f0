"""Predictions: a guess is committed, judged and kept; the first one counts."""

import json

import pytest

from effnet_edu.exercises import add_progress, predict, progress
from effnet_edu.exercises.prediction import Prediction
from effnet_edu.exercises.record import progress_file

LESSON = "02_compound_scaling"
NUMBER = Prediction(LESSON, "MACs at phi 1", 2.57, "Depth is rounded up.", "times")
COUNT = Prediction(LESSON, "Blocks with a shortcut", 9, "The first of a stage has none.")
TOO_WIDE = "your range holds it, but is too wide to count as close: its end may be at most 4 times its start."
CHOICE = Prediction(LESSON, "More or fewer", "more", "Depth is rounded up.", choices=("fewer", "more"))


@pytest.mark.parametrize(
    ("guess", "sentence", "is_close", "factor"),
    [
        ("2.57", "Your guess is right: it is 2.57 times.", True, 1.0),
        ("2.565", "Your guess is right: it is 2.57 times.", True, 2.57 / 2.565),
        ("2.4 times", "It is 2.57 times; your guess is 7% too low.", True, 2.57 / 2.4),
        ("about 5x", "It is 2.57 times; your guess is 95% too high.", False, 5 / 2.57),
        ("1,1", "It is 2.57 times; your guess is 2.3 times too low.", False, 2.57 / 1.1),
        ("2 to 3", "Your range holds it: it is 2.57 times.", True, 1.0),
        ("between 2 and 3", "Your range holds it: it is 2.57 times.", True, 1.0),
        ("2-3", "Your range holds it: it is 2.57 times.", True, 1.0),
        ("1 to 100", f"It is 2.57 times; {TOO_WIDE}", False, 1.0),
        ("3 to 4", "It is 2.57 times; your guess is 17% too high.", False, 3 / 2.57),
        ("2.58 to 3", "It is 2.57 times; your guess is less than 1% too high.", True, 2.58 / 2.57),
        ("514", "It is 2.57 times; your guess is 200 times too high.", False, 200.0),
        ("0", "It is 2.57 times; your guess is too low.", False, None),
        ("-1 to 3", f"It is 2.57 times; {TOO_WIDE}", False, None),
    ],
)
def test_a_number_or_a_range_is_judged_by_how_far_off_it_is(guess, sentence, is_close, factor):
    verdict = NUMBER.judge(guess)
    assert (verdict.sentence, verdict.is_close) == (sentence, is_close)
    assert verdict.factor == (pytest.approx(factor) if factor else None)


@pytest.mark.parametrize(
    ("guess", "sentence", "is_close"),
    [
        ("10", "It is 9; your guess is 1 too high.", True),
        ("4", "It is 9; your guess is 5 too low.", False),
        ("9", "Your guess is right: it is 9.", True),
        ("10 to 12", "It is 9; your guess is 11% too high.", True),
    ],
)
def test_a_count_is_missed_by_a_number_and_not_by_a_factor(guess, sentence, is_close):
    verdict = COUNT.judge(guess)
    assert (verdict.sentence, verdict.is_close) == (sentence, is_close)


def test_a_count_with_a_unit_is_missed_by_a_number_too():
    counted = Prediction(LESSON, "blocks", 16, "", "blocks")
    assert counted.judge("20").sentence == "It is 16 blocks; your guess is 4 too high."
    timed = Prediction(LESSON, "time", 10.0, "", "ms")
    assert timed.judge("20").sentence == "It is 10 ms; your guess is 2 times too high."
    measured = Prediction(LESSON, "time", 16.04, "", "ms")
    assert measured.judge("20").sentence == "It is 16 ms; your guess is 25% too high."
    assert Prediction(LESSON, "growth", 4, "", "times").judge("3").sentence.endswith("25% too low.")


@pytest.mark.parametrize(
    "guess", ["", "many", "3 to 2", "nan", "1e999", "2 apples", "to", "x" * 10_000, "1 " * 10_000]
)
def test_what_is_no_guess_is_asked_for_again(guess):
    with pytest.raises(ValueError, match=r"number|range|times|MACs") as refused:
        NUMBER.judge(guess)
    assert len(str(refused.value)) < 400


def test_large_numbers_and_shares_are_written_as_people_write_them():
    assert Prediction(LESSON, "x", 6_526_912, "", "parameters").answer == "6,530,000 parameters"
    assert Prediction(LESSON, "x", 32.1, "", "%").answer == "32.1%"
    assert Prediction(LESSON, "x", 9, "", "").answer == "9"
    assert Prediction(LESSON, "parameters", 8.42, "", "million").label == "parameters, in millions"
    assert Prediction(LESSON, "x", 385.8e6, "", "MACs").judge("385 M").is_close


def test_a_share_is_missed_by_points_because_percent_of_a_percentage_has_two_meanings():
    verdict = Prediction(LESSON, "x", 32.1, "", "%").judge("38")
    assert verdict.sentence == "It is 32.1%; your guess is 5.9 points too high."
    assert verdict.is_close


@pytest.mark.parametrize(
    ("guess", "sentence", "is_close"),
    [
        ("60 to 80", "It is 99.8%; your guess is 20 points too low.", False),
        ("80", "It is 99.8%; your guess is 20 points too low.", False),
        ("95", "It is 99.8%; your guess is 4.8 points too low.", True),
        ("90 to 99", "It is 99.8%; your guess is 0.8 points too low.", True),
        ("90 to 100", "Your range holds it: it is 99.8%.", True),
    ],
)
def test_four_fifths_is_no_good_guess_of_nearly_all(guess, sentence, is_close):
    verdict = Prediction(LESSON, "x", 99.8, "", "%").judge(guess)
    assert (verdict.sentence, verdict.is_close) == (sentence, is_close)


def test_a_wrong_choice_is_told_the_answer_in_a_sentence_that_suits_a_yes_too():
    asked = Prediction(LESSON, "x", "yes", "", choices=("yes", "no"))
    assert asked.judge("no").sentence == "No. The answer: yes."


@pytest.mark.parametrize(("truth", "choices"), [("third", ("one", "two")), (float("nan"), ()), ("2", ())])
def test_a_truth_that_nobody_could_guess_is_refused(truth, choices):
    with pytest.raises(ValueError, match="truth is"):
        Prediction(LESSON, "x", truth, "", choices=choices)


def test_the_first_guess_is_kept_and_the_truth_is_shown_after_it():
    view = predict(LESSON, NUMBER.what, NUMBER.truth, NUMBER.because, unit="times")
    assert not view.guess.continuous_update  # a click could overtake the end of what is sent in pieces
    view.button.click()
    assert "cannot be read as a number" in view.verdict.value
    assert "2.57" not in view.verdict.value
    view.guess.value = "5"
    view.guess._handle_custom_msg({"event": "submit"}, [])  # the Enter key
    assert "95% too high" in view.verdict.value
    assert NUMBER.because in view.verdict.value
    view.guess.value = "2.57"
    view.button.click()
    chosen = predict(LESSON, CHOICE.what, "more", CHOICE.because, choices=CHOICE.choices)
    chosen.button.click()
    assert "Choose one first." in chosen.verdict.value
    chosen.guess.value = "more"
    chosen.button.click()
    assert "Yes: more." in chosen.verdict.value
    kept = progress()
    assert [(task.name, task.title, task.state) for task in kept.predictions] == [
        ("MACs at phi 1", "5", "wrong"), ("More or fewer", "more", "right"),
    ]  # fmt: skip
    said = "1 of 2 predictions were close. Half of the guessed numbers were within a factor of 1.9."
    assert said in str(kept)
    assert said in kept._repr_html_()


def test_a_teacher_gets_the_guesses_with_the_rest(tmp_path):
    view = predict(LESSON, NUMBER.what, NUMBER.truth, NUMBER.because, unit="times")
    view.guess.value = "3"
    view.button.click()
    rows = json.loads(progress().export(tmp_path / "progress.json").read_text())
    assert [(row["kind"], row["name"], row["title"]) for row in rows[-1:]] == [
        ("prediction", "MACs at phi 1", "3")
    ]


BEYOND = {"guess": "3", "close": True, "factor": 0.5, "at": ""}


@pytest.mark.parametrize("predictions", [3, {"a": 1}, {"a": {"b": {"guess": 3}}}, {"a": {"b": BEYOND}}])
def test_damaged_guesses_never_block_another(predictions):
    progress_file().write_text(json.dumps({"exercises": {}, "answers": {}, "predictions": predictions}))
    view = predict(LESSON, NUMBER.what, NUMBER.truth, NUMBER.because, unit="times")
    view.guess.value = "3"
    view.button.click()
    assert "too high" in view.verdict.value
    assert [task.title for task in progress().predictions] == ["3"]


def test_an_older_file_without_predictions_is_whole():
    progress_file().write_text(json.dumps({"exercises": {}, "answers": {}}))
    assert progress().hindrance == ""


def test_without_a_kernel_it_is_folded_and_tells_a_page_what_to_ask():
    bundle = predict(
        LESSON, CHOICE.what, "more", "Because <b> & so.", choices=CHOICE.choices
    )._repr_mimebundle_()
    assert bundle["text/plain"] == "More or fewer: more. Because <b> & so."
    assert "<details>" in bundle["text/html"]
    assert "Because &lt;b&gt; &amp; so." in bundle["text/html"]
    assert "&quot;choices&quot;: [&quot;fewer&quot;, &quot;more&quot;]" in bundle["text/html"]


def test_a_lesson_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="There is no lesson named '99'"):
        predict("99", "x", 1, "y")


def test_what_was_done_elsewhere_is_added_and_nothing_is_lost(tmp_path):
    def record(right, guess):
        exercise = {"tries": 1, "last": "", "right_since": right}
        entry = {"guess": guess, "close": True, "factor": 1, "at": ""}
        return {"exercises": {"implied_phi": exercise}, "answers": {}, "predictions": {LESSON: {"x": entry}}}

    progress_file().write_text(json.dumps(record(None, "2")))
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record("2026-01-01T00:00:00+00:00", "3")))
    add_progress(other)
    kept = progress()
    assert [task.state for task in kept.tasks if task.name == "implied_phi"] == ["right"]
    assert [task.title for task in kept.predictions] == ["2"]
    for damaged in ("", "[]", '{"predictions": 3}'):
        other.write_text(damaged)
        with pytest.raises(ValueError, match="damaged, or no progress"):
            add_progress(other)
    assert progress() == kept
