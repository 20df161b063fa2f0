"""The ONNX graph is the network: valid, the same logits from another engine, and the same work."""

import copy
import hashlib
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import effnet_edu as ee
from effnet_edu.model.cost import block_layers
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.onnx_graph import onnx_block, onnx_graph
from effnet_edu.model.specs import resolve
from tests.cases import thorough_but_for
from tests.model.reference import TINY, settled
from tests.test_architecture import run_where_blocked

#: Even and odd sides, and two that differ.
SIDES = ((64, 64), (65, 65), (97, 66))
EASY = ("tiny", "efficientnet_lite0", "efficientnet_b0", "efficientnetv2_b0")
HARD = ("efficientnet_b4", "efficientnetv2_s")


def answered(graph: bytes, images: torch.Tensor) -> torch.Tensor:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"images": images.numpy()})
    return torch.from_numpy(answer)


def errors(net: EfficientNet, graph: bytes, images: torch.Tensor) -> tuple[float, float]:
    """Return how far the graph's answer, and torch's own in float32, is from torch's in float64.

    Both over the largest logit: torch's own rounding in float32 is as large as what is looked for.
    """
    with torch.no_grad():
        expected = copy.deepcopy(net).eval().double()(images.double())
        own = copy.deepcopy(net).eval()(images)
    found = answered(graph, images)
    assert found.shape == expected.shape
    largest = expected.abs().max()
    return float((found - expected).abs().max() / largest), float((own - expected).abs().max() / largest)


def error(net: EfficientNet, graph: bytes, images: torch.Tensor) -> float:
    """Return how far the graph's answer is from torch's in float64, over the largest logit."""
    return errors(net, graph, images)[0]


def normalised(net: EfficientNet) -> EfficientNet:
    """Return the network with the statistics of its own maps: V2-S answers with noise with any others."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.train()(pictures(96, 96, 4))
    return net.eval()


def pictures(height: int, width: int, count: int = 1, channels: int = 3) -> torch.Tensor:
    return torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(0))


def shapes(graph: onnx.GraphProto) -> dict[str, list[int]]:
    known = {weight.name: list(weight.dims) for weight in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        known[value.name] = [side.dim_value for side in value.type.tensor_type.shape.dim]
    return known


def macs(graph: bytes) -> int:
    """Count the multiply-adds of all convolutions and products, from the shapes that onnx finds by itself."""
    model = onnx.shape_inference.infer_shapes(
        onnx.load_from_string(graph), check_type=True, strict_mode=True, data_prop=True
    )
    known, total = shapes(model.graph), 0
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            # Each answer of a channel is a sum over all weights of that channel.
            total += int(np.prod(known[node.output[0]]) * np.prod(known[node.input[1]][1:]))
    return total


@pytest.mark.parametrize("name", thorough_but_for(EASY, [*EASY, *HARD]))
@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
def test_logits_are_those_of_torch(name, conventions, tmp_path):
    net = settled(TINY if name == "tiny" else ee.spec(name), conventions)
    net = normalised(net) if name == "efficientnetv2_s" else net
    for height, width in SIDES:
        ee.export_onnx(net, tmp_path / "net.onnx", side=(height, width))
        graph = (tmp_path / "net.onnx").read_bytes()
        onnx.checker.check_model(graph, full_check=True)
        found, own = errors(net, graph, pictures(height, width))
        print(f"{name}, {height} x {width}: {found:.1e}, torch in float32 {own:.1e}")
        assert found < max(1e-5, 2 * own), (height, width)


@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
def test_one_graph_takes_any_side_and_any_number_of_images(conventions, tmp_path):
    net = settled(TINY, conventions)
    ee.export_onnx(net, tmp_path / "net.onnx", side="any", batch_size=None)
    graph = (tmp_path / "net.onnx").read_bytes()
    onnx.checker.check_model(graph, full_check=True)
    for count, (height, width) in enumerate(SIDES, start=1):
        assert error(net, graph, pictures(height, width, count)) < 1e-5


@pytest.mark.parametrize("stride", [8, 16])
def test_strides_that_became_dilation_stay_it(stride, tmp_path):
    net = settled(replace(TINY, output_stride=stride))
    ee.export_onnx(net, tmp_path / "net.onnx", side=(65, 80))
    assert error(net, (tmp_path / "net.onnx").read_bytes(), pictures(65, 80)) < 1e-5


def test_without_classes_it_answers_with_features_and_other_channels_are_taken(tmp_path):
    net = EfficientNet(TINY, num_classes=0, in_channels=4)
    ee.export_onnx(net, tmp_path / "net.onnx")
    assert error(net, (tmp_path / "net.onnx").read_bytes(), pictures(64, 64, channels=4)) < 1e-5


def test_class_maps_have_the_logits_as_their_mean(tmp_path):
    net = settled(TINY)
    ee.export_onnx(net, tmp_path / "net.onnx", side=(97, 66), class_maps=True)
    graph = (tmp_path / "net.onnx").read_bytes()
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    logits, maps = session.run(["logits", "class_maps"], {"images": pictures(97, 66).numpy()})
    assert maps.shape[1] == net.num_classes
    assert maps.shape[2] * maps.shape[3] > 1
    assert maps.std((2, 3)).min() > 0
    summed = maps.mean((2, 3)) + net.classifier.bias.detach().numpy()
    assert np.abs(summed - logits).max() < 1e-5 * np.abs(logits).max()
    with pytest.raises(ValueError, match="class_maps needs classes; num_classes is 0"):
        onnx_graph(TINY, num_classes=0, class_maps=True)


@pytest.mark.parametrize("name", ee.list_variants())
def test_the_work_in_it_is_what_cost_counts(name):
    network = ee.spec(name)
    for side in (network.resolution, 225):
        assert macs(onnx_graph(network, side=side)) == ee.cost(network, side).macs


def test_its_nodes_have_the_names_of_the_rows_that_cost_counts():
    graph = onnx.load_from_string(onnx_graph(TINY)).graph
    rows = {row.name for row in ee.cost(TINY).layers if row.kind != "norm"}
    assert rows <= {node.name for node in graph.node}


def test_a_block_alone_is_that_of_the_network(tmp_path):
    for row in resolve(TINY):
        written = onnx_block(TINY, row.stage, row.index, batch_size=2)
        onnx.checker.check_model(written, full_check=True)
        graph = onnx.load_from_string(written).graph
        rows = list(block_layers(row))
        assert macs(written) == 2 * sum(one.macs for one in rows)
        assert {one.name for one in rows if one.kind != "norm"} <= {node.name for node in graph.node}
        ends = [
            [side.dim_value for side in end.type.tensor_type.shape.dim]
            for end in (graph.input[0], graph.output[0])
        ]
        sides = ((row.channels_in, row.side_in), (row.channels_out, row.side_out))
        assert ends == [[2, channels, side, side] for channels, side in sides]
    with pytest.raises(ValueError, match="has no block 9 in stage 0"):
        onnx_block(TINY, 0, 9)


def test_a_graph_with_made_weights_is_small_and_gives_ordinary_numbers(tmp_path):
    ee.export_onnx("efficientnet_b0", tmp_path / "b0.onnx", side=64)
    graph = (tmp_path / "b0.onnx").read_bytes()
    assert len(graph) <= 40 * 1024
    onnx.checker.check_model(graph, full_check=True)
    deep = ee.scale(TINY, depth=12)
    for made in (graph, onnx_graph(deep)):
        answer = answered(made, torch.rand(1, 3, 64, 64))
        assert 1e-3 < answer.min() <= answer.max() < 1e30  # float32 reaches from 1e-38 to 1e38


def test_it_is_written_where_there_is_nothing_but_python():
    printed = run_where_blocked(
        ("torch", "numpy", "onnx", "google", "onnxruntime"),
        """
        import hashlib
        import effnet_edu as ee
        from effnet_edu.model.onnx_graph import onnx_graph
        print(hashlib.sha256(onnx_graph(ee.spec("efficientnet_b0"))).hexdigest())
        """,
    )
    assert printed.strip() == hashlib.sha256(onnx_graph(ee.spec("efficientnet_b0"))).hexdigest()


def test_exporting_leaves_the_network_as_it_was(tmp_path):
    net = settled(TINY).train()
    net.stages[1].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    ee.export_onnx(net, tmp_path / "net.onnx")
    assert [module.training for module in net.modules()] == modes
    assert net.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert error(net, (tmp_path / "net.onnx").read_bytes(), pictures(64, 64)) < 1e-5


def strided_less(net):
    net.stages[1][0].fused.conv.stride = (1, 1)


def with_a_relu(net):
    net.head.activation = nn.ReLU()


def with_another_eps(net):
    net.stem.norm.eps = 0.5


def with_two_layers(net):
    net.classifier = nn.Sequential(nn.Linear(32, 16), nn.Linear(16, 5))


def without_a_bias(net):
    net.classifier = nn.Linear(32, 5, bias=False)


def with_a_layer_more(net):
    net.stages[4].append(nn.Sigmoid())


CHANGES = {
    strided_less: r"stages\.1\.0\.fused\.conv has the stride \(1, 1\), .* \(2, 2\);",
    with_a_relu: r"head\.activation has the class .*ReLU', .*SiLU';",
    with_another_eps: r"stem\.norm has the eps 0\.5, .* 0\.001;",
    with_two_layers: r"classifier has the class .*Sequential', .*Linear'; .* one linear layer as classifier",
    without_a_bias: r"classifier has the bias None, .* \(5,\);",
    with_a_layer_more: r"stages\.4\.2 has the class .*Sigmoid', .* None;",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_network_that_is_not_what_its_spec_says_is_refused(change, tmp_path):
    net = settled(TINY)
    change(net)
    with pytest.raises(ValueError, match=CHANGES[change]) as refused:
        ee.export_onnx(net, tmp_path / "net.onnx")
    assert len(str(refused.value)) < 500
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_network_of_ours_or_has_no_weights_is_refused(tmp_path):
    file = tmp_path / "net.onnx"
    with pytest.raises(TypeError, match="of type Linear; it must be an EfficientNet"):
        ee.export_onnx(nn.Linear(2, 2), file)
    with pytest.raises(ValueError, match="is on meta and has no weights"):
        ee.export_onnx(EfficientNet(TINY, device="meta"), file)
    with pytest.raises(ValueError, match="was optimised before"):
        ee.export_onnx(ee.optimize_for_inference(settled(TINY)), file)
    with pytest.raises(ValueError, match="must be a NetworkSpec or the name"):
        ee.export_onnx(7, file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("side", [0, 15, (64, 15), "all", (64,), 64.5, True])
def test_a_side_that_the_network_cannot_take_is_refused(side):
    with pytest.raises(ValueError, match="side is "):
        onnx_graph(TINY, side=side)


def test_weights_that_are_missing_or_too_short_are_named():
    with pytest.raises(ValueError, match=r"stem\.conv\.weight is missing; tiny needs 864 bytes"):
        onnx_graph(TINY, {})
    with pytest.raises(ValueError, match=r"stem\.conv\.weight has 3 bytes; .* shape \(8, 3, 3, 3\)"):
        onnx_graph(TINY, {"stem.conv.weight": b"abc"})
