"""Every EfficientNet of geffnet that is one of ours: the same logits, or operations."""

import geffnet
import pytest

from effnet_edu.model.variants import list_variants, spec
from tests.cases import thorough_but_for
from tests.checkpoints.parity import check_torch_peer

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


#: One of each family, with the conventions of both frameworks.
QUICK = ("efficientnet_b0", "efficientnet_lite0", "tf_efficientnet_b0", "tf_efficientnet_lite0")


@pytest.mark.parametrize("name", thorough_but_for(QUICK, VARIANTS))
def test_geffnet(name):
    ours = name.removeprefix("tf_").removesuffix("_ns")
    conventions = spec(ours).tensorflow if name.startswith("tf_") else None
    check_torch_peer(ours, lambda: getattr(geffnet, name)(pretrained=False), "geffnet", conventions)
