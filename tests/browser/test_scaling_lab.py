"""The scaling problem lab as a learner meets it: a way moves the shares, a share leaves the way."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.jupyter import Notebook, write_notebook

pytestmark = pytest.mark.browser


def test_a_way_moves_the_shares_and_a_share_makes_a_mix(
    notebook: Notebook, page: Page, served: tuple[str, Path]
) -> None:
    write_notebook(
        served[1] / "scaling.ipynb",
        "import effnet_edu as ee",
        "lab = ee.labs.ScalingProblemLab(budget=1.6)\nlab",
    )
    notebook.open("scaling.ipynb")
    notebook.run_all()
    page.get_by_label("way", exact=True).select_option("depth")
    expect(notebook.slider(".ee-depth-weight")).to_have_attribute("aria-valuenow", "100.0")
    expect(page.locator(".ee-finding")).to_contain_text("by depth alone")
    expect(page.locator(".ee-aside")).to_contain_text("by depth, d = 3, ")
    notebook.slider(".ee-width-weight").focus()
    page.keyboard.press("PageUp")
    expect(page.get_by_label("way", exact=True)).to_have_value("own mix")
    expect(page.locator(".ee-aside")).to_contain_text("Nobody published this mix")
    expect(page.locator("code.ee-code")).to_contain_text("way='own mix', depth_weight=100, width_weight=")
    page.locator("[data-key='mix/touch']").focus()
    page.keyboard.press("ArrowRight")  # the point of the triangle, towards resolution
    expect(page.locator("code.ee-code")).to_contain_text("resolution_weight=1")
    page.locator("[data-key='mix/compound']").click()
    expect(page.get_by_label("way", exact=True)).to_have_value("compound")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("code.ee-code")).to_have_text("ee.labs.ScalingProblemLab(budget=1.6)")
    budget = page.locator(".ee-budget-field input")
    budget.fill("0.5")  # between two steps of the slider, which must not take it for a drag to the nearer one
    budget.press("Enter")
    expect(page.locator("code.ee-code")).to_have_text("ee.labs.ScalingProblemLab(budget=0.5)")
    page.get_by_label("way", exact=True).select_option("resolution")
    expect(page.locator("code.ee-code")).to_have_text(
        "ee.labs.ScalingProblemLab(budget=0.5, way='resolution')"
    )
    expect(budget).to_have_value("0.5")
