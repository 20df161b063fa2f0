"""Every EfficientNet of torchvision: the same logits, or the same operations."""

import pytest

from effnet_edu.model.variants import spec
from tests.cases import thorough_but_for
from tests.checkpoints.parity import check_torch_peer
from tests.peers import import_torchvision

import_torchvision()
from torchvision import models  # noqa: E402

VARIANTS = {
    **{f"efficientnet_b{number}": getattr(models, f"efficientnet_b{number}") for number in range(8)},
    **{f"efficientnetv2_{size}": getattr(models, f"efficientnet_v2_{size}") for size in "sml"},
}


def test_these_are_all_of_torchvision():
    assert len(VARIANTS) == len(models.list_models(include="efficientnet*"))


@pytest.mark.parametrize("name", thorough_but_for(("efficientnet_b0", "efficientnetv2_s"), VARIANTS))
def test_torchvision(name):
    check_torch_peer(name, VARIANTS[name], "torchvision", spec(name).torchvision)
