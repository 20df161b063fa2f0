"""What the pages are made of, without making them: the live lab, the names of the library, the slides."""

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import asdict
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import pytest

import effnet_edu as ee
from effnet_edu.labs.numbers import digits, without_details
from effnet_edu.labs.web import PAGES, Page, page
from website import api, live, slides
from website.lessons import LIVE, lessons, page_of
from website.mathml import to_mathml

#: In each lab: what a reader moves, as a page sends it, and the same as a learner writes it.
MOVED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "scaling_problem_lab": ({"way": "depth", "budget": "3.2"}, {"way": "depth", "budget": 3.2}),
    "phi_lab": ({"phi": "2.3"}, {"phi": 2.3}),
    "mbconv_lab": (
        {"kernel": "5", "expansion": "4", "squeeze_ratio": "0.5"},
        {"kernel": 5, "expansion": 4, "squeeze_ratio": 0.5},
    ),
    "squeeze_excite_lab": (
        {"block": "stages.1.0", "network": "B3", "squeeze": "1/2"},
        {"block": "stages.1.0", "network": "B3", "squeeze": "1/2"},
    ),
    "v2_lab": ({"fused": ["2", "1"]}, {"fused": (1, 2)}),
    "benchmark_lab": ({"across": "MACs", "most_macs": "1"}, {"across": "MACs", "most_macs": 1.0}),
}


def ask(page: Page[Any], press: str = "", **changed: Any) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(page.answer(json.dumps({"changed": changed, "press": press})))
    return answered


def numbers(logic: Any) -> dict[str, str]:
    sections = without_details(logic.numbers(logic.setting))
    return {number.name: str(number) for section in sections for number in section.numbers}


def test_what_a_browser_gets_counts_with_nothing_but_python(tmp_path: Path) -> None:
    zipfile.ZipFile(BytesIO(live.library())).extractall(tmp_path)
    program = (
        "from effnet_edu.labs.web import PAGES, page\n"
        "for name in PAGES: print(page(name).shown()['words'], len(page(name).shown()['screen']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    shown = [page(name).shown() for name in PAGES]
    assert done.stdout == "".join(f"{one['words']} {len(one['screen'])}\n" for one in shown)


def test_the_library_for_browsers_is_the_same_bytes_each_time_and_names_its_guest() -> None:
    first = live.library()
    live.library.cache_clear()
    assert live.library() == first
    names = zipfile.ZipFile(BytesIO(first)).namelist()
    assert any(name.startswith("traitlets") and "licen" in name.lower() for name in names)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_says_what_the_lab_in_a_notebook_says(name: str) -> None:
    made = page(name)
    sent, written = MOVED[name]
    shown = ask(made, **sent)
    logic = getattr(ee.labs, made.logic.LAB).LOGIC(device="cpu", **written)
    assert shown["code"] == logic.code()
    setting = json.loads(json.dumps(asdict(logic.setting)))
    assert shown["setting"].items() <= setting.items()
    page_says, notebook_says = numbers(made.logic), numbers(logic)
    common = page_says.keys() & notebook_says.keys()
    assert {name: page_says[name] for name in common} == {name: notebook_says[name] for name in common}
    assert all(f">{name}</th><td>{escape(said)}</td>" in shown["screen"] for name, said in page_says.items())
    if name == "squeeze_excite_lab":  # the page has no network that could look at a picture
        assert len(common) == 5
    else:
        assert page_says.keys() == notebook_says.keys()


@pytest.mark.parametrize("name", PAGES)
def test_a_pinned_setting_stands_beside_the_present_one_until_it_is_forgotten(name: str) -> None:
    made = page(name)
    before = made.logic.label(made.logic.setting)
    assert ask(made, "pin")["pinned"]
    compared = ask(made, **MOVED[name][0])
    after = made.logic.label(made.logic.setting)
    assert f"A: {escape(before)}<br>B: {escape(after)}" in compared["screen"]
    assert not ask(made, "pin")["pinned"]


@pytest.mark.parametrize("name", PAGES)
def test_reset_goes_back_to_what_the_page_began_with(name: str) -> None:
    made = page(name)
    began = made.shown()
    assert ask(made, **MOVED[name][0])["setting"] != json.loads(json.dumps(began["setting"]))
    assert ask(made, "reset")["code"] == began["code"]


def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing() -> None:
    made = page("v2_lab")
    ask(made, network="V2-S")
    refused = ask(made, fused=["7"])
    assert refused["refused"] == "fused has 7; V2-S has stages 1 to 6."
    assert refused["setting"]["fused"] == [1, 2, 3]
    assert made.shown()["barred"] == {"fused": [7]}


def test_what_was_measured_is_a_recorded_run_and_named_as_one() -> None:
    record = next(iter(ee.studies.recorded_devices().values()))["networks"]
    for name in ("phi_lab", "mbconv_lab", "v2_lab", "benchmark_lab"):
        assert record.provenance.device in page(name).shown()["screen"]
    b0 = next(row for row in record.data["rows"] if row["network"] == "efficientnet_b0")
    assert f"B0, recorded: {digits(b0['median_ms'])} ms" in page("phi_lab").shown()["screen"]


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_has_a_control_unless_only_a_measurement_needs_it(name: str) -> None:
    held = set(re.findall(r'data-setting="(\w+)"', live.lab(name)))
    schedule = {"schedule", "stages", "first_side", "randaugment", "mixup", "dropout", "growing"}
    of_another_part = schedule if name == "v2_lab" else set()
    assert held | live.MEASURED[name] | of_another_part == set(page(name).logic.names())
    assert not held & live.MEASURED[name]


def test_every_live_lab_is_linked_below_its_still_picture() -> None:
    linked = {
        lab
        for lesson in lessons()
        for before, after in zip(page_of(lesson).cells, page_of(lesson).cells[1:], strict=False)
        for lab, name in LIVE.items()
        if f"ee.labs.{lab}(" in before.source and f"../live/{name}.md" in after.source
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
