"""Measure, in Chromium, how soon each lab answers: `make latency`.

In JupyterLab the time from a key press to changed numbers; on the made site the pictures a second in a drag.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.cases import LABS, Case
from tests.browser.dragging import PER_SECOND, rates
from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook
from website.build import OUTPUT

#: What a learner does not notice as waiting.
MEDIAN_MS, P95_MS = 40, 70

# One press; resolves to milliseconds until a frame with other words in the picture or other numbers.
PRESS = """() => { const table = () => [...document.querySelectorAll(
        '.ee-lab .ee-figures, .ee-lab svg.ee-scene text, .ee-lab .ee-code')].map(e => e.textContent).join();
    const before = table(); window.lag = null; let start = null;
    document.addEventListener('keydown', () => { start = performance.now() }, {capture: true, once: true});
    const look = () => { if (start !== null && table() && table() !== before) {
        window.lag = performance.now() - start } else requestAnimationFrame(look) };
    requestAnimationFrame(look) }"""


def lags(page: Page, case: Case, presses: int) -> list[float]:
    """Press the arrow keys on the lab's slider and return the lag of each press in milliseconds."""
    page.locator(f".{case.slider} [role=slider]").focus()
    found = []
    for n in range(presses):
        page.evaluate(PRESS)
        page.keyboard.press("ArrowRight" if n % 20 < 10 else "ArrowLeft")
        found.append(float(page.wait_for_function("() => window.lag", timeout=10_000).json_value()))
        page.wait_for_timeout(40)
    return found


def press_keys(presses: int) -> list[str]:
    """Print the lag of keys in each lab in JupyterLab; return what is too slow."""
    too_slow = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        with serve(folder, root) as base, browser() as opened, lab_page(opened, base) as page:
            for case in LABS:
                write_notebook(root / f"{case.lab}.ipynb", *case.cells)
                notebook = Notebook(page)
                notebook.open(f"{case.lab}.ipynb")
                notebook.run_all()
                found = lags(page, case, presses)
                notebook.close()
                median, p95 = statistics.median(found), statistics.quantiles(found, n=20)[-1]
                result = {"lab": case.lab, "presses": len(found), "median_ms": round(median, 1)}
                print(json.dumps(result | {"p95_ms": round(p95, 1), "max_ms": round(max(found), 1)}))
                if median > MEDIAN_MS or p95 > P95_MS:
                    too_slow.append(case.lab)
    if too_slow:
        print(f"slower than {MEDIAN_MS} ms (median) or {P95_MS} ms (95%): {', '.join(too_slow)}")
    return too_slow


def drag_on_the_site() -> list[str]:
    """Print the pictures a second while each lab of the made site is dragged; return what has too few."""
    too_few = []
    with browser() as opened:
        for counted in rates(opened, OUTPUT):
            print(json.dumps(counted))
            if counted["changed_per_s"] < PER_SECOND:
                too_few.append(f"{counted['lab']}, {counted['dragged']}")
    if too_few:
        print(f"fewer than {PER_SECOND} pictures a second: {'; '.join(too_few)}")
    return too_few


def main(presses: int = 60) -> int:
    return min(len([*press_keys(presses), *drag_on_the_site()]), 1)


if __name__ == "__main__":
    sys.exit(main())
