"""Every EfficientNet of geffnet that is one of ours: the same logits."""

import geffnet
import pytest

from effnet_edu.model.variants import list_variants, spec
from tests.checkpoints.parity import built_empty, check_torch_peer, conventions_of

NAMES = [name for name in geffnet.gen_efficientnet.__all__ if "efficientnet" in name]
# geffnet has its TensorFlow L2 only under the names of its weights.
VARIANTS = [
    name
    for name in NAMES
    if name.removeprefix("tf_").removesuffix("_ns") in list_variants()
    and (not name.endswith("_ns") or name == "tf_efficientnet_l2_ns")
]


def test_these_are_all_of_geffnet():
    assert {name.removeprefix("tf_").removesuffix("_ns") for name in VARIANTS} == {
        name for name in list_variants() if "v2" not in name
    }


@pytest.mark.parametrize("name", VARIANTS)
def test_geffnet(name):
    peer = built_empty(lambda: getattr(geffnet, name)(pretrained=False))
    ours = name.removeprefix("tf_").removesuffix("_ns")
    tensorflow = name.startswith("tf_")
    conventions = spec(ours).tensorflow if tensorflow else conventions_of(peer, "symmetric")
    check_torch_peer(ours, peer, conventions, "geffnet", lambda _: peer)
