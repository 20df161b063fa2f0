"""What training keeps is predicted to the byte, and measuring it leaves the caller's things alone."""

import gc
import threading
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.profiling import training_cost
from effnet_edu.profiling.training_cost import saved_storage_bytes
from tests.model.reference import TINY
from tests.model.test_cost import specs_of_any_kind

PLAIN = replace(TINY, name="plain", dropout=0.0, drop_path_rate=0.0, activation="relu6")
#: No depthwise convolution: torch's counter is right here.
DENSE = replace(TINY, name="dense", stages=TINY.stages[:2])


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.parametrize(
    ("network", "batch_size", "resolution"),
    [
        ("efficientnet_b0", 2, 64),
        ("efficientnet_b0", 1, 97),
        ("efficientnet_b3", 2, 33),
        ("efficientnet_lite0", 3, 65),
        ("efficientnetv2_b0", 2, 48),
        ("efficientnetv2_s", 2, 32),
        (TINY, 3, 70),
        (PLAIN, 2, 33),
    ],
)
def test_kept_bytes_are_predicted_exactly(
    network: str | ee.NetworkSpec, batch_size: int, resolution: int, conventions: str
) -> None:
    spec = ee.spec(network) if isinstance(network, str) else network
    net = EfficientNet(spec, num_classes=10, conventions=spec.conventions(conventions)).train()
    counted = ee.cost(spec, resolution, num_classes=10)
    x = torch.randn(batch_size, 3, resolution, resolution)
    assert saved_storage_bytes(net, x) == counted.saved_bytes(batch_size, 4, conventions)


@settings(max_examples=15)
@given(specs_of_any_kind(), st.integers(33, 60), st.integers(1, 3))
def test_any_spec_keeps_what_is_predicted(network: ee.NetworkSpec, resolution: int, channels: int) -> None:
    for conventions in ("tensorflow", "torchvision"):
        net = EfficientNet(network, 5, channels, network.conventions(conventions)).train()
        counted = ee.cost(network, resolution, 5, channels)
        kept = saved_storage_bytes(net, torch.randn(2, channels, resolution, resolution))
        assert kept == counted.saved_bytes(2, 4, conventions)


def test_kept_bytes_belong_to_layers() -> None:
    counted = ee.cost("efficientnet_b0")
    kept = counted.saved_by_layer(batch_size=2)
    assert list(kept) == [row.name for row in counted.layers]
    assert sum(kept.values()) == counted.saved_bytes(2)
    assert kept["stem.conv"] == 4 * 2 * 3 * 226 * 226  # the padded copy of the image
    assert counted.saved_by_layer(2, 4, "torchvision")["stem.conv"] == 4 * 2 * 3 * 224 * 224
    assert kept["stem.norm"] == 4 * (2 * 32 * 112 * 112 + 2 * 32)
    assert kept["stages.0.0.squeeze_excite.pool"] == 0
    assert kept["stages.1.1.shortcut"] == 4 * 2
    assert counted.saved_bytes(4) < 2 * counted.saved_bytes(2)  # the statistics are kept once


def test_backward_macs_are_those_that_torch_counts_without_depthwise_convolutions() -> None:
    net = EfficientNet(DENSE, num_classes=10).train()
    x = torch.randn(2, 3, 64, 64)
    with FlopCounterMode(display=False) as counter:
        net(x).sum().backward()
    counted = ee.cost(DENSE, num_classes=10)
    assert counter.get_total_flops() == 2 * 2 * (counted.macs + counted.backward_macs)


def test_a_training_step_is_measured_in_its_three_parts() -> None:
    measured = ee.profiling.profile_training(TINY, 4, seconds=0.1)
    counted = ee.cost(TINY)
    assert measured.difference_bytes == 0
    assert measured.saved_bytes == counted.saved_bytes(4)
    assert (measured.forward_macs, measured.backward_macs) == (4 * counted.macs, 4 * counted.backward_macs)
    parts = (measured.forward, measured.backward, measured.step)
    assert len({len(timing.seconds) for timing in parts}) == 1
    assert all(timing.median > 0 for timing in parts)
    assert measured.seconds == pytest.approx(sum(timing.median for timing in parts))
    text = str(measured)
    assert "training tiny, 64 px, batch 4, fp32" in text
    assert "difference +0 bytes" in text


def test_a_stem_that_keeps_the_image_itself_keeps_no_more_than_one_batch() -> None:
    net = EfficientNet(TINY, conventions=TINY.conventions("torchvision"))
    assert ee.profiling.profile_training(net, 2, seconds=0.01).difference_bytes == 0


def test_the_callers_network_and_random_numbers_are_left_alone() -> None:
    net = build(TINY).eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    measured = ee.profiling.profile_training(net, 2, seconds=0.05)
    assert torch.equal(torch.rand(4), expected)
    assert measured.difference_bytes == 0
    assert not any(module.training for module in net.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(tensor.grad is None and not tensor.requires_grad for tensor in net.parameters())


def test_it_works_where_gradients_are_switched_off() -> None:
    with torch.inference_mode():
        assert ee.profiling.profile_training(TINY, 2, seconds=0.01).difference_bytes == 0


def test_one_value_per_channel_is_a_sentence() -> None:
    sentence = r"batch_size is 1 and resolution 32: the last stage of efficientnet_b0 .* 33 pixels or more"
    with pytest.raises(ValueError, match=sentence):
        ee.profiling.profile_training("efficientnet_b0", 1, 32)


def test_too_little_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_cost, "available_memory", lambda _device: 10 * 2**20)
    with pytest.raises(MemoryError, match=r"A batch of 64 at 64 x 64 pixels through tiny does not fit"):
        ee.profiling.profile_training(TINY, 64)


def test_a_compiled_network_is_refused() -> None:
    with pytest.raises(ValueError, match="The network is compiled"):
        ee.profiling.profile_training(torch.compile(build(TINY)), 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_cancel_works_inside_of_a_step(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = threading.Event()
    real = torch.Tensor.backward

    def backward(tensor: torch.Tensor) -> None:
        inside.set()
        real(tensor)
        pytest.fail("the backward pass ran to its end")

    if where == "backward":
        monkeypatch.setattr(torch.Tensor, "backward", backward)
    asked = 0

    def is_cancelled() -> bool:
        nonlocal asked
        asked += 1
        return inside.is_set() or (where == "forward" and asked > 20)

    with pytest.raises(Cancelled):
        ee.profiling.profile_training(
            TINY,
            2,
            seconds=60,
            watch=Watch(is_cancelled),
        )
    monkeypatch.undo()
    assert ee.profiling.profile_training(TINY, 2, seconds=0.01).difference_bytes == 0


def kept_for_a_backward_pass() -> int:
    gc.collect()
    return sum(isinstance(found, torch.Tensor) and found.grad_fn is not None for found in gc.get_objects())


def test_nothing_of_a_training_is_left_in_memory() -> None:
    before = kept_for_a_backward_pass()
    ee.profiling.profile_training(TINY, 2, 64, device="cpu", seconds=0.001)
    assert kept_for_a_backward_pass() == before
