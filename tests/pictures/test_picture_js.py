"""The module that draws and moves scenes, in a browser, without JupyterLab."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import effnet_edu as ee
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.chart import axes, marker
from effnet_edu.pictures.network import network_scene
from effnet_edu.pictures.scene import Drag, Mark, Mix, Play, Scene, text
from effnet_edu.pictures.still import still
from effnet_edu.pictures.styles import SCENE
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser

MODULE = Path(ee.__file__).parent / "pictures" / "picture.js"
ADDRESS = "http://picture.test/"
PAGE = f"""<!doctype html><html lang="en"><head><title>picture</title><style>{SCENE}</style></head>
<body style="margin: 0"><main><h1>A picture</h1><div id="host"></div></main><script type="module">
import widget, {{ create, watchWidth }} from "/picture.js";
Object.assign(window, {{ widget, create, told: [], widths: [] }});
const host = document.getElementById("host");
const onSet = (settings, {{ moving }}) => told.push([settings, moving]);
watchWidth(host, (width) => widths.push(width));
window.begin = (scene) => window.picture = create(host, scene, {{ onSet }});
</script></body></html>"""


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    context = chrome.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(1000 * PATIENCE)
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    script = MODULE.read_text(encoding="utf-8")
    opened.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    opened.route(
        f"{ADDRESS}picture.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
    )
    opened.clock.install()
    opened.goto(ADDRESS)
    opened.wait_for_function("window.begin !== undefined")
    opened.clock.pause_at("2099-01-01")
    yield opened
    context.close()
    assert not wrong


def begin(page: Page, scene: Scene) -> None:
    page.evaluate("(scene) => { begin(scene) }", scene.as_data())


def update(page: Page, scene: Scene) -> None:
    page.evaluate("(scene) => picture.update(scene)", scene.as_data())


def box(page: Page, key: str) -> dict[str, float]:
    found = page.locator(f"[data-key='{key}']").bounding_box()
    assert found is not None
    return dict(found)


def top(page: Page) -> float:
    return float(page.evaluate("document.querySelector('#host svg').getBoundingClientRect().top"))


def told(page: Page) -> Any:
    """Return what was told, once the frame in which it is told has passed."""
    page.clock.run_for(20)
    return page.evaluate("told.splice(0)")


def one_box(x: float, width: float = 10, **about: Any) -> Scene:
    return Scene(500, 100, "a box", "It moves.", (Mark("box", "box", (x, 10, width, 20), "bar", **about),))


#: Of the chart below: a line from (50, 230) over (225, 130) to (400, 100).
X, LINE = Axis(0, 7, 50, 400), (50, 230, 225, 130, 400, 100)


def led(phi: float, y: float) -> Scene:
    """A handle on a line, with a guide that it leads."""
    at, leads = (X(phi), y), {"now": (1, 1), "guide": (1, 1, 1)}
    drag = (Drag("phi", X, phi, 0.1),)
    marks = (
        Mark("line", "line", LINE, "curve"),
        Mark("guide", "line", (*at, at[0], 250), "guide"),
        Mark("now", "circle", (*at, 7), "now", words="phi", drag=drag, leads=leads, along="line"),
    )
    return Scene(1000, 300, "a chart", "", marks)


def test_a_handle_follows_the_hand_along_its_line_and_no_older_answer_pulls_it_back(page: Page):
    def places() -> list[float]:
        node = "document.querySelector('[data-key={}]').getAttribute('{}')"
        said = [page.evaluate(node.format("now", name)) for name in ("cx", "cy")]
        return [
            float(n)
            for n in (*said, *page.evaluate(node.format("guide", "points")).replace(",", " ").split())
        ]

    def on_the_line(x: float, y: float) -> list[float]:
        return [pytest.approx(n, abs=0.1) for n in (x, y, x, y, x, 250)]

    begin(page, led(0.0, 230))
    page.mouse.move(50, top(page) + 230)
    page.mouse.down()
    page.mouse.move(137.5, top(page) + 20)
    under_the_hand = on_the_line(137.5, 180)  # at once: no frame and no answer came yet
    assert places() == under_the_hand
    assert told(page) == [[{"phi": 1.8}, True]]  # the nearest step
    for answer in (led(0.7, 210), led(1.8, 178.57)):
        update(page, answer)
        page.evaluate("picture.settle()")
        page.clock.run_for(200)
        assert places() == under_the_hand
    page.mouse.move(990, 5)
    assert places() == on_the_line(400, 100)
    page.mouse.move(3, 290)
    assert places() == on_the_line(50, 230)
    page.mouse.move(226, top(page) + 20)
    told(page)
    page.mouse.up()
    page.evaluate("picture.settle()")  # the last value is not told yet
    assert places() == on_the_line(225, 130)  # in whole steps
    update(page, led(2.4, 161.43))
    page.clock.run_for(200)
    assert places() == on_the_line(225, 130)
    assert page.locator("[data-key='now']").get_attribute("aria-valuenow") == "2.4"
    assert told(page) == [[{"phi": 3.5}, False]]
    update(page, led(3.0, 140))  # Python allows no more
    page.evaluate("picture.settle()")
    assert places() == on_the_line(200, 140)


def chart(phi: float = 1.0) -> Scene:
    x, y = Axis(0, 7, 50, 400), Axis(0.1, 100, 250, 30, logarithmic=True)
    return Scene(
        1000,
        300,
        "a chart",
        "MACs against phi.",
        (
            *axes(x, y, "phi", "MACs"),
            Mark("guide", "line", (x(phi), 250, x(phi), y(1)), "guide"),
            marker("B0", "o", x(0), y(0.4), 5, "published", "B0\npublished", sets={"phi": 0.0}),
            marker(
                "B3", "s", x(3), y(2), 5, "published", "B3\npublished", sets={"phi": 3.0}, with_=("guide",)
            ),
            marker(
                "now",
                "o",
                x(phi),
                y(1),
                7,
                "now",
                f"phi {phi}",
                drag=(Drag("phi", x, phi, 0.1),),
                leads={"now": (1,)},
            ),
        ),
    )


#: Reads an SVG as a list: tag, attributes and own words of each element that is drawn.
READ = """(svg) => {
    for (const left of svg.querySelectorAll('.on-lit, title, desc, .paper')) left.remove();
    const names = ['class', 'x', 'y', 'width', 'height', 'cx', 'cy', 'r', 'points', 'd', 'href'];
    return [...svg.querySelectorAll('*')].map((node) =>
        [node.tagName, ...names.map((name) => node.getAttribute(name)), node.textContent]);
}"""
PARSE = "(svg) => new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement"


def test_the_living_picture_is_the_still_one(page: Page):
    for scene in (
        network_scene(ee.spec("efficientnetv2_s"), 1000, by_operation=True, moved="depth"),
        chart(),
        Scene(50, 50, "a map", "", (Mark("map", "image", (5, 5, 9, 9), href="data:image/png;base64,AA=="),)),
    ):
        begin(page, scene)
        stands = page.evaluate(f"(svg) => ({READ})(({PARSE})(svg))", still(scene, alone=True))
        stands = [one for one in stands if one[0] != "style"]
        assert page.locator("#host svg").evaluate(READ) == stands
        page.evaluate("picture.destroy()")


#: A box reaches beyond its place by half of its edge.
EDGE = partial(pytest.approx, abs=1)


def test_a_mark_moves_in_a_tween_and_a_newer_scene_begins_where_it_is(page: Page):
    begin(page, one_box(0))
    update(page, one_box(400))
    assert box(page, "box")["x"] == EDGE(0)
    page.clock.run_for(64)
    halfway = box(page, "box")["x"]
    assert 100 < halfway < 800
    update(page, one_box(0))
    assert box(page, "box")["x"] == pytest.approx(halfway, abs=0.1)
    page.clock.run_for(64)
    assert 0 < box(page, "box")["x"] < halfway
    page.clock.run_for(200)
    assert box(page, "box")["x"] == EDGE(0)


def test_nothing_tweens_where_motion_is_reduced_or_the_room_changes(page: Page):
    begin(page, one_box(0))
    wider = one_box(200)
    update(page, Scene(1000, 100, "a box", "", wider.marks))
    assert box(page, "box")["x"] == EDGE(200)
    page.emulate_media(reduced_motion="reduce")
    update(page, Scene(1000, 100, "a box", "", one_box(400).marks))
    assert box(page, "box")["x"] == EDGE(400)


def test_new_layers_split_off_the_last_and_go_back_into_it(page: Page):
    large = ee.compound(6)
    begin(page, network_scene(ee.compound(0), 1000, largest=(large,)))
    last = box(page, "stage 6/layer 4")
    update(page, network_scene(large, 1000, largest=(large,)))
    new = page.locator("[data-key^='stage 6/layer ']")
    assert new.count() == large.stages[5].layers
    assert box(page, "stage 6/layer 5") == last
    page.clock.run_for(200)
    assert box(page, "stage 6/layer 6")["x"] > box(page, "stage 6/layer 5")["x"]
    update(page, network_scene(ee.compound(0), 1000, largest=(large,)))
    assert new.count() == large.stages[5].layers
    page.clock.run_for(200)
    assert new.count() == 4
    assert box(page, "stage 6/layer 4") == last


def test_marks_that_come_and_go_leave_the_focus_where_it_is(page: Page):
    base = chart()
    begin(page, Scene(1000, 300, "a", "", (text("first", 9, 9, "gone soon"), *base.marks)))
    page.focus("[data-key='now']")
    update(
        page, Scene(1000, 300, "a", "", (text("other", 9, 9, "new"), text("more", 9, 30, "new"), *base.marks))
    )
    page.clock.run_for(200)
    assert page.evaluate("document.activeElement.dataset.key") == "now"
    order = page.evaluate("[...document.querySelectorAll('#host [data-key]')].map(node => node.dataset.key)")
    assert order[:2] == ["other", "more"]
    assert order[-1] == "now"


def test_hover_and_focus_say_the_same_and_light_up_what_belongs_to_it(page: Page):
    begin(page, chart())
    tip = page.locator(".ee-tip")
    assert tip.is_hidden()
    page.hover("[data-key='B3']")
    assert tip.inner_text() == "B3\npublished"
    lit = "[...document.querySelectorAll('.ee-lit')].map(node => node.dataset.key).sort()"
    assert page.evaluate(lit) == ["B3", "guide"]
    page.mouse.move(900, 600)
    assert tip.is_hidden()
    assert page.evaluate(lit) == []
    page.focus("[data-key='B3']")
    assert tip.inner_text() == "B3\npublished"
    assert page.evaluate(lit) == ["B3", "guide"]
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_words_stay_within_the_picture_and_break_alike_wherever_the_last_ones_stood(page: Page):
    page.set_viewport_size({"width": 390, "height": 700})
    begin(page, network_scene(ee.spec("efficientnet_b0"), 390))
    found: dict[str, set[tuple[float, float]]] = {}
    for key in ("stage 1/touch", "stage 7/touch", "stage 6/touch", "stage 1/touch", "stage 6/touch"):
        page.hover(f"[data-key='{key}']")
        tip = page.locator(".ee-tip").bounding_box()
        assert tip is not None
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= 390
        found.setdefault(key, set()).add((tip["width"], tip["height"]))
    assert {len(sizes) for sizes in found.values()} == {1}


def test_a_click_and_the_keys_of_a_button_set_the_same(page: Page):
    begin(page, chart())
    page.click("[data-key='B3']")
    assert told(page) == [[{"phi": 3}, False]]
    page.focus("[data-key='B3']")
    for key in ("Enter", " "):
        page.keyboard.press(key)
        assert told(page) == [[{"phi": 3}, False]]


def test_marks_are_one_stop_of_tab_and_arrows_lead_on(page: Page):
    begin(page, chart())
    reached = "document.activeElement.dataset.key"
    page.click("h1")
    page.keyboard.press("Tab")
    assert page.evaluate(reached) == "B0"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(reached) == "B3"
    page.keyboard.press("Tab")
    assert page.evaluate(reached) == "now"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(reached) == "B3"
    page.keyboard.press("Home")
    assert page.evaluate(reached) == "B0"


def test_a_handle_is_a_slider_for_the_keyboard_and_a_screen_reader(page: Page):
    begin(page, chart(1.0))
    slider = page.get_by_role("slider", name="phi 1.0")
    assert slider.get_attribute("aria-valuenow") == "1"
    assert slider.get_attribute("aria-valuemax") == "7"
    slider.focus()
    wanted = {"ArrowRight": 1.1, "ArrowUp": 1.2, "ArrowLeft": 1.1, "PageUp": 2.1, "End": 7, "Home": 0}
    for key, value in wanted.items():  # the answers are still on their way
        page.keyboard.press(key)
        assert told(page) == [[{"phi": value}, False]]
    page.keyboard.press("ArrowLeft")
    assert told(page) == [[{"phi": 0}, False]]


def test_dragging_sends_values_of_the_axis_once_a_frame_and_stays_on_it(page: Page):
    begin(page, chart(1.0))
    at = box(page, "now")
    page.mouse.move(at["x"] + 7, at["y"] + 7)
    page.mouse.down()
    page.mouse.move(150, at["y"])
    page.mouse.move(200, at["y"] + 90)
    assert told(page) == [[{"phi": 3}, True]]
    update(page, chart(3.0))
    assert box(page, "now")["x"] == pytest.approx(200 - 7 - 1, abs=2)  # no tween under the hand
    page.mouse.move(990, 20)
    assert told(page) == [[{"phi": 7}, True]]
    page.mouse.move(1, 20)
    page.mouse.up()
    assert told(page) == [[{"phi": 0}, False]]
    page.mouse.move(300, 50)
    assert told(page) == []


def test_a_press_beside_a_small_handle_takes_it_and_a_button_there_keeps_its_click(page: Page):
    begin(page, chart(1.0))
    at = box(page, "now")
    page.mouse.move(at["x"] - 8, at["y"] + 7)
    page.mouse.down()
    page.mouse.move(250, 100)
    page.mouse.up()
    assert told(page) == [[{"phi": 4}, False]]
    update(page, chart(0.2))
    page.clock.run_for(200)
    page.click("[data-key='B0']")
    assert told(page) == [[{"phi": 0}, False]]


def guess(value: float) -> Scene:
    """A whole chart that takes a guess in steps of five percent; Enter commits it."""
    axis = Axis(10, 1000, 0, 400, logarithmic=True)
    drag = (Drag("guess", axis, value, 1.05, by_factor=True, said=f"{value:g} ms"),)
    area = Mark(
        "guess", "box", (0, 0, 400, 100), "touch", words="Your guess", sets={"commit": True}, drag=drag
    )
    return Scene(1000, 100, "guess", "", (area,))


def test_keys_move_a_guess_by_factors_and_enter_commits_it(page: Page):
    begin(page, guess(100.0))
    slider = page.get_by_role("slider", name="Your guess")
    assert slider.get_attribute("aria-valuetext") == "100 ms"
    slider.focus()
    page.keyboard.press("ArrowUp")
    ((sets, _),) = told(page)
    assert sets["guess"] == pytest.approx(100 * 1.05, rel=0.026)  # steps are counted from the axis's end
    update(page, guess(sets["guess"]))
    page.keyboard.press("ArrowUp")
    ((more, _),) = told(page)
    assert more["guess"] / sets["guess"] == pytest.approx(1.05)
    page.keyboard.press("Enter")
    assert told(page) == [[{"commit": True}, False]]


def test_a_key_right_after_another_takes_its_value_along(page: Page):
    begin(page, guess(100.0))
    page.get_by_role("slider", name="Your guess").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert told(page) == [[{"guess": 1000, "commit": True}, False]]
    page.keyboard.press("Enter")
    assert told(page) == [[{"commit": True}, False]]


def test_a_press_places_a_guess_and_commits_nothing(page: Page):
    begin(page, guess(100.0))
    page.mouse.click(200, top(page) + 50)
    ((sets, _),) = told(page)
    assert sets == {"guess": pytest.approx(100, rel=0.026)}


def test_equal_ways_on_a_logarithmic_axis_are_equal_factors(page: Page):
    budget = Axis(0.1, 1000, 0, 400, logarithmic=True)
    handle = marker("b", "o", budget(1), 50, 7, "now", "budget", drag=(Drag("budget", budget, 1.0, 0.1),))
    begin(page, Scene(1000, 100, "budget", "", (handle,)))
    middle = top(page) + 50
    page.mouse.move(100, middle)
    page.mouse.down()
    page.mouse.move(300, middle)
    assert told(page) == [[{"budget": 100}, True]]
    page.mouse.up()


def test_a_setting_of_two_axes_is_dragged_at_once(page: Page):
    x, y = Axis(0, 1, 0, 100), Axis(0, 1, 100, 0)
    drags = (Drag("width", x, 0.5, 0.01), Drag("depth", y, 0.5, 0.01, upright=True))
    begin(page, Scene(1000, 100, "both", "", (marker("p", "o", 50, 50, 7, "now", "a point", drag=drags),)))
    page.mouse.move(50, top(page) + 50)
    page.mouse.down()
    page.mouse.move(75, top(page) + 90)
    assert told(page) == [[{"width": 0.75, "depth": 0.1}, True]]
    page.mouse.up()
    told(page)
    page.focus("[data-key='p']")
    page.keyboard.press("ArrowUp")
    assert told(page) == [[{"depth": 0.51}, False]]


def triangle(values: tuple[int, int, int]) -> Scene:
    corners = ((150.0, 10.0), (50.0, 210.0), (250.0, 210.0))
    mix = Mix(("depth", "width", "resolution"), corners, values)
    at = (*corners[0], *corners[1], *corners[2])
    marks = (
        Mark("mix", "area", at, "touch", words="the mix", mix=mix),
        Mark("now", "circle", (*mix.place(), 7)),
    )
    return Scene(1000, 220, "a triangle", "", marks)


def test_a_point_in_a_triangle_shares_a_hundred_among_three_settings(page: Page):
    def mix(depth: int, width: int, resolution: int, moving: bool = True) -> list[Any]:
        return [{"depth": depth, "width": width, "resolution": resolution}, moving]

    begin(page, triangle((30, 30, 40)))
    page.mouse.move(150, top(page) + 110)
    page.mouse.down()  # it goes where it is pressed
    assert told(page) == [mix(50, 25, 25)]
    page.mouse.move(150, top(page) + 400)  # beyond an edge it stays on the edge
    assert told(page) == [mix(0, 50, 50)]
    page.mouse.move(150, top(page) - 90)
    assert told(page) == [mix(100, 0, 0)]
    page.mouse.up()
    assert told(page) == [mix(100, 0, 0, moving=False)]
    slider = page.get_by_role("slider", name="the mix")
    assert slider.get_attribute("aria-valuetext") == "depth 30, width 30, resolution 40"
    for key, values in {
        "ArrowUp": (31, 30, 39),
        "ArrowRight": (30, 30, 40),
        "ArrowDown": (29, 30, 41),
    }.items():
        slider.press(key)
        assert told(page) == [mix(*values, moving=False)]
    update(page, triangle((0, 0, 0)))
    page.clock.run_for(800)
    slider.press("ArrowLeft")
    assert sum(told(page)[0][0].values()) == 100


def test_the_page_learns_how_much_room_there_is(page: Page):
    begin(page, chart())
    page.wait_for_function("widths.at(-1) === 1000")
    page.set_viewport_size({"width": 600, "height": 500})
    page.wait_for_function("widths.at(-1) === 600")


def test_nothing_is_left_after_it_was_destroyed(page: Page):
    begin(page, one_box(0, sets={"x": 1}))
    update(page, one_box(300, sets={"x": 1}))
    page.evaluate("picture.destroy()")
    page.clock.run_for(300)
    assert page.evaluate("document.getElementById('host').childElementCount") == 0


def test_a_notebook_reads_and_writes_traits(page: Page):
    page.evaluate(
        """(scene) => {
            const values = { scene: JSON.stringify(scene), touched: {}, answered: 0 }, heard = {};
            window.model = { get: name => values[name], set: (name, value) => { values[name] = value },
                save_changes() {}, on: (name, call) => { heard[name] = call },
                off: name => delete heard[name],
                change(scene) { values.scene = JSON.stringify(scene); heard['change:scene']() },
                answer(count) { values.answered = count; heard['change:answered']() }, heard };
            window.stop = widget.render({ model, el: document.getElementById('host') });
        }""",
        chart().as_data(),
    )
    for count in (1, 2):
        page.click("[data-key='B3']")
        page.clock.run_for(20)
        wanted = {"sets": {"phi": 3}, "moving": False, "count": count}
        assert page.evaluate("model.get('touched')") == wanted
    at = box(page, "now")
    page.mouse.move(at["x"] + 7, at["y"] + 7)
    page.mouse.down()
    page.mouse.move(200, at["y"])
    page.mouse.up()
    page.clock.run_for(20)
    assert page.evaluate("model.get('touched').sets") == {"phi": 3}
    for answered, x in ((2, 200), (3, 100)):  # Python refused it
        page.evaluate("(count) => model.answer(count)", answered)
        assert box(page, "now")["x"] == pytest.approx(x - 7 - 1, abs=2)
    page.evaluate("(scene) => model.change(scene)", chart(3.0).as_data())
    assert page.locator("[data-key='now']").get_attribute("aria-valuenow") == "3"
    page.evaluate("stop()")
    assert page.evaluate("Object.keys(model.heard).length") == 0
    assert page.evaluate("document.getElementById('host').childElementCount") == 0


@pytest.mark.parametrize("width", [390, 800, 1280, 1920])
def test_text_keeps_its_size_and_stays_in_the_picture_at_every_width(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    begin(page, network_scene(ee.compound(7), width))
    found = page.evaluate(
        """() => [...document.querySelectorAll('#host text')].map(node => {
            const box = node.getBoundingClientRect(), size = parseFloat(getComputedStyle(node).fontSize);
            return [size * node.getScreenCTM().a, box.left, box.right] })"""
    )
    assert min(size for size, *_ in found) >= 11
    assert min(left for _, left, _ in found) >= -1
    assert max(right for *_, right in found) <= width + 1


def test_axe_finds_nothing(page: Page):
    begin(page, chart())
    page.clock.resume()
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps([(one["id"], one["nodes"][0]["html"]) for one in found])


def played(step: int) -> Scene:
    marks = (
        Mark("play", "circle", (30, 50, 12), "touch of-play", words="Play", play=Play("step", step, 0, 3)),
        Mark("place", "box", (100 + 50 * step, 40, 20, 20), "bar"),
    )
    return Scene(500, 100, "steps", "It goes on.", marks)


def test_a_play_button_goes_on_when_the_last_step_is_drawn_and_stops_at_the_end(page: Page):
    begin(page, played(1))
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(200)
    assert told(page) == [[{"step": 2}, False]]
    page.clock.run_for(1000)  # the answer is still on its way
    assert told(page) == []
    for step in (2, 3):
        update(page, played(step))
        page.clock.run_for(200)
        assert told(page) == ([[{"step": 3}, False]] if step == 2 else [])
    assert page.locator(".ee-playing").count() == 0
    page.focus("[data-key='play']")
    page.keyboard.press("Enter")
    page.clock.run_for(200)
    assert told(page) == [[{"step": 0}, False]]  # from the beginning


def test_a_play_button_pauses_and_gives_way_to_a_hand(page: Page):
    begin(page, played(0))
    button = page.get_by_role("button", name="Play")
    button.click()
    assert page.locator(".ee-playing").count() == 1
    button.click()
    page.clock.run_for(500)
    assert told(page) == []
    button.click()
    page.clock.run_for(200)
    assert told(page) == [[{"step": 1}, False]]
    update(page, played(3))  # somebody moved the slider
    assert page.locator(".ee-playing").count() == 0
    page.emulate_media(reduced_motion="reduce")
    assert button.count() == 0


def test_what_is_touched_in_one_picture_lights_up_in_the_others_of_its_lab_alone(page: Page):
    begin(page, chart())
    page.evaluate(
        """(scene) => { const lab = document.createElement("div"), other = document.createElement("div");
        const hosts = [lab, other].map((one) => {
            one.className = "ee-lab";
            document.querySelector("main").append(one);
            return one.appendChild(document.createElement("div")) });
        lab.prepend(document.getElementById("host"));
        window.others = hosts.map((one) => create(one, scene)) }""",
        chart().as_data(),
    )
    page.hover("#host [data-key='B3']")
    lit = "[...document.querySelectorAll('.ee-lab')].map(lab => lab.querySelectorAll('.ee-lit').length)"
    assert page.evaluate(lit) == [4, 0]
    page.mouse.move(900, 690)
    assert page.evaluate(lit) == [0, 0]
    page.focus("#host [data-key='B3']")  # no mouse: the next picture moves to where it would be
    assert page.evaluate(lit) == [4, 0]
    page.evaluate("picture.destroy()")
    assert page.evaluate(lit) == [0, 0]
