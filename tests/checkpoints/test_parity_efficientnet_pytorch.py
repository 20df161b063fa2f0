"""Every network of efficientnet_pytorch and efficientnet_lite_pytorch: the same logits."""

import efficientnet_lite_pytorch
import efficientnet_pytorch
import pytest

from effnet_edu.model.variants import spec
from tests.checkpoints.parity import built_empty, check_torch_peer

NAMES = list(efficientnet_pytorch.VALID_MODELS)
LITE_NAMES = [f"efficientnet-lite{number}" for number in range(5)]


def _check(package, name):
    ours = name.replace("-", "_")

    # This package pads for one image size, which it is built for; the weights do not depend on it.
    def built_for(resolution):
        return built_empty(lambda: package.EfficientNet.from_name(name, image_size=resolution))

    peer = built_for(64)

    def same_peer_at(resolution):
        if resolution == 64:
            return peer
        other = built_for(resolution)
        other.load_state_dict(peer.state_dict(), assign=True)
        return other

    check_torch_peer(ours, peer, spec(ours).tensorflow, package.__name__, same_peer_at)


@pytest.mark.parametrize("name", NAMES)
def test_efficientnet_pytorch(name):
    _check(efficientnet_pytorch, name)


@pytest.mark.parametrize("name", LITE_NAMES)
def test_efficientnet_lite_pytorch(name):
    _check(efficientnet_lite_pytorch, name)
