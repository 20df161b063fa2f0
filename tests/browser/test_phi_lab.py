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
    expect(page.locator(".ee-status").first).to_have_text(
        re.compile(f"^Measured phi {phi} on"), timeout=90_000
    )


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
    field = page.get_by_role("spinbutton", name="beta")
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


def test_a_named_network_snaps_and_moving_phi_leaves_it(lab: Notebook, page: Page) -> None:
    page.get_by_label("network", exact=True).select_option("B4")
    expect(page.locator(".ee-published caption")).to_have_text("published, not the formula")
    assert number(page, "published", "input side") == "380 px"
    macs = number(page, "computed", "phi from MACs")
    assert float(lab.slider(".ee-phi").get_attribute("aria-valuenow") or 0) == pytest.approx(
        float(macs), abs=0.06
    )
    lab.slider(".ee-phi").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ee-published")).to_have_count(0)
    expect(page.get_by_label("network", exact=True)).to_have_value("formula")


def test_export_shows_every_measured_point(lab: Notebook, page: Page) -> None:
    page.locator(".ee-button-measure").click()
    wait_until_measured(page, "1")
    page.locator(".ee-button-export").click()
    link = page.get_by_role("link", name="Save phi_lab.csv")
    with page.expect_download() as download:
        link.click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == 2
    assert rows[0].startswith("phi,alpha,beta,gamma,batch_size,precision,variant,device,network")
    assert rows[1].startswith("1.0,1.2,1.1,1.15,1,fp32,formula,cpu,")
