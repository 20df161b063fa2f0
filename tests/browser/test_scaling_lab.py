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
    expect(notebook.slider(".ee-depth-share")).to_have_attribute("aria-valuenow", "100.0")
    expect(page.get_by_role("row", name="depth d 4.00")).to_be_visible()
    expect(page.locator(".ee-published caption")).to_have_text("published, nearest: d = 3")
    notebook.slider(".ee-width-share").focus()
    page.keyboard.press("PageUp")
    expect(page.get_by_label("way", exact=True)).to_have_value("own mix")
    expect(page.locator(".ee-published")).to_have_count(0)
    expect(page.locator("code.ee-code")).to_contain_text("way='own mix', depth_share=100, width_share=")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("code.ee-code")).to_have_text("ee.labs.ScalingProblemLab()")
