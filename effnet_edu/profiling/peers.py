"""Networks of other papers, with random weights: something to count and to time as ours are."""

from collections.abc import Mapping
from functools import cache

import torch
from torch import nn

from effnet_edu.ground.checks import choice
from effnet_edu.model.convnext import ConvNeXtTiny
from effnet_edu.model.draws import DrawsFrom
from effnet_edu.model.resnet import ResNet50
from effnet_edu.profiling.counts import count_module

PEERS: Mapping[str, type[nn.Module]] = {"resnet50": ResNet50, "convnext_tiny": ConvNeXtTiny}
#: Side of the images that they, and most networks that do not tell theirs, were published with.
PEER_SIDE = 224


@cache
def peer_counts(name: str, side: int = PEER_SIDE) -> tuple[int, int]:
    """Return parameters and multiply-adds for one image, counted by torch without any arithmetic being done.

    Args:
        name: One of PEERS.
        side: Side of the input in pixels.
    """
    with torch.device("meta"):
        counts = count_module(PEERS[choice("name", name, tuple(PEERS))](), (1, 3, side, side))
    return counts.parameters, counts.macs


def build_peer(network: type[nn.Module], generator: torch.Generator) -> nn.Module:
    """Build a network whose weights are drawn from a generator, and not from torch's own, which is shared."""
    with DrawsFrom(generator):
        return network()
