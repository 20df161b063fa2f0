"""What squeeze-and-excitation learned: how much of its gates depends on the class, block by block."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.blocks import MBConv
from effnet_edu.model.network import EfficientNet
from effnet_edu.studies.study import rounded
from effnet_edu.training.augmentation import to_floats

_AT_ONCE = 256


@torch.no_grad()
def gates(network: EfficientNet, images: LabelledImages) -> dict[str, Tensor]:
    """Return the gates of every block that has squeeze-and-excitation, for every image.

    Returns:
        Name of the block, such as `stages.2.0`, to its gates between 0 and 1.  # (N, c_mid)
    """
    found: dict[str, list[Tensor]] = {}
    hooks = []
    for name, block in network.named_modules():
        if isinstance(block, MBConv) and block.squeeze_excite is not None:
            kept: list[Tensor] = found.setdefault(name, [])

            # Before the multiplication, which may take the place of the map that the gates are computed from.
            def keep(module: nn.Module, inputs: tuple[Tensor], kept: list[Tensor] = kept) -> None:
                kept.append(module.gate(inputs[0]).flatten(1))  # type: ignore[operator]

            hooks.append(block.squeeze_excite.register_forward_pre_hook(keep))
    try:
        network.eval()
        for batch in torch.split(images.images, _AT_ONCE):
            network(to_floats(batch))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(parts) for name, parts in found.items()}


def between_class_share(values: Tensor, labels: Tensor) -> float:
    """Return which share of the variance of the gates lies between classes, over all channels together.

    0: every class has the same gates on average. 1: the class alone decides them.

    Args:
        values: Gates of one block.  # (N, C)
        labels: Class of each image.  # (N,)
    """
    values = values.double()
    overall = values.mean(0)
    total = (values - overall).square().sum()
    between = torch.zeros((), dtype=torch.float64)
    for label in torch.unique(labels):
        chosen = values[labels == label]
        between += len(chosen) * (chosen.mean(0) - overall).square().sum()
    return float(between / total) if total > 0 else 0.0


def describe_gates(network: EfficientNet, images: LabelledImages, with_means: bool) -> list[dict[str, Any]]:
    """Return what is kept of the gates of each block, from the first to the last.

    Args:
        network: A trained network.
        images: Test images at the network's own side.
        with_means: Whether to keep the mean gate of every class and channel too.
    """
    rows = []
    for name, values in gates(network, images).items():
        row: dict[str, Any] = {
            "block": name,
            "channels": values.shape[1],
            "mean": rounded(float(values.mean())),
            "deviation": rounded(float(values.std(0).mean())),
            "between_class_share": rounded(between_class_share(values, images.labels)),
        }
        if with_means:
            means = [values[images.labels == label].mean(0) for label in range(images.num_classes)]
            row["class_means"] = [[round(float(gate), 3) for gate in mean] for mean in means]
        rows.append(row)
    return rows


class _FixedGates(nn.Module):
    """Multiplies each channel by a number that no picture changes."""

    gates: Tensor

    def __init__(self, gates: Tensor) -> None:  # (C,)
        super().__init__()
        self.register_buffer("gates", gates[:, None, None].clone())

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Return the map with its channels reweighted."""
        return x * self.gates


def with_fixed_gates(network: EfficientNet, fixed: Mapping[str, Tensor]) -> EfficientNet:
    """Return a copy whose gates no longer depend on the picture.

    Args:
        network: A network in evaluation mode.
        fixed: Name of a block, such as `stages.2.0`, to the gates it has from now on; blocks that are not
            named lose theirs, which is to open all of them.  # (c_mid,)
    """
    changed = copy.deepcopy(network)
    for name, block in changed.named_modules():
        if isinstance(block, MBConv) and block.squeeze_excite is not None:
            gates = _FixedGates(fixed[name]) if name in fixed else None
            block.squeeze_excite = gates  # type: ignore[assignment]
    return changed
