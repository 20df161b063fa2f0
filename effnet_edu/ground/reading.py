"""Files that somebody else may have written: read as far as a bound, and no further. No torch."""

from pathlib import Path


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """Return what a plain file holds.

    Args:
        path: The file.
        most_bytes: What it can hold at most.

    Raises:
        OSError: It cannot be read.
        ValueError: It is larger, or no plain file.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no plain file")
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"{path.name} is larger than {most_bytes:,} bytes")
    return content
