"""Locks between programs, also where a file system has none. No torch."""

import errno
import os
import sys
import warnings
from pathlib import Path

from filelock import BaseFileLock, FileLock

_NONE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class _NoLock(BaseFileLock):
    """Whoever asks has it."""

    def _acquire(self) -> None:
        self._context.lock_file_fd = 0

    def _release(self) -> None:
        self._context.lock_file_fd = None


def file_lock(path: Path) -> BaseFileLock:
    """Return a lock that one program at a time holds; where the file system has none, all do, and it is said.

    Args:
        path: The lock file, in a folder that is there.

    Raises:
        OSError: The file cannot be made.
    """
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            works = can_lock(descriptor)
        finally:
            os.close(descriptor)
        if not works:
            warnings.warn(
                f"Files in {path.parent} cannot be locked: two programs that use them at once may disturb "
                "each other.",
                RuntimeWarning,
                stacklevel=2,
            )
            return _NoLock(path)
    return FileLock(path)


def can_lock(descriptor: int) -> bool:
    """Return whether the file system of an open file has locks; some network folders have none."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError as error:
        return error.errno not in _NONE
    return True
