"""What times graphs in the reader's browser: its controls, and onnxruntime beside the pages."""

import shutil
from html import escape
from pathlib import Path
from string import Template

from effnet_edu.labs.frame.in_page import ENGINES
from effnet_edu.labs.frame.page import Page

HERE = Path(__file__).parent
ONNXRUNTIME = HERE / "node_modules" / "onnxruntime-web"
#: What a browser needs of it (MIT licence) for WASM and for WebGPU: a script and a module each.
ONNXRUNTIME_FILES = (
    *("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
    *("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
)


def controls(made: Page) -> str:
    """Return what a page needs for timing: engine, button and a place for the time; empty where none is.

    Args:
        made: The page as it begins.
    """
    if not made.logic.timed_graphs(made.logic.setting):
        return ""
    engines = "".join(f"<option>{escape(engine)}</option>" for engine in ENGINES)
    return Template((HERE / "live_measuring.html").read_text(encoding="utf-8")).substitute(engines=engines)


def guess_first(made: Page) -> dict[str, str]:
    """Return the switch and the row for guesses before a time is shown; empty where nothing is timed.

    Args:
        made: The page as it begins.
    """
    if not made.logic.timed_graphs(made.logic.setting) or not made.logic.can_ask():
        return {"guess_first": "", "asking": ""}
    button = (
        '<button type="button" class="ee-button-ask" disabled '
        'title="Guess before it is measured, and see how far off you are.">Guess first</button>'
    )
    return {"guess_first": button, "asking": (HERE / "live_asking.html").read_text(encoding="utf-8")}


def wasm_bytes() -> int:
    """Return how many bytes a browser fetches of onnxruntime for WASM, before they are compressed."""
    return sum((ONNXRUNTIME / "dist" / name).stat().st_size for name in ONNXRUNTIME_FILES[:2])


def add_files(site: Path) -> None:
    """Put onnxruntime beside the pages.

    Args:
        site: The folder of the made site.

    Raises:
        FileNotFoundError: onnxruntime-web was not installed.
    """
    if not ONNXRUNTIME.is_dir():
        raise FileNotFoundError(f"{ONNXRUNTIME} is missing; `npm ci --prefix website` installs it.")
    folder = site / "_static" / "onnxruntime"
    folder.mkdir()
    for name in ONNXRUNTIME_FILES:
        shutil.copyfile(ONNXRUNTIME / "dist" / name, folder / name)
