"""What came next is torchvision's ConvNeXt-T."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from effnet_edu.model.convnext import ConvNeXtTiny
from tests.peers import import_torchvision


def test_it_computes_what_torchvisions_does():
    torch.manual_seed(0)
    theirs = import_torchvision().models.convnext_tiny().eval()
    for name, parameter in theirs.named_parameters():
        if name.endswith("layer_scale"):
            torch.nn.init.normal_(parameter, std=0.5)  # as it is born, the branches would not be seen
    ours = ConvNeXtTiny().eval()
    state = ours.state_dict()
    # The same parts in the same order; theirs has the last norm and the classifier in one sequence.
    ours.load_state_dict(dict(zip(state, theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, 3, 65, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_its_counts_are_the_published_ones():
    with torch.device("meta"):
        network = ConvNeXtTiny().eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.empty(1, 3, 224, 224))
    assert sum(parameter.numel() for parameter in network.parameters()) == 28_589_128
    # torchvision prints 4.456 billion.
    assert round(counter.get_total_flops() / 2e9, 3) == 4.456
