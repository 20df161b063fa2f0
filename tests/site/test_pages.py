"""What the pages are made of, without making them: the live lab, the names of the library, the slides."""

import inspect
import json
import logging
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
import onnx
import pytest

import effnet_edu as ee
from effnet_edu.exercises.prediction import Prediction
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.numbers import digits, without_details
from effnet_edu.labs.frame.page import Page
from effnet_edu.labs.mbconv.numbers import network_around
from effnet_edu.model.onnx_graph import onnx_block, onnx_graph
from tests.labs.test_every_lab import misplaced
from website import api, live, slides
from website.lessons import LIVE, lessons, page_of
from website.mathml import to_mathml

#: In each lab: what a reader moves, as a page sends it, and the same as a learner writes it.
MOVED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ScalingProblemLab": ({"way": "depth", "budget": "3.2"}, {"way": "depth", "budget": 3.2}),
    "PhiLab": ({"phi": "2.3"}, {"phi": 2.3}),
    "MBConvLab": (
        {"kernel": "5", "expansion": "4", "squeeze_ratio": "0.5"},
        {"kernel": 5, "expansion": 4, "squeeze_ratio": 0.5},
    ),
    "SqueezeExciteLab": (
        {"block": "stages.1.0", "network": "B3", "squeeze": "1/2"},
        {"block": "stages.1.0", "network": "B3", "squeeze": "1/2"},
    ),
    "V2Lab": ({"fused": ["2", "1"]}, {"fused": (1, 2)}),
    "BenchmarkLab": (
        {"across": "MACs", "most_macs": "1", "up_to": "2.0"},
        {"across": "MACs", "most_macs": 1.0, "up_to": 2.0},
    ),
    "YourNetworkLab": ({"pictures": "30", "features": "pixels"}, {"pictures": 30, "features": "pixels"}),
}


def ask(page: Page, press: str = "", timed: Any = None, **changed: Any) -> dict[str, Any]:
    request = {"changed": changed, "press": press, "timed": timed}
    answered: dict[str, Any] = json.loads(page.answer(json.dumps(request)))
    return answered


def timed(*ms: float, clock_step: float = 1e-4, was_hidden: bool = False) -> dict[str, Any]:
    seconds = [one / 1000 for one in ms]
    return {
        "seconds": seconds,
        "device_name": "Chrome 156 on Linux",
        "clock_step": clock_step,
        "was_hidden": was_hidden,
    }


def everything(shown: dict[str, Any]) -> str:
    """Return what a page shows, its HTML and the words of its pictures."""
    return json.dumps(shown, ensure_ascii=False)


def rows(shown: dict[str, Any]) -> dict[str, str]:
    """Return the numbers in the tables that a page shows, each with its unit."""
    found = re.findall(
        r">([^<>]+)</th><td>([^<>]*)</td>(?:<td class='ee-left'>([^<>]*)</td>)?", everything(shown)
    )
    return {name: " ".join(filter(None, (value, unit))) for name, value, unit in found}


def numbers(logic: Any) -> dict[str, str]:
    sections = without_details(logic.numbers(logic.setting))
    return {number.name: str(number) for section in sections for number in section.numbers}


def test_what_a_browser_gets_counts_with_nothing_but_python(tmp_path: Path) -> None:
    zipfile.ZipFile(BytesIO(live.library())).extractall(tmp_path)
    program = (
        "from effnet_edu.labs import LABS\nfrom effnet_edu.labs.frame.page import Page\n"
        "for name in LABS: print(len(Page(name).first()), Page(name).shown()['words'])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    shown = [(len(Page(name).first()), Page(name).shown()["words"]) for name in LABS]
    assert done.stdout == "".join(f"{length} {words}\n" for length, words in shown)


def test_the_first_picture_has_the_room_of_its_page() -> None:
    for name in LABS:
        shown = json.loads(Page(name).first(700))
        assert shown["picture"]["width"] <= 700 < json.loads(Page(name).first())["picture"]["width"]


def test_the_library_for_browsers_is_the_same_bytes_each_time_and_names_its_guest() -> None:
    first = live.library()
    live.library.cache_clear()
    assert live.library() == first
    names = zipfile.ZipFile(BytesIO(first)).namelist()
    for guest in live.GUESTS.values():
        assert any(name.startswith(guest) and "licen" in name.lower() for name in names)


@pytest.mark.parametrize("name", MOVED)
def test_the_page_says_what_the_lab_in_a_notebook_says(name: str) -> None:
    made = Page(name)
    sent, written = MOVED[name]
    shown = ask(made, **sent)
    logic = getattr(ee.labs, name).LOGIC(device="cpu", **written)
    assert shown["code"] == logic.code()
    setting = json.loads(json.dumps(asdict(logic.setting)))
    for setting_name in set(made.logic.names()) - set(made.logic.MEASURED_ONLY):
        assert shown["setting"][setting_name] == setting[setting_name]
    page_says, notebook_says = numbers(made.logic), numbers(logic)
    common = page_says.keys() & notebook_says.keys()
    assert {name: page_says[name] for name in common} == {name: notebook_says[name] for name in common}
    assert {name: rows(shown).get(name) for name in page_says} == {
        name: escape(said) for name, said in page_says.items()
    }
    if name == "SqueezeExciteLab":  # the page has no network that could look at a picture
        assert len(common) == 5
    else:
        assert page_says.keys() == notebook_says.keys()


@pytest.mark.parametrize("name", MOVED)
def test_a_pinned_setting_stands_beside_the_present_one_until_it_is_forgotten(name: str) -> None:
    made = Page(name)
    before = made.logic.label(made.logic.setting)
    assert ask(made, "pin")["pinned"]
    compared = ask(made, **MOVED[name][0])
    after = made.logic.label(made.logic.setting)
    assert f"A: {escape(before)}<br>B: {escape(after)}" in everything(compared)
    assert not ask(made, "pin")["pinned"]


@pytest.mark.parametrize("name", MOVED)
def test_reset_goes_back_to_what_the_page_began_with(name: str) -> None:
    made = Page(name)
    began = made.shown()
    assert ask(made, **MOVED[name][0])["setting"] != json.loads(json.dumps(began["setting"]))
    assert ask(made, "reset")["code"] == began["code"]


def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing() -> None:
    made = Page("V2Lab")
    ask(made, network="V2-S")
    refused = ask(made, fused=["7"])
    assert refused["refused"] == "fused has 7; V2-S has stages 1 to 6."
    assert refused["setting"]["fused"] == [1, 2, 3]
    assert made.shown()["barred"] == {"fused": [7]}


def test_what_was_measured_is_a_recorded_run_and_named_as_one() -> None:
    record = next(iter(ee.studies.recorded_devices().values()))["networks"]
    for name in ("PhiLab", "MBConvLab", "V2Lab", "BenchmarkLab"):
        assert record.provenance.device in everything(Page(name).shown())
    b0 = next(row for row in record.data["rows"] if row["network"] == "efficientnet_b0")
    words = f"B0(, recorded)?: {digits(b0['median_ms'])} ms"
    assert re.search(words, everything(Page("PhiLab").shown()))


@pytest.mark.parametrize("name", MOVED)
def test_a_link_leads_to_the_setting_that_it_was_taken_from(name: str) -> None:
    made = Page(name)
    for moved in ({}, MOVED[name][0]):
        asked = ask(made, **moved)
        shown = json.loads(Page(name, asked["link"]).first())
        assert (shown["setting"], shown["code"], shown["refused"]) == (asked["setting"], asked["code"], "")
        assert not moved or asked["link"] != Page(name).shown()["link"]


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("ph=2", "Phi lab has no setting 'ph'; it has phi, alpha,"),
        ("phi=9", "phi is '9'; it must be a number from 0 to 7."),
        ("variant=B9", "B9"),
    ],
)
def test_a_link_that_leads_nowhere_says_so_and_the_page_begins_as_ever(link: str, sentence: str) -> None:
    shown = Page("PhiLab", link).shown()
    assert sentence in shown["refused"]
    assert shown["code"] == Page("PhiLab").shown()["code"]


def test_what_a_browser_timed_stands_in_words_and_numbers_beside_the_recorded_run() -> None:
    made = Page("PhiLab")
    recorded = next(iter(ee.studies.recorded_devices().values()))["networks"].provenance.device
    assert made.shown()["timing"]["found"] == ""
    assert made.graph() == onnx_graph(ee.compound(1.0))
    shown = ask(made, timed=timed(91, 89, 95, 90, 92, 93, 91.4))
    assert shown["timing"]["found"] == ("phi 1: 91.4 ms, WASM (89 to 95 ms, 7 runs), in Chrome 156 on Linux.")
    assert rows(shown)["time a batch"] == "91.4 ms"
    assert recorded in everything(shown)


def test_a_time_belongs_to_the_network_that_was_handed_out_and_to_its_engine() -> None:
    made = Page("PhiLab")
    made.graph()
    before = made.shown()["timing"]["key"]
    assert ask(made, phi="2")["timing"]["key"] != before
    late = ask(made, timed=timed(80, 81, 82))
    assert late["timing"]["found"] == ""
    assert ask(made, phi="1")["timing"]["found"].startswith("phi 1: 81 ms, WASM")
    assert ask(made, device="WebGPU")["timing"]["found"] == ""
    assert "device" not in made.shown()["code"]
    assert Page("PhiLab", made.shown()["link"]).logic.device == "WebGPU"


def time_all(page: Page, *ms: float) -> dict[str, Any]:
    """Time every graph of a setting, as a page does; each node takes a twentieth of the whole."""
    shown = page.shown()
    while (wanted := shown["timing"]["next"]) is not None:
        graph = onnx.load_from_string(page.graph()).graph
        assert len(graph.input) == 1
        found = timed(*ms)
        if wanted["kernels"]:
            passes = [one / 20 for one in found["seconds"]]
            found |= {"kernels": {node.name: passes for node in graph.node if node.name}, "passes": 40}
        shown = ask(page, timed=found)
    return shown


@pytest.mark.parametrize(
    "name", [name for name in LABS if name != "YourNetworkLab"]
)  # it needs trained weights
def test_every_lab_shows_its_times_alone_and_beside_another_setting(name: str) -> None:
    made = Page(name)
    assert made.shown()["timing"]["found"] == ""
    time_all(made, 91, 89, 95, 90, 92, 93, 91.4)
    before = ask(made, "pin")
    assert re.search(
        r"[\d.]+ ms, WASM \([\d.]+ to [\d.]+ ms, \d+ runs\), in Chrome 156", before["timing"]["found"]
    )
    assert "ee-measured" in before["figures"]
    moved = ask(made, **MOVED[name][0])
    assert moved["timing"]["key"] != before["timing"]["key"]
    assert moved["timing"]["next"] is not None
    after = time_all(made, 45.1, 45.1, 45.1)
    assert after["timing"]["found"] != before["timing"]["found"]
    back = ask(made, "reset")["timing"]
    assert back["next"] is None
    if name != "BenchmarkLab":  # whose best within the budget may be another by now
        assert back["found"] == before["timing"]["found"]
    assert ask(made, "measure")["timing"]["next"]["place"] == 0
    assert time_all(made, 30.0, 30.0, 30.0)["timing"]["found"] != before["timing"]["found"]


@pytest.mark.parametrize("room", [324, 910, 1400])
@pytest.mark.parametrize(
    "name", [name for name in LABS if name not in ("YourNetworkLab", "SqueezeExciteLab")]
)
def test_no_words_stand_on_others_once_something_was_measured(name: str, room: int) -> None:
    """Beside A, and where a guess is taken while the last time is of another setting."""
    made = Page(name)
    made.logic.room = room
    time_all(made, 91, 89, 95, 90, 92, 93, 91.4)
    ask(made, "pin")
    ask(made, **MOVED[name][0])
    assert misplaced_words(made) == []
    time_all(made, 45.1, 45.1, 45.1)
    assert misplaced_words(made) == []
    made = Page(name)
    made.logic.room = room
    time_all(made, 91, 89, 95, 90, 92, 93, 91.4)
    ask(made, "ask")
    ask(made, **MOVED[name][0])
    assert made.logic.asks or name == "BenchmarkLab"  # there nobody guesses MACs
    assert misplaced_words(made) == []


def misplaced_words(page: Page) -> list[tuple[str, str]]:
    screen = page.logic.screen()
    return [*misplaced(screen.picture), *misplaced(screen.charts)]


def test_kernels_are_the_layers_of_a_block_and_the_roof_is_of_the_same_browser() -> None:
    made = Page("MBConvLab")
    shown = time_all(made, 20.0, 20.0, 20.0)
    assert "recorded" not in json.dumps(shown["charts"])
    found = made.logic.latest.measurement
    drawn = found.blocks["MBConv"]
    assert drawn.roles == {"expand", "depthwise", "squeeze_excite", "project", "shortcut"}
    nodes = onnx.load_from_string(onnx_block(network_around(made.logic.setting, "MBConv"))).graph.node
    assert drawn.timing().median == pytest.approx(1e-3 * sum(bool(node.name) for node in nodes))
    assert found.ceilings.peak("fp32").per_second == pytest.approx(512**2 * 32**2 / 1e-3)
    made.logic.expansion, made.logic.side = 8, 128
    ask(made, channels_in="320", channels_out="320", kernel="7", kind="Fused-MBConv")
    found = time_all(made, 20.0, 20.0, 20.0)["timing"]["found"]
    assert "Fused-MBConv8 k7 s1, 320 -> 320 at 128 px: left out, a pass would take seconds" in found
    said = ask(made, precision="bf16")["timing"]
    assert (said["next"], said["found"]) == (None, "Nothing is measured here in bf16: a browser has fp32.")


def test_a_share_counts_kernels_that_are_shorter_than_a_step_of_the_clock() -> None:
    made = Page("SqueezeExciteLab", "network=small")
    names = [node.name for node in onnx.load_from_string(made.graph()).graph.node if node.name]
    inside = [name for name in names if ".squeeze_excite." in name]
    ticks = {name: [(n + of_one) % 2 / 1e4 for of_one in range(20)] for n, name in enumerate(inside)}
    passes = {name: ticks.get(name, [1e-4] * 20) for name in names}
    share = 0.5 * len(inside) / (len(names) - 0.5 * len(inside))
    found = ask(made, timed=timed(2, 2, 2) | {"kernels": passes, "passes": 20})["timing"]["found"]
    told = re.search(r"SE takes ([\d.]+)% of its kernels' time", found)
    assert told is not None
    assert float(told[1]) / 100 == pytest.approx(share, rel=0.1)
    ask(made, "measure")
    made.graph()
    coarse = timed(2, 2, 2) | {"kernels": {name: [0.0, 0.0, 0.1] for name in names}, "passes": 3}
    assert "SE takes" not in ask(made, timed=coarse)["timing"]["found"]


def test_what_a_page_cannot_do_is_said_where_it_would_stand() -> None:
    training = Page("V2Lab", "part=progressive learning").shown()["timing"]
    assert training["next"] is None
    assert "Training is not timed in a page" in training["found"]
    assert "training steps are timed in JupyterLab" in Page("V2Lab").shown()["said"]


def test_stages_that_are_not_fused_are_timed_once_for_all() -> None:
    made = Page("V2Lab")
    ask(made, fused=["1", "2"])
    assert made.shown()["timing"]["next"]["of"] == 2
    shown = time_all(made, 20.0, 20.0, 20.0)
    assert "; none fused: 20 ms." in shown["timing"]["found"]
    assert "1.00 times the time of a forward pass here" in shown["said"]
    assert ask(made, fused=["1"])["timing"]["next"]["place"] == 1
    plain = ask(made, fused=[])["timing"]
    assert (plain["next"], plain["found"][:35]) == (None, "B4, fused none, 160 px, batch 2: 20")


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (timed(91, 91, 91, was_hidden=True), "The page was in the background meanwhile"),
        (timed(100, 100, 100, clock_step=0.1), "moves in steps of 100 ms"),
        (timed(50, 90, 190, 51), "Noisy"),
        (timed(1234.4, 1234.4, 1234.4), "1234 ms, WASM (1234 to 1234 ms, 3 runs), in Chrome 156 on Linux."),
    ],
)
def test_what_may_mislead_is_said_with_the_time(found: dict[str, Any], word: str) -> None:
    made = Page("PhiLab")
    made.graph()
    words = ask(made, timed=found)["timing"]["found"]
    assert word in words
    doubts = ("background", "steps", "Noisy")
    assert sum(doubt in words for doubt in doubts) == sum(doubt in word for doubt in doubts)


@pytest.mark.parametrize("name", LABS)
def test_every_setting_has_a_control_unless_only_a_measurement_needs_it(name: str) -> None:
    held = set(re.findall(r'data-setting="(\w+)"', live.lab(name)))
    logic = Page(name).logic
    schedule = {"schedule", "stages", "first_side", "randaugment", "mixup", "dropout", "growing"}
    of_another_part = schedule if name == "V2Lab" else set()
    assert held | set(logic.MEASURED_ONLY) | of_another_part == set(logic.names())
    assert held & set(logic.MEASURED_ONLY) == ({"device"} if logic.timed_graphs(logic.setting) else set())


def test_every_live_lab_is_linked_below_its_still_picture() -> None:
    linked = {
        lab
        for lesson in lessons()
        for before, after in zip(page_of(lesson).cells, page_of(lesson).cells[1:], strict=False)
        for lab, name in LIVE.items()
        if f"ee.labs.{lab}(" in before.source and f"../live/{name}.html#" in after.source
    }
    assert linked == set(LIVE)


def test_every_public_name_is_in_one_room() -> None:
    names = [name for room in api.TITLES for name in api.names_of(room)]
    assert len(set(names)) == len(names)
    assert {f"effnet_edu.{name}" for name in ee.__all__ if not inspect.ismodule(getattr(ee, name))} <= set(
        names
    )


def test_a_constant_without_a_comment_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a comment that begins with `#:`"):
        api._comment("effnet_edu.images.NOTHING", object())


def test_what_makes_the_site_leaves_the_root_logger_as_it_was() -> None:
    asked = "import logging, website.build; root = logging.getLogger(); print(root.level, root.handlers)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert said == f"{logging.WARNING} []\n"


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


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("ee.exercises.Reveal(1)", "<details><summary>Show</summary>An answer</details>"),
        (
            'ee.exercises.predict("02_compound_scaling", "x", 1, "An answer")',
            Prediction("02_compound_scaling", "x", 1, "An answer").to_html(),
        ),
    ],
)
def test_headings_questions_and_results_are_slides_and_prose_is_said(source: str, shown: str) -> None:
    title, objectives, section, question, picture = slides.slides(
        lesson(
            prose("## 1. One\n\nA first sentence. A second one.\n\n$$x = y$$"),
            prose("**Predict.** What comes?"),
            ran(source, html=shown),
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
    assert "<summary>" not in question.shown[1]
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
