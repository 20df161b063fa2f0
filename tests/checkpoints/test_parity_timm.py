"""Every EfficientNet of timm that is one of ours, with and without tf_: the same logits, or operations."""

import re

import pytest

from effnet_edu.model.variants import list_variants, spec
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


@pytest.mark.parametrize("name", VARIANTS)
def test_timm(name):
    ours = name.removeprefix("tf_")
    conventions = spec(ours).tensorflow if name.startswith("tf_") else None
    check_torch_peer(ours, lambda: timm.create_model(name), "timm", conventions)
