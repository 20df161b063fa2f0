"""The one place that knows devices: which there are, what they are called, how to wait for them."""

import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from effnet_edu.profiling.cancel import Cancelled, IsCancelled

_LOCK = threading.Lock()


def default_device() -> torch.device:
    """Return the accelerator of this machine (CUDA, MPS, XPU), or the CPU where there is none."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return accelerator or torch.device("cpu")


def as_device(device: torch.device | str | None) -> torch.device:
    """Return the device of this name, after making sure that this machine has it.

    Args:
        device: `"cpu"`, `"cuda"`, `"mps"` and so on; None for the accelerator if there is one.

    Raises:
        ValueError: This machine has no such device.
    """
    if device is None:
        return default_device()
    here = default_device()
    try:
        wanted = torch.device(device)
    except RuntimeError:
        wanted = None
    if wanted is None or wanted.type not in {"cpu", here.type}:
        both = "'cpu'" if here.type == "cpu" else f"'cpu' or '{here.type}'"
        raise ValueError(f"device is {str(device)!r}; this machine has {both}.")
    return wanted


def device_name(device: torch.device) -> str:
    """Return what the maker calls the device.

    Args:
        device: A CPU or an accelerator.
    """
    module = torch.get_device_module(device)
    if hasattr(module, "get_device_name"):
        return str(module.get_device_name(device))
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip() if models else name
    threads = torch.get_num_threads()
    suffix = f", {threads} thread{'s' if threads > 1 else ''}" if device.type == "cpu" else ""
    return f"{name}{suffix}"


def driver_version(device: torch.device) -> str | None:
    """Return the version of the device's driver, or None where there is none or it does not tell.

    Args:
        device: A CPU or an accelerator.
    """
    if device.type != "cuda":
        return None
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError:
        return None


def synchronize(device: torch.device) -> None:
    """Wait until everything queued on the device is done; on a CPU it always is.

    Args:
        device: A CPU or an accelerator.
    """
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@contextmanager
def exclusive(is_cancelled: IsCancelled) -> Iterator[None]:
    """Hold the right to measure: two measurements at once would measure each other.

    Args:
        is_cancelled: Asked while waiting for the turn.

    Raises:
        Cancelled: It said yes before the turn came.
    """
    while not _LOCK.acquire(timeout=0.05):
        if is_cancelled():
            raise Cancelled
    try:
        yield
    finally:
        _LOCK.release()
