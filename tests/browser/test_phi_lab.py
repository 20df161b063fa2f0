"""The phi lab as a learner meets it: in JupyterLab, in a real browser, by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import effnet_edu as ee
from tests.browser.jupyter import Notebook, write_notebook

pytestmark = pytest.mark.browser

MEASURED = re.compile("^Measured")
LAB = ("import effnet_edu as ee", "lab = ee.labs.PhiLab(phi=1.0)\nlab")


def number(page: Page, table: str, row: str) -> str:
    """Return what a row of the lab's numbers says."""
    name = re.compile(f"^{re.escape(row)}$")
    line = page.locator(f".ee-lab .ee-{table} tr").filter(has=page.locator("th", has_text=name))
    return line.first.locator("td").inner_text()


def wait_until_measured(page: Page, phi: str) -> None:
    expect(page.locator(".ee-status").first).to_have_text(re.compile(f"^Measured phi {phi},"), timeout=90_000)


@pytest.fixture
def lab(notebook: Notebook, served: tuple[str, Path], request: pytest.FixtureRequest) -> Notebook:
    name = f"{request.node.name}.ipynb"
    write_notebook(served[1] / name, *LAB)
    notebook.open(name)
    notebook.run_all()
    return notebook


def test_lesson_02_rebuilds_and_measures_when_phi_moves(notebook: Notebook, page: Page) -> None:
    notebook.open("02_compound_scaling.ipynb")
    notebook.run_all()
    slider = notebook.slider(".ee-phi").first
    slider.scroll_into_view_if_needed()
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".ee-lab .ee-computed").first).to_contain_text("0.386 billion")
    wait_until_measured(page, "0")
    before = number(page, "measured", "time a batch")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    b2 = ee.cost(ee.compound(1.0))
    expect(page.locator(".ee-lab .ee-computed").first).to_contain_text(f"{b2.macs / 1e9:.3g} billion")
    assert number(page, "computed", "input side") == f"{b2.resolution} px"
    wait_until_measured(page, "1")
    after = number(page, "measured", "time a batch")
    assert before != after
    assert float(after.split()[0].replace(",", "")) > 0


def test_a_typed_number_and_a_slider_are_one_setting(lab: Notebook, page: Page) -> None:
    field = page.get_by_label("beta", exact=True)
    field.fill("1.3")
    field.press("Enter")
    expect(page.get_by_role("row", name="width w 1.30")).to_be_visible()
    assert float(lab.slider(".ee-beta").get_attribute("aria-valuenow") or 0) == pytest.approx(1.3)


def test_what_was_measured_is_greyed_until_new(lab: Notebook, page: Page) -> None:
    page.locator(".ee-button-measure").click()
    wait_until_measured(page, "1")
    assert page.locator(".ee-stale").count() == 0
    lab.slider(".ee-phi").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ee-stale caption")).to_have_text("measured before, at phi 1")
    wait_until_measured(page, "1.1")
    assert page.locator(".ee-stale").count() == 0


def test_cancel_by_keyboard_keeps_the_lab(lab: Notebook, page: Page) -> None:
    lab.slider(".ee-phi").focus()
    page.keyboard.press("End")
    expect(page.locator(".ee-status")).to_have_text(re.compile("^(Building|Measuring)"), timeout=30_000)
    page.locator(".ee-button-cancel").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ee-status")).to_have_text("Cancelled. Nothing was measured.")
    lab.slider(".ee-phi").focus()
    page.keyboard.press("Home")
    wait_until_measured(page, "0")


def test_a_burst_of_keys_never_shows_an_empty_picture(lab: Notebook, page: Page) -> None:
    page.evaluate(
        """() => { window.blank = 0; window.frames_ = 0; window.watching = true;
        const look = () => { window.frames_ += 1;
            const drawn = document.querySelectorAll('.ee-lab svg.ee-drawing');
            if (drawn.length !== 2 || drawn[0].getBoundingClientRect().height < 50) window.blank += 1;
            if (window.watching) requestAnimationFrame(look) };
        requestAnimationFrame(look) }"""
    )
    lab.slider(".ee-phi").focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    last = ee.cost(ee.compound(5.0))
    expect(page.locator(".ee-lab .ee-computed")).to_contain_text(f"{last.macs / 1e9:.3g} billion")
    page.evaluate("() => { window.watching = false }")
    page.locator(".ee-button-cancel").click()
    assert page.evaluate("() => window.frames_") > 20
    assert page.evaluate("() => window.blank") == 0


def test_cells_answer_while_the_lab_measures(lab: Notebook, page: Page, served: tuple[str, Path]) -> None:
    lab.slider(".ee-phi").focus()
    page.keyboard.press("End")
    expect(page.locator(".ee-status")).to_have_text(re.compile("^(Building|Measuring)"), timeout=30_000)
    page.evaluate(
        """() => { window.replied = null; const start = performance.now();
        const future = doc.sessionContext.session.kernel.requestExecute({code: 'print(1)'});
        future.done.then(() => { window.replied = performance.now() - start }) }"""
    )
    page.wait_for_function("() => window.replied !== null", timeout=20_000)
    milliseconds = page.evaluate("() => window.replied")
    assert page.locator(".ee-status").inner_text().startswith(("Building", "Measuring"))
    page.locator(".ee-button-cancel").click()
    print(f"a cell answered after {milliseconds:.0f} ms while the lab was measuring")
    assert milliseconds < 5000


def test_export_shows_every_measured_point(lab: Notebook, page: Page) -> None:
    page.locator(".ee-button-measure").click()
    wait_until_measured(page, "1")
    page.locator(".ee-button-export").click()
    link = page.get_by_role("link", name="Save phi_lab.csv")
    with page.expect_download() as download:
        link.click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == 2
    assert rows[0].startswith("phi,alpha,beta,gamma,batch_size,precision,network")
    assert rows[1].startswith("1.0,1.2,1.1,1.15,1,fp32,")
