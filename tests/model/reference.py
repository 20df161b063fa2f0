"""What several tests of the model room share: the carried tables, and small networks."""

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import nn

from effnet_edu.model.network import EfficientNet, build
from effnet_edu.model.specs import NetworkSpec, StageSpec
from effnet_edu.model.variants import spec

DATA = Path(__file__).with_name("data")

#: Both operations, both strides, blocks with and without expansion, squeeze-and-excitation and shortcut.
TINY = replace(
    spec("efficientnet_b0"),
    name="tiny",
    stem_channels=8,
    stages=(
        StageSpec("fused_mbconv", 1, 3, 1, 8, 2, 0),
        StageSpec("fused_mbconv", 4, 3, 2, 12, 2, 0.5),
        StageSpec("mbconv", 1, 3, 1, 12, 2),
        StageSpec("mbconv", 6, 5, 2, 16, 3),
        StageSpec("mbconv", 4, 3, 2, 24, 2, 0),
    ),
    head_channels=32,
    resolution=64,
)


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a carried csv file."""
    with (DATA / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def on_meta(name: str, conventions: str = "tensorflow") -> EfficientNet:
    """Return a published network that nobody changes, built once.

    Args:
        name: A published network.
        conventions: Its conventions.
    """
    return build(name, conventions=conventions, device="meta").eval()


def settled(network: NetworkSpec, conventions: str = "tensorflow", num_classes: int = 10) -> EfficientNet:
    """Return a network in evaluation whose every weight and statistic is random, and matters."""
    torch.manual_seed(0)
    net = EfficientNet(network, num_classes, conventions=network.conventions(conventions)).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net
