"""What holds for all tests: no verdict by the clock, measuring in turn, progress in a file of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from effnet_edu.profiling import turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A machine that does two things at once is slow, and not wrong.
settings.register_profile("course", deadline=None)
settings.load_profile("course")


@pytest.fixture(scope="session")
def chrome() -> Iterator["Browser"]:
    """The one Chromium of all tests in a browser: Playwright runs once in a process."""
    from tests.browser.jupyter import browser

    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test gets a folder of its own; `mktemp` itself looks through all folders that there are."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(autouse=True)
def own_lock_folder(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="locks", dir=own_folders))
    monkeypatch.setattr(turn, "shared_folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def own_progress(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tempfile.mkdtemp(prefix="progress", dir=own_folders)
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(Path(folder, "progress.json")))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: a time stamp inside of them would name a test otherwise in each worker."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
