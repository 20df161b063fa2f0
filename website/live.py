"""Labs that run in the reader's browser: their pages, what they need of the library, and Python itself."""

import ast
import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.metadata import distribution
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import effnet_edu
from effnet_edu import labs
from effnet_edu.checkpoints.atomic import write_atomically
from effnet_edu.labs.controls import Choice, Control, OnlyWhile, Pair, Slider
from effnet_edu.labs.logic import LabLogic
from effnet_edu.labs.theme import STYLE_SHEET
from effnet_edu.labs.v2_setting import MOST_STAGES
from effnet_edu.labs.v2_view import Flat, StageToggles
from effnet_edu.labs.web import PAGES, Page, page

if TYPE_CHECKING:
    from effnet_edu.labs.frame import Lab

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
#: Settings that only a measurement depends on, by page.
MEASURED = {
    "scaling_problem_lab": {"batch_size", "device"},
    "phi_lab": {"batch_size", "precision", "device"},
    "mbconv_lab": {"device"},
    "squeeze_excite_lab": {"device"},
    "v2_lab": {"part", "batch_size", "device"},
    "benchmark_lab": {"up_to", "device"},
}
#: Controls of a page whose lab in a notebook has more than a page can answer.
OWN_CONTROLS: dict[str, tuple[Control, ...]] = {
    "squeeze_excite_lab": (
        *(Choice("block"), Choice("picture", label="class"), Choice("other")),
        *(Choice("network"), Choice("squeeze", label="SE")),
    )
}
#: Files that the exact half reads: what is published, and what was recorded.
TABLES = (
    *("published/*.csv", "studies/results/scaling.json"),
    *("studies/results/small_network.json", "studies/results/devices/*/*.json"),
)
#: Recorded by layer, which no page shows, and larger than all others.
LEFT_OUT = ("layers.json",)
#: The package that holds a lab's settings, and needs nothing but Python.
TRAITLETS = "traitlets"


@dataclass(frozen=True)
class Field:
    """A control on a page.

    Attributes:
        control: As the lab in a notebook has it.
        condition: Another setting and its value, where the control is there only while both agree.
    """

    control: Control
    condition: tuple[str, Any] | None = None


def lab(name: str) -> str:
    """Return a lab as HTML: controls, the still picture, and the script that brings it to life.

    Args:
        name: One of `PAGES`.
    """
    made = page(name)
    view: type[Lab] = getattr(labs, made.logic.LAB)
    controls = OWN_CONTROLS.get(name, view.CONTROLS)
    shown = made.shown()
    fields = "".join(_control(made, field, MEASURED[name]) for field in _fields(controls))
    return Template((HERE / "live_lab.html").read_text(encoding="utf-8")).substitute(
        name=name,
        title=escape(made.logic.title),
        subject=escape(view.SUBJECT),
        controls=fields,
        screen=shown["screen"],
        words=escape(shown["words"]),
        code=escape(shown["code"]),
    )


def _fields(controls: tuple[Control, ...]) -> Iterator[Field]:
    """Yield the single controls of a lab, taken out of what groups them."""
    for control in controls:
        if isinstance(control, Pair):
            yield from _fields((control.left, control.right))
        elif isinstance(control, OnlyWhile):
            for field in _fields((control.control,)):
                yield Field(field.control, (control.name, control.value))
        elif isinstance(control, Flat):
            yield Field(control.slider)
        else:
            yield Field(control)


def _control(made: Page[Any], field: Field, measured: set[str]) -> str:
    """Return a control as HTML; empty for one that only a measurement or another part of the lab needs."""
    logic, attributes = made.logic, ""
    if field.condition is not None:
        other, value = field.condition
        is_there = getattr(logic, other) == value
        if other in measured and not is_there:
            return ""
        attributes = (
            f' data-while="{escape(other)}" data-is="{escape(str(value))}"{" hidden" * (not is_there)}'
        )
    if isinstance(field.control, StageToggles):
        return f'<fieldset class="ee-control ee-stages"{attributes}>{_stages(made)}</fieldset>'
    if not isinstance(field.control, Slider | Choice):
        raise TypeError(f"{type(field.control).__name__} has no form on a page.")
    if field.control.name in measured:
        return ""
    return f'<div class="ee-control"{attributes}>{_labelled(field.control, logic)}</div>'


def _labelled(control: Slider | Choice, logic: LabLogic[Any, Any]) -> str:
    """Return label, field, help and slider of a setting."""
    name, trait = control.name, logic.traits()[control.name]
    words, value = escape(control.label or name), getattr(logic, name)
    unit = f"{control.unit}, " if isinstance(control, Slider) and control.unit else ""
    helping = (
        f'<span class="ee-help" id="help-{name}">{escape(unit + (control.help or trait.help or ""))}</span>'
    )
    label, named = f'<label for="live-{name}">{words}</label>', f'id="live-{name}" data-setting="{name}"'
    if isinstance(control, Choice):
        return f"{label}<select {named}>{_options(control, trait, value)}</select>{helping}"
    bounds: Any = trait
    numbers = f'min="{bounds.min:g}" max="{bounds.max:g}" step="{control.step:g}" value="{value:g}"'
    slider = f'aria-label="{words}" aria-describedby="help-{name}" data-setting="{name}"'
    return f'{label}<input type="number" {named} {numbers}>{helping}<input type="range" {slider} {numbers}>'


def _options(control: Choice, trait: Any, value: Any) -> str:
    given = control.options() if callable(control.options) else control.options
    return "".join(
        f"<option{' selected' * (one == value)}>{escape(str(one))}</option>" for one in given or trait.values
    )


def _stages(made: Page[Any]) -> str:
    logic, barred = made.logic, made.barred["fused"]
    boxes = (
        f'<label><input type="checkbox" data-setting="fused" value="{n}"'
        f"{' checked' * (n in logic.fused)}{' disabled' * (n in barred)}> stage {n}</label>"
        for n in range(1, MOST_STAGES + 1)
    )
    return f"<legend>{escape(logic.traits()['fused'].help)}</legend>{''.join(boxes)}"


def add_files(site: Path) -> None:
    """Put beside the pages what the labs need: the style, the library with its tables, and Python.

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
    (live / "effnet_edu.zip").write_bytes(library())


@cache
def library() -> bytes:
    """Return modules and tables of the pages, and traitlets, as a zip of the same bytes each time."""
    held = {f"effnet_edu/{path.relative_to(PACKAGE).as_posix()}": path for path in _course()}
    held |= dict(_traitlets())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(held.items()):
            entry = zipfile.ZipInfo(name, (2019, 5, 28, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def _course() -> Iterator[Path]:
    found: set[Path] = set()
    for module in ("web", *PAGES.values()):
        found |= needed(PACKAGE / "labs" / f"{module}.py")
    yield from found
    for pattern in TABLES:
        yield from (path for path in PACKAGE.glob(pattern) if path.name not in LEFT_OUT)


def _traitlets() -> Iterator[tuple[str, Path]]:
    """Yield the files of traitlets with its licence (BSD-3-Clause), without its tests."""
    for file in distribution(TRAITLETS).files or ():
        is_code = file.parts[0] == TRAITLETS and file.suffix == ".py" and "tests" not in file.parts
        if is_code or "license" in file.name.lower():
            yield file.as_posix(), Path(str(file.locate()))


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
    modules = {".".join(("effnet_edu", *path.relative_to(PACKAGE).parent.parts))}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:  # not what only type checkers import
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    for module in modules:
        parts = module.split(".")
        if parts[0] == "effnet_edu":
            for depth in range(1, len(parts) + 1):
                place = PACKAGE.joinpath(*parts[1:depth])
                file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
                if file.is_file():  # the last part may be a name in a module
                    yield file
