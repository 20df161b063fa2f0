"""The phi lab as a learner meets it: in JupyterLab, in a real browser, by keyboard."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import effnet_edu as ee
from tests.browser.jupyter import Notebook, middle_of, write_notebook
from tests.browser.screenshots import THEMES, use_theme

pytestmark = pytest.mark.browser

MEASURED = re.compile("^Measured")
LAB = ("import effnet_edu as ee", "lab = ee.labs.PhiLab(phi=1.0)\nlab")


def number(page: Page, name: str) -> str:
    """Return what one of the lab's large numbers says."""
    figure = page.locator(".ee-figure").filter(has_text=re.compile(f"^{re.escape(name)},"))
    return figure.locator(".ee-value").inner_text()


def wait_until_measured(page: Page, phi: str) -> None:
    expect(page.locator(".ee-status").first).to_have_text(re.compile(f"^Measured phi {phi} on"))


@pytest.fixture
def lab(notebook: Notebook, served: tuple[str, Path], request: pytest.FixtureRequest) -> Notebook:
    name = f"{request.node.name}.ipynb"
    write_notebook(served[1] / name, *LAB)
    notebook.open(name)
    notebook.run_all()
    return notebook


@pytest.mark.thorough
def test_lesson_02_rebuilds_and_measures_when_phi_moves(notebook: Notebook, page: Page) -> None:
    notebook.open("02_compound_scaling.ipynb")
    notebook.run_all()
    slider = notebook.slider(".ee-phi").first
    slider.scroll_into_view_if_needed()
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".ee-lab .ee-computed").first).to_contain_text("0.386 billion")
    wait_until_measured(page, "0")
    before = number(page, "time a batch")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    b2 = ee.cost(ee.compound(1.0))
    expect(page.locator(".ee-lab .ee-computed").first).to_contain_text(f"{b2.macs / 1e9:.3g} billion")
    expect(page.locator(".ee-lab .ee-aside").first).to_contain_text(
        f"{b2.resolution} px", use_inner_text=True
    )
    wait_until_measured(page, "1")
    after = number(page, "time a batch")
    assert before != after
    assert float(after.split()[0].replace(",", "")) > 0


def test_a_typed_number_and_a_slider_are_one_setting(lab: Notebook, page: Page) -> None:
    field = page.get_by_role("textbox", name="beta")
    field.fill("1.3")
    field.press("Enter")
    expect(page.locator(".ee-code")).to_contain_text("beta=1.3")
    page.locator(".ee-button-numbers").click()
    expect(page.get_by_role("row", name="width w 1.30")).to_be_visible()
    assert float(lab.slider(".ee-beta").get_attribute("aria-valuenow") or 0) == pytest.approx(1.3)


def test_what_was_measured_is_greyed_until_new(lab: Notebook, page: Page) -> None:
    page.locator(".ee-button-measure").click()
    wait_until_measured(page, "1")
    expect(page.locator(".ee-stale")).to_have_count(0)
    lab.slider(".ee-phi").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ee-stale dt").first).to_have_text("time a batch, measured before, at phi 1")
    wait_until_measured(page, "1.1")
    expect(page.locator(".ee-stale")).to_have_count(0)


def test_a_named_network_snaps_and_moving_phi_leaves_it(lab: Notebook, page: Page) -> None:
    page.get_by_label("network", exact=True).select_option("B4")
    expect(page.locator(".ee-aside")).to_contain_text(
        "published B4: 32 blocks, 380 px. This is what its authors"
    )
    slider = lab.slider(".ee-phi")
    assert float(slider.get_attribute("aria-valuenow") or 0) == pytest.approx(3.7, abs=0.1)
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ee-aside")).not_to_contain_text("published")
    expect(page.get_by_label("network", exact=True)).to_have_value("formula")


def test_the_picture_is_touched(lab: Notebook, page: Page) -> None:
    """Its point is dragged along phi, a published network is clicked, a stage is opened and closed."""
    slider = lab.slider(".ee-phi")
    x, y = middle_of(page.locator("[data-key='macs/now/mark']"))
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + 12 * step, y)
    page.mouse.up()
    page.wait_for_function("handle => Number(handle.ariaValueNow) > 2", arg=slider.element_handle())
    expect(page.locator(".ee-code")).to_have_text(re.compile(r"PhiLab\(phi=[23]\.\d\)"))
    page.locator("[data-key='macs/B4/mark']").click()
    expect(page.get_by_label("network", exact=True)).to_have_value("B4")
    stage = page.get_by_role("button", name=re.compile("^stage 5: MBConv6, 5 x 5, SE"))
    stage.click(position={"x": 20, "y": 30})
    inside = page.locator("[data-key='inside 5/title']")
    expect(inside).to_have_text("Stage 5: MBConv6, 5 x 5, SE")
    stage.press("Enter")
    expect(inside).to_have_count(0)


def test_a_guess_comes_before_the_measurement_by_keyboard(lab: Notebook, page: Page) -> None:
    """Asked on the chart's own axis or in words, named for screen readers, and then judged."""
    page.locator(".ee-button-ask").press("Enter")
    field = page.get_by_role("textbox", name="How long does an image take here? ms")
    expect(field).to_be_visible()
    expect(page.locator(".ee-status").first).to_have_text(re.compile("^Your guess first"))
    page.locator(".ee-button-measure").click()
    expect(page.locator(".ee-status").first).to_have_text(re.compile("^Your guess first"))
    expect(page.locator(".ee-figures")).to_contain_text("0.993")  # what is exact is never hidden
    handle = page.get_by_role("slider", name="Your guess, in ms")
    expect(handle).to_have_attribute("aria-valuetext", "no guess yet")
    handle.press("ArrowUp")
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^[\d.]+ ms$"))
    expect(field).to_have_value(re.compile(r"^[\d.]+$"))
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    for theme in THEMES.values():
        use_theme(page, theme)
        page.evaluate(
            """() => { window.found = null; axe.run('.ee-lab', {resultTypes: ['violations']})
            .then(result => { window.found = result.violations }) }"""
        )
        page.wait_for_function("() => window.found !== null")
        assert page.evaluate("() => found.map(v => [v.id, v.nodes[0].html.slice(0, 200)])") == []
    use_theme(page, THEMES["light"])
    assert lab.run_in_kernel("print(len(lab.logic.history))") == "0\n"
    field.fill("1 ms")
    field.press("Enter")
    wait_until_measured(page, "1")
    verdict = page.locator(".ee-verdict")
    expect(verdict).to_have_text(re.compile(r"○ It is [\d.,]+ ms; your guess is [\d.,]+ times too low\."))
    expect(page.locator(".ee-told")).to_have_attribute("role", "status")
    expect(page.locator(".ee-told")).to_contain_text("times too low")
    expect(field).to_be_hidden()
    lab.slider(".ee-phi").press("ArrowRight")
    expect(field).to_be_visible()
    expect(field).to_have_value("")
    expect(verdict).to_have_count(0)


def test_export_shows_every_measured_point(lab: Notebook, page: Page) -> None:
    page.locator(".ee-button-measure").click()
    wait_until_measured(page, "1")
    page.locator(".ee-button-numbers").click()
    page.locator(".ee-button-export").click()
    link = page.get_by_role("link", name="Save phi_lab.csv")
    with page.expect_download() as download:
        link.click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == 2
    assert rows[0].startswith("phi,alpha,beta,gamma,batch_size,precision,variant,device,network")
    assert rows[1].startswith("1.0,1.2,1.1,1.15,1,fp32,formula,cpu,")
