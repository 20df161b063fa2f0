"""A plugin of pytest for running lessons with nbval: their surroundings, and a table of what each took.

`pytest --nbval -p tests.notebooks.timed lessons` fails when a lesson takes longer than it may.
"""

import os
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

from tests.notebooks.book import BUDGET_SECONDS, prose_cells, read, surroundings

_seconds: dict[str, float] = defaultdict(float)
_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory()
    config.stash[_folder] = folder
    os.environ.update(surroundings(Path(folder.name)))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_folder].cleanup()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not exitstatus and any(seconds > BUDGET_SECONDS for seconds in _seconds.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section(f"seconds of each lesson; {BUDGET_SECONDS} are allowed")
    for name, seconds in sorted(_seconds.items()):
        text = prose_cells(read(config.rootpath / name))[0].source
        said = re.search(r"CPU (\d+) seconds", text)
        verdict = "TOO LONG" if seconds > BUDGET_SECONDS else ""
        terminalreporter.line(f"{name:<45} {seconds:6.1f}   says {said[1] if said else '?':>3}   {verdict}")
