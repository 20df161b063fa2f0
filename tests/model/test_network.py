"""The built network: names, initialisation, conventions, maps, determinism, and input that it cannot take."""

import copy
import math
import pickle
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from effnet_edu.model import network as network_module
from effnet_edu.model.blocks import ConvNormAct, DropPath
from effnet_edu.model.cost import cost
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.model.specs import Conventions, resolve
from effnet_edu.model.variants import compound, list_variants, spec
from tests.model.reference import TINY, on_meta, settled


def test_state_dict_keys_read_as_roles():
    keys = set(build("efficientnet_b0", device="meta").state_dict())
    assert {
        "stem.conv.weight",
        "stages.0.0.depthwise.conv.weight",
        "stages.2.0.expand.conv.weight",
        "stages.2.0.depthwise.conv.weight",
        "stages.2.0.depthwise.norm.running_var",
        "stages.2.0.squeeze_excite.reduce.bias",
        "stages.2.0.squeeze_excite.restore.weight",
        "stages.6.0.project.norm.bias",
        "head.norm.weight",
        "classifier.bias",
    } <= keys
    assert len(keys) == 360
    fused = set(build("efficientnetv2_s", device="meta").state_dict())
    assert {"stages.0.1.fused.conv.weight", "stages.1.0.project.norm.weight"} <= fused
    assert "stages.0.0.project.conv.weight" not in fused
    assert len(fused) == 782
    assert len(build("efficientnet_lite0", device="meta").state_dict()) == 296


@pytest.mark.parametrize("name", list_variants())
def test_blocks_are_those_of_the_spec_and_only_roles_have_names(name):
    net = on_meta(name)
    modules = [block for stage in net.stages for block in stage]
    assert [module.spec for module in modules] == list(resolve(spec(name))) == list(net.blocks)
    roles = {"expand", "depthwise", "fused", "squeeze_excite", "project", "drop_path"}
    assert {child for module in modules for child, _ in module.named_children()} <= roles
    assert not any(key.endswith("conv.bias") for key in net.state_dict())


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.parametrize("name", list_variants())
def test_conventions_reach_every_layer(name, conventions):
    net, wanted = on_meta(name, conventions), spec(name).conventions(conventions)
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(wanted.norm_eps, wanted.norm_momentum)}
    assert {type(module) for module in net.modules() if isinstance(module, nn.Conv2d)} == {nn.Conv2d}
    for module in net.modules():
        if isinstance(module, ConvNormAct):
            conv, pads = module.conv, conventions == "tensorflow" and module.conv.stride[0] > 1
            assert module.pads_like_tensorflow == pads
            assert conv.padding == tuple(0 if pads else (side - 1) // 2 for side in conv.kernel_size)


def test_conventions_are_those_of_the_authors_unless_others_are_named():
    assert build("efficientnet_b0", device="meta").conventions == spec("efficientnet_b0").tensorflow
    named = build("efficientnet_b0", conventions="torchvision", device="meta")
    assert named.conventions == spec("efficientnet_b0").torchvision


def test_own_conventions():
    own = Conventions("symmetric", 0.125, 0.5)
    net = build(TINY, conventions=own)
    assert net.conventions is own
    assert (net.head.norm.eps, net.head.norm.momentum) == (0.125, 0.5)


def test_batch_norm_learns_at_the_authors_pace():
    """V1 keeps .99 of its running mean in each step, V2 .9."""
    for name, momentum in (("efficientnet_b0", 0.01), ("efficientnetv2_b0", 0.1)):
        torch.manual_seed(0)
        net = build(name, 10).train()
        seen = []
        net.stem.conv.register_forward_hook(lambda _module, _inputs, output, seen=seen: seen.append(output))
        net(torch.randn(4, 3, 64, 64))
        torch.testing.assert_close(net.stem.norm.running_mean, momentum * seen[0].mean((0, 2, 3)))


def test_initialisation_is_that_of_the_released_code():
    torch.manual_seed(0)
    net = build("efficientnet_b0")
    depthwise = net.stages[5][1].depthwise.conv  # 1152 channels, 5x5
    expand, stem = net.stages[5][1].expand.conv, net.stem.conv
    assert depthwise.weight.std().item() == pytest.approx(math.sqrt(2 / 25), rel=0.02)
    assert expand.weight.std().item() == pytest.approx(math.sqrt(2 / 1152), rel=0.02)
    assert stem.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 32)), rel=0.1)
    assert net.stages[3][1].depthwise.conv.weight.std().item() == pytest.approx(0.471, rel=0.05)
    for conv in (depthwise, expand):
        assert conv.weight.mean().item() == pytest.approx(0, abs=0.01)
    reduce = net.stages[5][1].squeeze_excite.reduce
    assert reduce.weight.std().item() == pytest.approx(math.sqrt(2 / 48), rel=0.02)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
        bias = getattr(module, "bias", None)
        assert bias is None or (bias == 0).all()


@pytest.mark.parametrize("classes", [10, 1000])
def test_the_classifier_is_drawn_between_its_bounds(classes):
    torch.manual_seed(0)
    weight, bound = build(TINY, classes).classifier.weight, 1 / math.sqrt(classes)
    assert 0.98 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_building_repeats_with_its_seed():
    def weights(seed):
        torch.manual_seed(seed)
        return build(TINY).state_dict()

    assert all(
        torch.equal(one, other) for one, other in zip(weights(1).values(), weights(1).values(), strict=True)
    )
    assert not torch.equal(weights(1)["stem.conv.weight"], weights(2)["stem.conv.weight"])


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_lite0", "efficientnetv2_b0"])
@pytest.mark.parametrize("size", [(64, 64), (75, 50), (33, 32)])
def test_features_by_stage_have_the_shapes_of_the_table(name, conventions, size):
    net = on_meta(name, conventions)
    height, width = (resolve(spec(name), side) for side in size)
    maps = net.features_by_stage(torch.empty(2, 3, *size, device="meta"))
    assert len(maps) == len(spec(name).stages)
    for index, features in enumerate(maps):
        last = [block.stage for block in height].index(index) + spec(name).stages[index].layers - 1
        assert features.shape == (2, height[last].channels_out, height[last].side_out, width[last].side_out)


def test_features_by_stage_lead_to_the_logits():
    net, x = settled(TINY), torch.randn(2, 3, 48, 48)
    last = net.features_by_stage(x)[-1]
    logits = net.classifier(net.head(last).mean((2, 3)))
    torch.testing.assert_close(net(x), logits)
    assert net(x).shape == (2, 10)


def test_in_channels_and_classes():
    net = build(TINY, num_classes=1, in_channels=5).eval()
    assert net(torch.randn(3, 5, 32, 32)).shape == (3, 1)


def test_dropout_and_drop_path_act_in_training_alone():
    net, x = settled(TINY), torch.randn(16, 3, 32, 32)
    assert net.dropout.p == TINY.dropout
    assert torch.equal(net(x), net(x))
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Dropout):
            module.eval()
    assert not torch.equal(net(x), net(x))
    for module in net.modules():
        if isinstance(module, DropPath):
            module.eval()
    assert torch.equal(net(x), net(x))
    net.dropout.train()
    assert not torch.equal(net(x), net(x))


def test_a_step_of_training_lowers_the_loss():
    torch.manual_seed(0)
    net, x, y = build(TINY, 4).train(), torch.randn(16, 3, 32, 32), torch.arange(16) % 4
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        assert all(weight.grad is not None for weight in net.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_largest_network_builds_on_meta_without_memory():
    before = psutil.Process().memory_info().rss
    net = build("efficientnet_l2", device="meta")
    # Its weights alone would be 1.8 GiB; the modules themselves take a few MiB.
    assert psutil.Process().memory_info().rss - before < 2**27
    assert all(tensor.is_meta for tensor in net.state_dict().values())
    assert net.eval()(torch.empty(1, 3, 800, 800, device="meta")).shape == (1, 1000)


def test_a_network_of_any_phi_builds_on_meta():
    network = compound(14.5)
    net = build(network, device="meta")
    assert sum(weight.numel() for weight in net.parameters()) == cost(network).parameters > 10**9


def test_dtype_and_device_reach_every_weight():
    net = EfficientNet(TINY, device="meta", dtype=torch.float64)
    assert {weight.dtype for weight in net.parameters()} == {torch.float64}
    assert {weight.device.type for weight in net.parameters()} == {"meta"}


def test_copies_and_pickles_compute_the_same():
    net, x = settled(TINY), torch.randn(2, 3, 32, 32)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):  # noqa: S301
        assert torch.equal(twin(x), net(x))
        assert twin.spec == net.spec


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((3, 64, 64), r"shape \(3, 64, 64\); tiny takes \(batch, 3, height, width\)\."),
        ((1, 1, 64, 64), r"shape \(1, 1, 64, 64\); tiny takes \(batch, 3, height, width\)\."),
        ((1, 64, 64, 3), r"shape \(1, 64, 64, 3\); tiny takes \(batch, 3, height, width\)\."),
        ((1, 3, 15, 64), r"15 x 64 pixels; tiny needs 16 x 16 or more\."),
        ((1, 3, 64, 0), r"64 x 0 pixels; tiny needs 16 x 16 or more\."),
    ],
)
def test_input_of_a_wrong_shape_gets_a_sentence(shape, sentence):
    net = settled(TINY)
    for call in (net, net.features_by_stage, net.features_only()):
        with pytest.raises(ValueError, match=sentence):
            call(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_input_that_holds_no_floating_point_numbers_gets_a_sentence(dtype):
    net = settled(TINY)
    for call in (net, net.features_only()):
        with pytest.raises(TypeError, match=rf"The input is {dtype}; it must hold floating-point numbers"):
            call(torch.zeros(1, 3, 64, 64, dtype=dtype))


@pytest.mark.parametrize("value", [np.zeros((1, 3, 64, 64), np.float32), [[0.0]], None, "photo.jpg"])
def test_input_that_is_no_tensor_gets_a_sentence(value):
    with pytest.raises(
        TypeError, match=rf"The input is of type {type(value).__name__}; it must be a torch\.Tensor\."
    ):
        settled(TINY)(value)


def test_a_batch_of_1_in_training_where_batch_norm_has_one_value():
    net = build("efficientnet_b0", 10).train()
    statistics = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"A batch of 1 at 32 x 32 .* batch of 2 or more, or 33 pixels or more\."
    ):
        net(torch.zeros(1, 3, 32, 32))
    assert all(torch.equal(value, statistics[key]) for key, value in net.state_dict().items())
    for shape in ((1, 3, 33, 32), (1, 3, 33, 33), (2, 3, 32, 32)):
        assert net(torch.zeros(shape)).shape == (shape[0], 10)
    assert net.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"network": "efficientnet-b0"},
            r"There is no network named 'efficientnet-b0'\. Near it: efficientnet_b0",
        ),
        (
            {"network": TINY, "num_classes": -1},
            r"num_classes is -1; it must be a whole number of 0 or more\.",
        ),
        (
            {"network": TINY, "num_classes": 2.5},
            r"num_classes is 2\.5; it must be a whole number of 0 or more\.",
        ),
        ({"network": TINY, "in_channels": 0}, r"in_channels is 0; it must be a whole number of 1 or more\."),
        (
            {"network": TINY, "conventions": "keras"},
            r"conventions is 'keras'; .* 'tensorflow', 'torchvision'\.",
        ),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**arguments)


def test_the_name_of_a_network_in_place_of_its_spec_gets_a_sentence():
    with pytest.raises(ValueError, match=r"spec is 'efficientnet_b0'; .* ee\.create takes a name\."):
        EfficientNet("efficientnet_b0")


def test_a_network_too_large_for_memory_gets_a_sentence(monkeypatch):
    counted = cost("efficientnet_b0")
    needed = 4 * (counted.parameters + counted.buffers)
    monkeypatch.setattr(network_module, "available_memory", lambda _device: needed - 1)
    with pytest.raises(MemoryError, match=r'efficientnet_b0 needs 0\.0 GiB .* smaller phi.* device="meta"\.'):
        build("efficientnet_b0")
    assert build("efficientnet_b0", device="meta").classifier.weight.is_meta
    monkeypatch.setattr(network_module, "available_memory", lambda _device: needed)
    assert build("efficientnet_b0").num_classes == 1000


def test_phi_too_large_for_this_machine_gets_a_sentence_before_anything_is_allocated():
    with pytest.raises(
        MemoryError, match=r"efficientnet_b0 at phi 22 needs [\d,.]+ GiB for its weights and cpu has"
    ):
        build(compound(22))


def test_free_memory_of_the_cpu_is_that_of_the_machine():
    free = network_module.available_memory(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


def test_a_spec_of_ones_own_builds():
    flat = replace(TINY, stages=TINY.stages[:1], name="flat")
    net = build(flat, 3).eval()
    assert net(torch.randn(2, 3, 20, 20)).shape == (2, 3)
