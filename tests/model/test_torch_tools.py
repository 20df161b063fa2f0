"""What people do with a network in torch: formats, autocast, compile, export, hooks."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.export import Dim, export

from effnet_edu.model.network import build
from effnet_edu.model.specs import StageSpec
from effnet_edu.model.variants import spec
from tests.model.reference import TINY, settled

#: Compiling takes seconds a block.
TWO_BLOCKS = replace(
    TINY, stages=(StageSpec("fused_mbconv", 4, 3, 2, 8, 1), StageSpec("mbconv", 4, 3, 1, 8, 1))
)


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
def test_channels_last_computes_the_same_and_stays_channels_last(conventions):
    net, x = settled(TINY, conventions), images(2, 3, 49, 64)
    expected = net(x)
    net = net.to(memory_format=torch.channels_last)
    x = x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(net(x), expected, atol=1e-4, rtol=1e-4)
    for features in net.features_by_stage(x):
        assert features.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
def test_autocast_to_bf16_is_close_and_trains(conventions):
    net, x = settled(TINY, conventions), images(4, 3, 64, 64)
    expected = net(x)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(x)
    assert logits.dtype == torch.bfloat16
    error = (logits.float() - expected).norm() / expected.norm()
    assert 0 < error < 0.05
    net.train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(x).float().square().mean()
    loss.backward()
    for weight in net.parameters():
        assert weight.grad.dtype == torch.float32
        assert weight.grad.isfinite().all()


def test_weights_in_bf16_and_float64():
    x = images(2, 3, 32, 32)
    expected = settled(TINY).double()(x.double())
    torch.testing.assert_close(settled(TINY)(x).double(), expected, atol=1e-4, rtol=1e-4)
    assert settled(TINY).bfloat16()(x.bfloat16()).dtype == torch.bfloat16


def test_compile_computes_the_same_without_a_break():
    """With inductor, the back end that people get."""
    net = settled(TWO_BLOCKS)
    compiled, x = torch.compile(net, fullgraph=True), images(2, 3, 24, 24)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), net(x), atol=1e-4, rtol=1e-4)


def test_compile_follows_many_sizes_with_one_program():
    programs = []

    def count(graph, _inputs):
        programs.append(graph)
        return graph

    net = settled(TINY)
    compiled = torch.compile(net, backend=count, fullgraph=True, dynamic=True)
    with torch.no_grad():
        for shape in ((2, 3, 40, 56), (3, 3, 41, 33), (5, 3, 64, 47)):
            x = images(*shape)
            torch.testing.assert_close(compiled(x), net(x))
    assert len(programs) == 1


def test_compiled_training_gives_the_same_gradients():
    net, x = settled(TWO_BLOCKS), images(4, 3, 32, 32)
    net(x).square().mean().backward()
    expected = {name: weight.grad.clone() for name, weight in net.named_parameters()}
    net.zero_grad()
    torch.compile(net, backend="aot_eager", fullgraph=True)(x).square().mean().backward()
    for name, weight in net.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name], atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.parametrize("network", [TINY, spec("efficientnet_b0")], ids=["tiny", "b0"])
def test_export_with_any_batch_height_and_width(network, conventions):
    """From one pixel above the stride: at the stride itself the last map has one pixel, which torch fixes."""
    net = settled(network, conventions)
    sides = {"min": network.stride + 1, "max": 1024}
    dynamic = {0: Dim("batch", max=256), 2: Dim("height", **sides), 3: Dim("width", **sides)}
    program = export(net, (images(2, 3, 64, 80),), dynamic_shapes={"x": dynamic})
    module = program.module()
    with torch.no_grad():
        for shape in ((1, 3, 33, 64), (3, 3, 75, 50), (2, 3, 96, 97), (5, 3, 49, 35)):
            x = images(*shape)
            torch.testing.assert_close(module(x), net(x), atol=1e-5, rtol=1e-5)


def test_gradients_reach_a_hooked_map_as_grad_cam_needs():
    net, x, kept = settled(TINY), images(2, 3, 48, 48), {}
    net.stages[-1].register_forward_hook(lambda _module, _inputs, output: kept.update(map=output))
    net.stages[-1].register_full_backward_hook(
        lambda _module, _inputs, output: kept.update(gradient=output[0])
    )
    net(x)[:, 3].sum().backward()
    features = kept["map"].detach().requires_grad_()
    net.classifier(net.head(features).mean((2, 3)))[:, 3].sum().backward()
    torch.testing.assert_close(kept["gradient"], features.grad)
    assert features.grad.abs().sum() > 0


def test_maps_that_hooks_saw_are_not_overwritten_while_gradients_are_recorded():
    """An activation in place would change what a hook on the layer before it has kept."""
    net, seen = settled(TINY), []

    def keep(_module, _inputs, output):
        seen.append((output, output.detach().clone()))

    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Conv2d):
            module.register_forward_hook(keep)
        elif not list(module.children()):
            module.register_full_backward_hook(lambda _module, _inputs, _outputs: None)
    net(images(2, 3, 32, 32)).sum().backward()
    assert len(seen) > 30
    assert all(torch.equal(output, copied) for output, copied in seen)


def test_the_same_numbers_with_and_without_gradients():
    net, x = settled(TINY), images(2, 3, 45, 32)
    kept = x.clone()
    recorded = net(x)
    with torch.no_grad():
        assert torch.equal(net(x), recorded)
    with torch.inference_mode():
        assert torch.equal(net(x), recorded)
        maps = net.features_by_stage(x)
    assert torch.equal(x, kept)
    assert all(torch.equal(one, other) for one, other in zip(maps, net.features_by_stage(x), strict=True))


def test_a_meta_network_takes_weights_by_assignment():
    net = settled(TINY)
    empty = build(TINY, 10, device="meta").eval()
    empty.load_state_dict(net.state_dict(), assign=True)
    x = images(2, 3, 32, 32)
    assert torch.equal(empty(x), net(x))
