"""The yardstick is torchvision's ResNet-50."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from effnet_edu.model.resnet import ResNet50
from tests.peers import import_torchvision


def test_it_computes_what_torchvisions_does():
    torch.manual_seed(0)
    theirs = import_torchvision().models.resnet50().eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    ours = ResNet50().eval()
    # The same parts in the same order, but for where a block keeps its shortcut: both put it last.
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, 3, 65, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images))


def test_its_counts_are_the_published_ones():
    with torch.device("meta"):
        network = ResNet50().eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.empty(1, 3, 224, 224))
    assert sum(parameter.numel() for parameter in network.parameters()) == 25_557_032
    assert counter.get_total_flops() // 2 == 4_089_184_256
