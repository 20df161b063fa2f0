"""What hardware tells, with stand-ins for hardware that is not here, and what it means for a measurement."""

import inspect
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest
import torch

from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.profiling import device as device_module
from effnet_edu.profiling import telemetry
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.telemetry import CpuSensors, Telemetry, energy_per_run, sensors
from tests.profiling.fake_nvml import FakeNvml

GPU = torch.device("cuda", 0)
UUID = "8d5e51b5-f5d5-4b5b-9d5a-0a5c6d7e8f90"
BUSY = "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass"


@pytest.fixture
def properties(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    told = SimpleNamespace(uuid=UUID, pci_domain_id=0, pci_bus_id=0x3B, pci_device_id=0)
    monkeypatch.setattr(device_module, "properties", lambda _device: told)
    return told


def inject(nvml: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)


def test_the_stand_in_has_the_names_and_arguments_of_the_real_package() -> None:
    for name in vars(FakeNvml):
        if not name.lower().startswith("nvml"):
            continue
        real, fake = getattr(pynvml, name), getattr(FakeNvml, name)
        if inspect.isfunction(fake):
            assert list(inspect.signature(real).parameters) == list(inspect.signature(fake).parameters)[1:]
        elif isinstance(fake, int):
            assert real == fake
    assert issubclass(pynvml.NVMLError, Exception)
    for name in telemetry._HELD_DOWN:
        assert getattr(pynvml, name) == getattr(FakeNvml, name)


def test_nvidia_tells_through_its_driver(properties, monkeypatch) -> None:
    nvml = FakeNvml(UUID)
    nvml.reasons = 0x4 | 0x20 | 0x40
    nvml.processes = [SimpleNamespace(pid=n) for n in range(3)]
    inject(nvml, monkeypatch)
    with sensors(GPU) as held:
        assert nvml.opened == 1
        held.sample()
        assert held.summary() == Telemetry(1980.0, 200.0, 61.0, "power limit, temperature", 2.0, "580.65.06")
    assert nvml.opened == 0


def test_the_device_is_found_by_what_it_is_and_not_by_its_index(properties, monkeypatch) -> None:
    inject(FakeNvml("another"), monkeypatch)
    with sensors(GPU) as held:  # by where it is plugged in
        held.sample()
        assert held.summary().clock_mhz == 1980
    properties.pci_bus_id = 0x5E
    with sensors(GPU) as held:
        held.sample()
        assert held.summary() == Telemetry()


def test_what_a_device_does_not_support_is_none_and_the_rest_is_there(properties, monkeypatch) -> None:
    missing = ("nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption", "nvmlSystemGetDriverVersion")
    inject(FakeNvml(UUID, missing), monkeypatch)
    with sensors(GPU) as held:
        held.sample()
        assert held.summary() == Telemetry(1980.0, None, 61.0, "", 0.0, None)
        assert held.joules() is None


def test_without_driver_or_package_nothing_is_known(properties, monkeypatch) -> None:
    for nvml in (None, FakeNvml(UUID, ("nvmlInit",))):
        inject(nvml, monkeypatch)
        with sensors(GPU) as held:
            held.sample()
            assert (held.summary(), held.joules()) == (Telemetry(), None)


def test_energy_is_power_times_time(properties, monkeypatch) -> None:
    inject(FakeNvml(UUID), monkeypatch)
    runs: list[float] = []

    def run() -> None:
        began = time.monotonic()
        time.sleep(0.005)
        runs.append(time.monotonic() - began)

    with sensors(GPU) as held:
        energy = energy_per_run(run, held.joules, Watch())
    assert energy == pytest.approx(200 * sum(runs) / len(runs), rel=0.15)


def test_energy_stops_when_asked_and_does_not_wait_for_a_counter_that_stands_still(monkeypatch) -> None:
    with pytest.raises(Cancelled):
        energy_per_run(lambda: None, lambda: 1.0, Watch(lambda: True))
    monkeypatch.setattr(telemetry, "STEP_SECONDS", 0.1)
    assert energy_per_run(lambda: None, lambda: 1.0, Watch()) is None
    assert energy_per_run(lambda: None, lambda: None, Watch()) is None


def test_a_cpu_tells_its_energy_where_it_may_be_read_even_when_the_counter_is_full(tmp_path: Path) -> None:
    assert CpuSensors(tmp_path).joules() is None
    package, part = tmp_path / "intel-rapl:0", tmp_path / "intel-rapl:0:0"
    for folder in (package, part):
        folder.mkdir()
        (folder / "max_energy_range_uj").write_text("10000000\n")
        (folder / "energy_uj").write_text("9000000\n")
    held = CpuSensors(tmp_path)
    assert held.joules() == 0
    (package / "energy_uj").write_text("500000\n")
    assert held.joules() == pytest.approx(1.5)
    (package / "energy_uj").unlink()
    assert held.joules() is None


def test_the_load_of_others_is_seen_and_ones_own_is_not() -> None:
    other = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        time.sleep(0.3)
        process, began = psutil.Process(other.pid), time.monotonic()
        held, before, own = CpuSensors(), process.cpu_times().user, time.process_time()
        while process.cpu_times().user - before < 0.3:
            pass  # busy oneself
        spent, passed = process.cpu_times().user - before, time.monotonic() - began
        load, own = held.summary().others_load, time.process_time() - own
    finally:
        other.kill()
        other.wait()
    assert load is not None
    assert load > 0.8 * spent / passed
    assert load <= (psutil.cpu_count() or 1) - 0.5 * own / passed  # this loop was busy too and does not count


BASE = Measurement(
    "net", 224, 1, "fp32", "cpu", "a CPU, 2 threads", 1, 1, 10.0, 9.0, 11.0, 30, False, 2**20, "2.13.0", 0,
    threads=2, cores=2, others_load=0.0,
)  # fmt: skip


def test_advice_says_what_to_do() -> None:
    assert BASE.advice == ""
    crowded = replace(BASE, noisy=True, others_load=1.0)
    assert crowded.is_crowded
    assert "other programs kept 1.0 of 2 cores busy while torch computed with 2 threads" in crowded.advice
    assert "torch.set_num_threads(1)" in crowded.advice
    assert "set_num_threads" not in replace(crowded, threads=1, others_load=1.5).advice
    assert not replace(BASE, cores=64, others_load=10.0, threads=8).is_crowded
    assert "for longer" in replace(BASE, noisy=True).advice
    on_gpu = replace(BASE, device="cuda", threads=None, cores=None, others_load=2.0, noisy=True)
    assert "2 other processes hold this device" in on_gpu.advice
    assert "hot" in replace(on_gpu, noisy=False, throttled="temperature").advice
    assert replace(on_gpu, noisy=False, throttled="power limit").advice == ""


def test_the_details_show_what_is_known_and_nothing_else() -> None:
    known = replace(
        BASE, energy_joules_per_image=0.1234, clock_mhz=1980.0, power_watts=250.0, temperature_celsius=61.0,
        measured_at="2026-01-01T00:00:00+00:00", driver="580", command="python -m effnet_edu profile net",
    )  # fmt: skip
    assert known.details == (
        "energy: 0.123 J per image",
        "meanwhile: 1980 MHz, 250 W, 61 degrees Celsius",
        "others: 0.0 of 2 cores busy with other programs",
        "measured 2026-01-01T00:00:00+00:00 with torch 2.13.0, driver 580",
        "again: python -m effnet_edu profile net",
    )
    assert len(replace(BASE, others_load=None).details) == 1
