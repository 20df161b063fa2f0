"""Weights of other people's files into a network, all or nothing, and back."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from effnet_edu.checkpoints.files import check_hash, flat_tensors, read_tensors
from effnet_edu.checkpoints.layouts import Layout, Row, find_layout, recognise
from effnet_edu.checkpoints.registry import find_file, max_checkpoint_bytes
from effnet_edu.model.network import EfficientNet

_COUNTER = "num_batches_tracked"
#: Parts whose shape follows from the number of classes and of input channels.
_STEM = "stem.conv.weight"
_TRANSFERABLE = ("classifier.weight", "classifier.bias", _STEM)


class NewWeightsWarning(UserWarning):
    """Some weights did not come from the file and must be trained."""


class ConventionsWarning(UserWarning):
    """The weights were trained with other conventions than the network has."""


@dataclass(frozen=True)
class LoadReport:
    """What a load did.

    Attributes:
        layout: The layout that the names were read with.
        loaded: Our keys that took all their values from the file.
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
    sha256: str | None = None,
) -> LoadReport:
    """Copy weights from a publisher's file into a network, and say which layout they had.

    Either every weight is copied or the network stays as it was. Eps, padding and preprocessing are not in
    such a file: `ee.create(name, weights=...)` sets them together with the weights, and here a warning says
    where the network's are not the publisher's.

    Args:
        net: The network that takes the weights.
        file_or_state_dict: A file (safetensors, or one that torch.save or Keras wrote), or names with
            tensors.
        layout: `"auto"` recognises it from the names; or one of `LAYOUTS`.
        transfer: Keep every weight that fits where the number of classes or of input channels differs.
        sha256: The hash that the file must have, or its first digits. By default a file whose name is that of
            a published one, digits of the hash included, must be that file.

    Returns:
        The layout that was recognised, and which weights are loaded and which are new.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or hostile, a name is missing or unknown, a shape differs, or a value
            is not finite.
    """
    published = None
    if isinstance(file_or_state_dict, Mapping):
        tensors = flat_tensors(file_or_state_dict, "The state dict")
    else:
        path = Path(file_or_state_dict)
        published = find_file(path.name)
        check_hash(path, (f"sha256:{sha256}",) if sha256 else published.hashes if published else ())
        numbers = sum(tensor.numel() for tensor in net.state_dict().values())
        tensors = read_tensors(path, max_checkpoint_bytes(numbers))
    chosen = recognise(tensors, net.spec) if layout == "auto" else find_layout(layout)
    report = copy_tensors(net, tensors, chosen, transfer)
    expected = published.conventions if published else None
    if expected is None and chosen.conventions:
        expected = net.spec.conventions(chosen.conventions)
    own = net.conventions
    if expected and (expected.padding, expected.norm_eps) != (own.padding, own.norm_eps):
        warnings.warn(
            f"These weights were trained with padding {expected.padding!r} and eps {expected.norm_eps:g}, "
            f"and the network has {own.padding!r} and {own.norm_eps:g}: its answers will be wrong. Build it "
            "with the conventions of the weights.",
            ConventionsWarning,
            stacklevel=2,
        )
    return report


def copy_tensors(
    net: EfficientNet, tensors: Mapping[str, Tensor], layout: Layout, transfer: bool = False
) -> LoadReport:
    """Check every tensor, and copy them into a network if all are right.

    Args:
        net: The network that takes the weights.
        tensors: The publisher's names with tensors.
        layout: The publisher's layout.
        transfer: Keep every weight that fits where the number of classes or of input channels differs.

    Raises:
        ValueError: A name is missing or unknown, a shape differs, or a value is not finite.
    """
    if net.classifier.weight.is_meta:
        raise ValueError('The network is on device "meta" and has no memory for weights; build it on "cpu".')
    rows = layout.rows(net.spec)
    _check_names(rows, tensors, layout, net)
    own = net.state_dict()
    fitted: dict[str, Tensor] = {}
    new = []
    for row in rows:
        if row.theirs not in tensors:
            continue
        target = own[row.ours]
        tensor = _checked(tensors[row.theirs], row, layout, target)
        if tensor.shape != target.shape:
            _check_transfer(tensor, target, row, transfer)
            # A grey image has one channel for three: the sum of the weights gives the same answer.
            grey = row.ours == _STEM and target.shape[1] == 1
            if row.ours != _STEM or target.shape[1] > tensor.shape[1]:
                new.append(row.ours)
            tensor = tensor.sum(1, keepdim=True) if grey else _overlap(tensor, row.ours, target)
        fitted[row.ours] = tensor
    with torch.no_grad():
        for key, tensor in fitted.items():
            own[key].copy_(tensor)
    if new:
        warnings.warn(
            f"{', '.join(new)} did not fit ({net.num_classes} classes, {net.in_channels} input channels) "
            "and are new; train them before you use the network.",
            NewWeightsWarning,
            stacklevel=3,
        )
    return LoadReport(layout.name, tuple(key for key in fitted if key not in new), tuple(new))


def _check_names(rows: list[Row], tensors: Mapping[str, Tensor], layout: Layout, net: EfficientNet) -> None:
    wanted = {row.theirs for row in rows}
    missing = [row.theirs for row in rows if row.theirs not in tensors and not row.ours.endswith(_COUNTER)]
    unknown = sorted(key for key in tensors if key not in wanted and not layout.ignores(key))
    if missing or unknown:
        raise ValueError(
            f"The names do not match {net.spec.name} in the layout {layout.name}: "
            f"{_some(missing, 'missing')}, {_some(unknown, 'unknown')}."
        )


def _checked(tensor: Tensor, row: Row, layout: Layout, target: Tensor) -> Tensor:
    """Return a tensor in our order of axes, or raise if it holds anything but plain finite numbers."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise ValueError(f"{row.theirs} is not a plain dense tensor.")
    if tensor.is_floating_point() != target.is_floating_point() or tensor.is_complex():
        raise ValueError(f"{row.theirs} holds {tensor.dtype}; {target.dtype} is needed.")
    # A view may claim any shape over a single number in memory; it is refused before it is looked into.
    if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        raise ValueError(f"{row.theirs} claims more values than its file holds.")
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ValueError(f"{row.theirs} holds values that are not finite (NaN or infinity).")
    if row.ours.endswith("running_var") and (tensor < 0).any():
        raise ValueError(f"{row.theirs} holds negative variances.")
    return layout.to_ours(tensor, row.kind)


def _wrong_shape(tensor: Tensor, target: Tensor, row: Row, hint: str = "") -> ValueError:
    return ValueError(
        f"{row.theirs} has shape {tuple(tensor.shape)}; {tuple(target.shape)} is needed for {row.ours}{hint}."
    )


def _check_transfer(tensor: Tensor, target: Tensor, row: Row, transfer: bool) -> None:
    """Raise unless the shapes differ only where another number of classes or channels makes them differ."""
    if row.ours not in _TRANSFERABLE:
        raise _wrong_shape(tensor, target, row)
    if not transfer:
        raise _wrong_shape(tensor, target, row, "; transfer=True keeps the weights that fit")
    free = 1 if row.ours == _STEM else 0
    if tensor.ndim != target.ndim or any(
        axis != free and tensor.shape[axis] != side for axis, side in enumerate(target.shape)
    ):
        raise _wrong_shape(tensor, target, row)


def _overlap(tensor: Tensor, key: str, target: Tensor) -> Tensor:
    """Return our tensor with the stem's weights of the channels that both have; a classifier is all new."""
    merged = target.detach().clone()
    if key == _STEM:
        both = min(tensor.shape[1], target.shape[1])
        merged[:, :both] = tensor[:, :both]
    return merged


def _some(names: list[str], what: str) -> str:
    if not names:
        return f"none {what}"
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {what} ({shown})"


def export_state_dict(net: EfficientNet, layout: str) -> dict[str, Tensor]:
    """Return copies of the weights as a publisher stores them: names, order of axes, forward order.

    Args:
        net: The network.
        layout: One of `LAYOUTS`.

    Raises:
        ValueError: There is no such layout, or it has no names for this network.
    """
    chosen, own = find_layout(layout), net.state_dict()
    return {
        row.theirs: chosen.to_theirs(own[row.ours].detach(), row.kind).clone()
        for row in chosen.rows(net.spec)
    }
