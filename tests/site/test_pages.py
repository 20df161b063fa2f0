"""What the pages are made of, without making them: the live lab, the names of the library, the slides."""

import json
import re
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import nbformat
import pytest

import effnet_edu as ee
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_web import START, Recorded, RecordedTime, WebPhiLab, code, in_words
from website import api, live, slides
from website.lessons import LIVE, lessons, page_of
from website.mathml import to_mathml

RECORDED = Recorded("a device, a day", (RecordedTime("B0", 385_814_752, 50.0, 45.0, 60.0),))


def ask(changed: str = "", pinned: dict[str, object] | None = None, **setting: object) -> dict[str, str]:
    values = {"phi": 1.0, "alpha": 1.2, "beta": 1.1, "gamma": 1.15, "variant": "formula"} | setting
    request = {"setting": values, "changed": changed, "pinned": pinned}
    answered: dict[str, str] = json.loads(WebPhiLab(RECORDED).answer(json.dumps(request)))
    return answered


def test_what_a_browser_gets_counts_with_nothing_but_python(tmp_path: Path) -> None:
    zipfile.ZipFile(BytesIO(live.library())).extractall(tmp_path)
    program = (
        "from effnet_edu.labs.phi_web import *\n"
        "lab = WebPhiLab(Recorded('a device', ()))\n"
        "print(in_words(START), len(lab.screen(START)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    lab = WebPhiLab(Recorded("a device", ()))
    assert done.stdout == f"{in_words(START)} {len(lab.screen(START))}\n"


def test_the_library_for_browsers_is_the_same_bytes_each_time() -> None:
    assert live.library() == live.library()


@pytest.mark.parametrize(("phi", "variant"), [(0.0, "formula"), (2.3, "formula"), (3.2, "B4")])
def test_the_page_says_what_the_lab_in_a_notebook_says(phi: float, variant: str) -> None:
    logic = PhiLogic(device="cpu", phi=phi, variant=variant)
    answered = ask("variant" if variant != "formula" else "phi", phi=phi, variant=variant)
    for section in logic.numbers(logic.setting):
        for number in section.numbers:
            assert f">{number.name}</th><td>{number}</td>" in answered["screen"]
    if variant == "formula":
        assert answered["code"] == logic.code()


def test_a_pinned_setting_stands_beside_the_present_one() -> None:
    compared = ask(
        phi=2.0, pinned={"phi": 0.0, "alpha": 1.2, "beta": 1.1, "gamma": 1.15, "variant": "formula"}
    )
    assert "A: phi 0<br>B: phi 2" in compared["screen"]


def test_recorded_times_survive_their_journey() -> None:
    assert Recorded.from_json(RECORDED.to_json()) == RECORDED
    assert "recorded on a device, a day: B0 50 ms" in WebPhiLab(RECORDED).screen(START)
    assert eval(code(START), {"ee": ee}).logic.phi == START.phi  # noqa: S307 - the line that a reader copies


def test_every_live_lab_is_linked_below_its_still_picture() -> None:
    linked = {
        lab
        for lesson in lessons()
        for before, after in zip(page_of(lesson).cells, page_of(lesson).cells[1:], strict=False)
        for lab, page in LIVE.items()
        if f"ee.labs.{lab}(" in before.source and f"../live/{page}.md" in after.source
    }
    assert linked == set(LIVE)


def test_every_public_name_is_in_one_room() -> None:
    names = [name for room in api.TITLES for name in api.names_of(room)]
    assert len(set(names)) == len(names)
    assert {f"effnet_edu.{name}" for name in ee.__all__ if name not in ee._ROOMS} <= set(names)


def test_a_constant_without_a_comment_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a comment that begins with `#:`"):
        api._comment("effnet_edu.images.NOTHING", object())


def test_formulas_become_mathml() -> None:
    assert re.search(r"<msup><mi>&#x003B1;</mi>.*<mi>&#x003D5;</mi>.*</msup>", to_mathml(r"\alpha^{\phi}"))
    assert 'display="block"' in to_mathml("x", block=True)


def lesson(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    first = (
        "# 09 Test",
        "**The claim.** It works.",
        "**After this lesson you can**",
        "1. see it.",
        "**Before:** no.",
    )
    return nbformat.v4.new_notebook(cells=[prose("\n\n".join(first)), *cells])


def prose(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def ran(source: str, **data: str) -> nbformat.NotebookNode:
    mimes = {f"text/{kind}": text for kind, text in data.items()}
    return nbformat.v4.new_code_cell(source, outputs=[nbformat.v4.new_output("display_data", mimes)])


def test_headings_questions_and_results_are_slides_and_prose_is_said() -> None:
    title, objectives, section, question, picture = slides.slides(
        lesson(
            prose("## 1. One\n\nA first sentence. A second one.\n\n$$x = y$$"),
            prose("**Predict.** What comes?"),
            ran("ee.exercises.Reveal(1)", html="<details><summary>Show</summary>An answer</details>"),
            prose("The next cell draws it."),
            ran("draw()", html="<img alt='it'>"),
        )
    )
    assert "It works" in title.shown[1]
    assert title.notes == ["**Before:** no."]
    assert "see it" in objectives.shown[1]
    assert "A first sentence." in section.shown[1]
    assert section.notes == ["A second one."]
    assert "<math" in section.shown[2]
    assert "What comes?" in question.shown[0]
    assert "fragment" in question.shown[1]
    assert "An answer" in question.shown[1]
    assert "Show" not in question.shown[1]
    assert question.notes == ["The next cell draws it."]
    assert "<img" in picture.shown[-1]


def test_exercises_and_quiz_are_left_out_and_what_follows_is_not() -> None:
    deck = slides.slides(
        lesson(
            prose("## Exercises\n\nDo them."),
            ran("ee.exercises.get('a').check(a)", html="Not attempted."),
            prose("## Three takeaways\n\n1. One."),
        )
    )
    assert [slide.shown[0] for slide in deck[2:]] == ["<h2>Three takeaways</h2>\n"]


def test_links_between_lessons_lead_from_deck_to_deck() -> None:
    assert 'href="03_mbconv.html"' in slides.to_html("[next](03_mbconv.ipynb)")
