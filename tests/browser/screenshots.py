"""Pictures of all labs and lessons, light and dark, wide and narrow, into test-artifacts/."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.cases import LABS, Case, measure, wait_until_measured
from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"
#: Widths in pixels, and heights in which a whole lab stands.
SCREENS = {1280: 1100, 1920: 1300, 800: 1900, 390: 2600}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def use_theme(page: Page, name: str) -> None:
    """Change JupyterLab's theme and wait until it is there."""
    page.evaluate("name => { jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.wait_for_timeout(800)


def picture_lab(opened: Browser, base: str, case: Case) -> None:
    """Take a lab in each of its states, as wide as each screen is, in both themes."""
    with lab_page(opened, base) as page:
        page.evaluate("() => { jupyterapp.commands.execute('application:toggle-left-area') }")
        notebook = Notebook(page)
        notebook.open(f"{case.lab}.ipynb")
        notebook.run_all()
        for state in _states(page, notebook, case):
            take(page, f"{case.lab}_{state}")
        use_theme(page, THEMES["light"])
        notebook.close()


def _states(page: Page, notebook: Notebook, case: Case) -> Iterator[str]:
    """Bring the only lab of a page into each state and yield its name."""
    slider = page.locator(f".{case.slider} [role=slider]")

    def press(*buttons: str) -> None:
        for button in buttons:
            page.locator(f".ee-button-{button}").click()

    def move() -> None:
        slider.press("PageUp")
        page.wait_for_timeout(500)

    yield "rest"
    measure(page)
    notebook.run_in_kernel("lab.logic.request = lambda *_, **__: None")  # stays as moved, not yet measured
    move()
    yield "moved"
    notebook.run_in_kernel("del lab.logic.request")
    for _ in range(2):
        measure(page)
        move()
        wait_until_measured(page)
    yield "measured"
    press("pin")
    move()
    wait_until_measured(page)
    yield "compared"
    press("numbers")
    yield "compared_numbers"
    press("numbers", "size")
    yield "compared_presented"
    press("size", "pin", "size")
    yield "presented"
    press("size")
    if page.locator(".ee-button-ask").is_visible():
        press("ask")
        slider.press("ArrowLeft")
        yield "asked"
        field = page.locator(".ee-asking input")
        field.fill("40")
        field.press("Tab")
        page.wait_for_timeout(500)
        yield "guessed"
        press("size")
        yield "guessed_presented"
        page.locator(".ee-asking button").click()  # a presenter has no charts
        wait_until_measured(page)
        yield "answered_presented"
        press("size")
        yield "answered"


def take(page: Page, name: str) -> None:
    """Take the lab in both themes, as wide as each screen is and as high as it wants to be."""
    for theme, full_name in THEMES.items():
        use_theme(page, full_name)
        for width, height in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(600)  # the picture hears of its room, and moves
            page.mouse.move(0, 0)
            page.locator(".ee-lab").screenshot(path=str(ARTIFACTS / f"{name}_{width}_{theme}.png"))


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
                    picture_lab(opened, base, case)
            for lesson in lessons:
                if not names or lesson in names:
                    picture_lesson(opened, base, lesson)
    print(f"{len(list(ARTIFACTS.glob('*.png')))} pictures in {ARTIFACTS.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
