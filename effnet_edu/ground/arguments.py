"""What commands take from the command line. No torch."""

import argparse
from pathlib import Path


def some_path(text: str) -> Path:
    """Return a path; an empty one, such as a variable of a shell that is not set, would be the folder here.

    Args:
        text: As it was given.

    Raises:
        ArgumentTypeError: It is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name a file or a folder.")
    return Path(text)
