"""The networks that ours are compared with are measured as ours are."""

import threading

import pytest
import torch

from effnet_edu.profiling.cancel import Cancelled
from effnet_edu.profiling.peers import PEERS, peer_counts, profile_peer


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_measured_like_a_network_of_ours(name):
    shares = []
    state = torch.random.get_rng_state()
    found = profile_peer(name, 2, 64, device="cpu", seconds=0.01, progress=shares.append)
    assert (found.network, found.batch_size, found.resolution) == (name, 2, 64)
    assert (found.parameters, found.macs) == peer_counts(name, 64)
    assert 0 < found.low_ms <= found.median_ms <= found.high_ms
    assert found.peak_memory_bytes > 4 * found.parameters
    assert shares[-1] == 1.0
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_peer_is_stopped_when_told():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        profile_peer("resnet50", device="cpu", is_cancelled=stop.is_set)


def test_an_unknown_peer_is_refused():
    with pytest.raises(ValueError, match="name is 'resnet51'; it must be one of 'resnet50', 'convnext_tiny'"):
        profile_peer("resnet51")
