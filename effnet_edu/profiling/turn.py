"""Whose turn it is to measure: locks that other programs and other users of the machine respect.

The locks lie in the machine's folder for temporary files, because in a class several people share one
accelerator and a lock in a home folder would hold back one of them only. Such a folder is open to everybody,
so nothing in it is trusted: a file is opened for reading alone, a link is not followed, nothing is written,
and a lock belongs to the open file, so the system takes it back when a process is killed. What remains is
that somebody may hold a lock for ever on purpose; the wait is announced and can be cancelled.
"""

import contextlib
import os
import re
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.locks import can_lock
from effnet_edu.ground.watch import Watch

#: How often a waiting measurement asks whether it is its turn, or cancelled.
POLL_SECONDS = 0.05

_warned: set[str] = set()


def shared_folder() -> Path:
    """Return the folder for temporary files that all users of this machine see, whatever TMPDIR says."""
    return Path(tempfile.gettempdir()) if sys.platform == "win32" else Path("/tmp")  # noqa: S108


class TurnFile:
    """A file whose lock at most one holder in the whole machine has.

    Raises:
        OSError: It can be neither opened nor made, or it is no plain file.
    """

    def __init__(self, path: Path) -> None:
        if sys.platform == "win32":
            from filelock import FileLock

            self._lock = FileLock(path)
        else:
            self._descriptor = _open_unprivileged(path)

    def try_lock(self) -> bool:
        """Take the lock and return True, or return False at once because somebody else has it."""
        if sys.platform == "win32":
            from filelock import Timeout

            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
            return True
        import fcntl

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if sys.platform == "win32":
            self._lock.release()
        else:
            import fcntl

            # Closing alone would leave it with a worker process that was forked meanwhile.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if sys.platform != "win32":
            os.close(self._descriptor)


def _open_unprivileged(path: Path) -> int:
    """Open for reading, and make the file readable by all if it is not there yet."""
    safely = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, os.O_RDONLY | safely)
    except FileNotFoundError:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | safely, 0o644)
            os.fchmod(descriptor, 0o644)  # a strict umask would lock the others out
        except FileExistsError:  # somebody was faster
            descriptor = os.open(path, os.O_RDONLY | safely)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not can_lock(descriptor):
        os.close(descriptor)
        raise OSError(f"{path} is no plain file, or its file system has no locks.")
    return descriptor


def _open_pair(key: str) -> list[TurnFile]:
    """Return the queue's two locks for a device, or none where no folder takes them."""
    safe = re.sub(r"[^A-Za-z0-9-]+", "-", key)
    for folder in (shared_folder(), cache_folder()):
        opened: list[TurnFile] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for part in ("next", "now"):
                opened.append(TurnFile(folder / f"effnet-edu-{safe}.{part}.lock"))  # noqa: PERF401
        except OSError:
            for turn in opened:
                turn.close()
        else:
            return opened
    if key not in _warned:
        _warned.add(key)
        warnings.warn(
            f"No file can be locked in {shared_folder()} or {cache_folder()}: another notebook may "
            "measure on this device at the same time, and both would be wrong.",
            RuntimeWarning,
            stacklevel=5,
        )
    return []


@contextlib.contextmanager
def turn_among_programs(key: str, watch: Watch, told: str) -> Iterator[None]:
    """Hold the machine-wide right to measure on a device; `told` is what `watch` hears if it has to wait.

    There are two locks, as at a counter: who has `next` waits for `now`. Whoever measures again and again has
    to queue for `next` as well, so nobody waits for longer than one measurement of each who came before.

    Raises:
        Cancelled: `watch` said so before the turn came.
    """
    pair = _open_pair(key)
    is_told = False
    try:
        for turn in pair:
            while not turn.try_lock():
                if not is_told:
                    is_told = True
                    watch.waiting(told)
                watch.check()
                time.sleep(POLL_SECONDS)
        if pair:
            pair[0].unlock()
        yield
    finally:
        for turn in pair:
            turn.unlock()
            turn.close()
