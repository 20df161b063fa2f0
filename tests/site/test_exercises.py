"""Exercises in a lesson's page: written, checked and kept in the reader's browser alone."""

import pytest
from playwright.sync_api import Browser, expect

from effnet_edu.exercises import get, list_quizzes
from effnet_edu.exercises.catalogue import quiz_of
from effnet_edu.exercises.page import on_pages
from tests.exercises.test_exercises import WRONG
from tests.exercises.test_page import as_cell
from tests.site.test_site import offline

pytestmark = pytest.mark.browser

LESSON = "02_compound_scaling"


def test_an_exercise_is_solved_by_keyboard_and_remembered(chrome: Browser, address: str) -> None:
    with offline(chrome, address, (390, 844)) as page:
        page.goto(f"{address}/lessons/{LESSON}.html")
        place = page.locator("[data-exercise=implied_phi]")
        editor = place.get_by_label("Your answer: implied_phi")
        assert editor.input_value().strip() == get("implied_phi").stub().strip()
        editor.press("Control+Enter")
        expect(place).to_contain_text("Not attempted.")
        editor.fill("def implied_phi(multiplier, base):")
        editor.press("End")
        editor.press("Enter")
        editor.press_sequentially("return multiplier / base")
        assert editor.input_value().endswith(":\n    return multiplier / base")
        editor.press("Tab")
        page.keyboard.press("Enter")
        expect(place).to_contain_text("Not yet.")
        editor.fill(get("implied_phi").solved())
        place.get_by_role("button", name="Check").click()
        expect(place).to_contain_text("Right.")
        assert place.evaluate("each => each.scrollWidth <= each.clientWidth")
        page.reload()
        expect(place).to_contain_text("Solved before.")
        expect(page.locator("[data-progress]")).to_contain_text("1 exercises solved")


def test_a_quiz_tells_right_from_wrong_and_is_kept(chrome: Browser, address: str) -> None:
    quiz = quiz_of(LESSON)
    with offline(chrome, address, (390, 844)) as page:
        page.goto(f"{address}/lessons/{LESSON}.html")
        question = page.locator("[data-question]").first
        for choice in sorted(quiz.questions[0].choices, key=lambda choice: choice.right):
            summary = question.get_by_text(choice.text, exact=True)
            summary.press("Enter")
            opened = question.locator("details[open]")
            expect(opened).to_have_count(1)
            expect(opened).to_contain_text("Right." if choice.right else "Not yet.")
            expect(opened).to_contain_text(choice.explanation[:20].split("`")[0])
        kept = page.evaluate("() => JSON.parse(localStorage.getItem('effnet-progress')).answers")
        entry = kept[LESSON][quiz.questions[0].text]
        assert entry["tries"] == len(quiz.questions[0].choices)
        assert entry["right_since"] == entry["last"]
        page.reload()
        expect(page.locator("[data-progress]")).to_contain_text("1 questions right")


def test_a_lab_moves_in_the_lesson_itself(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.goto(f"{address}/lessons/{LESSON}.html")
        page.get_by_role("button", name="Move it here").click()
        frame = page.frame_locator(".ee-embed iframe")
        frame.locator(".ee-lab[data-live=ready]").wait_for()
        expect(frame.locator(".ee-code")).to_have_text("ee.labs.PhiLab(phi=1.0)", use_inner_text=True)
        expect(frame.locator(".sidebar-drawer")).to_be_hidden()
        height = "all => Math.round(all.getBoundingClientRect().height)"
        lab = frame.locator(".ee-lab").evaluate(height)
        assert abs(page.locator(".ee-embed iframe").evaluate(height) - lab) <= 2
        frame.locator("[data-setting=phi][type=range]").press("PageUp")
        expect(frame.locator(".ee-code")).not_to_have_text("ee.labs.PhiLab(phi=1.0)")


@pytest.mark.thorough
def test_stubs_solutions_and_wrong_answers_get_the_same_verdicts_there(chrome: Browser, address: str) -> None:
    asked = []
    for lesson in list_quizzes():
        for name in on_pages(lesson):
            asked.append(([lesson, name, get(name).stub()], "not attempted", ""))
            asked.append(([lesson, name, get(name).solved()], "right", ""))
            asked += [([lesson, name, as_cell(name, code)], "wrong", cause) for code, cause in WRONG[name]]
    program = """questions => new Promise((done, fail) => {
        const worker = new Worker("/_static/live/exercise_worker.js", { type: "module" }), found = [];
        worker.onerror = fail;
        worker.onmessage = ({ data }) => {
          if (data.failed) fail(data.failed);
          else if (!data.loaded) found.push(data);
          if (found.length === questions.length) done(found);
        };
        for (const question of questions) worker.postMessage(question);
    })"""
    with offline(chrome, address) as page:
        page.goto(f"{address}/lessons/{LESSON}.html")
        found = page.evaluate(program, [question for question, _, _ in asked])
    for (question, state, _), verdict in zip(asked, found, strict=True):
        assert (question, verdict["state"]) == (question, state)
