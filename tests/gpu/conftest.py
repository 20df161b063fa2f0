"""The accelerator that the tests marked gpu run on."""

import pytest
import torch

from effnet_edu.profiling.device import default_device


@pytest.fixture(scope="session")
def place() -> torch.device:
    device = default_device()
    assert device.type != "cpu", "these tests are for a machine with an accelerator"
    return device
