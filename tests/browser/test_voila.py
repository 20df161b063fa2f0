"""The same labs in Voila, where a page is a kernel and no code is shown."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cases import LABS, Case, measure, numbers
from tests.browser.jupyter import serve_voila, watched_page, write_notebook

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("case", LABS, ids=lambda case: case.lab)
def test_a_lab_lives_in_voila(chrome: Browser, tmp_path: Path, case: Case) -> None:
    path = tmp_path / "lab.ipynb"
    write_notebook(path, *case.cells)
    with serve_voila(tmp_path, path) as base, watched_page(chrome) as page:
        # Voila's own page asks for fonts and formulas elsewhere; a classroom may be offline.
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(base)
        slider = page.locator(f".{case.slider} [role=slider]")
        expect(slider).to_be_visible(timeout=90_000)
        expect(slider).to_have_attribute("aria-label", re.compile("."))
        before = numbers(page)
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "before => [...document.querySelectorAll('.ee-lab table.ee-numbers')].map(e => e.innerText)"
            ".join('\\n') !== before",
            arg=before,
        )
        measure(page)
        page.locator(".ee-lab").get_by_role("button", name="Copy code").click()
        assert case.lab in page.evaluate("() => navigator.clipboard.readText()")
        asked_elsewhere = "net::ERR_FAILED"
        assert [said for said in page.complaints if asked_elsewhere not in said] == []  # type: ignore[attr-defined]
