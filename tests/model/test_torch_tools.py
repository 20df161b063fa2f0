"""What people do with a network in torch and its tools: formats, compile, export, hooks, counting."""

import copy
from collections import Counter
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.ao.quantization import fuse_modules
from torch.export import Dim, export

import effnet_edu as ee
from effnet_edu.model.blocks import ConvNormAct
from effnet_edu.model.network import build
from effnet_edu.model.specs import StageSpec
from effnet_edu.model.variants import spec
from tests.model.reference import TINY, settled
from tests.peers import import_torchvision

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


@pytest.mark.thorough
def test_compile_computes_the_same_without_a_break():
    """With inductor, the back end that people get."""
    net = settled(TWO_BLOCKS)
    compiled, x = torch.compile(net, fullgraph=True), images(2, 3, 24, 24)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), net(x), atol=1e-4, rtol=1e-4)


@pytest.mark.thorough
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
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(TINY, id="tiny"),
        pytest.param(spec("efficientnet_b0"), id="b0", marks=pytest.mark.thorough),
    ],
)
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


def test_hooks_keep_the_same_maps_in_every_mode():
    """With gradients off, what a hook was given stays what it was."""
    net, x = settled(spec("efficientnet_b0")), images(2, 3, 64, 64)
    kept = {}
    for name, mode in (("grad", torch.enable_grad), ("none", torch.no_grad), ("infer", torch.inference_mode)):
        seen = kept[name] = []
        handles = [
            module.register_forward_hook(lambda _module, _inputs, output, seen=seen: seen.append(output))
            for module in net.modules()
        ]
        with mode():
            net(x)
        for handle in handles:
            handle.remove()
    assert len(kept["grad"]) > 200
    for one, other, third in zip(*kept.values(), strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one, third)


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_tracing_records_one_program_for_other_sizes_too(conventions):
    net, x, other = settled(TINY, conventions), images(2, 3, 48, 50), images(3, 3, 49, 64)
    with torch.no_grad():
        for traced in (torch.jit.trace(net, x), torch.fx.symbolic_trace(net)):
            assert torch.equal(traced(x), net(x))
            assert torch.equal(traced(other), net(other))


def test_features_are_extracted_by_their_names():
    create_feature_extractor = feature_extraction()
    net, x = settled(TINY), images(2, 3, 49, 64)
    maps = create_feature_extractor(net, {"stages.1": "early", "stages": "last", "pool": "pooled"})(x)
    by_stage = net.features_by_stage(x)
    assert torch.equal(maps["early"], by_stage[1])
    assert torch.equal(maps["last"], by_stage[-1])
    assert torch.equal(net.classifier(maps["pooled"]), net(x))


def feature_extraction():
    import_torchvision()
    from torchvision.models.feature_extraction import create_feature_extractor

    return create_feature_extractor


def test_children_without_the_last_give_pooled_features():
    net, x = settled(TINY), images(2, 3, 49, 64)
    backbone = nn.Sequential(*list(net.children())[:-1])
    assert backbone(x).shape == (2, TINY.head_channels)
    assert torch.equal(net.classifier(backbone(x)), net(x))


def test_eager_fusing_takes_every_batch_norm_out_and_leaves_a_network_to_optimise():
    net, x = settled(TINY), images(2, 3, 49, 64)
    parts = [name for name, module in net.named_modules() if isinstance(module, ConvNormAct)]
    fused = fuse_modules(copy.deepcopy(net), [[f"{name}.conv", f"{name}.norm"] for name in parts])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    torch.testing.assert_close(fused(x), net(x), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ee.optimize_for_inference(fused)(x), net(x), atol=1e-4, rtol=1e-4)


def counted_by_exact_type(net: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    """Return MACs and parameters as thop and ptflops count them: by `type(module)`, and nothing of others."""
    macs, parameters = Counter(), 0
    handles = []

    def convolve(module: nn.Conv2d, _inputs: object, output: torch.Tensor) -> None:
        macs["conv"] += output.numel() * module.weight[0].numel()

    def project(module: nn.Linear, _inputs: object, output: torch.Tensor) -> None:
        macs["linear"] += output.numel() * module.in_features

    known = {nn.Conv2d: convolve, nn.Linear: project}
    for module in net.modules():
        if type(module) in (*known, nn.BatchNorm2d):
            parameters += sum(weight.numel() for weight in module.parameters())
        if type(module) in known:
            handles.append(module.register_forward_hook(known[type(module)]))
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return sum(macs.values()), parameters


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_lite0", "efficientnetv2_b0"])
def test_counters_that_know_exact_types_count_everything(name):
    """thop and ptflops counted 28 and 21 of B0's 386 million MACs while convolutions were subclasses."""
    net = build(name).eval()
    counted = ee.cost(name)
    side = net.spec.resolution
    assert counted_by_exact_type(net, torch.zeros(1, 3, side, side)) == (counted.macs, counted.parameters)
    kinds = {type(module) for module in net.modules() if not list(module.children())}
    assert {kind.__module__.partition(".")[0] for kind in kinds} <= {"torch", "effnet_edu"}
    assert {kind.__name__ for kind in kinds if kind.__module__.startswith("effnet_edu")} <= {"DropPath"}


@pytest.mark.thorough
def test_the_optimised_network_exports_and_compiles_whole_with_its_slices(monkeypatch):
    monkeypatch.setattr("effnet_edu.model.inference.SLICE_BYTES", 2**15)
    net = settled(TINY)
    optimised, x, other = (
        ee.optimize_for_inference(net, slices=True),
        images(4, 3, 48, 64),
        images(7, 3, 48, 64),
    )
    program = export(optimised, (x,), dynamic_shapes={"x": {0: Dim("batch", max=64)}}).module()
    compiled = torch.compile(optimised, fullgraph=True, backend="aot_eager")
    for run in (program, compiled):
        for batch in (x, other):
            torch.testing.assert_close(run(batch), net(batch), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("layout", ["effnet_edu", "timm"])
def test_what_a_channels_last_network_exports_can_be_saved(layout, tmp_path):
    net = build("efficientnetv2_b0", 3).to(memory_format=torch.channels_last)
    exported = ee.export_state_dict(net, layout)
    save_file(exported, tmp_path / "net.safetensors")
    kept = load_file(tmp_path / "net.safetensors")
    assert all(torch.equal(kept[key], value) for key, value in exported.items())
    assert kept.keys() == exported.keys()


def test_a_meta_network_takes_weights_by_assignment():
    net = settled(TINY)
    empty = build(TINY, 10, device="meta").eval()
    empty.load_state_dict(net.state_dict(), assign=True)
    x = images(2, 3, 32, 32)
    assert torch.equal(empty(x), net(x))
