"""The measurement on a real accelerator; `make gpu` runs this where there is one."""

import statistics

import pytest
import torch

import effnet_edu as ee
from effnet_edu.profiling.device import EventStopwatch, has_own_memory, stopwatch

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_network_is_measured(place: torch.device, precision: str) -> None:
    measured = ee.profile("efficientnet_b0", batch_size=8, precision=precision, seconds=1)
    assert measured.device == place.type
    assert measured.low_ms <= measured.median_ms <= measured.high_ms
    counted = ee.cost("efficientnet_b0")
    itemsize = 4 if precision == "fp32" else 2
    assert measured.peak_memory_bytes > itemsize * counted.parameters


def test_the_device_times_itself_and_the_clock_agrees(place: torch.device) -> None:
    watch = stopwatch(place)
    assert isinstance(watch, EventStopwatch)
    one = torch.randn(4096, 4096, device=place)
    for _ in range(3):
        watch.time(lambda: one @ one)

    def median(products: int) -> float:
        return statistics.median(watch.time(lambda: [one @ one for _ in range(products)]) for _ in range(9))

    assert 5 < median(10) / median(1) < 20


def test_the_driver_tells_about_the_device_that_is_measured(place: torch.device) -> None:
    pytest.importorskip("pynvml")
    if place.type != "cuda":
        pytest.skip("NVML knows NVIDIA's devices alone")
    measured = ee.profile("efficientnet_b4", batch_size=8, seconds=1)
    assert measured.clock_mhz is not None
    assert measured.clock_mhz > 100
    assert measured.driver
    if measured.energy_joules_per_image is not None and measured.power_watts is not None:
        by_power = measured.power_watts * measured.median_ms / 1000 / measured.batch_size
        assert 0.3 < measured.energy_joules_per_image / by_power < 3


def test_the_largest_batch_fits_and_twice_as_many_do_not(place: torch.device) -> None:
    if not has_own_memory(place):
        pytest.skip("memory that is shared with the machine is never filled on purpose")
    filler_bytes = max(0, torch.accelerator.get_memory_info(place)[0] - 4 * 2**30)
    filler = torch.empty(filler_bytes, dtype=torch.uint8, device=place)  # leave 4 GiB, so that it is quick
    try:
        found = ee.profiling.largest_batch("efficientnet_b0", most=2**14)
        assert 8 < found < 2**14
        assert ee.profile("efficientnet_b0", batch_size=max(1, int(0.8 * found)), seconds=0.1).repeats >= 3
        with pytest.raises(MemoryError, match="does not fit"):
            ee.profile("efficientnet_b0", batch_size=2 * found, seconds=0.1)
        assert ee.profile("efficientnet_b0", seconds=0.1).repeats >= 3
    finally:
        del filler
        torch.accelerator.empty_cache()


def test_fifty_profiles_leave_no_memory_behind(place: torch.device) -> None:
    module = torch.get_device_module(place)
    if not hasattr(module, "memory_allocated"):
        pytest.skip("this device does not tell how much torch holds")
    ee.profile("efficientnet_b0", resolution=64, seconds=0.01)
    before = module.memory_allocated(place)
    for _ in range(50):
        ee.profile("efficientnet_b0", resolution=64, seconds=0.01)
    assert module.memory_allocated(place) == before
