"""What every lab must do, in JupyterLab in a real browser; a new lab is one line in cases.py."""

import ast
import csv
import io
import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cases import (
    BUSY,
    Case,
    be_measured,
    measure,
    numbers,
    start_measuring,
    wait_until_measured,
)
from tests.browser.jupyter import Notebook
from tests.browser.screenshots import THEMES, use_theme

pytestmark = pytest.mark.browser

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def slider(page: Page, case: Case) -> Locator:
    return page.locator(f".{case.slider} [role=slider]")


def wait_for_the_kernel(lab: Notebook, page: Page, case: Case) -> None:
    """Wait until the kernel has the value that the slider shows, before it is told another one."""
    name, shown = case.slider.removeprefix("ee-").replace("-", "_"), ""
    for _ in range(50):
        shown = slider(page, case).get_attribute("aria-valuenow") or "nan"
        kept, _milliseconds = lab.run_in_kernel(f"print(lab.logic.{name})")
        # noUiSlider rounds that attribute to one decimal.
        if float(kept) == pytest.approx(float(shown), abs=0.051):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the slider shows {shown}, the kernel has {kept}")


def press(page: Page, *buttons: str) -> None:
    for button in buttons:
        page.locator(f".ee-button-{button}").click()


def test_axe_finds_nothing_wrong(lab: Notebook, page: Page) -> None:
    """All of the standards in the light theme; in the dark one contrast, which is all that differs."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    rules: dict[str, Any] = {"light": STANDARDS, "dark": {"type": "rule", "values": ["color-contrast"]}}
    ways = {
        "light": (("picture", ()), ("compared", ("pin",)), ("numbers", ("numbers",))),
        "dark": (("numbers", ()), ("compared", ("numbers",)), ("picture", ("pin",))),
    }
    shown = {"picture": ".ee-computed", "compared": ".ee-split table.ee-compared", "numbers": ".ee-tables"}
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
                page.wait_for_function("() => window.found !== null", timeout=60_000)
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
            '.ee-lab :is(button, select, input, [role=slider], a[href])'))
            .filter(e => !e.disabled && e.offsetParent);
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
    pictures = page.locator(".ee-lab svg[role=img]")
    assert pictures.count() == case.pictures
    before = numbers(page), [pictures.nth(n).get_attribute("aria-label") for n in range(case.pictures)]
    value = slider(page, case).get_attribute("aria-valuetext")
    slider(page, case).focus()
    page.keyboard.press("ArrowRight")
    expect(slider(page, case)).not_to_have_attribute("aria-valuetext", value or "")
    page.wait_for_function(
        "before => [...document.querySelectorAll('.ee-lab svg[role=img]')].every(svg => !before.includes("
        "svg.getAttribute('aria-label')))",
        arg=before[1],
    )
    assert numbers(page) != before[0]


def test_a_burst_of_200_keys_shows_no_empty_picture_and_the_last_wins(
    lab: Notebook, page: Page, case: Case
) -> None:
    page.evaluate(
        """pictures => { window.blank = 0; window.frames_ = 0; window.watching = true;
        const look = () => { window.frames_ += 1;
            const drawn = document.querySelectorAll('.ee-lab svg.ee-drawing');
            if (drawn.length !== pictures || drawn[0].getBoundingClientRect().height < 50) window.blank += 1;
            if (window.watching) requestAnimationFrame(look) };
        requestAnimationFrame(look) }""",
        case.pictures,
    )
    slider(page, case).focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    for _ in range(80):
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
    last = slider(page, case).get_attribute("aria-valuenow") or ""
    name = case.slider.removeprefix("ee-").replace("-", "_")
    page.wait_for_timeout(300)
    kept, _ = lab.run_in_kernel(f"print(lab.logic.{name}, lab.logic.setting.{name})")
    assert [float(word) for word in kept.split()] == pytest.approx([float(last)] * 2)
    page.evaluate("() => { window.watching = false }")
    assert page.evaluate("() => window.frames_") > 20
    assert page.evaluate("() => window.blank") == 0
    lab.run_in_kernel("lab.logic.cancel()")
    drawn, _ = lab.run_in_kernel(
        "from effnet_edu.labs.layout import side_by_side\n"
        "print(lab._screen.value == side_by_side(lab.logic, lab.draw()))"
    )
    assert drawn == "True\n"


def test_cancel_by_keyboard_is_at_once(lab: Notebook, page: Page, case: Case) -> None:
    start_measuring(page)
    page.locator(".ee-button-cancel").focus()
    page.evaluate(
        """() => { window.stopped = null; const start = performance.now();
        const look = () => { if (document.querySelector('.ee-status').textContent.startsWith('Cancelled'))
            window.stopped = performance.now() - start; else requestAnimationFrame(look) };
        requestAnimationFrame(look) }"""
    )
    page.keyboard.press("Enter")
    milliseconds = page.wait_for_function("() => window.stopped", timeout=10_000).json_value()
    print(f"{case.lab}: cancelled after {milliseconds:.0f} ms")
    assert milliseconds < 500
    measure(page)


def test_a_cell_answers_while_the_lab_measures(lab: Notebook, page: Page, case: Case) -> None:
    start_measuring(page)
    times = []
    while re.match(BUSY, page.locator(".ee-status").inner_text()) and len(times) < 5:
        said, milliseconds = lab.run_in_kernel("print('here')")
        assert said == "here\n"
        times.append(milliseconds)
    assert times
    print(
        f"{case.lab}: a cell answered after {sorted(times)[len(times) // 2]:.0f} ms, {max(times):.0f} at most"
    )
    assert sorted(times)[len(times) // 2] < 300
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


def test_two_settings_stand_beside_each_other(lab: Notebook, page: Page, case: Case) -> None:
    page.locator(".ee-button-pin").click()
    slider(page, case).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    changed = page.locator("table.ee-compared td", has_text=re.compile(r"^\+\d"))
    expect(changed.first).to_be_visible()
    heads = page.locator("table.ee-compared thead th").all_inner_texts()
    assert heads == ["A", "B", "B − A", "B / A"]
    assert page.locator(".ee-lab svg[role=img]").count() >= case.pictures
    page.locator(".ee-lab").get_by_role("button", name="Forget A").click()
    expect(page.locator("table.ee-compared")).to_have_count(0)


def test_a_switch_enlarges_all_text(lab: Notebook, page: Page, case: Case) -> None:
    heights = """() => ['.ee-title', '.ee-controls label', '.ee-numbers td', '.ee-button-measure']
        .map(css => document.querySelector('.ee-lab ' + css).getBoundingClientRect().height)"""
    before = page.evaluate(heights)
    page.locator(".ee-button-size").click()
    page.wait_for_function("() => document.querySelector('.ee-lab.ee-large')")
    after = page.evaluate(heights)
    assert all(large > 1.25 * small for small, large in zip(before, after, strict=True)), (before, after)
    box = page.locator(f".{case.slider} .noUi-base").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "handle => Number(handle.ariaValueNow) > 0.97 * Number(handle.ariaValueMax)",
        arg=slider(page, case).element_handle(),
    )
    wait_for_the_kernel(lab, page, case)


def test_the_line_of_code_recreates_the_setting(lab: Notebook, page: Page, case: Case) -> None:
    slider(page, case).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    page.locator(".ee-lab").get_by_role("button", name="Copy code").click()
    expect(page.locator(".ee-lab").get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert ast.parse(code, mode="eval")
    said, _ = lab.run_in_kernel(
        f"again = {code}; print(again.logic.setting == lab.logic.setting); again.close()"
    )
    assert said == "True\n"


def test_no_scrolling_at_1280_by_800(lab: Notebook, page: Page, case: Case) -> None:
    be_measured(page)
    room = page.locator(".jp-WindowedPanel-outer").last.evaluate("element => element.clientHeight")
    for pinned in (False, True):
        if pinned:
            page.locator(".ee-button-pin").click()
            expect(page.locator("table.ee-compared")).to_be_visible()
        box = page.locator(".ee-lab").bounding_box()
        assert box is not None
        print(f"{case.lab}{' compared' if pinned else ''}: {box['height']:.0f} px of {room}")
        assert box["height"] <= room
