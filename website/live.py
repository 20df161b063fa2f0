"""Labs that run in the reader's browser: their pages, what they need of the library, and Python itself."""

import ast
import io
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.metadata import distribution
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import effnet_edu
from effnet_edu import labs
from effnet_edu.exercises import list_quizzes
from effnet_edu.exercises.page import on_pages
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.controls import Choice, Control, OnlyWhile, Several, Slider, Toggle
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.page import Page, exact
from effnet_edu.labs.frame.theme import STYLE_SHEET
from effnet_edu.pictures.still import still
from website import measuring
from website.results import raw

if TYPE_CHECKING:
    from effnet_edu.labs.frame.lab import Lab

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
#: Packages that need nothing but Python: what holds a lab's settings, and what finds the library's names.
GUESTS = {"traitlets": "traitlets", "lazy-loader": "lazy_loader"}


@dataclass(frozen=True)
class Field:
    """A control on a page.

    Attributes:
        control: As the lab in a notebook has it.
        condition: Another setting and its value, where the control is there only while both agree.
    """

    control: Control
    condition: tuple[str, Any] | None = None


def page_of(name: str) -> str:
    """Return the page of a lab as Markdown: what `page.md` in its folder says, with the lab in it.

    Args:
        name: Name of its class, one of `LABS`.
    """
    text = (PACKAGE / "labs" / LABS[name] / "page.md").read_text(encoding="utf-8")
    return text.replace("<!-- lab -->", raw(lab(name)))


def lab(name: str) -> str:
    """Return a lab as HTML: controls, the still picture, and the script that brings it to life.

    Args:
        name: Name of its class, one of `LABS`.
    """
    made = Page(name)
    view: type[Lab] = getattr(labs, name)
    shown, screen = made.shown(), made.logic.screen()
    shown |= {"picture": still(screen.picture), "charts": still(screen.charts)}
    return Template((HERE / "live_lab.html").read_text(encoding="utf-8")).substitute(
        shown
        | {
            "name": name,
            "title": escape(made.logic.title),
            "subject": escape(view.SUBJECT),
            "controls": "".join(_control(made.logic, field) for field in _fields(view.CONTROLS)),
            "words": escape(shown["words"]),
            "code": escape(shown["code"]),
            "measuring": measuring.controls(made),
        }
        | measuring.guess_first(made)
    )


def _fields(controls: tuple[Control, ...]) -> Iterator[Field]:
    """Yield the single controls of a lab, taken out of what groups or wraps them."""
    for control in controls:
        if isinstance(control, OnlyWhile):
            for field in _fields((control.control,)):
                yield Field(field.control, (control.name, control.value))
        elif parts := getattr(control, "parts", ()):
            yield from _fields(parts)
        else:
            yield Field(control)


def _control(logic: LabLogic[Any, Any], field: Field) -> str:
    """Return a control as HTML; empty for one that only a measurement or another part of the lab needs."""
    control, attributes = field.control, ""
    if not isinstance(control, Slider | Choice | Toggle | Several):
        raise TypeError(f"{type(control).__name__} has no form on a page; `parts` can name what has one.")
    if control.name in logic.MEASURED_ONLY:
        return ""
    if field.condition is not None:
        other, value = field.condition
        is_there = getattr(logic, other) == value
        if other in logic.MEASURED_ONLY and not is_there:
            return ""
        attributes = (
            f' data-while="{escape(other)}" data-is="{escape(str(value))}"{" hidden" * (not is_there)}'
        )
    if isinstance(control, Several):
        return f'<fieldset class="ee-control ee-several"{attributes}>{_several(control, logic)}</fieldset>'
    css = "ee-control"
    if isinstance(control, Slider):
        css += f" ee-of-{control.dimension}" * bool(control.dimension) + " ee-main" * (
            control.name == logic.MAIN
        )
    return f'<div class="{css}"{attributes}>{_labelled(control, logic)}</div>'


def _labelled(control: Slider | Choice | Toggle, logic: LabLogic[Any, Any]) -> str:
    """Return label, field, help and slider of a setting."""
    name, trait = control.name, logic.traits()[control.name]
    words, value = escape(control.label or name), getattr(logic, name)
    unit = f"{control.unit}, " if isinstance(control, Slider) and control.unit else ""
    helping = (
        f'<span class="ee-help" id="help-{name}">{escape(unit + (control.help or trait.help or ""))}</span>'
    )
    described = f'data-setting="{name}" aria-describedby="help-{name}"'
    label, named = f'<label for="live-{name}">{words}</label>', f'id="live-{name}" {described}'
    if isinstance(control, Toggle):
        return f'{label}<input type="checkbox" data-toggle {named}{" checked" * value}>{helping}'
    if isinstance(control, Choice):
        return f"{label}<select {named}>{_options(control, trait, value)}</select>{helping}"
    bounds: Any = trait
    numbers = f'min="{bounds.min:g}" max="{bounds.max:g}" step="{control.step:g}" value="{value:g}"'
    field = f'<input type="text" inputmode="decimal" autocomplete="off" {named} value="{value:g}">'
    return f'{label}{field}{helping}<input type="range" aria-label="{words}" {described} {numbers}>'


def _options(control: Choice, trait: Any, value: Any) -> str:
    given = control.options() if callable(control.options) else control.options
    return "".join(
        f"<option{' selected' * (one == value)}>{escape(str(one))}</option>" for one in given or trait.values
    )


def _several(control: Several, logic: LabLogic[Any, Any]) -> str:
    chosen, barred = getattr(logic, control.name), logic.barred().get(control.name, ())
    boxes = (
        f'<label><input type="checkbox" data-setting="{control.name}" value="{n}"'
        f"{' checked' * (n in chosen)}{' disabled' * (n in barred)}> "
        f"{escape(control.label.format(n))}</label>"
        for n in control.options
    )
    return f"<legend>{escape(control.help or logic.traits()[control.name].help)}</legend>{''.join(boxes)}"


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
    for script in ("pictures/picture.js", "images/pixels.js", "images/answers.js"):
        shutil.copy(PACKAGE / script, live)
    (live / "effnet_edu.zip").write_bytes(library())
    (live / "exercises.zip").write_bytes(_zipped(_held(_checks())))
    measuring.add_files(site)


def packed() -> dict[str, Path]:
    """Return what a browser gets of Python: modules and tables of the labs, and their guests, by name."""
    return _held(_course())


def _held(paths: Iterable[Path]) -> dict[str, Path]:
    held = {f"effnet_edu/{path.relative_to(PACKAGE).as_posix()}": path for path in paths}
    return held | dict(_guests())


@cache
def library() -> bytes:
    """Return that as a zip of the same bytes each time."""
    return _zipped(packed())


def _zipped(held: dict[str, Path]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(held.items()):
            entry = zipfile.ZipInfo(name, (2019, 5, 28, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return made.getvalue()


def _course() -> Iterator[Path]:
    found = needed(PACKAGE / "labs" / "frame" / "page.py")
    for name, folder in LABS.items():
        found |= needed(PACKAGE / "labs" / folder / "exact.py")
        found |= {path for pattern in exact(name).FILES for path in PACKAGE.glob(pattern)}
    yield from found
    yield from (stub for path in found if (stub := path.with_suffix(".pyi")).is_file())


def _checks() -> Iterator[Path]:
    """Yield what checks exercises without torch: the lessons' own, with the tables that they read."""
    found = needed(PACKAGE / "exercises" / "page.py")
    for lesson in list_quizzes():
        if on_pages(lesson):
            found |= needed(PACKAGE / "exercises" / f"lesson_{lesson[:2]}.py")
    found |= set(PACKAGE.glob("published/*.csv")) | set(PACKAGE.glob("studies/results/small_network.json"))
    yield from found
    yield from (stub for path in found if (stub := path.with_suffix(".pyi")).is_file())


def _guests() -> Iterator[tuple[str, Path]]:
    """Yield the files of the guests with their licences (BSD-3-Clause), without their tests."""
    for name, package in GUESTS.items():
        for file in distribution(name).files or ():
            is_code = file.parts[0] == package and file.suffix == ".py" and "tests" not in file.parts
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
