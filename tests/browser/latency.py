"""Measure, in Chromium, the time from a key press on phi to changed numbers on screen: `make latency`."""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook

CELLS = ("import effnet_edu as ee", "lab = ee.labs.PhiLab(phi=1.0)\nlab")

# One press; resolves to milliseconds until a frame in which the table of computed numbers has changed.
PRESS = """() => { const table = () => document.querySelector('.ee-lab .ee-computed')?.innerText;
    const before = table(); window.lag = null; let start = null;
    document.addEventListener('keydown', () => { start = performance.now() }, {capture: true, once: true});
    const look = () => { if (start !== null && table() && table() !== before) {
        window.lag = performance.now() - start } else requestAnimationFrame(look) };
    requestAnimationFrame(look) }"""


def lags(page: Page, presses: int) -> list[float]:
    """Press the arrow keys on the phi slider and return the lag of each press in milliseconds."""
    notebook_slider = page.locator(".ee-phi [role=slider]")
    notebook_slider.focus()
    found = []
    for n in range(presses):
        page.evaluate(PRESS)
        page.keyboard.press("ArrowRight" if n % 20 < 10 else "ArrowLeft")
        found.append(float(page.wait_for_function("() => window.lag", timeout=10_000).json_value()))
        page.wait_for_timeout(40)
    return found


def main(presses: int = 60) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        write_notebook(root / "latency.ipynb", *CELLS)
        with serve(folder, root) as base, browser() as opened, lab_page(opened, base) as page:
            notebook = Notebook(page)
            notebook.open("latency.ipynb")
            notebook.run_all()
            found = lags(page, presses)
            notebook.close()
    result = {
        "presses": len(found),
        "median_ms": round(statistics.median(found), 1),
        "p95_ms": round(statistics.quantiles(found, n=20)[-1], 1),
        "max_ms": round(max(found), 1),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
