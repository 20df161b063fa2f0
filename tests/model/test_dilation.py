"""Strides made dilation, against timm's networks with the same weights, and the maps of a backbone."""

from dataclasses import replace

import pytest
import torch

import effnet_edu as ee
from effnet_edu.checkpoints.load import load_checkpoint
from effnet_edu.model.features import FeatureExtractor
from effnet_edu.model.specs import Conventions
from tests.cases import thorough_but_for
from tests.checkpoints.parity import built_empty, randomise
from tests.peers import import_torchvision

import_torchvision()
import timm  # noqa: E402 - it imports torchvision itself

B0 = "efficientnet_b0"
#: timm's name, ours, conventions.
PEERS = [
    ("tf_efficientnet_b0", B0, Conventions("same", 1e-3, 0.1)),
    ("efficientnet_b0", B0, Conventions("symmetric", 1e-5, 0.1)),
    ("tf_efficientnetv2_b0", "efficientnetv2_b0", Conventions("same", 1e-3, 0.1)),
]


@pytest.mark.parametrize("output_stride", thorough_but_for((16,), (8, 16, 32)))
@pytest.mark.parametrize(("theirs", "name", "conventions"), PEERS, ids=[row[0] for row in PEERS])
def test_maps_are_those_of_timm_with_the_same_weights(theirs, name, conventions, output_stride):
    x = torch.randn(2, 3, 97, 130, generator=torch.Generator().manual_seed(0))
    whole = built_empty(lambda: timm.create_model(theirs))
    randomise(whole.state_dict().items())
    peer = timm.create_model(theirs, features_only=True, output_stride=output_stride).eval()
    peer.load_state_dict(whole.state_dict(), strict=False)
    net = ee.create(name, conventions=conventions, output_stride=output_stride).eval()
    load_checkpoint(net, whole.state_dict())
    ours = net.features_only()
    with torch.no_grad():
        maps, expected = ours(x), peer(x)
    assert ours.feature_info.channels() == peer.feature_info.channels()
    assert ours.feature_info.reduction() == peer.feature_info.reduction()
    for one, other in zip(maps, expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).norm() <= 1e-5 * other.norm()


def test_weights_and_costs_do_not_depend_on_it_where_they_should_not():
    plain, dilated = ee.spec(B0), replace(ee.spec(B0), output_stride=16)
    assert ee.cost(dilated).parameters == ee.cost(plain).parameters
    assert ee.cost(dilated).macs > ee.cost(plain).macs
    assert plain.reductions == (2, 4, 8, 16, 16, 32, 32)
    assert dilated.reductions == (2, 4, 8, 16, 16, 16, 16)
    assert (plain.stride, dilated.stride) == (32, 16)
    rows = ee.resolve(dilated)
    assert [row.side_out for row in rows if row.stage > 3] == [14] * 8
    # As in timm, the block that loses its stride reads with the dilation from before.
    assert [row.dilation for row in rows if row.stage > 4] == [1, 2, 2, 2, 2]
    assert "k5 s1 d2" in str(rows[-2])
    assert ee.create(B0, output_stride=32).blocks == ee.resolve(plain)


def test_macs_of_a_dilated_network_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    net = ee.create(B0, output_stride=8, device="meta").eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, 225, 225, device="meta"))
    assert counter.get_total_flops() == 2 * ee.cost(net.spec, 225).macs


def test_features_share_the_weights_and_train():
    net = ee.create(B0, num_classes=0, output_stride=16)
    maps = net.features_only()
    assert isinstance(maps, FeatureExtractor)
    assert maps.stem is net.stem
    sum(one.mean() for one in maps(torch.randn(2, 3, 64, 64))).backward()
    assert net.stem.conv.weight.grad.abs().sum() > 0
    assert maps.feature_info.channels() == [16, 24, 40, 112, 320]
    assert maps.feature_info.reduction() == [2, 4, 8, 16, 16]


@pytest.mark.parametrize("value", [0, 4, 64, 16.5, "16"])
def test_other_strides_are_refused(value):
    with pytest.raises(ValueError, match=r"output_stride is .*; it must be 8, 16 or 32\."):
        ee.create(B0, output_stride=value)
