"""Pictures of the phi lab and of both lessons, light and dark, wide and narrow, into test-artifacts/."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def use_theme(page: Page, name: str) -> None:
    """Change JupyterLab's theme and wait until it is there."""
    page.evaluate("name => { jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.wait_for_timeout(800)


def picture_lab(opened: Browser, base: str, width: int) -> None:
    """Measure at three phis, then take the lab in both themes."""
    with lab_page(opened, base, width) as page:
        if width < 1000:
            page.evaluate("() => { jupyterapp.commands.execute('application:toggle-left-area') }")
        notebook = Notebook(page)
        notebook.open("phi_lab.ipynb")
        notebook.run_all()
        for phi in ("0", "1", "2.3"):
            page.get_by_label("phi", exact=True).fill(phi)
            page.get_by_label("phi", exact=True).press("Enter")
            expect(page.locator(".ee-status")).to_have_text(
                re.compile(f"^Measured phi {phi},"), timeout=90_000
            )
        page.set_viewport_size({"width": width, "height": 1400 if width < 1000 else 800})
        for theme, name in THEMES.items():
            use_theme(page, name)
            page.locator(".ee-lab").screenshot(path=str(ARTIFACTS / f"phi_lab_{width}_{theme}.png"))
        use_theme(page, THEMES["light"])
        notebook.close()


def picture_lesson(opened: Browser, base: str, lesson: str) -> None:
    """Take the whole of a lesson as a learner sees it after Run All, page by page, in both themes."""
    with lab_page(opened, base, 1280, 1600) as page:
        notebook = Notebook(page)
        notebook.open(f"{lesson}.ipynb")
        notebook.run_all()
        scroller = page.locator(".jp-WindowedPanel-outer").last
        for theme, name in THEMES.items():
            use_theme(page, name)
            scroller.evaluate("element => element.scrollTo(0, 0)")
            screens = scroller.evaluate("element => Math.ceil(element.scrollHeight / element.clientHeight)")
            for screen in range(screens):
                scroller.evaluate("(element, n) => element.scrollTo(0, n * element.clientHeight)", screen)
                page.wait_for_timeout(300)
                page.screenshot(path=str(ARTIFACTS / f"{lesson}_{theme}_{screen:02}.png"))
        use_theme(page, THEMES["light"])
        notebook.close()


def main() -> int:
    ARTIFACTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        shutil.copytree(ROOT / "lessons", root)
        write_notebook(
            root / "phi_lab.ipynb", "import effnet_edu as ee", "lab = ee.labs.PhiLab(phi=1.0)\nlab"
        )
        with serve(folder, root) as base, browser() as opened:
            for width in (1280, 800):
                picture_lab(opened, base, width)
            for lesson in sorted((ROOT / "lessons").glob("*.ipynb")):
                picture_lesson(opened, base, lesson.stem)
    print(f"{len(list(ARTIFACTS.glob('*.png')))} pictures in {ARTIFACTS.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
