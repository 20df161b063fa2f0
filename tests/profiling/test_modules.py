"""What is measured is the module that is there: another head, wrapped, compiled, or somebody else's."""

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.profiling.counts import count_module
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.training_cost import profile_training
from tests.peers import import_torchvision

LITE0 = ee.cost("efficientnet_lite0", 64)
BACKBONE = LITE0.parameters - 1281 * 1000


def lite0(head: nn.Module | None = None) -> ee.EfficientNet:
    net = ee.create("efficientnet_lite0")
    net.classifier = head or net.classifier
    return net


def several() -> nn.Sequential:
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 32), nn.ReLU(), nn.Linear(32, 7))


def measured(net: nn.Module, side: int = 64) -> ee.profiling.Measurement:
    return profile(net, 1, side, device="cpu", seconds=0.01)


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnetv2_b0", "efficientnet_lite0"])
def test_a_module_is_counted_as_its_table_says(name: str) -> None:
    exact = ee.cost(name, 64)
    counts = count_module(ee.create(name, device="meta"), (1, 3, 64, 64))
    assert (counts.macs, counts.parameters, counts.buffers) == (exact.macs, exact.parameters, exact.buffers)


def test_another_head_is_counted_as_it_is() -> None:
    found = measured(lite0(nn.Linear(1280, 7)))
    assert (found.parameters, found.macs) == (BACKBONE + 1281 * 7, LITE0.macs - 1280 * 993)
    found = measured(lite0(several()))
    assert found.parameters == BACKBONE + 1281 * 32 + 33 * 7
    assert found.macs == LITE0.macs - 1280 * 1000 + 1280 * 32 + 32 * 7
    assert measured(lite0(nn.Identity())).macs == LITE0.macs - 1280 * 1000


class TwoAnswers(nn.Module):
    """A head whose answer is a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.kind, self.colour = nn.Linear(1280, 6), nn.Linear(1280, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"kind": self.kind(x), "colour": self.colour(x)}


def test_a_head_with_two_answers_is_counted_and_cannot_classify() -> None:
    net = lite0(TwoAnswers())
    found = measured(net)
    assert (found.parameters, found.macs) == (BACKBONE + 1281 * 9, LITE0.macs - 1280 * 991)
    net.published = find_weights("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
    with pytest.raises(ValueError, match="answers with a dict; classify needs logits"):
        ee.classify(net, torch.zeros(3, 64, 64))


def test_layers_without_a_shape_are_refused_and_left_alone() -> None:
    net = lite0(nn.LazyLinear(7))
    with pytest.raises(ValueError, match="layers that wait for their first input; run it on an image first"):
        measured(net)
    with torch.no_grad():
        assert net.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 7)
    assert measured(net).parameters == BACKBONE + 1281 * 7


def test_layers_are_told_apart_under_another_head() -> None:
    for head, macs in ((nn.Linear(1280, 7), 1280 * 7), (several(), 1280 * 32 + 32 * 7)):
        found = ee.profile_layers(lite0(head), 1, 64, device="cpu", seconds=0.01)
        assert (found.layers[-1].name, found.layers[-1].macs) == ("classifier", macs)
        assert len(found.layers) == len(LITE0.layers)
    found = ee.profile_layers(lite0(nn.Identity()), 1, 64, device="cpu", seconds=0.01)
    assert len(found.layers) == len(LITE0.layers) - 1


def test_training_another_head_is_counted_and_several_layers_are_refused() -> None:
    found = profile_training(lite0(nn.Linear(1280, 7)), 2, 64, device="cpu", seconds=0.01)
    assert found.forward_macs == 2 * (LITE0.macs - 1280 * 993)
    assert found.difference_bytes == 0
    with pytest.raises(ValueError, match="classifier of this efficientnet_lite0 is a Sequential"):
        profile_training(lite0(several()), 2, 64, device="cpu")


def test_a_changed_stride_changes_the_count_and_the_layers_are_refused() -> None:
    net = lite0()
    net.stages[5][0].depthwise.conv.stride = (1, 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.zeros(1, 3, 64, 64))
    assert measured(net).macs == counter.get_total_flops() // 2 > LITE0.macs
    for refusing in (ee.profile_layers, profile_training):
        with pytest.raises(ValueError, match="layers of this efficientnet_lite0 are not those of its spec"):
            refusing(net, 2, device="cpu")


def test_a_network_of_torchvision_has_the_macs_that_torchvision_publishes() -> None:
    models = import_torchvision().models
    counts = count_module(models.resnet18(weights=None), (1, 3, 224, 224))
    published = models.ResNet18_Weights.IMAGENET1K_V1.meta
    assert (round(counts.macs / 1e9, 3), counts.parameters) == (published["_ops"], published["num_params"])


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = lite0()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"logits": self.net(x)}


def others() -> list[tuple[nn.Module, str]]:
    torchvision = import_torchvision()
    import timm  # which imports torchvision

    return [
        (Wrapped(), "efficientnet_lite0"),
        (torch.compile(lite0(), backend="eager"), "efficientnet_lite0"),
        (ee.optimize_for_inference(lite0().eval()), "efficientnet_lite0"),
        (torchvision.models.resnet18(weights=None), "ResNet"),
        (timm.create_model("mobilenetv3_small_050"), "MobileNetV3"),
    ]


@pytest.mark.parametrize("index", range(5))
def test_any_module_that_takes_images_is_measured_as_it_is(index: int) -> None:
    net, name = others()[index]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        (getattr(net, "_orig_mod", net)).eval()(torch.zeros(1, 3, 64, 64))
    found = measured(net)
    assert found.network == name
    assert found.macs == counter.get_total_flops() // 2
    assert found.parameters == sum(one.numel() for one in net.parameters())
    assert found.command == ""
    with pytest.raises(ValueError, match="layers"):
        ee.profile_layers(net, 1, 64, device="cpu")


@pytest.mark.thorough
def test_a_compiled_network_is_measured_compiled() -> None:
    ran: list[int] = []

    def backend(graph: torch.fx.GraphModule, _inputs: object) -> object:
        ran.append(1)
        return graph.forward

    net = lite0()
    net.compile(backend=backend)
    measured(net)
    assert ran


def test_what_takes_no_images_or_has_no_weights_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="Linear cannot be counted for an input of 1 x 3 x 64") as raised:
        measured(nn.Linear(3, 4))
    assert len(str(raised.value)) < 400
    with pytest.raises(ValueError, match="is on meta and has no weights"):
        measured(ee.create("efficientnet_lite0", device="meta"))
