"""What can be touched in the pictures of the labs, by hand and by keyboard; text at every width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

import effnet_edu as ee
from effnet_edu.labs.frame.page import exact
from effnet_edu.labs.mbconv.numbers import cost_of
from effnet_edu.labs.scaling_problem.numbers import percents
from effnet_edu.pictures.styles import SCENE
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser

SCRIPT = Path(ee.__file__).parent / "pictures" / "picture.js"
ADDRESS = "http://lab.test/"
PAGE = """<!doctype html><html lang="en" theme="THEME"><head><title>lab</title>
<link rel="stylesheet" href="/scene.css"></head><body style="margin: 0; background: CARD">
<main class="ee-lab">
<h1 hidden>A lab</h1><div id="picture"></div><div id="charts"></div></main><script type="module">
import { create } from "/picture.js";
window.show = ({ picture, charts }) => {
  if (window.shown) return shown.forEach((one, i) => one.update([picture, charts][i]));
  let asked = 0;
  const onSet = async (sets) => {
    asked += 1;
    const scenes = await touch(sets);
    await window.heldUp;
    show(scenes);
    if (!(asked -= 1)) shown.forEach((one) => one.settle());
  };
  window.shown = [create(document.getElementById("picture"), picture, { onSet }),
    create(document.getElementById("charts"), charts, { onSet })];
};
</script></body></html>"""
LABS = ("ScalingProblemLab", "BenchmarkLab", "SqueezeExciteLab", "MBConvLab", "V2Lab")
CARDS = {"light": "#fff", "dark": "#12161c"}


class Touched:
    """A lab in a page: its two pictures, with the logic behind them."""

    def __init__(self, chrome: Browser, logic: Any, width: int, theme: str = "light") -> None:
        self.logic, logic.room = logic, width
        self._context = chrome.new_context(viewport={"width": width, "height": 900})
        self._context.set_default_timeout(1000 * PATIENCE)
        self.page: Page = self._context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        files = {
            "": ("text/html", PAGE.replace("THEME", theme).replace("CARD", CARDS[theme])),
            "scene.css": ("text/css", SCENE),
            "picture.js": ("text/javascript", SCRIPT.read_text(encoding="utf-8")),
        }

        def answer(route: Route) -> None:
            kind, body = files[route.request.url.removeprefix(ADDRESS)]
            route.fulfill(body=body, content_type=kind)

        self.page.route(f"{ADDRESS}**", answer)
        self.page.expose_function("touch", self._touch)
        self.page.goto(ADDRESS)
        self.page.wait_for_function("window.show !== undefined")
        self.page.evaluate("(scenes) => show(scenes)", self._scenes())

    def _scenes(self) -> dict[str, Any]:
        screen = self.logic.screen()
        return {"picture": screen.picture.as_data(), "charts": screen.charts.as_data()}

    def _touch(self, sets: dict[str, Any]) -> dict[str, Any]:
        self.logic.touch(sets)
        return self._scenes()

    def box(self, key: str) -> Any:
        return self.page.locator(f"[data-key='{key}']").bounding_box()

    def settle(self) -> None:
        self.page.wait_for_timeout(250)

    def close(self) -> None:
        self._context.close()
        assert not self.wrong


@pytest.fixture
def opened(chrome: Browser, request: pytest.FixtureRequest) -> Iterator[Touched]:
    name, settings = request.param
    made = Touched(chrome, exact(name)(**settings), 1000)
    yield made
    made.close()


@pytest.mark.parametrize("opened", [("ScalingProblemLab", {})], indirect=True)
def test_the_point_of_a_budget_is_dragged_clicked_and_moved_by_keys(opened: Touched):
    page, logic = opened.page, opened.logic
    area = opened.box("mix/touch")
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] * 0.9)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 20, steps=4)
    page.mouse.up()
    opened.settle()
    depth, width, resolution = percents(logic.setting)
    assert depth > 80
    assert abs(width - resolution) <= 4
    assert opened.box("mix/now/mark")["y"] < area["y"] + 30
    page.locator("[data-key='mix/touch']").press("ArrowDown")
    opened.settle()
    assert percents(logic.setting)[0] == depth - 1
    page.locator("[data-key='mix/compound']").click()
    opened.settle()
    assert logic.way == "compound"
    page.locator("[data-key='prices/width/touch 0']").click()
    opened.settle()
    assert (logic.way, percents(logic.setting)) == ("width", (0, 100, 0))


@pytest.mark.parametrize("opened", [("BenchmarkLab", {"across": "MACs"})], indirect=True)
def test_the_budget_line_is_dragged_and_a_network_says_what_it_needs(opened: Touched):
    page, logic = opened.page, opened.logic
    line = opened.box("budget/touch")
    x, y = line["x"] + line["width"] / 2, line["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 300, y, steps=4)
    page.mouse.up()
    opened.settle()
    assert logic.most_macs > 5
    assert opened.box("budget/touch")["x"] == pytest.approx(line["x"] + 300, abs=3)
    page.locator("[data-key='network efficientnet_b4 380/1']").click()
    opened.settle()
    assert logic.most_macs == 4.2
    tip = page.locator("#picture .ee-tip")
    assert tip.inner_text().startswith("EfficientNet-B4\n82.9% top-1, published: arXiv")
    expect(page.locator(".ee-lit[data-key='network efficientnet_b4 380/name B4']")).to_have_count(1)
    page.locator("[data-key='budget/touch']").press("PageUp")
    opened.settle()
    assert logic.most_macs == 5.2


@pytest.mark.parametrize("opened", [("SqueezeExciteLab", {})], indirect=True)
def test_a_block_and_a_width_are_chosen_in_the_charts(opened: Touched):
    page, logic = opened.page, opened.logic
    page.locator("[data-key='blocks/stages.1.0/touch']").click()
    page.locator("[data-key='costs/1/2/touch']").click()
    opened.settle()
    assert (logic.block, logic.squeeze) == ("stages.1.0", "1/2")


@pytest.mark.parametrize("opened", [("MBConvLab", {})], indirect=True)
def test_a_layer_is_chosen_in_the_block_and_its_work_is_dragged_and_stepped(opened: Touched):
    page, logic = opened.page, opened.logic
    page.locator("[data-key='expand/touch']").click()
    opened.settle()
    assert logic.layer == "expand"
    expect(page.locator("[data-key^='work/kernel']")).to_have_count(4)
    track, before = opened.box("work/touch"), opened.box("work/kernel 0")
    page.mouse.move(track["x"] + track["width"] - 9, track["y"] + 11)
    page.mouse.down()
    page.mouse.up()
    opened.settle()
    total = cost_of(logic.setting, logic.kind, "expand").macs
    assert logic.work == 100
    assert page.locator("[data-key='work/macs']").text_content() == f"{total:,}  of {total:,} MACs"
    assert opened.box("work/kernel 0")["y"] > before["y"]
    page.locator("[data-key='work/touch']").press("ArrowLeft")
    opened.settle()
    assert logic.work == 99
    page.locator("[data-key='kind convolution/touch']").click()
    opened.settle()
    assert logic.kind == "convolution"


@pytest.mark.parametrize("opened", [("MBConvLab", {})], indirect=True)
def test_an_operation_lights_up_with_its_mark_in_the_other_picture(opened: Touched):
    page = opened.page
    lit = "#charts .ee-lit[data-key^='depthwise/intensity']"
    page.locator("[data-key='depthwise/touch']").hover()
    expect(page.locator("#picture .ee-lit[data-key='depthwise/outline']")).to_have_count(1)
    expect(page.locator(lit)).to_have_count(1)
    page.locator("[data-key='depthwise/intensity 1']").hover()
    expect(page.locator("#picture .ee-lit[data-key='depthwise/outline']")).to_have_count(1)
    page.mouse.move(0, 899)
    expect(page.locator(".ee-lit")).to_have_count(0)
    page.locator("[data-key='expand/touch']").focus()
    expect(page.locator("#charts .ee-lit[data-key='expand/intensity 0']")).to_have_count(1)


def test_gates_are_dragged_and_buttons_close_them(chrome: Browser, monkeypatch: pytest.MonkeyPatch):
    lab = ee.labs.SqueezeExciteLab.LOGIC
    monkeypatch.setattr(lab, "request", lambda *_, **__: None)
    opened = Touched(chrome, lab(device="cpu", block="stages.3.0"), 1000)
    page, logic = opened.page, opened.logic
    area = opened.box("gates/touch")
    page.mouse.move(area["x"] + 2, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + 2, area["y"] + area["height"] - 1, steps=3)
    page.mouse.up()
    opened.settle()
    assert (logic.channel, logic.gate) == (0, 0.01)
    page.locator("[data-key='gates/touch']").press("ArrowRight")
    page.locator("[data-key='gates/touch']").press("ArrowUp")
    opened.settle()
    assert (logic.channel, len(logic.by_hand)) == (1, 2)
    page.locator("[data-key='button most useful shut/touch']").click()
    opened.settle()
    assert logic.by_hand == ()
    assert "errs" in logic.screen().finding
    page.locator("[data-key='map 1/touch']").press("Enter")
    opened.settle()
    assert dict(logic.by_hand).keys() == {1}
    opened.close()


@pytest.mark.parametrize("opened", [("V2Lab", {"network": "B0"})], indirect=True)
def test_a_stage_is_fused_by_hand_and_by_keyboard_and_lights_up_in_both_pictures(opened: Touched):
    page, logic = opened.page, opened.logic
    page.locator("[data-key='stage 3/touch']").click()
    opened.settle()
    assert logic.fused == (3,)
    lit = {"#picture": "stage 3/operation", "#charts": "stage 3/row bar 0"}
    for picture, key in lit.items():
        expect(page.locator(f"{picture} .ee-lit[data-key='{key}']")).to_have_count(1)
    page.locator("[data-key='stage 3/touch']").press("ArrowRight")
    page.keyboard.press("Enter")
    opened.settle()
    assert logic.fused == (3, 4)
    expect(page.locator("#charts .ee-lit[data-key='stage 4/point']")).to_have_count(1)
    expect(page.locator("#charts .ee-lit[data-key^='stage 3/']")).to_have_count(0)
    page.locator("[data-key='stage 6/row touch']").hover()
    expect(page.locator("#picture .ee-lit[data-key='stage 6/operation']")).to_have_count(1)
    page.mouse.move(0, 0)
    expect(page.locator(".ee-lit[data-key^='stage 6/']")).to_have_count(0)
    page.locator("[data-key='times/1-3/V100']").click()
    opened.settle()
    assert (logic.network, logic.fused) == ("B4", (1, 2, 3))


@pytest.mark.parametrize("opened", [("V2Lab", {"part": "progressive learning"})], indirect=True)
def test_both_ends_of_a_schedule_are_dragged_and_the_first_never_passes_the_last(opened: Touched):
    page, logic = opened.page, opened.logic
    handle = opened.box("stage 1/handle")
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=4)
    page.mouse.up()
    opened.settle()
    assert logic.first_side > 300
    assert logic.side == logic.first_side
    page.locator("[data-key='stage 4/handle']").press("ArrowUp")
    opened.settle()
    assert logic.side == logic.first_side + 4


SCHEDULE = {"part": "progressive learning", "first_side": 100, "side": 300}
#: Lab, settings and handle, what the hand takes hold of, and how far it goes in pixels.
DRAGS: tuple[tuple[str, dict[str, Any], str, str, tuple[float, float]], ...] = (
    ("PhiLab", {"phi": 2.0}, "macs/now/mark", "macs/now/mark", (61, 40)),
    ("ScalingProblemLab", {}, "mix/touch", "mix/now/mark", (-19, 13)),
    ("BenchmarkLab", {"across": "MACs"}, "budget/touch", "budget/grip", (123, 30)),
    ("SqueezeExciteLab", {}, "gates/touch", "gates/now", (43, 17)),
    ("MBConvLab", {}, "work/touch", "work/grip", (57, 5)),
    ("V2Lab", SCHEDULE, "stage 1/handle", "stage 1/handle", (9, -17)),
    ("V2Lab", SCHEDULE, "stage 4/handle", "stage 4/handle", (9, 17)),
    ("YourNetworkLab", {}, "labels/handle", "labels/handle", (103, 10)),
)
#: The numbers of each mark's place, as they are drawn.
WHERE = """keys => Object.fromEntries(keys.map(key => {
    const node = document.querySelector(`[data-key='${key}']`);
    return [key, ['x', 'y', 'width', 'height', 'cx', 'cy', 'points'].flatMap(name =>
        node.getAttribute(name)?.match(/[-0-9.]+/g).map(Number) ?? [])] }))"""


@pytest.mark.parametrize(
    ("name", "settings", "handle", "held", "by"), DRAGS, ids=[f"{one[0]} {one[2]}" for one in DRAGS]
)
def test_what_is_dragged_follows_before_python_answers_and_ends_where_it_says(
    chrome: Browser,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    settings: dict[str, Any],
    handle: str,
    held: str,
    by: tuple[float, float],
):
    lab = getattr(ee.labs, name).LOGIC
    monkeypatch.setattr(lab, "request", lambda *_, **__: None)
    opened = Touched(chrome, lab(device="cpu", **settings), 1000)
    page = opened.page
    page.emulate_media(reduced_motion="reduce")  # what Python brings is there at once
    page.evaluate("() => { window.heldUp = new Promise(done => { window.go = done }) }")
    led = next(mark.leads for mark in _marks(opened.logic) if mark.key == handle)
    keys = [key for key in led if page.locator(f"[data-key='{key}']").count()]
    at, before = opened.box(held), page.evaluate(WHERE, keys)
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1])
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    now = opened.box(held)
    far = (now["x"] + now["width"] / 2 - x, now["y"] + now["height"] / 2 - y)
    drags = next(mark for mark in _marks(opened.logic) if mark.key == handle)
    for i, upright in enumerate((False, True)):
        if drags.mix or any(drag.upright == upright for drag in drags.drag):
            assert far[i] == pytest.approx(by[i], abs=1.5)
    page.mouse.up()
    carried = page.evaluate(WHERE, keys)
    assert all(carried[key] != before[key] for key in keys)
    page.evaluate("go()")
    opened.settle()
    answered = page.evaluate(WHERE, keys)
    for key in keys:
        assert carried[key] == pytest.approx(answered[key], abs=0.6), key
    opened.close()


def asking(chrome: Browser, monkeypatch: pytest.MonkeyPatch, name: str, width: int, theme: str) -> Touched:
    """A lab that measures nothing, with its switch for guesses on."""
    settings = {"fused": (1, 2)} if name == "V2Lab" else {}
    lab = getattr(ee.labs, name).LOGIC
    monkeypatch.setattr(lab, "request", lambda *_, **__: None)
    logic = lab(device="cpu", **settings)
    logic.predicts = True
    return Touched(chrome, logic, width, theme)


@pytest.mark.parametrize("name", ["PhiLab", *(name for name in LABS if name != "SqueezeExciteLab")])
def test_a_guess_is_pressed_dragged_moved_by_keys_and_committed(
    chrome: Browser, monkeypatch: pytest.MonkeyPatch, name: str
):
    opened = asking(chrome, monkeypatch, name, 1000, "light")
    page, logic = opened.page, opened.logic
    drag = next(m.drag[0] for m in _marks(logic) if m.key == "guess/touch")
    area = opened.box("guess/touch")
    x, y = area["x"] + 0.6 * area["width"], area["y"] + 0.4 * area["height"]
    for _ in range(2):  # pressed twice it is placed twice, and not committed
        page.mouse.click(x, y)
        opened.settle()
    first, share = logic.guess, 0.6 if drag.upright else 0.4
    assert logic.asks
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(area["x"] + share * area["width"], area["y"] + share * area["height"], steps=3)
    page.mouse.up()
    opened.settle()
    dragged = logic.guess
    assert dragged < first
    page.locator("[data-key='guess/touch']").press("PageUp")
    opened.settle()
    last = logic.guess
    assert last > dragged
    unit = logic.guessed(logic.setting).unit
    assert unit in (page.locator("[data-key='guess/touch']").get_attribute("aria-valuetext") or "")
    page.get_by_role("button", name=f"Commit {last:g}").click()
    opened.settle()
    assert (logic.committed, page.locator("[data-key='guess/touch']").count()) == (last, 0)
    opened.close()


def _marks(logic: Any) -> list[Any]:
    screen = logic.screen()
    return [*screen.picture.marks, *screen.charts.marks]


@pytest.mark.parametrize(("width", "theme"), [(240, "light"), (1240, "dark")])
@pytest.mark.parametrize("name", ["PhiLab", *LABS])
def test_a_guess_stays_in_the_picture_and_axe_finds_nothing(
    chrome: Browser, monkeypatch: pytest.MonkeyPatch, name: str, width: int, theme: str
):
    """With a guess at either end of its axis, and committed."""
    opened = asking(chrome, monkeypatch, name, width, theme)
    logic = opened.logic
    ends = [
        d for m in _marks(logic) if m.key == "guess/touch" for d in (m.drag[0].axis.low, m.drag[0].axis.high)
    ]
    for sets in (*({"guess": end} for end in ends), {"guess": 3.0, "commit": True}):
        logic.touch(sets)
        opened.page.evaluate("(scenes) => show(scenes)", opened._scenes())
        outside = opened.page.evaluate(
            """() => [...document.querySelectorAll('[data-key^="guess/"]')].filter((node) => {
                const room = node.ownerSVGElement.getBoundingClientRect(), box = node.getBoundingClientRect();
                return box.left < room.left - 14 || box.right > room.right + 14
                    || (node.tagName === 'text' && (box.left < room.left - 1 || box.right > room.right + 1));
            }).map((node) => node.dataset.key)"""
        )
        assert outside == [], sets
        found = Axe().run(opened.page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    opened.close()


@pytest.mark.parametrize(
    ("width", "theme"), [(350, "light"), (760, "light"), (1240, "dark"), (1240, "light"), (1880, "light")]
)
@pytest.mark.parametrize("name", LABS)
def test_all_text_stays_in_the_picture_and_axe_finds_nothing(
    chrome: Browser, name: str, width: int, theme: str
):
    opened = Touched(chrome, exact(name)(), width, theme)
    outside = opened.page.evaluate(
        """() => [...document.querySelectorAll('svg.ee-scene')].flatMap((svg) => {
            const room = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].filter((node) => {
                const box = node.getBoundingClientRect();
                return box.left < room.left - 1 || box.right > room.right + 1
                    || box.top < room.top - 1 || box.bottom > room.bottom + 1;
            }).map((node) => node.textContent);
        })"""
    )
    assert outside == []
    if width in (350, 1240):
        found = Axe().run(opened.page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    opened.close()
