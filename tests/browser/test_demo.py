"""The page of all labs with several visitors at once, as `python -m effnet_edu demo` serves it."""

import re
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from effnet_edu.demo import PARTS
from effnet_edu.demo_server import FULL
from tests.browser.cases import LABS
from tests.browser.jupyter import TOKEN, serve_demo, watched_page

pytestmark = pytest.mark.browser

#: What was asked of other hosts, and the page that was full.
EXPECTED = re.compile("net::ERR_FAILED|status of 503")
WAITS = re.compile("Another notebook or program is measuring")


def visit(page: Page, base: str) -> int:
    """Ask for the page and return the status of the answer, before its labs are there."""
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    answer = page.goto(f"{base}/?token={TOKEN}", timeout=90_000, wait_until="commit")
    assert answer
    return answer.status


def all_labs_are_there(page: Page) -> None:
    expect(page.locator(".ee-lab")).to_have_count(len(PARTS), timeout=90_000)


def test_visitors_share_the_page_one_device_and_a_limit(chrome: Browser, tmp_path: Path) -> None:
    with serve_demo(tmp_path, visitors=2) as base, ExitStack() as stack:
        pages = [stack.enter_context(watched_page(chrome)) for _ in range(3)]
        with urllib.request.urlopen(base, timeout=20) as reply:  # noqa: S310 - without the token
            assert "/login?" in reply.url
        for page in pages[:2]:
            visit(page, base)
        for page in pages[:2]:
            all_labs_are_there(page)

        # Each lab has a title and a sentence, and no code is shown.
        titles = pages[0].locator("h2").all_inner_texts()
        assert [part.title in title for part, title in zip(PARTS, titles, strict=True)] == [True] * 6
        for part in PARTS:
            expect(pages[0].get_by_text(part.sentence)).to_be_visible()
        assert {part.lab for part in PARTS} == {case.lab for case in LABS}
        assert "ee.labs" not in "".join(pages[0].locator(".jp-InputArea, .highlight").all_inner_texts())

        # A picture that is larger than a server reads by default is refused in a sentence.
        gates = pages[0].locator(".ee-lab").filter(has=pages[0].locator(".ee-upload"))
        with pages[0].expect_file_chooser() as asked:
            gates.locator(".ee-upload").click()
        asked.value.set_files({"name": "huge.png", "mimeType": "image/png", "buffer": bytes(11 * 2**20)})
        expect(gates.locator(".ee-status")).to_contain_text("huge.png has 11.0 MiB; up to 10 are read.")

        # A third visitor gets a sentence, and a place when somebody leaves.
        assert visit(pages[2], base) == 503
        expect(pages[2].locator("body")).to_contain_text(FULL)

        # Both measure: one waits for its turn and says so, and both are served.
        labs = [page.locator(".ee-lab").filter(has_text="Phi lab").first for page in pages[:2]]
        for lab in labs:
            lab.locator(".ee-button-measure").click()
        told = set()
        end = time.monotonic() + 60
        while time.monotonic() < end and not all("Measured " in text for text in told_by(labs)):
            told.update(told_by(labs))
            time.sleep(0.02)
        assert any(WAITS.search(text) for text in told), told
        for lab in labs:
            expect(lab.locator(".ee-status")).to_contain_text("Measured ", timeout=60_000)

        pages[0].close(run_before_unload=True)
        end = time.monotonic() + 20
        while (status := visit(pages[2], base)) == 503 and time.monotonic() < end:
            time.sleep(0.5)
        assert status == 200
        for page in pages[1:]:
            complaints: list[str] = page.complaints  # type: ignore[attr-defined]
            assert [said for said in complaints if not EXPECTED.search(said)] == []
    assert TOKEN not in (tmp_path / "server.log").read_text()


def told_by(labs: list[Locator]) -> list[str]:
    return [lab.locator(".ee-status").inner_text() for lab in labs]
