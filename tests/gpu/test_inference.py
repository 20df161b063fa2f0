"""The optimised network on an accelerator: the same logits, also compiled and as a recorded graph."""

import pytest
import torch

from effnet_edu.model.inference import optimize_for_inference
from effnet_edu.model.variants import spec
from tests.model.reference import TINY, settled

pytestmark = pytest.mark.gpu


@pytest.fixture
def device(place):
    """The accelerator, with exact float32: its shortened form alone would differ by 1e-3."""
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=cudnn.enabled, allow_tf32=False):
        yield place


def images(device, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3)).to(device)


def relative_error(ours, expected):
    return float((ours - expected).norm() / expected.norm())


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnetv2_b0", "efficientnet_lite0"])
@pytest.mark.parametrize("conventions", ["tensorflow", "torchvision"])
def test_the_same_logits_with_and_without_graphs(device, name, conventions):
    net, x = settled(spec(name), conventions).to(device), images(device, 3, 3, 75, 64)
    with torch.no_grad():
        expected = net(x)
    for graphs in (False, True):
        assert relative_error(optimize_for_inference(net, graphs=graphs)(x), expected) < 1e-4


def test_a_graph_answers_new_images_and_new_shapes(device):
    net = settled(TINY).to(device)
    optimised = optimize_for_inference(net, graphs=True)
    kept = []
    for shape in ((2, 3, 48, 48), (2, 3, 48, 48), (4, 3, 33, 48), (2, 3, 48, 48)):
        x = images(device, *shape) * (1 + len(kept))
        logits = optimised(x)
        kept.append((logits, logits.clone()))
        with torch.no_grad():
            assert relative_error(logits, net(x)) < 1e-4
    assert all(torch.equal(logits, copied) for logits, copied in kept)


@pytest.mark.parametrize("graphs", [False, True])
def test_compiled_for_changing_shapes(device, graphs):
    net = settled(TINY).to(device)
    optimised = optimize_for_inference(net, compile=True, graphs=graphs)
    for shape in ((2, 3, 48, 48), (3, 3, 64, 48), (4, 3, 49, 65)):
        x = images(device, *shape)
        with torch.no_grad():
            assert relative_error(optimised(x), net(x)) < 1e-4


@pytest.mark.parametrize(("precision", "error"), [("bf16", 0.1), ("fp16", 0.02)])
@pytest.mark.parametrize("graphs", [False, True])
def test_lower_precision_is_near_and_keeps_the_type_of_the_images(device, precision, error, graphs):
    net, x = settled(TINY).to(device), images(device, 2, 3, 48, 48)
    logits = optimize_for_inference(net, precision=precision, graphs=graphs)(x)
    assert logits.dtype == torch.float32
    with torch.no_grad():
        assert relative_error(logits, net(x)) < error


def test_weights_that_moved_are_recorded_anew(device):
    net, x = settled(TINY).to(device), images(device, 2, 3, 48, 48)
    optimised = optimize_for_inference(net, graphs=True)
    before = optimised(x)
    optimised.to("cpu").to(device)
    torch.testing.assert_close(optimised(x), before)
