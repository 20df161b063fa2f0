"""What the hardware tells while it is measured: clock, power, temperature, energy, and who else is busy.

On NVIDIA it comes from the driver through NVML (the optional package nvidia-ml-py), on a CPU from the
operating system. A fact that nobody tells is None; no failure here ever stops a measurement.
"""

import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import torch

from effnet_edu.ground.watch import Watch
from effnet_edu.profiling.device import pci_address, uuid_of

#: Sensors change slowly and asking costs time: not more often than this.
SAMPLE_SECONDS = 0.05
#: Times of processes come in steps of 10 ms: over less than this they say nothing about load.
LOAD_SECONDS = 0.1
#: Energy is measured over at least so long, between two steps of a counter that is waited for so long.
ENERGY_SECONDS, STEP_SECONDS = 0.5, 1.0
#: How often an energy counter is read.
READ_SECONDS = 0.02

#: Bits of NVML's clocks event reasons that slow a busy device, in words.
_HELD_DOWN = {
    "nvmlClocksThrottleReasonSwPowerCap": "power limit",
    "nvmlClocksThrottleReasonHwSlowdown": "hardware slowdown",
    "nvmlClocksThrottleReasonSwThermalSlowdown": "temperature",
    "nvmlClocksThrottleReasonHwThermalSlowdown": "temperature",
    "nvmlClocksThrottleReasonHwPowerBrakeSlowdown": "power brake",
}


@dataclass(frozen=True)
class Telemetry:
    """What was read while something ran; None where nobody tells.

    Attributes:
        clock_mhz: Median clock of the processor.
        power_watts: Median power.
        temperature_celsius: Highest temperature.
        throttled: Why the driver held the clock down, in words; empty if it did not.
        others_load: Cores that other processes kept busy; on an accelerator, other processes that hold it.
        driver: Version of the driver.
    """

    clock_mhz: float | None = None
    power_watts: float | None = None
    temperature_celsius: float | None = None
    throttled: str | None = None
    others_load: float | None = None
    driver: str | None = None


class Sensors(Protocol):
    """Reads a device while it works."""

    def sample(self) -> None:
        """Read what changes; called between runs."""

    def joules(self) -> float | None:
        """Return a counter of energy, in joules since some moment, or None where there is none."""

    def summary(self) -> Telemetry:
        """Return what was read since the beginning."""


class NoSensors:
    """A device that tells nothing."""

    def sample(self) -> None:
        """Read nothing."""

    def joules(self) -> float | None:
        """Return None."""
        return None

    def summary(self) -> Telemetry:
        """Return that nothing is known."""
        return Telemetry()


class CpuSensors:
    """The operating system's view of the processor."""

    def __init__(self, powercap: Path = Path("/sys/class/powercap")) -> None:
        self._packages = [_Package(folder) for folder in sorted(powercap.glob("intel-rapl:?"))]
        self._clocks: list[float] = []
        self._process = psutil.Process()
        self._started, self._own, self._all = time.monotonic(), self._own_seconds(), _busy_seconds()

    def sample(self) -> None:
        """Read the clock."""
        with suppress(Exception):  # each system fails in its own way, and none of them matters
            clock = psutil.cpu_freq()
            if clock is not None and clock.current:
                self._clocks.append(float(clock.current))

    def joules(self) -> float | None:
        """Return the energy of all packages so far, which other programs spend as well."""
        try:
            return sum(package.joules() for package in self._packages) if self._packages else None
        except (OSError, ValueError):
            return None

    def summary(self) -> Telemetry:
        """Return the clock and what other processes did meanwhile."""
        passed = time.monotonic() - self._started
        others = (_busy_seconds() - self._all) - (self._own_seconds() - self._own)
        return Telemetry(
            clock_mhz=_median(self._clocks),
            others_load=max(0.0, others / passed) if passed >= LOAD_SECONDS else None,
        )

    def _own_seconds(self) -> float:
        spent = self._process.cpu_times()
        return float(spent.user + spent.system)


class _Package:
    """The energy counter of one processor package, which starts again at zero when it is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: int | None = None
        self._sum = 0

    def joules(self) -> float:
        now = int((self._folder / "energy_uj").read_text())
        if self._last is not None:
            step = now - self._last
            if step < 0:
                step += int((self._folder / "max_energy_range_uj").read_text())
            self._sum += step
        self._last = now
        return self._sum / 1e6


class NvmlSensors:
    """NVIDIA's driver, which finds the device by its identity: an index would depend on the process."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle
        self._clocks: list[float] = []
        self._watts: list[float] = []
        self._degrees: list[float] = []
        self._reasons: int | None = None

    def _ask(self, name: str, *arguments: Any) -> Any:
        """Return NVML's answer, or None if this device, driver or package has none."""
        try:
            return getattr(self._nvml, name)(self._handle, *arguments)
        except (self._nvml.NVMLError, AttributeError):
            return None

    def sample(self) -> None:
        """Read clock, power, temperature and why the clock is held down."""
        for values, name, arguments, scale in (
            (self._clocks, "nvmlDeviceGetClockInfo", (self._nvml.NVML_CLOCK_SM,), 1),
            (self._watts, "nvmlDeviceGetPowerUsage", (), 1000),
            (self._degrees, "nvmlDeviceGetTemperature", (self._nvml.NVML_TEMPERATURE_GPU,), 1),
        ):
            value = self._ask(name, *arguments)
            if value is not None:
                values.append(value / scale)
        reasons = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons")
        if reasons is not None:
            self._reasons = (self._reasons or 0) | reasons

    def joules(self) -> float | None:
        """Return the energy that the device has spent since its driver was loaded."""
        millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        return None if millijoules is None else millijoules / 1000

    def summary(self) -> Telemetry:
        """Return what was read, and how many other processes hold the device."""
        throttled = None
        if self._reasons is not None:
            bits = ((getattr(self._nvml, name, 0), words) for name, words in _HELD_DOWN.items())
            throttled = ", ".join(dict.fromkeys(words for bit, words in bits if bit & self._reasons))
        holders = self._ask("nvmlDeviceGetComputeRunningProcesses")
        try:
            driver = str(self._nvml.nvmlSystemGetDriverVersion())
        except (self._nvml.NVMLError, AttributeError):
            driver = None
        return Telemetry(
            clock_mhz=_median(self._clocks),
            power_watts=_median(self._watts),
            temperature_celsius=max(self._degrees, default=None),
            throttled=throttled,
            # One of them is this process; in a container its number there is not its number here.
            others_load=None if holders is None else float(max(0, len(holders) - 1)),
            driver=driver,
        )


@contextmanager
def sensors(device: torch.device) -> Iterator[Sensors]:
    """Hold what reads a device, from now on."""
    if device.type == "cpu":
        yield CpuSensors()
        return
    nvml = _initialised_nvml()
    if nvml is None:
        yield NoSensors()
        return
    try:
        handle = _nvml_handle(nvml, device)
        yield NoSensors() if handle is None else NvmlSensors(nvml, handle)
    finally:
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def _initialised_nvml() -> Any:
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:  # no NVIDIA driver here
        return None
    return nvml


def _nvml_handle(nvml: Any, device: torch.device) -> Any:
    """Return NVML's handle for torch's device, or None where they do not know each other."""
    uuid, address = uuid_of(device), pci_address(device)
    ways = [(nvml.nvmlDeviceGetHandleByUUID, f"{kind}-{uuid}") for kind in ("GPU", "MIG") if uuid]
    if address:
        ways.append((nvml.nvmlDeviceGetHandleByPciBusId, address))
    for find, name in ways:
        with suppress(nvml.NVMLError):
            return find(name)
    return None


class Sampler:
    """Reads sensors when told that a run is done, but not too often."""

    def __init__(self, held: Sensors) -> None:
        self._held = held
        self._due = 0.0

    def __call__(self) -> None:
        """Read if it is time."""
        if time.monotonic() >= self._due:
            self._held.sample()
            self._due = time.monotonic() + SAMPLE_SECONDS


def energy_per_run(
    run: Callable[[], object], joules: Callable[[], float | None], watch: Watch
) -> float | None:
    """Run again and again and return the joules that one run takes, or None where there is no counter.

    Counters go up in steps, on an accelerator every 20 to 100 ms. What is divided lies between two steps, so
    that no share of a step is lost.

    Raises:
        Cancelled: `watch` said so.
    """
    last = joules()
    if last is None:
        return None
    first: float | None = None
    begun, runs = time.monotonic(), 0
    while time.monotonic() - begun < ENERGY_SECONDS * (first is not None) + STEP_SECONDS:
        read = time.monotonic() + READ_SECONDS
        while True:
            watch.check()
            run()
            runs += 1
            if time.monotonic() >= read:
                break
        now = joules()
        if now is None:
            return None
        if now != last:
            if first is None:
                first, begun, runs = now, time.monotonic(), 0
            elif time.monotonic() - begun >= ENERGY_SECONDS:
                return (now - first) / runs
        last = now
    return None


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def _busy_seconds() -> float:
    """Return how long all cores together were busy since the system started, stolen time included."""
    times = psutil.cpu_times()._asdict()
    return float(sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")))
