"""One JupyterLab and one page for all browser tests; what a failing test saw is kept in test-artifacts/."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.cases import LABS, Case
from tests.browser.jupyter import Notebook, lab_page, serve, write_notebook

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"
FAILED = pytest.StashKey[bool]()
RESET = """
with lab.logic.together():
    for name in lab.logic.names():
        setattr(lab.logic, name, getattr(start, name))
lab.logic.cancel()
"""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[FAILED] = report.failed


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the folder that it serves: a copy of the lessons."""
    folder = tmp_path_factory.mktemp("jupyter")
    root = folder / "root"
    shutil.copytree(ROOT / "lessons", root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with serve(folder, root) as base:
        yield base, root


@pytest.fixture(scope="session")
def page(served: tuple[str, Path], chrome: Browser) -> Iterator[Page]:
    with lab_page(chrome, served[0]) as opened:
        opened.context.tracing.start()
        yield opened


@contextmanager
def watched(page: Page, driven: Notebook, item: pytest.Item) -> Iterator[None]:
    """Afterwards the console holds no error, and no other host was asked; a failure leaves what it saw."""
    page.complaints.clear()  # type: ignore[attr-defined]
    page.context.tracing.start_chunk()
    yield
    hidden = driven.hidden_errors()
    complaints = list(page.complaints)  # type: ignore[attr-defined]
    outside = list(page.outside)  # type: ignore[attr-defined]
    if item.stash.get(FAILED, True) or hidden or complaints or outside:
        keep(page, item.name, [*complaints, *hidden, *driven.errors(), *outside])
    else:
        page.context.tracing.stop_chunk()
    assert (hidden, complaints, outside) == ([], [], [])


def keep(page: Page, name: str, said: list[str]) -> None:
    """Leave screenshot, console log and trace of a failing test."""
    ARTIFACTS.mkdir(exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)
    page.screenshot(path=str(ARTIFACTS / f"{stem}.png"))
    (ARTIFACTS / f"{stem}.log").write_text("\n".join(said))
    page.context.tracing.stop_chunk(path=str(ARTIFACTS / f"{stem}.trace.zip"))


@pytest.fixture
def notebook(page: Page, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook to open."""
    driven = Notebook(page)
    with watched(page, driven, request.node):
        yield driven
    driven.close()


@pytest.fixture(scope="module", params=LABS, ids=lambda case: case.lab)
def opened(
    page: Page, served: tuple[str, Path], request: pytest.FixtureRequest
) -> Iterator[tuple[Case, Notebook]]:
    """One notebook with one lab, for all tests of a file."""
    case: Case = request.param
    name = f"{request.node.name.split('/')[-1]}-{case.lab}.ipynb"
    write_notebook(served[1] / name, *case.cells)
    notebook = Notebook(page)
    notebook.open(name)
    notebook.run_all()
    yield case, notebook
    notebook.close()


@pytest.fixture
def case(opened: tuple[Case, Notebook]) -> Case:
    return opened[0]


@pytest.fixture
def lab(opened: tuple[Case, Notebook], page: Page, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """The lab with the settings that it has at the start; what it measured before stays."""
    notebook = opened[1]
    with watched(page, notebook, request.node):
        yield notebook
        page.evaluate(
            """() => { const pressed = ['Forget A', 'Picture', 'Normal text'];
            for (const button of document.querySelectorAll('.ee-lab .ee-buttons button'))
                if (pressed.includes(button.textContent.trim())) button.click() }"""
        )
        notebook.run_in_kernel(RESET)
