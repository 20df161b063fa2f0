"""Time layer by layer: every operation is booked to its row, and the sum is held to account."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.profiling import op_timer as op_timer_module
from effnet_edu.profiling.layers import _Instrument, in_turns
from effnet_edu.profiling.op_timer import FIRST_HOLD, TRIED, ClockTimer, EventTimer, instrument_seconds
from tests.model.reference import TINY
from tests.profiling.made import made_profile

CPU = torch.device("cpu")


class Booking(_Instrument):
    """Notes the names of the operations that are booked to each row."""

    def __init__(self, net: EfficientNet, counted: NetworkCost) -> None:
        super().__init__(net, counted, ClockTimer(CPU))
        self.names = [*(row.name for row in counted.layers), "elsewhere"]
        self.operations: dict[str, list[str]] = defaultdict(list)

    def row(self, operation: Any) -> int:
        index = super().row(operation)
        self.operations[self.names[index]].append(operation.overloadpacket.__name__)
        return index


EXPECTED = {
    "convolution": {"conv2d", "pad"},
    "linear": {"linear"},
    "norm": {"batch_norm"},
    "activation": {"silu", "hardtanh", "sigmoid"},
    "pool": {"mean", "adaptive_avg_pool2d", "flatten"},
    "scale": {"mul"},
    "add": {"add"},
}


@pytest.mark.parametrize(
    ("name", "conventions"),
    [
        *((name, "tensorflow") for name in ee.list_variants()),
        ("efficientnet_b0", "torchvision"),
        ("efficientnetv2_s", "torchvision"),
    ],
)
def test_every_operation_of_every_network_is_booked_to_its_row(name: str, conventions: str) -> None:
    spec = ee.spec(name)
    net = EfficientNet(spec, conventions=spec.conventions(conventions), device="meta").eval()
    counted = ee.cost(spec, 32)
    booking = Booking(net, counted)
    with torch.inference_mode():
        seconds = booking.run(torch.empty(1, 3, 32, 32, device="meta"))
    assert len(seconds) == len(counted.layers) + 1
    assert set(booking.operations) - {"elsewhere"} == {row.name for row in counted.layers}
    assert booking.operations["elsewhere"] == ["dropout"]
    for row in counted.layers:
        ran = booking.operations[row.name]
        assert set(ran) <= EXPECTED[row.kind], row.name
        assert len(ran) - ran.count("pad") - ran.count("flatten") == 1, row.name


def test_the_rows_are_those_of_the_count_for_the_callers_own_network() -> None:
    net = EfficientNet(TINY, num_classes=7, in_channels=2).train()
    measured = ee.profile_layers(net, batch_size=2, resolution=48, seconds=0.05)
    counted = ee.cost(TINY, 48, num_classes=7, in_channels=2)
    assert [row.cost for row in measured.layers] == list(counted.layers)
    assert all(row.seconds > 0 for row in measured.layers)
    assert {len(row.timing.seconds) for row in measured.layers} == {len(measured.whole.seconds)}
    assert measured.macs == 2 * counted.macs
    assert sum(row.bytes_moved for row in measured.layers) == counted.bytes_moved(2)
    assert measured.difference_seconds == measured.whole.median - measured.total_seconds
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_sums_are_whole() -> None:
    made = made_profile()
    for sums in (made.by_role(), made.by_kind(), made.by_part(), made.by_stage(), made.by_block()):
        assert sum(sums.values()) == pytest.approx(made.total_seconds)
    counted = ee.cost("efficientnet_b0")
    assert made.by_role(lambda row: row.macs) == counted.by_role()
    assert made.by_stage(lambda row: row.macs) == counted.by_stage()
    blocks = [f"stages.{block.stage}.{block.index}" for block in ee.resolve(ee.spec("efficientnet_b0"))]
    assert list(made.by_block()) == ["stem", *blocks, "head", "classifier"]
    norms = sum(row.seconds for row in made.layers if row.kind == "norm")
    assert made.by_part()["norm"] == pytest.approx(norms)
    assert made.by_part(lambda row: row.macs)["depthwise"] == counted.by_role()["depthwise"]
    share = made.by_part()["depthwise"] / made.total_seconds
    assert made.part_share("depthwise") == pytest.approx((share, share, share))


def test_time_between_the_layers_is_in_the_difference_and_in_no_layer() -> None:
    net = build(TINY)
    convolve = net.head.conv.forward

    def slow(x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.2)  # no operation of torch
        return convolve(x)

    net.head.conv.forward = slow  # type: ignore[method-assign]
    measured = ee.profile_layers(net, seconds=0.05)
    assert measured.difference_seconds > 0.15
    assert measured.total_seconds < measured.whole.median - 0.15


def test_a_slow_operation_is_in_its_layer() -> None:
    net = build(TINY)
    wide = torch.randn(1500, 1500)

    def heavy(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        wide.mm(wide)

    net.stages[1][0].project.conv.register_forward_pre_hook(heavy)
    measured = ee.profile_layers(net, seconds=0.05)
    slowest = max(measured.layers, key=lambda row: row.seconds)
    assert slowest.name == "stages.1.0.project.conv"
    assert measured.share(slowest) > 0.3


def without_a_norm(net: EfficientNet) -> EfficientNet:
    net.stem.norm = nn.Identity()  # type: ignore[assignment]
    return net


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda net: net.compile() or net, r"The network is compiled; its layers can be told apart only"),
        (torch.compile, r"The network is compiled; its layers can be told apart only"),
        (lambda _net: nn.Linear(1, 1), r"The network is of type Linear;"),
        (without_a_norm, r"The layers of this tiny are not those of its spec"),
    ],
)
def test_a_network_that_does_not_run_layer_by_layer_is_refused(
    change: Callable[[EfficientNet], Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        ee.profile_layers(change(build(TINY)), seconds=0.05)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch_size": 0}, r"batch_size is 0"),
        ({"precision": "int8"}, r"precision is 'int8'"),
        ({"resolution": 3}, r"resolution is 3"),
        ({"seconds": 0}, r"seconds is 0"),
        ({"device": "abacus"}, r"device is 'abacus'"),
    ],
)
def test_bad_input_is_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ee.profile_layers(TINY, **options)


def test_cancel_stops_and_the_next_measurement_is_right() -> None:
    asked = 0

    def is_cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    net = build(TINY)
    with pytest.raises(Cancelled):
        ee.profile_layers(net, seconds=60, watch=Watch(is_cancelled=is_cancelled))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert len(ee.profile_layers(net, seconds=0.01).layers) == len(ee.cost(TINY).layers)


def test_passes_take_turns_and_the_first_are_thrown_away() -> None:
    ran: list[str] = []

    def instrumented() -> list[float]:
        ran.append("instrumented")
        return [float(len(ran))]

    def plain() -> float:
        ran.append("plain")
        return float(len(ran))

    shares: list[float] = []
    passes, whole = in_turns(instrumented, plain, 1e-9, Watch(progress=shares.append))
    assert len(passes) == len(whole) == 3
    assert len(ran) == 10
    assert min(passes[0][0], whole[0]) == 5
    pairs = [ran[index : index + 2] for index in range(0, 10, 2)]
    assert all(set(pair) == {"instrumented", "plain"} for pair in pairs)
    assert len({pair[0] for pair in pairs[2:]}) == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_the_instrument_adds_is_small_and_known() -> None:
    assert 0 < instrument_seconds(CPU) < 1e-3


class FakeEvent:
    """An event of a device that does what is queued at once, or not before it is waited for."""

    in_time = True

    def __init__(self, **_options: object) -> None:
        self.at = 0.0

    def record(self) -> None:
        self.at = time.perf_counter()

    def query(self) -> bool:
        return not self.in_time

    def elapsed_time(self, later: "FakeEvent") -> float:
        return 1000 * (later.at - self.at)


@pytest.fixture
def event_timer(monkeypatch: pytest.MonkeyPatch) -> EventTimer:
    monkeypatch.setattr(torch, "Event", FakeEvent)
    return EventTimer(CPU)


def test_events_time_each_operation_behind_a_queue(
    event_timer: EventTimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(op_timer_module, "op_timer", lambda _device: event_timer)
    held: list[int] = []
    monkeypatch.setattr(torch, "mm", lambda *_args, **_kwargs: held.append(1))
    event_timer.start()
    event_timer.next_piece()
    assert event_timer.time(4, lambda: time.sleep(0.01) or "done") == "done"
    assert event_timer.time(2, lambda: "too") == "too"
    (first, slow), (second, quick) = event_timer.stop()
    assert (first, second) == (4, 2)
    assert slow > 0.0099 > quick
    assert len(held) == FIRST_HOLD
    assert event_timer.behind == 0
    event_timer.start()
    assert event_timer.stop() == []
    assert abs(instrument_seconds(CPU)) < 1e-3
    assert len(held) == FIRST_HOLD * (1 + 3 + 1)
    assert TRIED >= 100


def test_a_queue_that_ran_empty_is_made_longer_and_told(
    event_timer: EventTimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEvent, "in_time", False)
    held: list[int] = []
    monkeypatch.setattr(torch, "mm", lambda *_args, **_kwargs: held.append(1))
    for _ in range(20):
        event_timer.start()
        event_timer.next_piece()
        event_timer.stop()
    assert held.count(1) > 20 * FIRST_HOLD
    assert event_timer.behind == 1.0


def test_it_prints_sums_and_the_difference() -> None:
    made = made_profile()
    text = str(made)
    assert "efficientnet_b0, 224 px, batch 1, fp32 on a made-up processor, 2 threads" in text
    assert f"sum of the layers {1000 * made.total_seconds:.3f} ms" in text
    assert "(+9.1%)" in text
    assert "the instrument adds 5.0 us to an operation" in text
    assert made.table().count("\n") == len(made.layers)
