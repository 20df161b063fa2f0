"""The networks that ours are compared with are measured as ours are."""

import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.model.resnet import ResNet50
from effnet_edu.profiling.peers import PEERS, build_peer, peer_counts


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_measured_like_a_network_of_ours(name):
    shares = []
    found = ee.profile(name, 2, 64, device="cpu", seconds=0.01, watch=Watch(progress=shares.append))
    assert (found.network, found.batch_size, found.resolution) == (name, 2, 64)
    assert (found.parameters, found.macs) == peer_counts(name, 64)
    assert 0 < found.low_ms <= found.median_ms <= found.high_ms
    assert found.peak_memory_bytes > 4 * found.parameters
    assert shares[-1] == 1.0
    assert found.command.startswith(f"python -m effnet_edu profile {name} --batch-size 2")


def test_a_peer_is_stopped_when_told():
    with pytest.raises(Cancelled):
        ee.profile("resnet50", device="cpu", watch=Watch(is_cancelled=lambda: True))


def test_an_unknown_peer_is_refused():
    with pytest.raises(ValueError, match="name is 'resnet51'; it must be one of 'resnet50', 'convnext_tiny'"):
        peer_counts("resnet51")


def test_weights_are_drawn_as_torch_draws_them_but_from_the_generator_given():
    drawn = build_peer(ResNet50, torch.Generator().manual_seed(0)).state_dict()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        usual = ResNet50().state_dict()
    assert all(torch.equal(drawn[name], usual[name]) for name in usual)
