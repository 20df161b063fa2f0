"""One function that makes a network: random, or with published weights and all that travels with them."""

from dataclasses import replace

import torch

from effnet_edu.checkpoints.fetch import weights_file
from effnet_edu.checkpoints.load import load_published
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.model.network import EfficientNet, build
from effnet_edu.model.specs import Conventions, NetworkSpec
from effnet_edu.model.variants import as_spec


def create(
    network: str | NetworkSpec,
    num_classes: int | None = None,
    conventions: str | Conventions | None = None,
    weights: str | None = None,
    device: torch.device | str | None = None,
    in_channels: int = 3,
    output_stride: int | None = None,
) -> EfficientNet:
    """Build a network: with random weights in training mode, or with published ones in evaluation mode.

    With published weights come their classes, conventions, activation, input size and preprocessing. Another
    number of classes or input channels keeps every weight that fits and warns which are new.

    Args:
        network: A name from `list_variants()`, or a spec (from `compound`, say).
        num_classes: Outputs of the classifier; by default as many as the weights have, or 1000. With 0 there
            is none, and the network answers with its pooled features.
        conventions: `"tensorflow"`, `"torchvision"`, conventions of your own, or None for those of the
            weights (without weights: of the authors).
        weights: A name from `list_weights()` such as `"torchvision/IMAGENET1K_V1"`, or None for random
            weights from torch's default generator.
        device: Where to build it; the CPU by default, and `"meta"` allocates nothing.
        in_channels: Channels of the input, 1 or more.
        output_stride: 8, 16 or 32: how many input pixels, along one side, a pixel of the last map stands for
            at most; strides beyond it become dilation. None leaves every stride.

    Raises:
        ValueError: A name is unknown, a number is outside its range, or the file is not the published one.
        MemoryError: The weights would not fit on the device.
        FileNotFoundError: The file is in a package that is not installed.
    """
    spec = as_spec(network)
    if output_stride is not None:
        spec = replace(spec, output_stride=output_stride)
    if weights is None:
        return build(spec, 1000 if num_classes is None else num_classes, conventions, device, in_channels)
    row = find_weights(spec.name, weights)
    net = build(
        replace(spec, resolution=row.preprocessing.resolution, activation=row.activation),
        row.num_classes if num_classes is None else num_classes,
        conventions or row.conventions,
        device,
        in_channels,
    )
    load_published(net, weights_file(row), row)
    net.published = row
    return net.eval()
