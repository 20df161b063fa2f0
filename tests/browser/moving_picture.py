"""The moving picture of the README: `python -m tests.browser.moving_picture` drives the phi lab in Chromium.

It plays twice and stops. No text may need reading in a hurry: it stays on what was measured.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.cases import measure
from tests.browser.jupyter import Notebook, browser, lab_page, serve, write_notebook

TARGET = Path(__file__).parents[2] / "docs" / "phi_lab.gif"
CELLS = ("import effnet_edu as ee", "lab = ee.labs.PhiLab(phi=0.0)\nlab")
WIDTH, COLOURS = 1080, 255
MOST_BYTES = 1_500_000
#: Key presses from phi 0 to 3, each a frame. GIF counts in hundredths: these three make 15 frames a second.
PRESSES, MOVING_MS, RESTING_MS = 30, (70, 70, 60), 3500
#: Longer than the picture needs to reach where a key press sends it.
SETTLED_MS = 400


def take(page: Page) -> Image.Image:
    """Return the lab as it looks now."""
    with Image.open(io.BytesIO(page.locator(".ee-lab").screenshot())) as picture:
        height = round(picture.height * WIDTH / picture.width)
        return picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)


def frames(page: Page) -> tuple[list[Image.Image], list[int]]:
    """Move phi, wait for the measurement, and return the pictures with their milliseconds."""
    measure(page)
    taken, shown = [take(page)], [RESTING_MS // 2]
    slider = page.locator(".ee-phi [role=slider]")
    slider.focus()
    for press in range(PRESSES):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(SETTLED_MS)
        taken.append(take(page))
        shown.append(MOVING_MS[press % len(MOVING_MS)])
    measure(page)
    return [*taken, take(page)], [*shown, RESTING_MS]


def write(taken: list[Image.Image], shown: list[int]) -> None:
    """Write the pictures with one palette, so that what rests does not flicker."""
    size = (taken[0].width, max(picture.height for picture in taken))
    # What lights up while phi moves is in no frame that rests, so the palette is that of several together;
    # it has to cover colours that few pixels have, such as those of words.
    seen = [taken[0], taken[len(taken) // 2], taken[-1]]
    together = Image.new("RGB", (size[0], sum(picture.height for picture in seen)), "white")
    for number, picture in enumerate(seen):
        together.paste(picture, (0, sum(each.height for each in seen[:number])))
    palette = together.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
    even = []
    for picture in taken:
        card = Image.new("RGB", size, "white")
        card.paste(picture)
        even.append(card.quantize(palette=palette, dither=Image.Dither.NONE))
    even[0].save(TARGET, save_all=True, append_images=even[1:], duration=shown, loop=1, optimize=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (root := folder / "root").mkdir()
        write_notebook(root / "lab.ipynb", *CELLS)
        with serve(folder, root) as base, browser() as opened, lab_page(opened, base) as page:
            page.evaluate("() => { jupyterapp.commands.execute('application:toggle-left-area') }")
            page.set_viewport_size({"width": 1280, "height": 900})
            notebook = Notebook(page)
            notebook.open("lab.ipynb")
            notebook.run_all()
            write(*frames(page))
            notebook.close()
    size = TARGET.stat().st_size
    print(f"{TARGET.name}: {size / 1e6:.2f} MB")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
