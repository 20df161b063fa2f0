"""Pictures of all labs and lessons, light and dark, wide and narrow, into test-artifacts/."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.cases import LABS, Case, measure, wait_until_measured
from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def use_theme(page: Page, name: str) -> None:
    """Change JupyterLab's theme and wait until it is there."""
    page.evaluate("name => { jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.wait_for_timeout(800)


def picture_lab(opened: Browser, base: str, case: Case, width: int) -> None:
    """Take a lab after three measurements: as it is, compared, as numbers, and for a projector."""
    with lab_page(opened, base, width) as page:
        page.evaluate("() => { jupyterapp.commands.execute('application:toggle-left-area') }")
        notebook = Notebook(page)
        notebook.open(f"{case.lab}.ipynb")
        notebook.run_all()
        measure(page)
        slider = page.locator(f".{case.slider} [role=slider]")
        for _ in range(2):
            slider.focus()
            page.keyboard.press("PageUp")
            measure(page)
        page.set_viewport_size({"width": width, "height": 2200 if width < 1000 else 1100})
        take(page, f"{case.lab}_{width}")
        page.locator(".ee-button-pin").click()
        slider.focus()
        page.keyboard.press("PageUp")
        page.wait_for_timeout(500)
        wait_until_measured(page)
        take(page, f"{case.lab}_{width}_compared")
        page.locator(".ee-button-numbers").click()
        take(page, f"{case.lab}_{width}_compared_numbers")
        page.locator(".ee-button-pin").click()
        take(page, f"{case.lab}_{width}_numbers")
        page.locator(".ee-button-numbers").click()
        page.locator(".ee-button-size").click()
        take(page, f"{case.lab}_{width}_large")
        use_theme(page, THEMES["light"])
        notebook.close()


def take(page: Page, name: str) -> None:
    """Take the lab in both themes."""
    for theme, full_name in THEMES.items():
        use_theme(page, full_name)
        page.mouse.move(0, 0)
        page.locator(".ee-lab").screenshot(path=str(ARTIFACTS / f"{name}_{theme}.png"))


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="such as PhiLab or 02_compound_scaling; all by default")
    names = parser.parse_args().names
    lessons = sorted(path.stem for path in (ROOT / "lessons").glob("*.ipynb"))
    ARTIFACTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        shutil.copytree(ROOT / "lessons", root)
        with serve(folder, root) as base, browser() as opened:
            for case in LABS:
                if not names or case.lab in names:
                    write_notebook(root / f"{case.lab}.ipynb", *case.cells)
                    for width in (1280, 800):
                        picture_lab(opened, base, case, width)
            for lesson in lessons:
                if not names or lesson in names:
                    picture_lesson(opened, base, lesson)
    print(f"{len(list(ARTIFACTS.glob('*.png')))} pictures in {ARTIFACTS.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
