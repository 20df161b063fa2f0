"""Weights of other people's files into a network, all or nothing, and back."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from effnet_edu.checkpoints.files import flat_tensors, read_tensors
from effnet_edu.checkpoints.layouts import Layout, find_layout, recognise
from effnet_edu.model.network import EfficientNet

COUNTER = "num_batches_tracked"
#: Parts whose shape follows from the number of classes and of input channels.
_TRANSFERABLE = ("classifier.weight", "classifier.bias", "stem.conv.weight")


class NewWeightsWarning(UserWarning):
    """Some weights did not come from the file and must be trained."""


@dataclass(frozen=True)
class LoadReport:
    """What a load did.

    Attributes:
        layout: The layout that the names were read with.
        loaded: Our keys that took their values from the file.
        new: Our keys that kept, wholly or in part, the values they had.
    """

    layout: str
    loaded: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        rest = f"; new: {', '.join(self.new)}" if self.new else ""
        return f"{len(self.loaded)} tensors from the layout {self.layout}{rest}"


def load_checkpoint(
    net: EfficientNet,
    file_or_state_dict: str | os.PathLike[str] | Mapping[str, Tensor],
    layout: str = "auto",
    transfer: bool = False,
) -> LoadReport:
    """Copy published weights into a network, and say which layout they had.

    Either every weight is copied or the network stays as it was. Eps, padding and preprocessing are not in
    such a file; `ee.create(name, weights=...)` sets them together with the weights.

    Args:
        net: The network that takes the weights.
        file_or_state_dict: A file (safetensors, or one that torch.save wrote), or names with tensors.
        layout: `"auto"` recognises it from the names; or one of `LAYOUTS`.
        transfer: Keep every weight that fits where the number of classes or of input channels differs.

    Returns:
        The layout that was recognised, and which weights are loaded and which are new.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or hostile, a name is missing or unknown, a shape differs, or a value
            is not finite.
    """
    if net.classifier.weight.is_meta:
        raise ValueError('The network is on device "meta" and has no memory for weights; build it on "cpu".')
    if isinstance(file_or_state_dict, Mapping):
        tensors = flat_tensors(file_or_state_dict, "The state dict")
    else:
        tensors = read_tensors(Path(file_or_state_dict), max_file_bytes(net))
    chosen = recognise(tensors, net.spec) if layout == "auto" else find_layout(layout)
    own = net.state_dict()
    fitted = _fit(own, tensors, chosen, net, transfer)
    new = tuple(
        key for key in own if not key.endswith(COUNTER) and (key not in fitted or fitted[key].partial)
    )
    with torch.no_grad():
        for key, value in fitted.items():
            own[key].copy_(value.tensor)
    report = LoadReport(chosen.name, tuple(key for key in fitted if key not in new), new)
    if new:
        warnings.warn(
            f"{', '.join(new)} did not fit ({net.num_classes} classes, {net.in_channels} input channels) "
            "and are new; train them before you use the network.",
            NewWeightsWarning,
            stacklevel=2,
        )
    return report


def max_file_bytes(net: EfficientNet) -> int:
    """Return the largest file that is read for this network: its weights in fp32 four times over, and 16 MiB.

    Four times leaves room for a training checkpoint with a moving average and the optimizer's state.

    Args:
        net: The network that takes the weights.
    """
    numbers: int = sum(tensor.numel() for tensor in net.state_dict().values())
    return 4 * 4 * numbers + 2**24


@dataclass(frozen=True)
class _Fitted:
    tensor: Tensor
    partial: bool = False


def _fit(
    own: Mapping[str, Tensor],
    tensors: Mapping[str, Tensor],
    layout: Layout,
    net: EfficientNet,
    transfer: bool,
) -> dict[str, _Fitted]:
    """Return a checked tensor for each of our keys; raise without touching the network."""
    keys = layout.keys(net.spec)
    missing = [
        theirs for ours, theirs in keys.items() if theirs not in tensors and not ours.endswith(COUNTER)
    ]
    unknown = sorted(tensors.keys() - set(keys.values()))
    if missing or unknown:
        raise ValueError(
            f"The names do not match {net.spec.name} in the layout {layout.name}: "
            f"{_some(missing, 'missing')}, {_some(unknown, 'unknown')}."
        )
    fitted: dict[str, _Fitted] = {}
    for ours, theirs in keys.items():
        if theirs not in tensors:
            continue
        tensor, target = tensors[theirs], own[ours]
        _check_kind(theirs, tensor, target)
        if tensor.shape != target.shape:
            if transfer and ours in _TRANSFERABLE:
                if ours == "stem.conv.weight" and tensor.shape[2:] == target.shape[2:]:
                    fitted[ours] = _fit_stem(tensor, target)
                continue
            hint = "; transfer=True keeps the weights that fit" if ours in _TRANSFERABLE else ""
            raise ValueError(
                f"{theirs} has shape {tuple(tensor.shape)}; "
                f"{net.spec.name} needs {tuple(target.shape)}{hint}."
            )
        _check_values(theirs, tensor)
        fitted[ours] = _Fitted(tensor)
    return fitted


def _fit_stem(tensor: Tensor, target: Tensor) -> _Fitted:
    """Keep the stem's weights of the channels that both have; a grey image takes the sum of all three."""
    if target.shape[1] == 1:
        return _Fitted(tensor.sum(1, keepdim=True))
    both = min(tensor.shape[1], target.shape[1])
    merged = target.detach().clone()
    merged[:, :both] = tensor[:, :both]
    return _Fitted(merged, partial=target.shape[1] > both)


def _check_kind(name: str, tensor: Tensor, target: Tensor) -> None:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise ValueError(f"{name} is not a plain dense tensor.")
    if tensor.is_floating_point() != target.is_floating_point():
        raise ValueError(f"{name} holds {tensor.dtype}; {target.dtype} is needed.")


def _check_values(name: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point():
        return
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} holds values that are not finite (NaN or infinity).")
    if name.endswith(("running_var", "moving_variance:0")) and (tensor < 0).any():
        raise ValueError(f"{name} holds negative variances.")


def _some(names: list[str], what: str) -> str:
    if not names:
        return f"none {what}"
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {what} ({shown})"


def export_state_dict(net: EfficientNet, layout: str) -> dict[str, Any]:
    """Return copies of the weights under a publisher's names, in forward order.

    Args:
        net: The network.
        layout: One of `LAYOUTS`.

    Raises:
        ValueError: There is no such layout, or it has no names for this network.
    """
    own = net.state_dict()
    return {theirs: own[ours].detach().clone() for ours, theirs in find_layout(layout).keys(net.spec).items()}
