"""The building blocks against slow formulas written out here."""

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.model.blocks import (
    ConvNormAct,
    DropPath,
    FusedMBConv,
    MBConv,
    SqueezeExcitation,
    activation_layer,
    weigh_branches,
)
from effnet_edu.model.network import build
from effnet_edu.model.specs import BlockSpec, Conventions, resolve
from effnet_edu.model.variants import spec
from tests.model.reference import TINY

SAME = Conventions("same", 1e-3, 0.01)
SYMMETRIC = Conventions("symmetric", 1e-5, 0.1)


def windows(side: int, kernel: int, stride: int) -> list[int]:
    """Return where each window starts, as TensorFlow's documentation of SAME defines it."""
    outputs = side // stride + (side % stride > 0)
    overhang = max((outputs - 1) * stride + kernel - side, 0)
    return [stride * output - overhang // 2 for output in range(outputs)]


def slow_same_convolution(x: Tensor, weight: Tensor, stride: int, groups: int) -> Tensor:
    """Convolve window by window, reading zero outside of the image."""
    tops, lefts = (windows(side, weight.shape[-1], stride) for side in x.shape[2:])
    inside = itertools.product(range(x.shape[2]), range(x.shape[3]))
    pixels = {place: x.unflatten(1, (groups, -1))[..., place[0], place[1]] for place in inside}
    weight = weight.unflatten(0, (groups, -1))
    y = x.new_zeros(x.shape[0], *weight.shape[:2], len(tops), len(lefts))
    for (row, top), (column, left) in itertools.product(enumerate(tops), enumerate(lefts)):
        for dy, dx in itertools.product(range(weight.shape[-1]), repeat=2):
            pixel = pixels.get((top + dy, left + dx))
            if pixel is not None:
                y[..., row, column] += torch.einsum("ngi,goi->ngo", pixel, weight[..., dy, dx])
    return y.flatten(1, 2)


@settings(max_examples=40)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([1, 3, 5, 7]),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.integers(0, 99),
)
def test_same_padding_at_any_size(height, width, kernel, stride, depthwise, seed):
    generator = torch.Generator().manual_seed(seed)
    layer = ConvNormAct(2, 4, SAME, kernel, stride, 2 if depthwise else 1).double()
    with torch.no_grad():
        layer.conv.weight.normal_(generator=generator)
    x = torch.randn(2, 2, height, width, generator=generator, dtype=torch.float64)
    expected = slow_same_convolution(x, layer.conv.weight, stride, 2 if depthwise else 1)
    layer.norm = None
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(
    ("side", "kernel", "before"), [(224, 3, 0), (225, 3, 1), (112, 5, 1), (113, 5, 2), (7, 3, 1), (1, 5, 2)]
)
def test_same_padding_before_the_first_pixel(side, kernel, before):
    """An impulse in the first pixel meets the weight that many places into the kernel."""
    layer = ConvNormAct(1, 1, SAME, kernel, 2)
    layer.norm = None
    with torch.no_grad():
        layer.conv.weight.copy_(torch.arange(kernel * kernel).view(1, 1, kernel, kernel))
    x = torch.zeros(1, 1, side, side)
    x[..., 0, 0] = 1
    assert layer(x)[0, 0, 0, 0] == before * kernel + before


@pytest.mark.parametrize("side", [8, 9])
def test_the_two_paddings_agree_at_odd_sides_alone(side):
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    same, symmetric = ConvNormAct(3, 4, SAME, 3, 2).eval(), ConvNormAct(3, 4, SYMMETRIC, 3, 2).eval()
    symmetric.load_state_dict(same.state_dict())
    symmetric.norm.eps = same.norm.eps
    assert same(x).shape == symmetric(x).shape
    assert torch.allclose(same(x), symmetric(x), atol=1e-6) == (side % 2 == 1)


@pytest.mark.thorough
@settings(max_examples=20)
@given(st.integers(9, 20), st.sampled_from([3, 5]), st.sampled_from([2, 3]), st.booleans(), st.booleans())
def test_a_stride_made_a_dilation_keeps_the_side(side, kernel, dilation, sets_padding, depthwise):
    """As segmentation libraries do it to any network: by hand, with a padding of their own or without."""
    layer = ConvNormAct(2, 4, SAME, kernel, 2, 2 if depthwise else 1).double()
    layer.norm = None
    layer.conv.stride, layer.conv.dilation = (1, 1), (dilation, dilation)
    if sets_padding:
        layer.conv.padding = ((kernel // 2) * dilation, (kernel // 2) * dilation)
    generator = torch.Generator().manual_seed(side)
    x = torch.randn(1, 2, side, side + 1, generator=generator, dtype=torch.float64)
    # A dilated window is a larger one with zeros in between.
    spread = layer.conv.weight.new_zeros(4, layer.conv.weight.shape[1], *[dilation * (kernel - 1) + 1] * 2)
    spread[..., ::dilation, ::dilation] = layer.conv.weight.detach()
    torch.testing.assert_close(layer(x), slow_same_convolution(x, spread, 1, 2 if depthwise else 1))


def test_conventions_reach_batch_norm():
    norm = ConvNormAct(3, 4, Conventions("same", 0.25, 0.75)).norm
    assert (norm.eps, norm.momentum) == (0.25, 0.75)


@pytest.mark.parametrize(("name", "function"), [("silu", F.silu), ("relu6", F.relu6)])
def test_activations_write_into_nothing_they_were_given(name, function):
    layer = activation_layer(name)
    x = torch.linspace(-9, 9, 19)
    kept = x.clone()
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            assert torch.equal(layer(x), function(x))
        assert torch.equal(x, kept)


def test_squeeze_excitation_by_hand():
    torch.manual_seed(0)
    module = SqueezeExcitation(6, 2, "silu")
    for weight in module.parameters():
        nn.init.normal_(weight)
    x = torch.randn(3, 6, 5, 4)
    w1, b1 = module.reduce.weight[:, :, 0, 0], module.reduce.bias
    w2, b2 = module.restore.weight[:, :, 0, 0], module.restore.bias
    z = x.flatten(2).mean(2) @ w1.T + b1
    gate = torch.sigmoid((z * torch.sigmoid(z)) @ w2.T + b2)
    torch.testing.assert_close(module.gate(x)[:, :, 0, 0], gate)
    torch.testing.assert_close(module(x), x * gate[:, :, None, None])


def norm(x: Tensor, layer: nn.BatchNorm2d) -> Tensor:
    shift, scale = layer.running_mean, layer.weight / torch.sqrt(layer.running_var + layer.eps)
    return (x - shift[:, None, None]) * scale[:, None, None] + layer.bias[:, None, None]


def block_by_hand(block: MBConv | FusedMBConv, x: Tensor, activation) -> Tensor:
    """Compute a block from its weights with plain functions, in evaluation."""
    y, row = x, block.spec

    def same(part: ConvNormAct, y: Tensor, groups: int = 1) -> Tensor:
        return norm(slow_same_convolution(y, part.conv.weight, part.conv.stride[0], groups), part.norm)

    if row.operation == "fused_mbconv":
        y = activation(same(block.fused, y))
    else:
        if row.expansion > 1:
            y = activation(same(block.expand, y))
        y = activation(same(block.depthwise, y, row.channels_hidden))
    if row.squeeze_channels:
        se = block.squeeze_excite
        z = activation(F.linear(y.mean((2, 3)), se.reduce.weight[:, :, 0, 0], se.reduce.bias))
        y = y * torch.sigmoid(F.linear(z, se.restore.weight[:, :, 0, 0], se.restore.bias))[:, :, None, None]
    if row.operation == "mbconv" or row.expansion > 1:
        y = same(block.project, y)  # no activation at the linear end
    return x + y if row.stride == 1 and row.channels_in == row.channels_out else y


@pytest.mark.parametrize("index", range(TINY.layers))
@pytest.mark.parametrize(("name", "activation"), [("silu", F.silu), ("relu6", F.relu6)])
def test_blocks_by_hand(index, name, activation):
    torch.manual_seed(index)
    row = resolve(TINY, 16)[index]
    block = (MBConv if row.operation == "mbconv" else FusedMBConv)(row, SAME, name).eval()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean)
    x = torch.randn(2, row.channels_in, 5, 4)
    torch.testing.assert_close(block(x), block_by_hand(block, x, activation), atol=1e-4, rtol=1e-4)


def test_a_fused_block_without_expansion_is_one_convolution():
    row = resolve(spec("efficientnetv2_s"))[0]
    block = FusedMBConv(row, SAME, "silu")
    assert [type(module) for module in block.modules() if isinstance(module, nn.Conv2d)] == [nn.Conv2d]
    assert block.fused.activation is not None
    assert block.project is None


def test_a_block_prints_as_its_line():
    row = resolve(spec("efficientnet_b0"))[3]
    assert str(row) in repr(MBConv(row, SAME, "silu"))


def test_drop_path_keeps_the_expectation_and_whole_images():
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 3, 3)
    y = DropPath(0.3).train()(x)
    per_image = y.flatten(1)
    assert (per_image == per_image[:, :1]).all()
    assert set(per_image[:, 0].tolist()) == {0.0, torch.tensor(1 / 0.7).item()}
    assert y.mean().item() == pytest.approx(1, abs=0.04)
    assert (per_image[:, 0] == 0).float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_drop_path_repeats_with_its_seed_and_differs_without():
    layer, x = DropPath(0.5).train(), torch.ones(64, 1, 1, 1)
    torch.manual_seed(7)
    first, second = layer(x), layer(x)
    torch.manual_seed(7)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


def test_drop_path_does_nothing_in_evaluation_or_at_rate_zero():
    x = torch.randn(8, 2, 3, 3)
    assert DropPath(0.9).eval()(x) is x
    assert DropPath(0.0).train()(x) is x


def test_drop_path_leaves_its_input_alone():
    x = torch.ones(32, 1, 2, 2)
    DropPath(0.5).train()(x)
    assert torch.equal(x, torch.ones(32, 1, 2, 2))


@pytest.mark.parametrize("rate", [-0.1, 1, float("nan"), "0.5"])
def test_drop_path_refuses_a_rate_that_is_none(rate):
    with pytest.raises(ValueError, match=r"rate is .*; it must be a number from 0 to below 1\."):
        DropPath(rate)


def test_only_the_branch_of_a_block_with_a_shortcut_is_dropped():
    """A dropped image leaves the block as it came; a kept one gets its branch enlarged."""
    row = replace(next(row for row in resolve(TINY) if row.has_shortcut), drop_path_rate=0.5)
    block = FusedMBConv(row, SAME, "silu").train()
    block.fused.norm.eval()
    x = torch.randn(64, row.channels_in, 5, 5)
    torch.manual_seed(1)
    y = block(x)
    dropped = (y == x).flatten(1).all(1)
    assert 16 < dropped.sum() < 48
    torch.testing.assert_close(y[~dropped], x[~dropped] + 2 * block.branch(x)[~dropped])


def test_blocks_that_cannot_be_skipped_have_no_drop_path():
    def module(row: BlockSpec):
        return (MBConv if row.operation == "mbconv" else FusedMBConv)(row, SAME, "silu", device="meta")

    for row in resolve(spec("efficientnet_b0")) + resolve(TINY):
        drop_path = module(row).drop_path
        if row.has_shortcut and row.drop_path_rate:
            assert drop_path.rate == row.drop_path_rate
        else:
            assert drop_path is None


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnetv2_b0"])
def test_blocks_whose_branches_weigh_nothing_pass_on_their_input(name):
    net = build(
        replace(spec(name), resolution=32, drop_path_rate=0.0), generator=torch.Generator().manual_seed(0)
    )
    weigh_branches(net, 0.0)
    blocks = [block for block in net.modules() if isinstance(block, MBConv | FusedMBConv)]
    assert any(block.has_shortcut for block in blocks)
    for block in blocks:
        x = torch.randn(2, block.spec.channels_in, 8, 8, generator=torch.Generator().manual_seed(1))
        y = block(x)
        assert torch.equal(x, y) if block.has_shortcut else y.std() > 0.1
