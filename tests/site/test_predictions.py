"""Predictions in a page: asked by the page alone, and judged as a notebook judges them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from effnet_edu.exercises import add_progress, progress
from effnet_edu.exercises.prediction import Prediction
from effnet_edu.exercises.record import progress_file
from tests.browser.jupyter import watched_page
from website.build import ROOT

pytestmark = pytest.mark.browser

SCRIPTS = ("predictions", "progress")
NUMBER = Prediction("02_compound_scaling", "MACs at phi 1", 2.57, "Depth is rounded up.", "times")
COUNT = Prediction("02_compound_scaling", "Blocks", 9, "The first of a stage has none.")
CHOICE = Prediction("02_compound_scaling", "Which", "<more>", "It is so.", choices=("fewer", "<more>"))


@pytest.fixture
def page(chrome: Browser) -> Any:
    with watched_page(chrome, 390, 844) as opened:
        asked = f"<meta charset='utf-8'><main>{NUMBER.to_html()}{CHOICE.to_html()}</main>"
        scripts = "".join(f"<script type='module' src='{name}.js'></script>" for name in SCRIPTS)
        body = f"{asked}<div data-progress></div>{scripts}"
        opened.route("http://page.test/02.html", lambda to: to.fulfill(body=body, content_type="text/html"))
        for name in SCRIPTS:
            path = ROOT / f"website/static/{name}.js"
            opened.route(f"http://page.test/{name}.js", partial(_file, path=path))
        opened.goto("http://page.test/02.html")
        yield opened


def _file(route: Any, path: Path) -> None:
    route.fulfill(path=path, content_type="text/javascript")


def test_a_guess_is_committed_by_keyboard_and_kept(page: Any) -> None:
    field = page.get_by_label("Your guess: MACs at phi 1")
    answer = page.locator("details").first
    field.fill("many")
    field.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("A number or a range is expected.")
    assert answer.get_attribute("open") is None
    field.fill("5")
    field.press("Enter")
    said = NUMBER.judge("5").sentence
    expect(page.get_by_role("status").first).to_have_text(said)
    expect(answer).to_contain_text("Depth is rounded up.")
    assert answer.get_attribute("open") is not None
    page.reload()
    expect(page.get_by_role("status").first).to_have_text(said)
    expect(field).to_have_value("5")


def test_a_choice_is_judged(page: Any) -> None:
    group = page.get_by_role("group", name="Your guess: Which")
    group.get_by_role("button", name="Commit").click()
    expect(page.get_by_role("status").nth(1)).to_have_text("Choose one first.")
    group.get_by_label("<more>").check()
    group.get_by_role("button", name="Commit").click()
    expect(page.get_by_role("status").nth(1)).to_have_text("Yes: <more>.")


def test_page_and_notebook_judge_alike(page: Any) -> None:
    guesses = (
        *(
            "2.57",
            "2.565",
            "2.4 times",
            "5x",
            "1,1",
            "2 to 3",
            "between 2 and 3",
            "2-3",
            "1 to 100",
            "3 to 4",
            "-1 to 3",
        ),
        *("about 2", "3,000", "2.5k", ".5", "2e", "514", "2.58 to 3"),
    )
    asked = page.locator("[data-prediction]").first.get_attribute("data-prediction")
    judged = (
        "async ([asked, guesses]) => guesses.map((await import('./predictions.js')).judge.bind(null, asked))"
    )
    found = page.evaluate(judged, [json.loads(asked), list(guesses)])
    assert dict(zip(guesses, found, strict=True)) == {guess: _judged(NUMBER, guess) for guess in guesses}
    share = {**json.loads(asked), "truth": 32.1, "answer": "32.1%"}
    (found,) = page.evaluate(judged, [share, ["38"]])
    assert found["said"] == "It is 32.1%; your guess is 5.9 points too high."
    nearly = Prediction("02_compound_scaling", "Right", 99.8, "", "%")
    shares = ("60 to 80", "80", "95", "90 to 99")
    asked_share = {"truth": nearly.truth, "answer": nearly.answer, "choices": []}
    found = page.evaluate(judged, [asked_share, list(shares)])
    assert dict(zip(shares, found, strict=True)) == {guess: _judged(nearly, guess) for guess in shares}
    asked = {"truth": COUNT.truth, "answer": COUNT.answer, "choices": []}
    counts = ("9", "10", "9.5", "8 to 8.5", "1 to 100", "0")
    found = page.evaluate(judged, [asked, list(counts)])
    assert dict(zip(counts, found, strict=True)) == {guess: _judged(COUNT, guess) for guess in counts}
    with_unit = Prediction("02_compound_scaling", "Blocks", 16, "", "blocks")
    asked = {"truth": 16, "answer": with_unit.answer, "choices": []}
    (found,) = page.evaluate(judged, [asked, ["20"]])
    assert found == _judged(with_unit, "20")
    timed = Prediction("02_compound_scaling", "Time", 10.0, "", "ms")
    asked = {"truth": 10, "answer": timed.answer, "choices": []}
    (found,) = page.evaluate(judged, [asked, ["20"]])
    assert found == _judged(timed, "20")


def test_guesses_go_to_a_notebook_as_a_file_and_back(page: Any, tmp_path: Path) -> None:
    page.get_by_label("Your guess: MACs at phi 1").fill("2 to 3")
    page.get_by_role("button", name="Commit").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "progress.json")
    add_progress(tmp_path / "progress.json")
    assert [(each.name, each.title, each.state) for each in progress().predictions] == [
        ("MACs at phi 1", "2 to 3", "right")
    ]
    page.evaluate("localStorage.clear()")
    page.reload()
    page.get_by_label("Progress file").set_input_files(progress_file())
    expect(page.get_by_role("status").last).to_contain_text("1 of 1 predictions close")
    (tmp_path / "other.json").write_text("[3]")
    page.get_by_label("Progress file").set_input_files(tmp_path / "other.json")
    expect(page.get_by_role("status").last).to_have_text("This is no progress file of the course.")


def _judged(asked: Prediction, guess: str) -> dict[str, Any] | None:
    try:
        verdict = asked.judge(guess)
    except ValueError:
        return None
    factor = pytest.approx(verdict.factor) if verdict.factor else None
    return {"said": verdict.sentence, "close": verdict.is_close, "factor": factor}
