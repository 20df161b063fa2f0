"""Tests measure in turn among themselves, and note progress in a file of their own."""

from pathlib import Path

import pytest

from effnet_edu.profiling import turn


@pytest.fixture(autouse=True)
def own_lock_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("locks")
    monkeypatch.setattr(turn, "shared_folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def own_progress(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("progress") / "progress.json"
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(path))
