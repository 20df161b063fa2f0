"""Measurements that an engineer would trust, and the ways in which they may fail."""

import threading
import time
from dataclasses import replace

import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.model.network import build
from effnet_edu.profiling import forward as module
from effnet_edu.profiling import workload
from effnet_edu.profiling.device import as_device, device_name, exclusive
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.timing import FEWEST, MOST, time_repeats

SMALL = replace(ee.spec("efficientnet_lite0"), resolution=64)


def test_a_spec_is_built_and_measured() -> None:
    measured = ee.profile(SMALL, batch_size=2, device="cpu", seconds=0.2)
    assert (measured.resolution, measured.batch_size, measured.precision) == (64, 2, "fp32")
    assert measured.macs == ee.cost(SMALL).macs
    assert measured.repeats >= FEWEST
    assert measured.low_ms <= measured.median_ms <= measured.high_ms
    assert measured.images_per_second == pytest.approx(2000 / measured.median_ms)
    assert measured.peak_memory_bytes >= 4 * ee.cost(SMALL).parameters
    assert measured.device_name == device_name(torch.device("cpu"))


def test_more_work_takes_more_time() -> None:
    small = ee.profile(SMALL, batch_size=1, device="cpu", seconds=0.3)
    large = ee.profile(SMALL, batch_size=4, resolution=160, device="cpu", seconds=0.3)
    assert large.high_ms > 2 * small.low_ms  # other programs make times longer, never shorter


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_callers_network_is_left_as_it_was(precision: str) -> None:
    net = build(SMALL)
    net.train()
    net.stem.eval()
    modes = [m.training for m in net.modules()]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    ee.profile(net, precision=precision, seconds=0.05)
    assert [m.training for m in net.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(tensor.dtype == before[name].dtype for name, tensor in net.state_dict().items())
    assert not any(m._forward_pre_hooks for m in net.modules())


def test_the_learners_random_numbers_are_not_disturbed() -> None:
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    ee.profile(SMALL, seconds=0.05, device="cpu")
    assert torch.equal(torch.rand(4), expected)


def test_cancel_stops_within_a_pass() -> None:
    blocks: list[int] = []
    net = ee.create("efficientnet_lite0")
    for block in (block for stage in net.stages for block in stage):
        block.register_forward_hook(lambda *_: blocks.append(1))
    with pytest.raises(Cancelled):
        ee.profile(net, 1, 64, device="cpu", watch=Watch(is_cancelled=lambda: len(blocks) == 3))
    assert len(blocks) == 3
    assert ee.profile(SMALL, seconds=0.05, device="cpu").repeats >= FEWEST


def test_two_measurements_never_run_at_once() -> None:
    told = threading.Event()
    with exclusive(torch.device("cpu")), pytest.raises(Cancelled):
        ee.profile(SMALL, device="cpu", watch=Watch(told.is_set, waiting=lambda _: told.set()))


def test_too_little_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload, "available_memory", lambda _device: 10 * 2**20)
    with pytest.raises(MemoryError, match=r"A batch of 64 at 224 x 224 pixels .* choose a smaller batch"):
        ee.profile("efficientnet_b0", batch_size=64, device="cpu")


def test_an_allocator_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(module, "memory_growth", fail)
    with pytest.raises(MemoryError, match="does not fit into the"):
        ee.profile(SMALL, device="cpu")
    with exclusive(torch.device("cpu")):
        pass  # the turn was given back


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch_size": 0}, r"batch_size is 0; it must be a whole number of 1 or more"),
        ({"precision": "fp8"}, r"precision is 'fp8'; it must be one of 'fp32', 'bf16', 'fp16'"),
        ({"resolution": 16}, r"resolution is 16; .* must be 32 or more"),
        ({"device": "abacus"}, r"device is 'abacus'; this machine has 'cpu'"),
    ],
)
def test_bad_input_is_named(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ee.profile(SMALL, **options)  # type: ignore[arg-type]


def test_memory_growth_sees_an_allocation() -> None:
    held = []

    def work() -> None:
        held.append(torch.ones(50 * 2**20 // 4))
        time.sleep(0.02)

    assert memory_growth(work, torch.device("cpu")) > 45 * 2**20


def test_repeats_fit_the_time_and_never_fall_below_three(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)

    def repeats(taking: float, seconds: float) -> int:
        def run() -> None:
            nonlocal now
            now += taking * (
                1 + (now * 1e6) % 7 / 10
            )  # never twice the same, so that timing does not end early

        return len(time_repeats(run, seconds, torch.device("cpu"), Watch(progress=shares.append)).seconds)

    assert 50 < repeats(0.001, 0.1) <= 100
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert repeats(0.001, 60) == MOST
    assert repeats(0.05, 0.01) == FEWEST


def test_the_interval_and_the_noise_flag() -> None:
    steady = Timing(tuple(1.0 + n / 1000 for n in range(25)))
    low, high = steady.interval
    assert low < steady.median < high
    assert high - low < 0.02
    assert not steady.noisy
    assert Timing((1.0, 1.0, 2.0, 3.0, 1.1)).noisy
    assert Timing((1.0, 2.0, 3.0)).interval == (1.0, 3.0)


def test_the_default_device_is_the_accelerator_or_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    assert as_device(None) == torch.device("mps")
    assert as_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="device is 'cuda'; this machine has 'cpu' or 'mps'"):
        as_device("cuda")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert as_device(None) == torch.device("cpu")
