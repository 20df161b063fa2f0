"""How large the last cache before memory is, so that rotated inputs are larger than it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import torch

from effnet_edu.profiling.device import properties

#: Assumed where nothing tells: more than most laptops have.
USUAL_BYTES = 32 * 2**20
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def last_level_cache_bytes(device: torch.device) -> int:
    """Return the size of the last cache between the device and its memory; 32 MiB where nothing tells.

    Args:
        device: A CPU or an accelerator.
    """
    if device.type == "cpu":
        return cpu_cache_bytes() or USUAL_BYTES
    return int(getattr(properties(device), "L2_cache_size", 0)) or USUAL_BYTES


@cache
def cpu_cache_bytes(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> int:
    """Return the size of the largest cache of the first core, or 0 where the system does not tell.

    Args:
        folder: Where Linux describes the caches of a core.
    """
    sizes = [path.read_text().strip() for path in folder.glob("index*/size")]
    if sizes:
        return max(int(size[:-1]) * _UNITS[size[-1]] for size in sizes)
    if sys.platform == "darwin":
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.l2cachesize"], capture_output=True, text=True, check=False
        )
        return int(told.stdout or 0)
    return 0
