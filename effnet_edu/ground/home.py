"""The folder in which something of this user is kept, also where there is no home. No torch."""

import os
import stat
import tempfile
import warnings
from functools import cache
from pathlib import Path


def kept_in(shared: str, what: str, variable: str) -> Path:
    """Return the folder effnet_edu in a shared one; one among the temporary files where it cannot be made.

    Args:
        shared: A folder, such as `"~/.cache"`.
        what: What is kept in it, for the one sentence that tells of the temporary files.
        variable: The environment variable that names another place.
    """
    try:
        folder = Path(shared).expanduser() / "effnet_edu"
        first = next(place for place in (folder, *folder.parents) if os.path.exists(place))  # noqa: PTH110
        # An existing folder may hold what is wanted although nothing can be added to it.
        if first == folder or (first.is_dir() and os.access(first, os.W_OK)):
            return folder
        reason = f"{folder} cannot be made"
    except (RuntimeError, StopIteration):  # HOME is not set, and the system does not know this user
        reason = "There is no home folder"
    temporary = _temporary_folder()
    until = f"until this computer clears it; {variable} names another place"
    _tell_once(f"{reason}, so {what} is kept in {temporary} {until}.")
    return temporary


@cache
def _tell_once(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=4)


@cache
def _temporary_folder() -> Path:
    """Return a folder that only this user can write, the same for all programs where it can be trusted."""
    if hasattr(os, "getuid"):
        folder = Path(tempfile.gettempdir(), f"effnet_edu-{os.getuid()}")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
                return folder
        except OSError:
            pass
    return Path(tempfile.mkdtemp(prefix="effnet_edu-"))
