"""The same labs in Voila, where a page is a kernel and no code is shown."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cases import LABS, Case, measure, numbers
from tests.browser.jupyter import serve_voila, watched_page, write_notebook

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of all labs."""
    folder = tmp_path_factory.mktemp("voila")
    (folder / "root").mkdir()
    for case in LABS:
        write_notebook(folder / "root" / f"{case.lab}.ipynb", *case.cells)
    with serve_voila(folder, folder / "root") as address:
        yield address


@pytest.mark.parametrize("case", LABS, ids=lambda case: case.lab)
def test_a_lab_lives_in_voila(chrome: Browser, base: str, case: Case) -> None:
    with watched_page(chrome) as page:
        # Voila's own page asks for fonts and formulas elsewhere; a classroom may be offline.
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(f"{base}/voila/render/{case.lab}.ipynb")
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
        page.close(run_before_unload=True)  # the page tells the server to stop its kernel
