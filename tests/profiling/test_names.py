"""What is known without torch is what there is with it."""

from effnet_edu.profiling.names import PEER_NAMES, PRECISION_BYTES
from effnet_edu.profiling.peers import PEERS
from effnet_edu.profiling.workload import PRECISIONS


def test_precisions_and_peers_are_those_that_can_be_measured() -> None:
    assert {name: kind.itemsize for name, kind in PRECISIONS.items()} == PRECISION_BYTES
    assert list(PRECISIONS) == list(PRECISION_BYTES)
    assert tuple(PEERS) == PEER_NAMES
