"""The narrow place where torch's devices are asked, with stand-ins for devices that are not here."""

import time
from types import SimpleNamespace

import pytest
import torch

from effnet_edu.profiling import cache_size, device, memory
from effnet_edu.profiling.cache_size import cpu_cache_bytes, last_level_cache_bytes
from effnet_edu.profiling.device import (
    ClockStopwatch,
    EventStopwatch,
    device_key,
    is_device_failure,
    is_out_of_memory,
    stopwatch,
)
from effnet_edu.profiling.workload import INPUTS, MOST_INPUT_BYTES, random_inputs

CPU, GPU, MPS = torch.device("cpu"), torch.device("cuda", 0), torch.device("mps")


class FakeAccelerator:
    """A queue of work that takes its time: only synchronising makes it run."""

    def __init__(self) -> None:
        self.now, self.queue = 0.0, []

    def synchronize(self, _device: object = None) -> None:
        while self.queue:
            self.queue.pop(0)()

    def current_stream(self, _device: object) -> str:
        return "stream"

    def launch(self, seconds: float) -> None:
        self.queue.append(lambda: setattr(self, "now", self.now + seconds))

    def event(self, *, device: torch.device, enable_timing: bool) -> object:
        accelerator = self
        assert enable_timing
        assert device == GPU

        class Event:
            def record(self, stream: object) -> None:
                assert stream == "stream"
                accelerator.queue.append(lambda: setattr(self, "at", accelerator.now))

            def synchronize(self) -> None:
                accelerator.synchronize()

            def elapsed_time(self, end: "Event") -> float:
                return 1000 * (end.at - self.at)

        return Event()


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> FakeAccelerator:
    fake = FakeAccelerator()
    monkeypatch.setattr(torch, "accelerator", fake)
    monkeypatch.setattr(torch, "Event", fake.event)
    return fake


def test_an_accelerator_is_timed_by_its_own_events(accelerator: FakeAccelerator) -> None:
    watch = stopwatch(GPU)
    assert isinstance(watch, EventStopwatch)
    accelerator.launch(5.0)  # what was queued before does not count
    assert watch.time(lambda: accelerator.launch(0.25)) == pytest.approx(0.25)


def test_a_device_without_events_is_timed_by_the_clock_and_waited_for(accelerator, monkeypatch) -> None:
    def none(**_: object) -> object:
        raise NotImplementedError("no timing here")

    monkeypatch.setattr(torch, "Event", none)
    watch = stopwatch(GPU)
    assert isinstance(watch, ClockStopwatch)
    seconds = watch.time(lambda: accelerator.queue.append(lambda: time.sleep(0.05)))
    assert seconds >= 0.05
    assert isinstance(stopwatch(CPU), ClockStopwatch)


@pytest.mark.parametrize(
    ("error", "where", "memory_ran_out", "device_failed"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), GPU, True, False),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), MPS, True, False),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), CPU, True, False),
        (RuntimeError("CUDA error: unspecified launch failure\nmore"), GPU, False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), GPU, False, True),
        (RuntimeError("The size of tensor a (3) must match"), GPU, False, False),
        (RuntimeError("CUDA error: it is no GPU"), CPU, False, False),
    ],
)
def test_errors_are_told_apart(error, where, memory_ran_out, device_failed) -> None:
    assert is_out_of_memory(error) is memory_ran_out
    assert is_device_failure(error, where) is device_failed


def test_a_device_is_known_by_its_identity_in_every_process(monkeypatch) -> None:
    assert device_key(CPU) == "cpu"
    told = SimpleNamespace(uuid="8d5e51b5")
    monkeypatch.setattr(
        torch, "get_device_module", lambda _: SimpleNamespace(get_device_properties=lambda _: told)
    )
    assert device_key(torch.device("cuda", 1)) == "cuda-8d5e51b5"
    monkeypatch.setattr(torch, "get_device_module", lambda _: SimpleNamespace())
    assert device_key(MPS) == "mps-0"
    assert device.pci_address(MPS) == ""


def test_memory_on_an_accelerator_comes_from_its_allocator(monkeypatch) -> None:
    state = SimpleNamespace(now=100, peak=900)

    def reset(_device: object) -> None:
        state.peak = state.now

    allocator = SimpleNamespace(
        reset_peak_memory_stats=reset,
        memory_allocated=lambda _: state.now,
        max_memory_allocated=lambda _: state.peak,
    )
    monkeypatch.setattr(torch, "get_device_module", lambda _: allocator)
    assert memory.memory_growth(lambda: setattr(state, "peak", 350), GPU) == 250
    metal = SimpleNamespace(current_allocated_memory=lambda: state.now)
    monkeypatch.setattr(torch, "get_device_module", lambda _: metal)
    assert memory.memory_growth(lambda: setattr(state, "now", 180), MPS) == 80


def test_a_peak_that_is_gone_at_the_end_is_seen_on_the_cpu() -> None:
    assert memory.memory_growth(lambda: torch.ones(50 * 2**20 // 4).sum(), CPU) > 45 * 2**20


def test_without_a_note_of_the_system_the_peak_is_sampled(monkeypatch) -> None:
    monkeypatch.setattr(memory, "_forget_peak", lambda: False)

    def work() -> None:
        held = torch.ones(50 * 2**20 // 4)
        time.sleep(0.1)
        del held

    assert memory.memory_growth(work, CPU) > 45 * 2**20


def test_the_last_cache_is_read_where_the_system_tells(tmp_path, monkeypatch) -> None:
    caches = (("Data", 1, "32K"), ("Instruction", 1, "64M"), ("Unified", 2, "512K"), ("Unified", 3, "32768K"))
    for index, (kind, level, size) in enumerate(caches):
        (tmp_path / f"index{index}").mkdir()
        for name, text in {"type": kind, "level": level, "size": size}.items():
            (tmp_path / f"index{index}" / name).write_text(f"{text}\n")
    assert cpu_cache_bytes(tmp_path) == 32 * 2**20
    monkeypatch.setattr(cache_size, "properties", lambda _: SimpleNamespace(L2_cache_size=50 * 2**20))
    assert last_level_cache_bytes(GPU) == 50 * 2**20
    monkeypatch.setattr(cache_size, "properties", lambda _: None)
    assert last_level_cache_bytes(MPS) == cache_size.USUAL_BYTES


def test_inputs_that_take_turns_do_not_fit_into_the_cache_together() -> None:
    inputs = random_inputs(1, 3, 64, CPU, torch.float32, seed=0)
    total = sum(tensor.nbytes for tensor in inputs)
    assert total >= min(2 * last_level_cache_bytes(CPU), MOST_INPUT_BYTES)
    assert len({tensor.data_ptr() for tensor in inputs}) == len(inputs)
    assert not torch.equal(inputs[0], inputs[1])
    assert all(map(torch.equal, inputs, random_inputs(1, 3, 64, CPU, torch.float32, seed=0)))
    assert len(random_inputs(64, 3, 512, CPU, torch.bfloat16, seed=0)) == INPUTS


@pytest.mark.parametrize(
    ("model", "instructions", "name"),
    [
        ("AMD EPYC", "AVX512", "AMD EPYC with AVX512"),
        ("AMD EPYC", "AVX2", "AMD EPYC with AVX2"),
        ("AMD EPYC", "DEFAULT", "AMD EPYC"),
        ("AMD EPYC 7763 64-Core Processor", "AVX2", "AMD EPYC 7763 64-Core Processor"),
    ],
)
def test_a_cpu_that_hides_its_model_is_told_by_its_instructions(
    model, instructions, name, monkeypatch, tmp_path
):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {model}\n")
    monkeypatch.setattr(device, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: instructions)
    assert device.device_name(torch.device("cpu")).rpartition(", ")[0] == name
