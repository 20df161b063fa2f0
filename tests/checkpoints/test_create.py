"""`ee.create` with published weights: everything travels, and what does not fit is named."""

from importlib.resources import files

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet as LiteNet

import effnet_edu as ee
from effnet_edu.checkpoints.load import NewWeightsWarning
from effnet_edu.images import PHOTOGRAPHS, photograph, preprocess

LITE0 = "efficientnet_lite_pytorch/imagenet"


@pytest.fixture(scope="module")
def lite0() -> ee.EfficientNet:
    return ee.create("efficientnet_lite0", weights=LITE0)


@pytest.fixture(scope="module")
def photographs(lite0) -> torch.Tensor:
    return preprocess([photograph(name) for name in PHOTOGRAPHS], lite0.published.preprocessing)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_lite_on_real_photographs_equals_its_publisher(number):
    net = ee.create(f"efficientnet_lite{number}", weights=LITE0)
    row = net.published
    path = str(files(row.package).joinpath(row.file))
    peer = LiteNet.from_pretrained(f"efficientnet-lite{number}", weights_path=path).eval()
    photographs = preprocess([photograph(name) for name in PHOTOGRAPHS], row.preprocessing)
    with torch.no_grad():
        ours, theirs = net(photographs), peer(photographs)
    error = (ours - theirs).norm(dim=1) / theirs.norm(dim=1)
    assert error.max() <= 1e-6


def test_what_travels_with_weights_travels(lite0):
    assert not lite0.training
    assert lite0.conventions == ee.spec("efficientnet_lite0").tensorflow
    assert lite0.spec == ee.spec("efficientnet_lite0")
    assert lite0.published.licence == "UNKNOWN"
    assert lite0.published.preprocessing.mean == (127, 127, 127)
    assert lite0.published.preprocessing.std == (128, 128, 128)


def test_conventions_can_be_overruled_and_change_the_answer(lite0, photographs):
    wrong = ee.create("efficientnet_lite0", weights=LITE0, conventions="torchvision")
    assert wrong.conventions.padding == "symmetric"
    with torch.no_grad():
        right_logits, wrong_logits = lite0(photographs), wrong(photographs)
    assert (wrong_logits - right_logits).norm() / right_logits.norm() > 0.1


def test_other_classes_keep_all_but_the_classifier(lite0, photographs):
    with pytest.warns(NewWeightsWarning, match=r"classifier\.weight, classifier\.bias .*10 classes"):
        net = ee.create("efficientnet_lite0", num_classes=10, weights=LITE0)
    assert net.classifier.weight.shape == (10, 1280)
    with torch.no_grad():
        for ours, theirs in zip(
            net.features_by_stage(photographs), lite0.features_by_stage(photographs), strict=True
        ):
            assert torch.equal(ours, theirs)


def test_a_fourth_channel_keeps_the_weights_of_the_first_three(lite0):
    with pytest.warns(NewWeightsWarning, match=r"stem\.conv\.weight .*4 input channels"):
        net = ee.create("efficientnet_lite0", weights=LITE0, in_channels=4)
    assert torch.equal(net.stem.conv.weight[:, :3], lite0.stem.conv.weight)
    assert net.stem.conv.weight[:, 3].abs().sum() > 0


def test_one_channel_sees_a_grey_photograph_as_three_equal_ones(lite0, photographs, recwarn):
    net = ee.create("efficientnet_lite0", weights=LITE0, in_channels=1)
    grey = photographs.mean(1, keepdim=True)
    with torch.no_grad():
        torch.testing.assert_close(net(grey), lite0(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)
    assert not [warning for warning in recwarn if warning.category is NewWeightsWarning]


@pytest.mark.parametrize(
    ("network", "weights", "words"),
    [
        (
            "efficientnet_lite0",
            "imagenet",
            "has no weights named 'imagenet'; it has .*'efficientnet_lite_pyt",
        ),
        ("efficientnet_lite9", LITE0, "no network named 'efficientnet_lite9'.*efficientnet_lite4"),
        (ee.compound(1.0), LITE0, "none are published for it"),
    ],
)
def test_unknown_weights_end_in_a_sentence(network, weights, words):
    with pytest.raises(ValueError, match=words):
        ee.create(network, weights=weights)


def test_a_network_on_meta_takes_no_weights():
    with pytest.raises(ValueError, match="meta"):
        ee.create("efficientnet_lite0", weights=LITE0, device="meta")


def test_without_weights_a_network_is_random_and_in_training_mode():
    net = ee.create("efficientnet_lite0")
    assert net.training
    assert net.num_classes == 1000
    assert net.published is None
