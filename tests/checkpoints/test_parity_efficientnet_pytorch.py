"""Every network of efficientnet_pytorch and efficientnet_lite_pytorch: the same logits, or operations."""

import efficientnet_lite_pytorch
import efficientnet_pytorch
import pytest

from effnet_edu.model.variants import spec
from tests.cases import thorough_but_for
from tests.checkpoints.parity import SIDES, check_torch_peer

NAMES = list(efficientnet_pytorch.VALID_MODELS)
LITE_NAMES = [f"efficientnet-lite{number}" for number in range(5)]


def _check(package, name):
    ours = name.replace("-", "_")

    # This package pads for one image size, which it is built for.
    def build():
        return package.EfficientNet.from_name(name, image_size=SIDES)

    check_torch_peer(ours, build, package.__name__, spec(ours).tensorflow)


@pytest.mark.parametrize("name", thorough_but_for(("efficientnet-b0",), NAMES))
def test_efficientnet_pytorch(name):
    _check(efficientnet_pytorch, name)


@pytest.mark.parametrize("name", thorough_but_for(("efficientnet-lite0",), LITE_NAMES))
def test_efficientnet_lite_pytorch(name):
    _check(efficientnet_lite_pytorch, name)
