"""Labs that run in the reader's browser: their page, the part of the library they need, and Python itself."""

import ast
import io
import shutil
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import effnet_edu
from effnet_edu import studies
from effnet_edu.checkpoints.atomic import write_atomically
from effnet_edu.labs.controls import Choice, Slider
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_view import PhiLab
from effnet_edu.labs.phi_web import START, Recorded, RecordedTime, WebPhiLab, code, in_words
from effnet_edu.labs.theme import STYLE_SHEET

HERE = Path(__file__).parent
PACKAGE = Path(effnet_edu.__file__).parent
PYODIDE = HERE / "node_modules" / "pyodide"
#: What a browser needs of it; the rest is for Node and for its console.
PYODIDE_FILES = (
    "pyodide.mjs",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
#: Settings that only a measurement depends on.
MEASURED = {"batch_size", "precision", "device"}
#: Tables that the exact half reads.
TABLES = ("published/effnet_table2.csv",)


def recorded() -> Recorded:
    """Return the recorded times of B0 to B7 that the page shows, of the first device that has them.

    Raises:
        ValueError: No device was recorded.
    """
    for records in studies.recorded_devices().values():
        if "networks" not in records:
            continue
        rows = [
            row
            for row in records["networks"].data["rows"]
            if row["network"].startswith("efficientnet_b") and row["batch_size"] == 1
        ]
        about = records["networks"].provenance
        return Recorded(
            f"{about.device}, {about.started[:10]}",
            tuple(
                RecordedTime(
                    row["network"].removeprefix("efficientnet_").upper(),
                    *(row[name] for name in ("macs", "median_ms", "low_ms", "high_ms")),
                )
                for row in rows
            ),
        )
    raise ValueError("No device has recorded times of networks: `python -m effnet_edu measure networks`.")


def lab() -> str:
    """Return the lab as HTML: controls, the still picture, and the script that brings it to life."""
    return Template((HERE / "live_lab.html").read_text(encoding="utf-8")).substitute(
        subject=escape(PhiLab.SUBJECT),
        controls="".join(_controls()),
        screen=WebPhiLab(recorded()).screen(START),
        words=escape(in_words(START)),
        code=escape(code(START)),
    )


def _controls() -> Iterator[str]:
    for control in PhiLab.CONTROLS:
        if not isinstance(control, Slider | Choice) or control.name in MEASURED:
            continue
        trait: Any = PhiLogic.class_traits()[control.name]
        name, words = control.name, escape(control.label or control.name)
        help_text = escape(control.help or trait.help)
        value = getattr(START, name)
        if isinstance(control, Slider):
            bounds = f'min="{trait.min:g}" max="{trait.max:g}" step="{control.step:g}" value="{value:g}"'
            common = f'{bounds} data-setting="{name}"'
            field = f'<input type="number" id="live-{name}" {common}>'
            slider = f'<input type="range" aria-label="{words}" aria-describedby="help-{name}" {common}>'
        else:
            options = "".join(f"<option{' selected' * (one == value)}>{one}</option>" for one in trait.values)
            field = f'<select id="live-{name}" data-setting="{name}">{options}</select>'
            slider = ""
        yield (
            f'<div class="ee-control"><label for="live-{name}">{words}</label>{field}'
            f'<span class="ee-help" id="help-{name}">{help_text}</span>{slider}</div>'
        )


def add_files(site: Path) -> None:
    """Put beside the pages what the labs need: the style, the library, the recorded run, and Python.

    Args:
        site: The folder of the made site.

    Raises:
        FileNotFoundError: Pyodide was not installed.
    """
    if not PYODIDE.is_dir():
        raise FileNotFoundError(f"{PYODIDE} is missing; `npm ci --prefix website` installs it.")
    live, python = site / "_static" / "live", site / "_static" / "pyodide"
    python.mkdir()
    for name in PYODIDE_FILES:
        shutil.copyfile(PYODIDE / name, python / name)
    write_atomically(live / "lab.css", STYLE_SHEET)
    write_atomically(live / "recorded.json", recorded().to_json())
    (live / "effnet_edu.zip").write_bytes(library())


def library(start: str = "labs/phi_web.py") -> bytes:
    """Return the modules that a module needs, and their tables, as a zip of the same bytes each time.

    Args:
        start: The module, as a file of the package.
    """
    names = [*sorted(path.relative_to(PACKAGE).as_posix() for path in needed(PACKAGE / start)), *TABLES]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"effnet_edu/{name}", (2019, 5, 28, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (PACKAGE / name).read_bytes())
    return packed.getvalue()


def needed(start: Path) -> set[Path]:
    """Return a module and all modules of this library that it imports, packages included.

    Args:
        start: The file of the module.
    """
    found, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    modules = {
        name
        for node in ast.parse(path.read_text(encoding="utf-8")).body  # not what only type checkers import
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    package = ".".join(("effnet_edu", *path.relative_to(PACKAGE).parent.parts))
    for module in {*modules, package}:
        parts = module.split(".")
        if parts[0] == "effnet_edu":
            for depth in range(1, len(parts) + 1):
                place = PACKAGE.joinpath(*parts[1:depth])
                yield place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
