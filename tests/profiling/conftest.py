"""What holds for all tests of measuring: whether other programs hold cores decides nothing here."""

import pytest

from effnet_edu.profiling import threads


@pytest.fixture(autouse=True)
def all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of threads is as quick as another, so that all are used."""
    monkeypatch.setattr(threads, "_timed", lambda _count: 0.01)
    monkeypatch.setattr(threads, "_remembered", None)
