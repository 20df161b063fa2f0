"""The one place that knows devices: which there are, their names, how to wait for them and time them."""

import platform
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import torch

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.profiling.turn import POLL_SECONDS, turn_among_programs

_LOCKS: dict[str, threading.Lock] = defaultdict(threading.Lock)
#: What drivers write when a device fails, and no network or argument is to blame.
_FAILURES = (
    *("cuda error", "cudnn_status", "cublas_status", "device-side assert", "hip error"),
    *("mps backend", "metal", "level zero", "ur backend", "unspecified launch failure", "device lost"),
)


def default_device() -> torch.device:
    """Return the accelerator of this machine (CUDA, MPS, XPU), or the CPU where there is none."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return accelerator or torch.device("cpu")


def as_device(device: torch.device | str | None) -> torch.device:
    """Return the device of this name, after making sure that this machine has it.

    Raises:
        ValueError: This machine has no such device.
    """
    if device is None:
        return default_device()
    here = default_device()
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError):
        wanted = None
    if wanted is None or wanted.type not in {"cpu", here.type}:
        both = "'cpu'" if here.type == "cpu" else f"'cpu' or '{here.type}'"
        raise ValueError(f"device is {quoted(device)}; this machine has {both}.")
    return wanted


#: Where Linux tells what a CPU is called.
CPU_INFO = Path("/proc/cpuinfo")


def device_name(device: torch.device) -> str:
    """Return what the maker calls the device, and of a CPU with how many threads torch computes.

    A virtual machine may hide the model of its CPU, as in "AMD EPYC". Such a name gets the instruction set
    that torch found, since generations that share it differ several times in speed.
    """
    module = torch.get_device_module(device)
    if hasattr(module, "get_device_name"):
        return str(module.get_device_name(device))
    name = platform.processor() or platform.machine()
    if CPU_INFO.exists():
        models = [line for line in CPU_INFO.read_text().splitlines() if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip() if models else name
    if device.type == "cpu" and not any(letter.isdigit() for letter in name):
        found = torch.backends.cpu.get_cpu_capability()
        name = name if found == "DEFAULT" else f"{name} with {found}"
    threads = torch.get_num_threads()
    suffix = f", {threads} thread{'s' if threads > 1 else ''}" if device.type == "cpu" else ""
    return f"{name}{suffix}"


def driver_version(device: torch.device) -> str | None:
    """Return the version of the device's driver, or None where there is none or it does not tell."""
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
    """Wait until everything queued on the device is done; on a CPU it always is."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def has_own_memory(device: torch.device) -> bool:
    """Return whether a device has memory of its own, which it may fill, and tells how much is free."""
    return device.type != "cpu" and hasattr(torch.get_device_module(device), "mem_get_info")


def free_cached_memory(device: torch.device) -> None:
    """Give the memory that torch keeps for later back to the device; a device that has failed keeps it."""
    module = torch.get_device_module(device)
    if hasattr(module, "empty_cache"):
        with suppress(RuntimeError):
            module.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, as each device words it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and ("not enough memory" in said or "out of memory" in said)


def is_device_failure(error: BaseException, device: torch.device) -> bool:
    """Return whether an error comes from a device that has failed or vanished, and not from the network."""
    if device.type == "cpu" or not isinstance(error, RuntimeError) or is_out_of_memory(error):
        return False
    accelerator_error = getattr(torch, "AcceleratorError", None)  # since torch 2.8
    if accelerator_error is not None and isinstance(error, accelerator_error):
        return True
    return any(words in str(error).lower() for words in _FAILURES)


def properties(device: torch.device) -> Any:
    """Return what the driver tells about an accelerator, or None where there is nothing of the kind."""
    module = torch.get_device_module(device)
    if device.type == "cpu" or not hasattr(module, "get_device_properties"):
        return None
    return module.get_device_properties(device)


def device_key(device: torch.device) -> str:
    """Return what tells a device from all others of this machine, the same in every process.

    An index would not do: environment variables number devices anew for each process.
    """
    return f"{device.type}-{uuid_of(device) or device.index or 0}" if device.type != "cpu" else "cpu"


def uuid_of(device: torch.device) -> str:
    """Return the name that the maker gave this one device, or nothing where it has none."""
    return str(getattr(properties(device), "uuid", ""))


def pci_address(device: torch.device) -> str:
    """Return where an accelerator is plugged in, such as `00000000:3B:00.0`; nothing if torch cannot say."""
    told = properties(device)
    if not all(hasattr(told, f"pci_{part}_id") for part in ("domain", "bus", "device")):
        return ""
    return f"{told.pci_domain_id:08X}:{told.pci_bus_id:02X}:{told.pci_device_id:02X}.0"


class Stopwatch(Protocol):
    """Times one run after another on a device."""

    def time(self, run: Callable[[], object]) -> float:
        """Run, wait until the device is done, and return the seconds."""
        ...


class ClockStopwatch:
    """Waits for the device before and after, and reads the clock."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def time(self, run: Callable[[], object]) -> float:
        """Run, wait until the device is done, and return the seconds."""
        synchronize(self._device)
        start = time.perf_counter()
        run()
        synchronize(self._device)
        return time.perf_counter() - start


class EventStopwatch:
    """Lets the device itself note when the work begins and ends, without the way there and back.

    Raises:
        RuntimeError: The device has no such events.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._begin = torch.Event(device=device, enable_timing=True)
        self._end = torch.Event(device=device, enable_timing=True)
        self.time(lambda: None)  # some devices make events and then cannot tell the time between two

    def time(self, run: Callable[[], object]) -> float:
        """Run, wait until the device is done, and return the seconds."""
        synchronize(self._device)
        stream = torch.accelerator.current_stream(self._device)
        self._begin.record(stream)
        run()
        self._end.record(stream)
        self._end.synchronize()
        return float(self._begin.elapsed_time(self._end)) / 1000


def stopwatch(device: torch.device) -> Stopwatch:
    """Return what times this device best: its own events, or the clock where it has none."""
    if device.type != "cpu":
        with suppress(RuntimeError, NotImplementedError, TypeError):
            return EventStopwatch(device)
    return ClockStopwatch(device)


@contextmanager
def exclusive(device: torch.device, watch: Watch = Watch()) -> Iterator[None]:
    """Hold the right to measure on a device: two measurements at once would measure each other.

    Other threads of this process queue at a lock in memory, other processes of this machine, of any user, at
    a file lock (see `turn.py`). It is not re-entrant: who holds it and asks again waits for ever.

    Raises:
        Cancelled: It said yes before the turn came.
    """
    key = device_key(device)
    lock = _LOCKS[key]
    if not lock.acquire(blocking=False):
        watch.waiting(
            f"Another measurement of this program runs on {device_name(device)}; this one waits for it."
        )
        while not lock.acquire(timeout=POLL_SECONDS):
            watch.check()
    try:
        busy = f"Another notebook or program is measuring on {device_name(device)}; this one waits for it."
        with turn_among_programs(key, watch, busy):
            yield
    finally:
        lock.release()
