"""What holds for all tests: no verdict by the clock, measuring in turn, progress in a file of their own."""

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


@pytest.fixture(autouse=True)
def own_lock_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("locks")
    monkeypatch.setattr(turn, "shared_folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def own_progress(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("progress") / "progress.json"
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(path))
