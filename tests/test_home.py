"""Without a home, without locks, without a folder that can be written, everything works and says so."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from effnet_edu import exercises
from effnet_edu.ground import home, locks
from effnet_edu.ground.cache import cache_folder

HOMES = ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TORCH_HOME")
OURS = ("EFFNET_EDU_CACHE", "EFFNET_EDU_PROGRESS")

EVERYTHING = """
import pwd, warnings
def unknown(*_): raise KeyError("uid not found")
pwd.getpwuid = pwd.getpwnam = unknown
warnings.simplefilter("always")
import torch
import effnet_edu as ee
from effnet_edu.ground.cache import cache_folder
outcome = ee.exercises.get("lite0_macs").check(385_195_456)
assert outcome.state == "right" and "cannot be kept" not in outcome.message, outcome
assert ee.exercises.progress().right()[0] == 1
from tests.training.easy import TINY, quarters
ee.profile(TINY, device="cpu", seconds=0.1)
recipe = ee.Recipe(epochs=1, batch_size=32)
ee.train(TINY, quarters(64, 0), quarters(32, 1), recipe, device="cpu", folder=cache_folder() / "run")
from effnet_edu.ground.locks import file_lock
with file_lock(cache_folder() / "weights.lock"):
    (cache_folder() / "weights").write_text("fetched")
print(cache_folder())
"""


@pytest.fixture
def no_home(monkeypatch, tmp_path):
    for name in (*HOMES, *OURS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    for cached in (home._temporary_folder, home._tell_once):
        cached.cache_clear()
    yield tmp_path
    home._temporary_folder.cache_clear()


def unknown_user(self):
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_a_private_folder_serves(no_home, monkeypatch):
    monkeypatch.setattr(Path, "expanduser", unknown_user)
    with pytest.warns(RuntimeWarning, match="no home folder, so what is fetched is kept in"):
        folder = cache_folder()
    assert folder.parent == no_home / "tmp"
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.warns(RuntimeWarning, match="your progress is kept in"):
        assert exercises.get("lite0_macs").check(385_195_456).state == "right"
    assert exercises.progress().right()[0] == 1  # told once


def test_where_the_home_cannot_be_written_a_private_folder_serves(no_home, monkeypatch):
    (no_home / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("HOME", str(no_home / "file"))
    monkeypatch.setenv("USERPROFILE", str(no_home / "file"))
    with pytest.warns(RuntimeWarning, match="cannot be made, so what is fetched is kept in"):
        assert cache_folder().parent == no_home / "tmp"


@pytest.mark.skipif(sys.platform == "win32", reason="links and owners of Windows are others")
def test_a_folder_that_somebody_else_prepared_is_not_trusted(no_home, monkeypatch):
    monkeypatch.setattr(Path, "expanduser", unknown_user)
    (no_home / "trap").mkdir()
    (no_home / "tmp" / f"effnet_edu-{os.getuid()}").symlink_to(no_home / "trap")
    with pytest.warns(RuntimeWarning):
        folder = cache_folder()
    assert folder.resolve().parent == (no_home / "tmp").resolve()
    assert not list((no_home / "trap").iterdir())


def test_a_home_that_can_be_written_is_used_without_a_word(no_home, monkeypatch, recwarn):
    monkeypatch.setenv("HOME", str(no_home))
    monkeypatch.setenv("USERPROFILE", str(no_home))
    assert cache_folder() == no_home / ".cache" / "effnet_edu"
    assert not list(no_home.glob(".*"))
    assert not recwarn.list


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no users whom it does not know")
def test_a_user_whom_the_system_does_not_know_can_do_everything(no_home):
    environment = {name: value for name, value in os.environ.items() if name not in HOMES}
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING], env=environment, cwd=Path(__file__).parents[1],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(no_home / "tmp") in done.stdout


def no_locks(number):
    def flock(descriptor, operation):
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks in another way")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_file_locks_everything_goes_on_and_says_so(monkeypatch, tmp_path, number):
    monkeypatch.setattr("fcntl.flock", no_locks(number))
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(tmp_path / "progress.json"))
    with (
        pytest.warns(RuntimeWarning, match="cannot be locked: two programs"),
        locks.file_lock(tmp_path / "a.lock"),
    ):
        pass
    with pytest.warns(RuntimeWarning, match="cannot be locked"):
        assert exercises.get("lite0_macs").check(385_195_456).state == "right"
    assert exercises.progress().right()[0] == 1
    from effnet_edu.profiling.turn import turn_among_programs

    turn = turn_among_programs(f"test-{number}", lambda: False, lambda: None)
    with pytest.warns(RuntimeWarning, match="No file can be locked"), turn:
        pass


def test_a_lock_keeps_others_out_where_there_are_locks(tmp_path):
    from filelock import Timeout

    with locks.file_lock(tmp_path / "a.lock"), pytest.raises(Timeout):
        locks.file_lock(tmp_path / "a.lock").acquire(timeout=0)
