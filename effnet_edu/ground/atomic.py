"""Files that are whole or not there: written beside their place, and renamed. No torch."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Hold a temporary file in the same folder, which becomes `path` if all goes well and vanishes if not.

    Whoever reads `path` sees the old file or the new one, never half of one, even after a power cut. The
    folder is made as needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    # Not tempfile: it would make a file that only its owner may read.
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left; for whoever holds the folder alone."""
    for left_over in folder.glob(".*.partial"):
        left_over.unlink(missing_ok=True)


def _flush_folder(path: Path) -> None:
    """Make the disk keep a new name; where folders cannot be opened (Windows), it does so by itself."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    except OSError:
        pass  # a network folder that knows no such thing keeps the name in its own way
    finally:
        os.close(folder)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write text (as UTF-8) or bytes so that readers see the old file or the new one, never half of one."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
