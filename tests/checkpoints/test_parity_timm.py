"""Every EfficientNet of timm that is one of ours, with and without tf_: the same logits, or operations."""

import re

import pytest

from effnet_edu.model.variants import list_variants, spec
from tests.cases import thorough_but_for
from tests.checkpoints.parity import check_torch_peer
from tests.peers import import_torchvision

import_torchvision()
import timm  # noqa: E402

VARIANTS = [
    name for name in timm.list_models(module="efficientnet") if name.removeprefix("tf_") in list_variants()
]


def test_these_are_all_of_timm():
    ours = re.compile(r"(tf_)?efficientnet(_b\d|_l2|_lite\d|v2_(b\d|s|m|l|xl))")
    assert [name for name in timm.list_models() if ours.fullmatch(name)] == VARIANTS
    assert {name.removeprefix("tf_") for name in VARIANTS} == set(list_variants())


#: One of each family, with the conventions of both frameworks, and one that is compared on meta.
QUICK = (
    *("efficientnet_b0", "efficientnet_lite0", "efficientnetv2_s", "efficientnet_b7"),
    *("tf_efficientnet_b0", "tf_efficientnet_lite0", "tf_efficientnetv2_b0", "tf_efficientnetv2_s"),
)


@pytest.mark.parametrize("name", thorough_but_for(QUICK, VARIANTS))
def test_timm(name):
    ours = name.removeprefix("tf_")
    conventions = spec(ours).tensorflow if name.startswith("tf_") else None
    check_torch_peer(ours, lambda: timm.create_model(name), "timm", conventions)
