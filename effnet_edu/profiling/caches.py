"""How large a device's caches are, where the system tells."""

from pathlib import Path

import torch

_CPU_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def cache_sizes(device: torch.device) -> tuple[int, ...]:
    """Return the bytes of each level of cache that holds data, the smallest first; nothing where none tells.

    On a CPU a size is that of one piece of the cache: of one core, or of the cores that share it.

    Args:
        device: A CPU or an accelerator.
    """
    if device.type != "cpu":
        module = torch.get_device_module(device)
        properties = module.get_device_properties(device) if hasattr(module, "get_device_properties") else None
        second_level = int(getattr(properties, "L2_cache_size", 0))
        return (second_level,) if second_level else ()
    sizes: dict[int, int] = {}
    for folder in _CPU_CACHES.glob("index*"):
        try:
            kind, level, size = ((folder / name).read_text().strip() for name in ("type", "level", "size"))
            if kind != "Instruction":
                sizes[int(level)] = int(size[:-1]) * _UNITS[size[-1]]
        except (OSError, ValueError, KeyError, IndexError):
            continue  # a system that tells half of it
    return tuple(sizes[level] for level in sorted(sizes))
