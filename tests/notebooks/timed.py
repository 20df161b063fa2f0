"""A plugin of pytest for running lessons with nbval: their surroundings, and a table of what each took.

`pytest --nbval -p tests.notebooks.timed lessons` fails when a lesson takes more processor time than it may.
On a quiet machine that is about what a learner waits; on a busy one it stays the same.
"""

import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.notebooks.book import BUDGET_SECONDS, prose_cells, read, surroundings

KERNEL = "kernel_seconds"
_waited: dict[str, float] = defaultdict(float)
_worked: dict[str, float] = defaultdict(float)
_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory()
    config.stash[_folder] = folder
    os.environ.update(surroundings(Path(folder.name)))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_folder].cleanup()


def _kernels() -> float:
    """Return the processor time of all kernels that this process has started so far."""
    me = psutil.Process()
    ended = me.cpu_times()
    alive = [child.cpu_times() for child in me.children()]
    return ended.children_user + ended.children_system + sum(each.user + each.system for each in alive)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before = _kernels()
    yield
    item.user_properties.append((KERNEL, _kernels() - before))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid.partition("::")[0]
    _waited[name] += report.duration
    if report.when == "call":
        _worked[name] += sum(value for key, value in report.user_properties if key == KERNEL)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not exitstatus and any(seconds > BUDGET_SECONDS for seconds in _worked.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section(
        f"seconds of each lesson, and of a processor, of which {BUDGET_SECONDS} are allowed"
    )
    for name, seconds in sorted(_waited.items()):
        text = prose_cells(read(config.rootpath / name))[0].source
        said = re.search(r"CPU (\d+) seconds", text)
        verdict = "TOO LONG" if _worked[name] > BUDGET_SECONDS else ""
        terminalreporter.line(
            f"{name:<45} {seconds:6.1f} {_worked[name]:6.1f}   says {said[1] if said else '?':>3}   {verdict}"
        )
