"""Whatever fails, it ends as a sentence, and the next measurement is right."""

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, MeasurementError, Watch
from effnet_edu.model.network import build
from effnet_edu.profiling import batches, workload
from tests.cases import thorough_but_for

SMALL = replace(ee.spec("efficientnet_lite0"), resolution=64)
CPU = torch.device("cpu")


class Faulty:
    """Raises inside the n-th forward pass of a network."""

    def __init__(self, net: ee.EfficientNet, error: BaseException, at: int) -> None:
        self.error, self.left = error, at
        net.head.register_forward_hook(self.strike)

    def strike(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise type(self.error)(*self.error.args)


@pytest.fixture
def net() -> Iterator[ee.EfficientNet]:
    """A network that must be as it was, and measurable, whatever a test does to it."""
    net = build(SMALL, generator=torch.Generator().manual_seed(0)).train()
    net.stem.eval()
    modes = [part.training for part in net.modules()]
    yield net
    assert [part.training for part in net.modules()] == modes
    assert not any(part._forward_pre_hooks for part in net.modules())
    net.head._forward_hooks.clear()
    torch.nn.init.ones_(net.head.norm.weight)
    assert ee.profile(net, seconds=0.05).repeats >= 3


@pytest.mark.parametrize("at", thorough_but_for((2,), (1, 2, 4)))
def test_memory_that_runs_out(net: ee.EfficientNet, at: int) -> None:
    Faulty(net, torch.OutOfMemoryError("CUDA out of memory."), at)
    with pytest.raises(MemoryError, match=r"batch of 2 at 64 x 64 pixels .* choose a smaller batch"):
        ee.profile(net, batch_size=2, seconds=0.2)


@pytest.mark.parametrize("at", thorough_but_for((2,), (1, 2, 4)))
def test_a_device_that_vanishes(net: ee.EfficientNet, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Faulty(net, RuntimeError("CUDA error: unspecified launch failure\nCompile with ..."), at)
    failed = workload.is_device_failure
    monkeypatch.setattr(workload, "is_device_failure", lambda error, _: failed(error, torch.device("cuda")))
    sentence = (
        r"failed while efficientnet_lite0 ran on it \(CUDA error: unspecified launch failure\)\. Restart"
    )
    with pytest.raises(MeasurementError, match=sentence):
        ee.profile(net, seconds=0.2)


def test_an_error_of_the_network_itself_is_not_dressed_up(net: ee.EfficientNet) -> None:
    Faulty(net, RuntimeError("my own layer is wrong"), 2)
    with pytest.raises(RuntimeError, match=r"^my own layer is wrong$"):
        ee.profile(net, seconds=0.2)


@pytest.mark.parametrize(
    ("precision", "advice"), [("fp32", "training may have diverged"), ("fp16", 'precision="bf16"')]
)
def test_outputs_that_are_no_numbers(net: ee.EfficientNet, precision: str, advice: str) -> None:
    torch.nn.init.constant_(net.head.norm.weight, float("nan"))
    with pytest.raises(
        MeasurementError, match=f"efficientnet_lite0 in {precision} on .* no numbers .*{advice}"
    ):
        ee.profile(net, precision=precision, seconds=0.05)


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnetv2_l"])
def test_random_weights_stay_within_the_range_of_fp16(name: str) -> None:
    highest = 0.0

    def look(_module: object, _inputs: object, output: torch.Tensor) -> None:
        nonlocal highest
        highest = max(highest, output.abs().max().item())

    with (
        workload.ready_network(workload.as_workload(name, 1, None, "fp32", CPU, 1.0), 0) as net,
        torch.inference_mode(),
    ):
        for part in net.modules():
            if not list(part.children()):
                part.register_forward_hook(look)
        net(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert 0 < highest < 1000


@pytest.mark.parametrize("passes", thorough_but_for((2,), (1, 2, 20)))
def test_cancel_stops_before_the_next_pass_ends(passes: int, net: ee.EfficientNet) -> None:
    ran = 0

    def count(*_: object) -> None:
        nonlocal ran
        ran += 1

    handle = net.head.register_forward_hook(count)
    with pytest.raises(Cancelled):
        ee.profile(net, seconds=60, watch=Watch(is_cancelled=lambda: ran == passes))
    handle.remove()
    assert ran == passes


def test_memory_is_free_after_a_failure(net: ee.EfficientNet) -> None:
    before = sum(tensor.nbytes for tensor in gc.get_objects() if type(tensor) is torch.Tensor)
    Faulty(net, torch.OutOfMemoryError("CUDA out of memory."), 1)
    with pytest.raises(MemoryError) as kept:  # as a notebook keeps the last traceback
        ee.profile(net, batch_size=64, seconds=0.1)
    gc.collect()
    assert kept.value.__cause__ is not None
    after = sum(tensor.nbytes for tensor in gc.get_objects() if type(tensor) is torch.Tensor)
    assert after - before < 4 * 64 * 3 * 64 * 64  # not one input batch is left, nor a feature map


@pytest.mark.parametrize("limit", thorough_but_for((1, 5), (1, 2, 3, 5, 21, 64)))
def test_the_largest_batch_is_found_on_a_device_that_says_no(limit: int, net, monkeypatch) -> None:
    tried: list[int] = []
    forward = net.forward

    def limited(x: torch.Tensor) -> torch.Tensor:
        tried.append(len(x))
        if len(x) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(x[:1])

    monkeypatch.setattr(batches, "has_own_memory", lambda _: True)
    monkeypatch.setattr(net, "forward", limited)
    assert ee.profiling.largest_batch(net, most=64) == limit
    assert max(tried) <= min(2 * limit, 64)
    assert len(tried) <= 14
    monkeypatch.setattr(net, "forward", forward)


def test_not_even_one_image_fits(net, monkeypatch) -> None:
    Faulty(net, torch.OutOfMemoryError("CUDA out of memory."), 1)
    monkeypatch.setattr(batches, "has_own_memory", lambda _: True)
    with pytest.raises(MemoryError, match="A batch of 1 at 64 x 64"):
        ee.profiling.largest_batch(net)


def test_looking_for_the_largest_batch_can_be_cancelled(net, monkeypatch) -> None:
    monkeypatch.setattr(batches, "has_own_memory", lambda _: True)
    with pytest.raises(Cancelled):
        ee.profiling.largest_batch(net, watch=Watch(is_cancelled=lambda: True))


def peak_memory_alone(arguments: str) -> int:
    """Measure in a process of its own: what hundreds of tests left in the allocator is not the network's."""
    measure = f"ee.profile({arguments}, device='cpu', seconds=0.01).peak_memory_bytes"
    program = f"import effnet_edu as ee; print({measure})"
    return int(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.thorough
def test_on_a_cpu_the_largest_batch_is_predicted_and_nothing_runs(monkeypatch) -> None:
    memory = 2**29
    monkeypatch.setattr(batches, "available_memory", lambda _: memory)
    monkeypatch.setattr(workload, "available_memory", lambda _: memory)
    found = ee.profiling.largest_batch(SMALL, resolution=224, device="cpu")
    assert 1 < found < 4096
    assert ee.profiling.largest_batch(SMALL, resolution=224, device="cpu", most=2) == 2
    assert ee.profiling.largest_batch(SMALL, resolution=448, device="cpu") < found
    assert peak_memory_alone(f"'{SMALL.name}', {found}, 224") < memory


@pytest.mark.parametrize(
    ("name", "batch_size"),
    [("efficientnet_b0", 8), pytest.param("efficientnetv2_b0", 4, marks=pytest.mark.thorough)],
)
def test_the_prediction_is_on_the_safe_side_and_not_far_off(name: str, batch_size: int) -> None:
    work = workload.as_workload(name, batch_size, None, "fp32", CPU, 1.0)
    weights = 4 * (work.counts.parameters + work.counts.buffers)
    predicted = workload.predicted_bytes(work, batch_size) + weights
    assert predicted / 6 < peak_memory_alone(f"{name!r}, {batch_size}") < predicted


@pytest.mark.thorough
def test_two_hundred_profiles_leave_nothing_behind(monkeypatch, request) -> None:
    monkeypatch.setattr(workload, "MOST_INPUT_BYTES", 2**22)  # still many that take turns, but soon made
    whole = ee.spec("efficientnet_lite0")
    tiny = replace(whole, resolution=32, stages=whole.stages[:2])
    net = build(tiny)

    def measure(times: int) -> None:
        for number in range(times):
            Faulty(net, torch.OutOfMemoryError("CUDA out of memory."), 1 if number % 10 == 0 else -1)
            try:
                ee.profile(net, seconds=0.001)
            except MemoryError:
                assert number % 10 == 0
            net.head._forward_hooks.clear()

    gc.freeze()  # collecting what other tests left would take most of the time
    request.addfinalizer(gc.unfreeze)
    measure(20)
    gc.collect()
    process, threads = psutil.Process(), set(threading.enumerate())
    memory, files = process.memory_info().rss, process.num_fds() if hasattr(process, "num_fds") else 0
    system_threads = process.num_threads()
    measure(200)
    gc.collect()
    assert process.memory_info().rss - memory < 50 * 2**20
    assert set(threading.enumerate()) == threads
    assert process.num_threads() <= system_threads
    if files:
        assert process.num_fds() <= files
