"""Memory of this process. No torch."""

import ctypes
import sys


def give_back_memory() -> None:
    """Return freed memory to the system: on Linux the allocator keeps much of what large work used."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # only glibc has it
            trim(0)
