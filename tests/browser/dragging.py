"""Count, in Chromium, the pictures a second while something is dragged on the site, for `make latency`."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.browser.jupyter import middle_of, watched_page
from tests.site.served import serve_folder
from website.lessons import LIVE

#: What looks like moving, and how often a usual mouse says where it is.
PER_SECOND, MOUSE_SECONDS = 30, 0.008

# Counts frames, frames in which a picture changed, frames in which the hand moved, those of them in which a
# picture changed, whose share does not depend on how busy the machine is, and answers of Python.
WATCH = """() => {
    const found = window.drawn = {frames: 0, changed: 0, moved: 0, followed: 0, answers: 0};
    found.began = performance.now();
    let isNew = false, moves = false;
    addEventListener('pointermove', () => { moves = true }, true);
    const pictures = new MutationObserver(() => { isNew = true });
    const all = {subtree: true, childList: true, attributes: true, characterData: true};
    for (const one of document.querySelectorAll('.ee-lab svg.ee-scene')) pictures.observe(one, all);
    new MutationObserver(() => { found.answers += 1 }).observe(document.querySelector('.ee-code'), all);
    const look = () => { found.frames += 1; found.changed += isNew; found.moved += moves;
        found.followed += moves && isNew; isNew = moves = false; requestAnimationFrame(look) }
    requestAnimationFrame(look) }"""
READ = """() => { const {began, ...counts} = drawn, seconds = (performance.now() - began) / 1000;
    return Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, n / seconds])) }"""


def drag(page: Page, handle: Locator, reach: float, seconds: float) -> dict[str, float]:
    """Drag a handle to the right and back, as far as `reach` pixels; return what was counted, a second."""
    x, y = middle_of(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(WATCH)
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        share = 2 * passed / seconds
        page.mouse.move(x + reach * min(share, 2 - share), y)
        time.sleep(MOUSE_SECONDS)
    counted: dict[str, float] = page.evaluate(READ)
    page.mouse.up()
    return counted


def rates(opened: Browser, site: Path, seconds: float = 4.0) -> Iterator[dict[str, Any]]:
    """Yield, for the slider of each lab and for the handle in its picture, what was counted a second."""
    with serve_folder(site) as address:
        for name, place in LIVE.items():
            with watched_page(opened) as page:
                page.goto(f"{address}/live/{place}.html")
                page.locator(".ee-lab[data-live=ready]").wait_for()
                page.wait_for_timeout(500)
                handles = {"its slider": page.locator(".ee-main input[type=range]")}
                if (handle := page.locator(".ee-lab svg.ee-scene [data-drag]")).count():
                    handles["the handle in its picture"] = handle.first
                for what, handle in handles.items():
                    page.get_by_role("button", name="Reset").click()
                    page.wait_for_timeout(500)
                    counted = drag(page, handle, 200, seconds)
                    found = {f"{count}_per_s": round(rate) for count, rate in counted.items()}
                    yield {"lab": name, "dragged": what} | found | {"load": round(os.getloadavg()[0], 1)}
