"""How much memory a piece of work takes on its device."""

import gc
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from effnet_edu.ground.memory import give_back_memory


def memory_growth(work: Callable[[], object], device: torch.device) -> int:
    """Run `work` and return by how many bytes the memory in use grew at its highest point.

    On an accelerator the allocator knows exactly. On a CPU it is the resident memory of this process, whose
    peak Linux notes by itself; elsewhere it is read about every millisecond, so that a shorter peak can be
    missed. Memory of other threads counts too.
    """
    module = torch.get_device_module(device)
    if hasattr(module, "max_memory_allocated"):
        module.reset_peak_memory_stats(device)
        before = module.memory_allocated(device)
        work()
        return int(module.max_memory_allocated(device) - before)
    if hasattr(module, "current_allocated_memory"):
        return _sampled_growth(work, module.current_allocated_memory)
    gc.collect()  # what an earlier network left does not hide growth
    give_back_memory()
    if _forget_peak():
        before = psutil.Process().memory_info().rss
        work()
        return max(0, _peak() - before)
    process = psutil.Process()
    return _sampled_growth(work, lambda: process.memory_info().rss)


def _sampled_growth(work: Callable[[], object], read: Callable[[], int], seconds: float = 0.001) -> int:
    done = threading.Event()
    before = read()
    highest = before

    def watch() -> None:
        nonlocal highest
        while not done.wait(seconds):
            highest = max(highest, read())

    watcher = threading.Thread(target=watch, name="effnet-edu-memory", daemon=True)
    watcher.start()
    try:
        work()
        highest = max(highest, read())
    finally:
        done.set()
        watcher.join()
    return highest - before


def _forget_peak() -> bool:
    """Let Linux begin anew to note the highest resident memory of this process; return whether it does."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        _peak()
    except (OSError, StopIteration):
        return False
    return True


def _peak() -> int:
    """Return the highest resident memory since then, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(kibibytes)
