"""How large the last cache before memory is, so that rotated inputs are larger than it."""

import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch

from effnet_edu.profiling.device import properties

#: Assumed where nothing tells: more than most laptops have.
USUAL_BYTES = 32 * 2**20
#: Where Linux describes the caches of the first core.
LINUX_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def last_level_cache_bytes(device: torch.device) -> int:
    """Return the size of the last cache between the device and its memory; 32 MiB where nothing tells."""
    if device.type == "cpu":
        return cpu_cache_bytes() or USUAL_BYTES
    return int(getattr(properties(device), "L2_cache_size", 0)) or USUAL_BYTES


@cache
def cpu_cache_bytes(folder: Path = LINUX_CACHES) -> int:
    """Return the size of the largest cache of the first core, or 0 where the system does not tell."""
    levels = cpu_cache_levels(folder)
    if levels:
        return levels[-1]
    if sys.platform == "darwin":
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.l2cachesize"], capture_output=True, text=True, check=False
        )
        return int(told.stdout or 0)
    return 0


def cpu_cache_levels(folder: Path = LINUX_CACHES) -> tuple[int, ...]:
    """Return the size of each cache of the first core that holds data, the smallest first.

    Each is that of one piece: of one core, or of the cores that share it. Only Linux tells.
    """
    sizes: dict[int, int] = {}
    for index in folder.glob("index*"):
        with suppress(OSError, ValueError, KeyError, IndexError):  # a system may tell half of it
            kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
            if kind != "Instruction":
                sizes[int(level)] = int(size[:-1]) * _UNITS[size[-1]]
    return tuple(sizes[level] for level in sorted(sizes))
