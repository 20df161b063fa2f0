"""The optimised network gives the same logits, leaves the caller's alone, and says what it cannot do."""

import copy
import itertools
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import effnet_edu as ee
from effnet_edu.model import inference
from effnet_edu.model.inference import optimize_for_inference
from effnet_edu.model.specs import StageSpec
from effnet_edu.model.variants import spec
from tests.model.reference import TINY, settled

CONVENTIONS = ("tensorflow", "torchvision")
OFF = {"fold": False, "channels_last": False, "slices": False}


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


def relative_error(ours: torch.Tensor, expected: torch.Tensor) -> float:
    return float((ours - expected).detach().norm() / expected.detach().norm())


@pytest.fixture(scope="module", params=["efficientnet_b0", "efficientnetv2_b0", "efficientnet_lite0"])
def published(request):
    return spec(request.param)


@pytest.mark.parametrize("conventions", CONVENTIONS)
@pytest.mark.parametrize("sides", [(64, 64), (75, 50)])
def test_the_same_logits_as_the_plain_network(published, conventions, sides, monkeypatch):
    monkeypatch.setattr(inference, "SLICE_BYTES", 2**19)
    net, x = settled(published, conventions), images(3, 3, *sides)
    with torch.no_grad():
        expected = net(x)
    assert relative_error(expected[:1], expected[1:2]) > 1e-3  # or the images would not matter
    assert relative_error(optimize_for_inference(net)(x), expected) < 1e-4


@pytest.mark.parametrize("chosen", list(itertools.product([False, True], repeat=3)))
def test_each_step_alone_and_with_the_others(chosen, monkeypatch):
    monkeypatch.setattr(inference, "SLICE_BYTES", 2**15)
    net, x = settled(TINY), images(5, 3, 49, 64)
    expected = net(x)
    optimised = optimize_for_inference(net, **dict(zip(OFF, chosen, strict=True)))
    fold, channels_last, _ = chosen
    assert any(isinstance(module, nn.BatchNorm2d) for module in optimised.modules()) != fold
    weight = optimised.head.conv.weight, optimised.stages[0][0].fused.conv.weight
    assert weight[1].is_contiguous(memory_format=torch.channels_last) == channels_last
    for ours, plain in zip(optimised.features_by_stage(x), net.features_by_stage(x), strict=True):
        assert ours.is_contiguous(memory_format=torch.channels_last) == channels_last
        assert relative_error(ours, plain) < 1e-4
    assert relative_error(optimised(x), expected) < 1e-4


@pytest.mark.parametrize(("precision", "error"), [("bf16", 0.1), ("fp16", 0.02)])
def test_a_lower_precision_rounds_and_keeps_the_type_of_the_images(precision, error):
    net, x = settled(TINY), images(2, 3, 48, 48)
    logits = optimize_for_inference(net, precision=precision)(x)
    assert logits.dtype == torch.float32
    assert 1e-5 < relative_error(logits, net(x)) < error


def pruned(part):
    prune.l1_unstructured(part.conv, "weight", 0.5)


def weight_normed(part):
    nn.utils.parametrizations.weight_norm(part.conv)


def without_factors(part):
    part.norm = nn.BatchNorm2d(part.norm.num_features, affine=False)


def without_statistics(part):
    part.norm = nn.BatchNorm2d(part.norm.num_features, track_running_stats=False)


def hooked(part):
    part.norm.register_forward_hook(lambda _module, _given, answer: 2 * answer)


def hooked_before(part):
    part.conv.register_forward_hook(lambda _module, _given, answer: answer + 1)


@pytest.mark.parametrize(
    "change", [pruned, weight_normed, without_factors, without_statistics, hooked, hooked_before]
)
def test_parts_that_somebody_changed_are_not_folded_and_the_answer_stays(change):
    net, x = settled(TINY), images(2, 3, 49, 64)
    with torch.no_grad():
        change(net.head)
        net.eval()
        expected = net(x)
    assert relative_error(optimize_for_inference(net)(x), expected) < 1e-4


def test_slices_hold_as_many_images_as_stay_small_and_grow_with_depth():
    b0 = optimize_for_inference(settled(spec("efficientnet_b0")))
    sizes = b0._images_at_once(images(16, 3, 224, 224))
    assert sizes == sorted(sizes)
    rows = [row for row in ee.cost("efficientnet_b0").layers if row.stage is not None]
    for stage, size in enumerate(sizes[1:]):
        largest = 4 * max(row.activations for row in rows if row.stage == stage)
        assert size * largest <= inference.SLICE_BYTES
    assert 2 * sizes[-1] * largest > inference.SLICE_BYTES
    assert b0._images_at_once(images(1, 3, 448, 224)) == b0._images_at_once(images(1, 3, 224, 448))
    assert b0._images_at_once(images(1, 3, 900, 900))[0] == 1


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_slices_go_through_every_stage_and_come_back_in_order(batch, monkeypatch):
    monkeypatch.setattr(inference, "SLICE_BYTES", 2**17)
    net, x = settled(TINY), images(batch, 3, 64, 64)
    optimised, seen = optimize_for_inference(net, **OFF | {"slices": True}), []
    for stage in (optimised.stem, *optimised.stages):
        stage.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    torch.testing.assert_close(optimised(x), net(x))
    assert sum(seen) == batch * (1 + len(TINY.stages))
    assert batch == 1 or max(seen[:1]) < batch
    assert seen[-1] == batch


def test_the_callers_network_stays_as_it_is():
    net = settled(TINY).requires_grad_(True)
    before, kinds = copy.deepcopy(net.state_dict()), [type(module) for module in net.modules()]
    optimised = optimize_for_inference(net, precision="bf16")
    optimised(images(2, 3, 32, 32))
    after = net.state_dict()
    assert list(after) == list(before)
    assert all(
        torch.equal(after[key], value) and after[key].dtype == value.dtype for key, value in before.items()
    )
    assert [type(module) for module in net.modules()] == kinds
    assert all(weight.requires_grad for weight in net.parameters())
    with torch.no_grad():
        optimised.classifier.weight.zero_()
    assert torch.equal(net.classifier.weight, before["classifier.weight"])


def test_it_works_in_place_where_the_plain_network_does_not():
    net, x = settled(TINY), images(2, 3, 32, 32)

    def kept_maps(network):
        seen = []
        handles = [
            module.register_forward_hook(lambda _m, _i, output: seen.append((output, output.clone())))
            for module in network.modules()
        ]
        with torch.no_grad():
            network(x)
        for handle in handles:
            handle.remove()
        return [torch.equal(*pair) for pair in seen]

    assert all(kept_maps(net))
    assert not all(kept_maps(optimize_for_inference(net, **OFF)))
    assert all(kept_maps(net))  # the copy alone was changed


def test_neither_images_nor_earlier_logits_are_overwritten():
    optimised, x = optimize_for_inference(settled(TINY)), images(2, 3, 32, 32)
    kept = x.clone()
    first = optimised(x)
    copied = first.clone()
    optimised(-x)
    assert torch.equal(x, kept)
    assert torch.equal(first, copied)
    first += 1  # an ordinary tensor, not one of inference mode


def test_it_is_a_network_that_the_library_can_measure():
    optimised = optimize_for_inference(settled(TINY))
    measured = ee.profile(optimised, seconds=0.01)
    assert measured.network == "tiny"
    assert not optimised(images(1, 3, 32, 32)).requires_grad


#: Compiling takes seconds a block.
ONE_BLOCK = replace(TINY, stages=(StageSpec("mbconv", 4, 3, 2, 8, 1),))


@pytest.mark.thorough
def test_compiled_parts_follow_changing_shapes():
    net = settled(ONE_BLOCK)
    torch.compiler.reset()
    compiled = optimize_for_inference(net, compile=True)
    for shape in ((2, 3, 24, 24), (3, 3, 41, 33), (5, 3, 47, 64)):
        assert relative_error(compiled(images(*shape)), net(images(*shape))) < 1e-4


def test_compiling_really_compiles_each_part(monkeypatch):
    seen = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: seen.append(self))
    optimised = optimize_for_inference(settled(TINY), compile=True)
    assert seen == [optimised.stem, *optimised.stages, optimised.head]


def test_without_a_compiler_one_sentence_says_so(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    with pytest.raises(RuntimeError, match=r"needs a C\+\+ compiler, and no-such-compiler -O2 was not found"):
        optimize_for_inference(settled(TINY), compile=True)
    monkeypatch.delenv("CXX")
    monkeypatch.setattr(inference.shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match="or go without"):
        optimize_for_inference(settled(TINY), compile=True)


def test_graphs_need_an_accelerator():
    with pytest.raises(ValueError, match=r"the network is on cpu, which cannot record graphs"):
        optimize_for_inference(settled(TINY), graphs=True)


class FakeStream:
    def wait_stream(self, _other):
        pass


class FakeGraph:
    """Records nothing: what a replay must not do by itself is then seen to be done by us, or not."""

    replays = 0

    def replay(self):
        FakeGraph.replays += 1


class FakeDevice:
    """The calls of an accelerator's module that recording needs."""

    pools: ClassVar[list[object]] = []
    Stream = FakeStream
    CUDAGraph = FakeGraph

    @staticmethod
    def current_stream():
        return FakeStream()

    @staticmethod
    def stream(_stream):
        return torch.no_grad()

    @staticmethod
    def graph_pool_handle():
        return object()

    @staticmethod
    def graph(_graph, pool):
        FakeDevice.pools.append(pool)
        return torch.no_grad()


def test_one_recording_a_shape_and_none_after_the_weights_move(monkeypatch):
    monkeypatch.setattr(inference.torch, "get_device_module", lambda _: FakeDevice)
    net, x = settled(TINY), images(2, 3, 32, 32)
    optimised = optimize_for_inference(net, graphs=True)
    expected = net(x)
    passes = []
    optimised.stem.register_forward_pre_hook(lambda _, inputs: passes.append(inputs[0].shape))
    FakeGraph.replays = 0
    first = optimised(x)
    assert len(passes) == 4  # three to warm up, and the recorded one
    second = optimised(x)
    assert len(passes) == 4
    assert FakeGraph.replays == 2
    assert first.data_ptr() != second.data_ptr()
    assert relative_error(first, expected) < 1e-4
    optimised(images(3, 3, 32, 32))
    assert len(passes) == 8
    assert len(set(FakeDevice.pools)) == 1
    optimised.double()
    optimised(x)
    assert len(passes) == 12


def test_what_cannot_be_optimised_is_refused_in_one_sentence():
    net = settled(TINY)
    with pytest.raises(ValueError, match=r"tiny is in training mode, .*; call eval\(\) on it first\."):
        optimize_for_inference(copy.deepcopy(net).train())
    with pytest.raises(ValueError, match="was optimised before"):
        optimize_for_inference(optimize_for_inference(net))
    with pytest.raises(ValueError, match="has no weights"):
        optimize_for_inference(ee.create(TINY, device="meta").eval())
    with pytest.raises(ValueError, match="precision is 'int8'; it must be one of 'fp32', 'bf16', 'fp16'"):
        optimize_for_inference(net, precision="int8")
    with pytest.raises(TypeError, match="of type Linear"):
        optimize_for_inference(nn.Linear(2, 2))


def test_an_optimised_network_refuses_training_and_wrong_images():
    optimised = optimize_for_inference(settled(TINY))
    with pytest.raises(ValueError, match="train the network that it was made from"):
        optimised.train()
    with pytest.raises(ValueError, match="takes"):
        optimised(images(1, 4, 32, 32))
    with pytest.raises(TypeError, match="floating-point"):
        optimised(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
