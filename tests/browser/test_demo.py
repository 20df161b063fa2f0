"""The page of all labs with several visitors at once, as `python -m effnet_edu demo` serves it."""

import re
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from effnet_edu.course.demo_server import FULL
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.page import exact
from tests.browser.jupyter import TOKEN, serve_demo, watched_page
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.browser

#: The page that was full.
EXPECTED = re.compile("status of 503")
WAITS = re.compile("Another notebook or program is measuring")


def visit(page: Page, base: str) -> int:
    """Ask for the page and return the status of the answer, before its labs are there."""
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    answer = page.goto(f"{base}/?token={TOKEN}", wait_until="commit")
    assert answer
    return answer.status


def open_lab(page: Page, lab: str) -> Locator:
    """Open a lab by its button, and return it when it is there."""
    page.get_by_role("button", name=exact(lab)().title, exact=True).click()
    expect(page.get_by_text(exact(lab).TRY)).to_be_visible()
    expect(page.locator(".ee-lab")).to_have_count(1)
    return page.locator(".ee-lab")


@pytest.mark.thorough
def test_visitors_share_the_page_one_device_and_a_limit(chrome: Browser, tmp_path: Path) -> None:
    with serve_demo(tmp_path, visitors=2) as base, ExitStack() as stack:
        pages = [stack.enter_context(watched_page(chrome)) for _ in range(3)]
        with urllib.request.urlopen(base, timeout=PATIENCE) as reply:  # noqa: S310 - without the token
            assert "/login?" in reply.url
        for page in pages[:2]:
            visit(page, base)
        # The first lab is there, each has its question, and no code is shown.
        for lab in LABS:
            open_lab(pages[0], lab)
            expect(pages[0].locator("h2")).to_have_text(exact(lab).QUESTION)
        assert "ee.labs" not in "".join(pages[0].locator(".jp-InputArea, .highlight").all_inner_texts())

        # A picture that is larger than a server reads by default is refused in a sentence.
        gates = open_lab(pages[0], "SqueezeExciteLab")
        with pages[0].expect_file_chooser() as asked:
            gates.locator(".ee-upload").click()
        asked.value.set_files({"name": "huge.png", "mimeType": "image/png", "buffer": bytes(41 * 2**20)})
        expect(gates.locator(".ee-status")).to_contain_text("huge.png has 41.0 MiB; up to 40 are read.")

        # A third visitor gets a sentence, and a place when somebody leaves.
        assert visit(pages[2], base) == 503
        expect(pages[2].locator("body")).to_contain_text(FULL)

        # Both measure: one waits for its turn and says so, and both are served.
        labs = [open_lab(page, "PhiLab") for page in pages[:2]]
        for lab in labs:
            lab.locator(".ee-button-measure").click()
        told: set[str] = set()
        while not all("Measured " in text for text in told_by(labs)):
            told.update(told_by(labs))
        assert any(WAITS.search(text) for text in told), told
        for lab in labs:
            expect(lab.locator(".ee-status")).to_contain_text("Measured ")

        pages[0].close(run_before_unload=True)
        wait_until(lambda: visit(pages[2], base) == 200, "place for the third visitor")
        for page in pages[1:]:
            complaints: list[str] = page.complaints  # type: ignore[attr-defined]
            assert [said for said in complaints if not EXPECTED.search(said)] == []
            assert page.outside == []  # type: ignore[attr-defined]
    assert TOKEN not in (tmp_path / "server.log").read_text()


def told_by(labs: list[Locator]) -> list[str]:
    return [lab.locator(".ee-status").inner_text() for lab in labs]
