"""What every lab must do, in JupyterLab in a real browser; a new lab is among them by itself."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cases import (
    COUNT,
    PICTURES,
    Case,
    be_measured,
    measure,
    numbers,
    of_the_frame,
    start_measuring,
    wait_until_measured,
)
from tests.browser.jupyter import Notebook
from tests.browser.screenshots import THEMES, use_theme
from tests.cases import thorough_but_for
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

FRAME = of_the_frame("PhiLab", "BenchmarkLab")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def slider(page: Page, case: Case) -> Locator:
    return page.locator(f".{case.slider} [role=slider]")


def wait_for_the_kernel(lab: Notebook, page: Page, case: Case) -> None:
    """Wait until the kernel has the value that the slider shows, before it is told another one."""
    name = case.slider.removeprefix("ee-").replace("-", "_")

    def is_told() -> bool:
        shown = slider(page, case).get_attribute("aria-valuenow") or "nan"
        kept = lab.run_in_kernel(f"print(lab.logic.{name})")
        # noUiSlider rounds that attribute to one decimal.
        return float(kept) == pytest.approx(float(shown), abs=0.051)

    wait_until(is_told, "value in the kernel that the slider shows")


#: Where a lab shows what two settings have of each other.
COMPARED = ".ee-aside:has-text('B is still A'), .ee-aside:has-text('From A to B')"


def press(page: Page, *buttons: str) -> None:
    for button in buttons:
        page.locator(f".ee-button-{button}").click()


@FRAME
def test_axe_finds_nothing_wrong(lab: Notebook, page: Page, case: Case) -> None:
    """All of the standards in the light theme; in the dark one contrast, which is all that differs."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    rules: dict[str, Any] = {"light": STANDARDS, "dark": {"type": "rule", "values": ["color-contrast"]}}
    ways = {
        "light": (("picture", ()), ("compared", ("pin",)), ("numbers", ("numbers",))),
        "dark": (("numbers", ()), ("compared", ("numbers",)), ("picture", ("pin",))),
    }
    shown = {"picture": ".ee-computed", "compared": COMPARED, "numbers": ".ee-tables"}
    try:
        for theme, views in ways.items():
            use_theme(page, THEMES[theme])
            for view, buttons in views:
                press(page, *buttons)
                expect(page.locator(f".ee-lab {shown[view]}").first).to_be_visible()
                page.evaluate(
                    """rules => { window.found = null; axe.run('.ee-lab', {runOnly: rules, resultTypes: [
                    'violations']}).then(result => { window.found = result.violations }) }""",
                    rules[theme],
                )
                page.wait_for_function("() => window.found !== null")
                found = page.evaluate(
                    "() => found.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120)).slice(0, 3)])"
                )
                assert found == [], (theme, view)
    finally:
        use_theme(page, THEMES["light"])


def test_every_control_has_name_value_and_help(lab: Notebook, page: Page, case: Case) -> None:
    told = page.evaluate(
        """() => Array.from(document.querySelectorAll('.ee-control')).map(control => {
        const main = control.querySelector('[role=slider], select, input');
        const labels = Array.from(control.querySelectorAll('label'), label => label.textContent.trim());
        const label = labels.find(Boolean);  // a checkbox has an empty one before its own
        const help = main.getAttribute('aria-describedby');
        return {label, slider: control.querySelector('[role=slider]')?.getAttribute('aria-label') ?? label,
            value: main.getAttribute('aria-valuenow') ?? main.value,
            help: (help && document.getElementById(help)?.textContent) || ''} })"""
    )
    assert len(told) >= 2
    for control in told:
        assert control["label"]
        assert control["slider"].startswith(control["label"])
        assert control["value"]
        assert len(control["help"]) > 5, control


def test_tab_reaches_everything(lab: Notebook, page: Page, case: Case) -> None:
    wanted = page.evaluate(
        """() => { const all = Array.from(document.querySelectorAll(
            '.ee-lab :is(button, select, input, [role=slider], a[href], svg [tabindex="0"])'))
            .filter(e => !e.disabled && e.getClientRects().length && e.tabIndex >= 0);
        all.forEach((e, n) => e.dataset.stop = n); all[0].focus(); return all.length }"""
    )
    assert wanted > 6
    reached = set()
    for _ in range(2 * wanted):
        stop = page.evaluate("() => document.activeElement?.dataset?.stop ?? null")
        if stop is None:
            break
        reached.add(int(stop))
        page.keyboard.press("Tab")
    assert reached == set(range(wanted))


def test_an_arrow_key_changes_numbers_and_alternative_text(lab: Notebook, page: Page, case: Case) -> None:
    pictures = page.locator(PICTURES)
    expect(pictures).to_have_count(COUNT)
    before = numbers(page), [pictures.nth(n).get_attribute("aria-label") for n in range(COUNT)]
    value = slider(page, case).get_attribute("aria-valuetext")
    slider(page, case).focus()
    page.keyboard.press("ArrowRight")
    expect(slider(page, case)).not_to_have_attribute("aria-valuetext", value or "")
    # One of the two may tell something that this slider does not move.
    page.wait_for_function(
        f"before => [...document.querySelectorAll('{PICTURES}')].some(svg => !before.includes("
        "svg.getAttribute('aria-label')))",
        arg=before[1],
    )
    wait_until(lambda: numbers(page) != before[0], "number that follows the slider")


@FRAME
def test_a_burst_of_200_keys_shows_no_empty_picture_and_the_last_wins(
    lab: Notebook, page: Page, case: Case
) -> None:
    page.evaluate(
        """([pictures, css]) => { window.blank = 0; window.frames_ = 0; window.watching = true;
        const look = () => { window.frames_ += 1;
            const drawn = document.querySelectorAll(css);
            if (drawn.length !== pictures || drawn[0].getBoundingClientRect().height < 50) window.blank += 1;
            if (window.watching) requestAnimationFrame(look) };
        requestAnimationFrame(look) }""",
        [COUNT, PICTURES],
    )
    slider(page, case).focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    for _ in range(80):
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
    wait_for_the_kernel(lab, page, case)
    name = case.slider.removeprefix("ee-").replace("-", "_")
    assert lab.run_in_kernel(f"print(lab.logic.setting.{name} == lab.logic.{name})") == "True\n"
    page.evaluate("() => { window.watching = false }")
    assert page.evaluate("() => window.frames_") > 0
    assert page.evaluate("() => window.blank") == 0
    lab.run_in_kernel("lab.logic.cancel()")
    drawn = "lab._body.picture.scene == lab.logic.screen().picture.as_json()"
    assert lab.run_in_kernel(f"print({drawn})") == "True\n"


@FRAME
def test_cancel_by_keyboard_ends_the_measurement(lab: Notebook, page: Page, case: Case) -> None:
    start_measuring(page)
    page.locator(".ee-button-cancel").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ee-status")).to_contain_text(re.compile("^Cancelled"))
    kept = lab.run_in_kernel("print(len(lab.logic.history))")
    after = "print(lab.logic.wait(60), lab.logic.status.state); print(len(lab.logic.history))"
    assert lab.run_in_kernel(after) == f"True cancelled\n{kept}"
    measure(page)


@FRAME
def test_a_cell_answers_while_the_lab_measures(lab: Notebook, page: Page, case: Case) -> None:
    start_measuring(page)
    assert lab.run_in_kernel("print(lab.logic.status.is_busy)") == "True\n"
    wait_until_measured(page)


def test_the_numbers_view_shows_and_copies_the_same(lab: Notebook, page: Page, case: Case) -> None:
    be_measured(page)
    beside = [row.split("\t") for row in numbers(page).splitlines() if "\t" in row]
    page.locator(".ee-button-numbers").click()
    expect(page.locator("table.ee-full")).to_be_visible()
    table = page.locator("table.ee-full").inner_text()
    full = {row.split("\t")[0]: row.split("\t") for row in table.splitlines() if "\t" in row}
    for name, shown, *_ in beside:
        if name != "95% interval":
            assert shown.split()[0] == full[name][1].split()[0]
    page.locator(".ee-lab").get_by_role("button", name="Copy csv").click()
    expect(page.locator(".ee-lab").get_by_role("button", name="Copied")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(page.evaluate("() => navigator.clipboard.readText()"))))
    assert {row["name"] for row in rows} == set(full) - {"number"}
    assert {"computed", "measured"} <= {row["kind"] for row in rows}
    for row in rows:
        shown = float(full[row["name"]][1].split()[0].replace(",", ""))
        assert shown == pytest.approx(
            float(row["value"]), rel=0.01, abs=0.51 if float(row["value"]) > 9 else 0.006
        )


@FRAME
def test_two_settings_stand_beside_each_other(lab: Notebook, page: Page, case: Case) -> None:
    page.locator(".ee-button-pin").click()
    slider(page, case).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(COMPARED)).to_be_visible()
    press(page, "numbers")
    changed = page.locator("table.ee-compared td", has_text=re.compile(r"^\+\d"))
    expect(changed.first).to_be_visible()
    heads = page.locator("table.ee-compared thead th").all_inner_texts()
    assert heads == ["A", "B", "B − A", "B / A"]
    press(page, "numbers")
    expect(page.locator(PICTURES)).to_have_count(COUNT)
    page.locator(".ee-lab").get_by_role("button", name="Forget A").click()
    expect(page.locator("table.ee-compared")).to_have_count(0)


@FRAME
def test_a_switch_enlarges_all_text(lab: Notebook, page: Page, case: Case) -> None:
    parts = [".ee-finding", ".ee-main label", ".ee-value", "svg text"]
    heights = f"""() => {parts}
        .map(css => document.querySelector('.ee-lab ' + css).getBoundingClientRect().height)"""
    before = page.evaluate(heights)
    page.locator(".ee-button-size").click()
    page.wait_for_function("() => document.querySelector('.ee-lab.ee-large')")
    wait_until(
        lambda: all(b > 1.2 * a for a, b in zip(before, page.evaluate(heights), strict=True)), "large text"
    )
    track = page.locator(f".{case.slider} .noUi-base")
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "handle => Number(handle.ariaValueNow) > 0.97 * Number(handle.ariaValueMax)",
        arg=slider(page, case).element_handle(),
    )
    wait_for_the_kernel(lab, page, case)


@FRAME
def test_a_presenter_shows_picture_control_and_number_by_keyboard(
    lab: Notebook, page: Page, case: Case
) -> None:
    slider(page, case).focus()
    page.keyboard.press("p")
    expect(page.locator(".ee-lab.ee-large .ee-hero svg")).to_be_visible()
    expect(page.locator(".ee-lab .ee-control:visible")).to_have_count(1)
    expect(page.locator(".ee-lab .ee-figure:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".ee-lab.ee-large")).to_have_count(0)


@FRAME
def test_the_line_of_code_recreates_the_setting(lab: Notebook, page: Page, case: Case) -> None:
    slider(page, case).focus()
    page.keyboard.press("ArrowRight")
    wait_for_the_kernel(lab, page, case)
    page.locator(".ee-lab").get_by_role("button", name="Copy code").click()
    expect(page.locator(".ee-lab").get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert ast.parse(code, mode="eval")
    said = lab.run_in_kernel(
        f"again = {code}; print(again.logic.setting == lab.logic.setting); again.close()"
    )
    assert said == "True\n"


def test_no_scrolling_at_1280_by_800(lab: Notebook, page: Page, case: Case) -> None:
    be_measured(page)
    room = page.locator(".jp-WindowedPanel-outer").last.evaluate("element => element.clientHeight")
    for pinned in (False, True):
        if pinned:
            page.locator(".ee-button-pin").click()
            expect(page.locator(COMPARED)).to_be_visible()
        # A busy machine, or a device with a long name, adds lines to the status; the lab is meant without.
        status = page.locator(".ee-status .widget-html-content")
        status.evaluate("words => { words.textContent = 'Measured.'; }")
        box = page.locator(".ee-lab").bounding_box()
        assert box is not None
        print(f"{case.lab}{' compared' if pinned else ''}: {box['height']:.0f} px of {room}")
        assert box["height"] <= room


#: Elements whose words do not fit into them: the help for screen readers alone is clipped on purpose.
CUT = """() => [...document.querySelectorAll('.ee-lab *')].filter(e =>
    e.namespaceURI.endsWith('xhtml') && e.getClientRects().length && getComputedStyle(e).display !== 'inline'
    && e.clientWidth > 1 && !e.closest('.noUi-base, .ee-tables')
    && (e.scrollWidth > e.clientWidth + 1 || (e.tagName === 'BUTTON' && e.scrollHeight > e.clientHeight + 3)))
    .map(e => [e.tagName, e.className, e.scrollWidth, e.clientWidth, e.textContent.slice(0, 40)])"""


#: Words in pictures that are smaller on the screen than 11 pixels, or stand partly beyond their picture.
UNREADABLE = """() => [...document.querySelectorAll('.ee-lab svg.ee-scene text')].filter(t =>
    t.textContent && t.getClientRects().length && t.checkVisibility()).map(t => {
    const svg = t.ownerSVGElement.getBoundingClientRect(), box = t.getBoundingClientRect();
    const scale = svg.width / t.ownerSVGElement.viewBox.baseVal.width;
    return [t.textContent, Math.round(10 * scale * parseFloat(getComputedStyle(t).fontSize)) / 10,
        Math.round(Math.max(svg.left - box.left, box.right - svg.right))] })
    .filter(([, size, beyond]) => size < 11 || beyond > 8)"""


@pytest.mark.parametrize("theme", thorough_but_for(("light",), THEMES))
@pytest.mark.parametrize("percent", [100, 150])
@pytest.mark.parametrize("width", thorough_but_for((1280, 390), (1920, 1280, 800, 390)))
def test_nothing_is_cut(lab: Notebook, page: Page, case: Case, width: int, percent: int, theme: str) -> None:
    """At rest, with A and for a projector; at 150 percent the lab has less room for the same."""
    be_measured(page)
    with in_a_window(page, width, percent, theme):
        for buttons in ((), ("pin",), ("size",)):
            press(page, *buttons)
            page.wait_for_timeout(300)
            assert page.evaluate(CUT) == [], buttons
            assert page.evaluate(UNREADABLE) == [], buttons
        press(page, "size")


@contextmanager
def in_a_window(page: Page, width: int, percent: int, theme: str) -> Iterator[None]:
    """Give the lab a window so wide, without the list of files where there is no room for it."""
    zoom = "percent => document.querySelector('.ee-lab').style.setProperty('zoom', percent / 100)"
    toggle = "() => { jupyterapp.commands.execute('application:toggle-left-area') }"
    page.set_viewport_size({"width": width, "height": 800})
    use_theme(page, THEMES[theme])
    if width < 1000:
        page.evaluate(toggle)
    page.evaluate(zoom, percent)
    page.wait_for_timeout(300)
    try:
        yield
    finally:
        page.evaluate(zoom, 100)
        if width < 1000:
            page.evaluate(toggle)
        page.set_viewport_size({"width": 1280, "height": 800})
        use_theme(page, THEMES["light"])
