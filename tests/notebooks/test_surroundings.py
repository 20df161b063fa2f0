"""Lessons that are tested find no network, nothing fetched and nothing done before."""

import os
import subprocess
import sys
from pathlib import Path

from tests.notebooks.book import surroundings


def ask(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **surroundings(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def test_nothing_but_this_machine_is_reached(tmp_path: Path) -> None:
    for call in ("create_connection(('192.0.2.1', 80), 5)", "getaddrinfo('example.org', 443)"):
        assert "The network is switched off" in ask(f"import socket; socket.{call}", tmp_path)
    here = (
        "import socket; server = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(server.getsockname(), 5); print('reached')"
    )
    assert ask(here, tmp_path) == "reached"


def test_cache_and_progress_are_empty(tmp_path: Path) -> None:
    code = (
        "import effnet_edu as ee; from effnet_edu.ground.cache import cache_folder; "
        "print(cache_folder().exists(), ee.exercises.progress().right()[0])"
    )
    assert ask(code, tmp_path) == "False 0"
