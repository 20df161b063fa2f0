"""The same labs in Voila, where a page is a kernel and no code is shown."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cases import LABS
from tests.browser.jupyter import serve_voila, watched_page, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


def test_the_labs_live_in_voila(chrome: Browser, tmp_path: Path) -> None:
    """On one page, with one kernel: each answers a key, measures, and gives its line of code."""
    (tmp_path / "root").mkdir()
    cells = (f"lab = {case.code}\nlab" for case in LABS)
    write_notebook(tmp_path / "root" / "labs.ipynb", "import effnet_edu as ee", *cells)
    with serve_voila(tmp_path, tmp_path / "root") as base, watched_page(chrome) as page:
        # Voila's own page asks for fonts and formulas elsewhere; a classroom may be offline.
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(f"{base}/voila/render/labs.ipynb")
        expect(page.locator(".ee-lab")).to_have_count(len(LABS))
        for index, case in enumerate(LABS):
            lab = page.locator(".ee-lab").nth(index)
            slider = lab.locator(f".{case.slider} [role=slider]")
            expect(slider).to_have_attribute("aria-label", re.compile("."))
            numbers = lab.locator(".ee-numbers").first
            before = numbers.inner_text()
            slider.focus()
            page.keyboard.press("ArrowRight")
            expect(numbers).not_to_have_text(before, use_inner_text=True)
            lab.locator(".ee-button-measure").click()
            expect(lab.locator(".ee-status")).to_contain_text("Measured ")
            lab.get_by_role("button", name="Copy code").click()
            assert case.lab in page.evaluate("() => navigator.clipboard.readText()")
        asked_elsewhere = "net::ERR_FAILED"
        assert [said for said in page.complaints if asked_elsewhere not in said] == []  # type: ignore[attr-defined]
        page.close(run_before_unload=True)  # the page tells the server to stop its kernel
