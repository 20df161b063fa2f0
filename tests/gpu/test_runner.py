"""Pieces run once, stop at their limit with all that they started, and are tried again when it helps."""

import sys
import time

import psutil
import pytest

from tests.gpu.runner import AGAIN, Piece, run_pieces

COUNT = "import pathlib; p = pathlib.Path('count'); p.write_text(p.read_text() + 'x' if p.exists() else 'x')"
SLEEP = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(77)'])"


def piece(name: str, code: str, **about: object) -> Piece:
    return Piece(name, (sys.executable, "-c", code), **about)


@pytest.fixture
def run(tmp_path):
    def run(*pieces: Piece, fingerprint: str = "a", budget: float = 1e9) -> int:
        return run_pieces(pieces, tmp_path / "run", tmp_path, fingerprint, "a device", budget)

    return run


def test_what_is_done_is_not_done_again_until_the_code_changes(run, tmp_path):
    count = piece("count", COUNT)
    assert run(count) == run(count) == 0
    assert (tmp_path / "count").read_text() == "x"
    assert run(count, fingerprint="b") == 0
    assert (tmp_path / "count").read_text() == "xx"


def test_a_failure_is_told_kept_in_its_log_and_tried_again(run, tmp_path, capsys):
    broken = piece("broken", "raise SystemExit('out of coffee')")
    assert run(broken, piece("count", COUNT)) == 1
    assert (tmp_path / "count").exists()
    assert "out of coffee" in (tmp_path / "run" / "broken.log").read_text()
    assert "broken" in capsys.readouterr().out
    assert run(broken) == 1


@pytest.mark.parametrize(("resumes", "status"), [(False, 1), (True, AGAIN)])
def test_at_its_limit_a_piece_is_stopped_with_its_children(run, resumes, status):
    begun = time.monotonic()
    assert run(piece("sleep", SLEEP, limit=1.0, resumes=resumes)) == status
    assert time.monotonic() - begun < 10
    time.sleep(0.2)
    left = [process.cmdline() for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]]
    assert not [line for line in left if "import time; time.sleep(77)" in line]


def test_a_piece_starts_only_if_its_limit_fits_into_the_budget(run, tmp_path):
    assert run(piece("long", COUNT, limit=60), budget=30) == AGAIN
    assert not (tmp_path / "count").exists()
