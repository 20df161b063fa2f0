"""Counting from the spec alone: equal to the published numbers, and to what the built network has."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effnet_edu.model.cost import block_layers, cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec, StageSpec, resolve
from effnet_edu.model.variants import list_variants
from tests.cases import thorough_but_for
from tests.model.reference import TINY, on_meta, table


def counted_macs(net: EfficientNet, height: int, width: int | None = None, images: int = 1) -> int:
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(images, net.in_channels, height, width or height, device="meta"))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def elements_through(net: EfficientNet, resolution: int) -> dict[str, tuple[int, int]]:
    """Return, for each leaf module, how many numbers it reads and writes for one image."""
    seen = {}

    def note(name: str):
        return lambda _module, inputs, output: seen.__setitem__(name, (inputs[0].numel(), output.numel()))

    leaves = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(note(name)) for name, module in leaves]
    net(torch.empty(1, net.in_channels, resolution, resolution, device="meta"))
    for handle in handles:
        handle.remove()
    return seen


def specs_of_any_kind() -> st.SearchStrategy[NetworkSpec]:
    stage = st.builds(
        StageSpec,
        operation=st.sampled_from(["mbconv", "fused_mbconv"]),
        expansion=st.integers(1, 6),
        kernel=st.sampled_from([1, 3, 5, 7]),
        stride=st.integers(1, 2),
        channels=st.integers(1, 20),
        layers=st.integers(1, 3),
        squeeze_ratio=st.sampled_from([0, 0.04, 0.25, 1.0]),
    )
    return st.builds(
        replace,
        st.just(TINY),
        stem_channels=st.integers(1, 20),
        stages=st.lists(stage, min_size=1, max_size=4).map(tuple),
        head_channels=st.integers(1, 40),
        activation=st.sampled_from(["silu", "relu6"]),
    )


@pytest.mark.parametrize("row", table("variants"), ids=lambda row: f"{row['name']}-{row['resolution']}")
def test_counts_are_the_published_ones(row):
    counted = cost(row["name"], int(row["resolution"]))
    assert counted.parameters == int(row["parameters"])
    assert counted.parameters + counted.buffers == int(row["parameters_and_buffers"])
    assert counted.macs == int(row["macs"])


#: One of each family.
QUICK = ("efficientnet_b0", "efficientnet_lite0", "efficientnetv2_b0", "efficientnetv2_s")


@pytest.mark.parametrize("name", thorough_but_for(QUICK, list_variants()))
def test_counts_are_those_of_the_built_network(name):
    net = on_meta(name)
    # Odd all the way down: 225 -> 113 -> 57 -> 29 -> 15 -> 8. The published counts are those of other sides.
    counted = cost(name, 225)
    assert counted.parameters == sum(value.numel() for value in net.parameters())
    assert counted.buffers == sum(value.numel() for key, value in net.named_buffers() if "running" in key)
    assert counted.macs == counted_macs(net, 225)


@pytest.mark.parametrize("name", list_variants())
def test_every_row_with_parameters_is_a_module(name):
    modules = dict(on_meta(name).named_modules())
    rows = {row.name: row for row in cost(name).layers if row.parameters}
    for row in rows.values():
        module = modules[row.name]
        assert row.parameters == sum(value.numel() for value in module.parameters())
        if isinstance(module, nn.Conv2d):
            assert row.kind == "convolution"
            assert (row.channels_in, row.channels_out) == (module.in_channels, module.out_channels)
            assert (row.kernel, row.groups) == (module.kernel_size[0], module.groups)
    owners = {key.rpartition(".")[0] for key, _ in on_meta(name).named_parameters()}
    assert owners == set(rows)


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_lite0", "efficientnetv2_b0"])
def test_every_module_reads_and_writes_what_its_row_says(name, conventions):
    counted = {row.name: (row.elements_in, row.activations) for row in cost(name, 225).layers}
    net = on_meta(name, conventions)
    seen = elements_through(net, 225)
    seen["head.pool"] = seen.pop("pool.0")
    seen = {key: value for key, value in seen.items() if not key.endswith(("drop_path", "dropout", "pool.1"))}
    for part, module in net.named_modules():
        if getattr(module, "pads_like_tensorflow", False):  # it reads the map through a copy with a frame
            read, written = seen[f"{part}.conv"]
            assert read > counted[f"{part}.conv"][0]
            seen[f"{part}.conv"] = counted[f"{part}.conv"][0], written
    assert {key: counted[key] for key in seen} == seen


@settings(max_examples=20)
@given(
    specs_of_any_kind(),
    st.integers(33, 90),
    st.integers(1, 5),
    st.integers(1, 20),
    st.sampled_from(["tensorflow", "torchvision"]),
)
def test_any_spec_counts_as_it_builds(network, resolution, channels, classes, conventions):
    net = EfficientNet(network, classes, channels, network.conventions(conventions), device="meta").eval()
    counted = cost(network, resolution, classes, channels)
    assert counted.parameters == sum(value.numel() for value in net.parameters())
    assert counted.macs == counted_macs(net, resolution)


def test_macs_are_for_one_image():
    assert counted_macs(on_meta("efficientnet_b0"), 64, images=3) == 3 * cost("efficientnet_b0", 64).macs


def test_classes_and_channels_change_one_layer_each():
    base = cost("efficientnet_b0")
    ten = cost("efficientnet_b0", num_classes=10)
    assert base.parameters - ten.parameters == 990 * 1281
    assert base.macs - ten.macs == 990 * 1280
    gray = cost("efficientnet_b0", in_channels=1)
    assert base.parameters - gray.parameters == 2 * 9 * 32
    assert base.macs - gray.macs == 2 * 9 * 32 * 112 * 112


def test_sums_over_stages_and_roles_are_whole():
    counted = cost("efficientnet_b0")
    stages = ["stem", *(f"stages.{index}" for index in range(7)), "head", "classifier"]
    assert list(counted.by_stage()) == stages
    for sums in (counted.by_stage(), counted.by_role()):
        assert sum(sums.values()) == counted.macs
    for sums in (counted.by_stage(lambda row: row.parameters), counted.by_role(lambda row: row.parameters)):
        assert sum(sums.values()) == counted.parameters
    assert sum(counted.by_role(lambda row: row.activations).values()) == counted.activations


def test_where_the_cost_of_b0_sits():
    """The depthwise layers: a tenth of the MACs, a third of what convolutions write."""
    counted = cost("efficientnet_b0")
    macs, parameters = counted.by_role(), counted.by_role(lambda row: row.parameters)
    written = counted.by_role(lambda row: row.activations if row.kind == "convolution" else 0)
    assert macs["depthwise"] / counted.macs == pytest.approx(0.090, abs=0.0005)
    assert written["depthwise"] / sum(written.values()) == pytest.approx(0.34, abs=0.005)
    assert macs["squeeze_excite"] / counted.macs == pytest.approx(0.002, abs=0.0005)
    assert parameters["squeeze_excite"] / counted.parameters == pytest.approx(0.12, abs=0.005)
    assert macs["stem"] / counted.macs == pytest.approx(0.028, abs=0.0005)
    assert parameters["classifier"] / counted.parameters == pytest.approx(0.24, abs=0.005)


def test_bytes_of_a_layer_by_hand():
    """The stem's convolution of B0 at 224: one image in, 32 maps of 112 out, 864 weights."""
    row = cost("efficientnet_b0").layers[0]
    maps = 3 * 224 * 224 + 32 * 112 * 112
    assert row.bytes_moved() == 4 * (maps + 864)
    assert row.bytes_moved(batch_size=16, bytes_per_element=2) == 2 * (16 * maps + 864)
    norm = cost("efficientnet_b0").layers[1]
    assert norm.bytes_moved() == 4 * (2 * 32 * 112 * 112 + 4 * 32)


def test_bytes_of_a_network_are_those_of_its_layers():
    counted = cost(TINY, 65)
    assert counted.bytes_moved(8, 2) == sum(row.bytes_moved(8, 2) for row in counted.layers)
    weights = counted.parameters + counted.buffers
    assert counted.bytes_moved(2) - counted.bytes_moved(1) == counted.bytes_moved(1) - 4 * weights


def test_the_shortcut_reads_both_of_its_sides():
    with_shortcut = next(block for block in resolve(TINY) if block.has_shortcut)
    add = list(block_layers(with_shortcut))[-1]
    assert (add.role, add.kind) == ("shortcut", "add")
    assert add.elements_in == 2 * add.activations == 2 * 8 * 32 * 32
    without = next(block for block in resolve(TINY) if not block.has_shortcut)
    assert "shortcut" not in {row.role for row in block_layers(without)}


def test_a_count_prints_as_one_line():
    assert str(cost("efficientnet_b0")) == (
        "efficientnet_b0 at 224 px: 5,288,548 parameters, 385,814,752 MACs, "
        f"{len(cost('efficientnet_b0').layers)} layers"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"network": "resnet50"}, r"There is no network named 'resnet50'\."),
        ({"network": "efficientnet_b0", "resolution": 31}, r"resolution is 31; .* must be 32 or more\."),
        ({"network": "efficientnet_b0", "num_classes": -1}, r"num_classes is -1; it must be a whole number"),
        ({"network": "efficientnet_b0", "in_channels": -3}, r"in_channels is -3; it must be a whole number"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        cost(**arguments)
