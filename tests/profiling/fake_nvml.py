"""NVML for one device, with the names, units and errors of the package nvidia-ml-py."""

# ruff: noqa: A002, ARG002, N802, N803, N815 - the names are those of the package

import time
from types import SimpleNamespace


class NVMLError(Exception):
    pass


class FakeNvml:
    """The functions of pynvml that are used here, for one device that draws 200 W.

    Args:
        uuid: Identity of the device.
        missing: Names of functions that this device does not support.
    """

    NVMLError = NVMLError
    NVML_CLOCK_SM = 1
    NVML_TEMPERATURE_GPU = 0
    nvmlClocksThrottleReasonGpuIdle = 0x1
    nvmlClocksThrottleReasonSwPowerCap = 0x4
    nvmlClocksThrottleReasonHwSlowdown = 0x8
    nvmlClocksThrottleReasonSwThermalSlowdown = 0x20
    nvmlClocksThrottleReasonHwThermalSlowdown = 0x40
    nvmlClocksThrottleReasonHwPowerBrakeSlowdown = 0x80

    def __init__(self, uuid: str, missing: tuple[str, ...] = ()) -> None:
        self.uuid, self.missing = uuid, missing
        self.opened = 0
        self.reasons, self.processes = 0x1, [SimpleNamespace(pid=1)]

    def __getattribute__(self, name: str) -> object:
        if name.startswith("nvml") and name in object.__getattribute__(self, "missing"):

            def refuse(*_: object) -> None:
                raise NVMLError("Not Supported")

            return refuse
        return object.__getattribute__(self, name)

    def nvmlInit(self) -> None:
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.65.06"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        if uuid != f"GPU-{self.uuid}":
            raise NVMLError("Not Found")
        return "handle"

    def nvmlDeviceGetHandleByPciBusId(self, pciBusId: str) -> str:
        if pciBusId != "00000000:3B:00.0":
            raise NVMLError("Not Found")
        return "handle"

    def nvmlDeviceGetClockInfo(self, handle: str, type: int) -> int:
        assert (handle, type) == ("handle", self.NVML_CLOCK_SM)
        return 1980

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:
        return 200_000  # milliwatts

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        return 61

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: str) -> int:
        return self.reasons

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        """Return millijoules; like the real counter it goes up every 20 ms."""
        return 200 * 20 * int(time.monotonic() * 50)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[SimpleNamespace]:
        return self.processes
