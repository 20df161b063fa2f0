"""A lab in Notebook 7, which is another page around the same cells."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cases import case, measure, numbers
from tests.browser.jupyter import TOKEN, middle_of, serve_notebook_7, watched_page, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def test_a_lab_lives_in_notebook_7(chrome: Browser, tmp_path: Path) -> None:
    """Its picture is dragged, a key rebuilds the network, it is measured, and all stays on this machine."""
    (tmp_path / "root").mkdir()
    phi = case("PhiLab")
    write_notebook(tmp_path / "root" / "phi.ipynb", *phi.cells)
    with serve_notebook_7(tmp_path, tmp_path / "root") as base, watched_page(chrome) as page:
        said: list[str] = []
        page.on("websocket", lambda one: one.on("framereceived", lambda frame: said.append(str(frame))))
        page.goto(f"{base}/notebooks/phi.ipynb?token={TOKEN}")
        while not any("kernel_info_reply" in frame for frame in said):  # before that, it runs nothing
            page.wait_for_timeout(100)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        measure(page)
        code, before = page.locator(".ee-code"), numbers(page)
        page.locator(f".{phi.slider} [role=slider]").press("ArrowRight")
        expect(code).to_have_text(re.compile(r"PhiLab\(phi=0\.6\b"))
        x, y = middle_of(page.locator("[data-key='macs/now/mark']"))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y, steps=5)
        page.mouse.up()
        expect(code).not_to_have_text(re.compile(r"PhiLab\(phi=0"))
        expect(page.locator(".ee-lab .ee-measured:not(.ee-stale)").first).to_be_visible()
        expect(page.locator(".ee-status")).to_contain_text("Measured ")
        assert numbers(page) != before
        assert page.outside == []  # type: ignore[attr-defined]
        assert page.complaints == []  # type: ignore[attr-defined]
