"""Tests that measure queue among themselves, not with other programs of this machine."""

from pathlib import Path

import pytest

from effnet_edu.profiling import turn


@pytest.fixture(autouse=True)
def own_lock_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("locks")
    monkeypatch.setattr(turn, "shared_folder", lambda: folder)
    return folder
