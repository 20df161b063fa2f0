"""One JupyterLab and one page for all browser tests; what a failing test saw is kept in test-artifacts/."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.jupyter import Notebook, browser, lab_page, serve

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[FAILED] = report.failed


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the folder that it serves: a copy of the lessons."""
    folder = tmp_path_factory.mktemp("jupyter")
    root = folder / "root"
    shutil.copytree(ROOT / "lessons", root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with serve(folder, root) as base:
        yield base, root


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def page(served: tuple[str, Path], chrome: Browser) -> Iterator[Page]:
    with lab_page(chrome, served[0]) as opened:
        yield opened


@pytest.fixture
def notebook(page: Page, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook to open; afterwards the console holds no error, and no other host was asked."""
    page.complaints.clear()  # type: ignore[attr-defined]
    driven = Notebook(page)
    yield driven
    if request.node.stash.get(FAILED, True):
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTIFACTS / f"{request.node.name}.png"))
        log = "\n".join([*page.complaints, *driven.errors()])  # type: ignore[attr-defined]
        (ARTIFACTS / f"{request.node.name}.log").write_text(log)
    hidden = driven.hidden_errors()
    driven.close()
    assert hidden == []
    assert page.complaints == []  # type: ignore[attr-defined]
    assert page.outside == []  # type: ignore[attr-defined]
