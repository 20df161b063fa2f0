"""Weights of other people's files into a network, all or nothing, and back."""

import os
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from effnet_edu.checkpoints.files import is_index, parse, read_file, read_shards
from effnet_edu.checkpoints.layouts import EFFNET_EDU, Layout, Row, find_layout
from effnet_edu.checkpoints.registry import PublishedWeights, find_file, list_weights, max_checkpoint_bytes
from effnet_edu.checkpoints.weight_sets import WeightSet, find_weights_in
from effnet_edu.ground.checks import as_path, quoted
from effnet_edu.ground.fetch import check_hash
from effnet_edu.model.network import EfficientNet

_COUNTER = "num_batches_tracked"
#: Parts whose shape follows from the number of classes and of input channels.
_STEM = "stem.conv.weight"
_CLASSIFIER = "classifier."
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
        place: Where in the file the weights were, as in `state_dict_ema.module`, or empty.
        left_out: What else the file holds, and was not read.
    """

    layout: str
    loaded: tuple[str, ...]
    new: tuple[str, ...]
    place: str = ""
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors from the layout {self.layout}"]
        if self.place:
            parts[0] += f", in {quoted(self.place)[1:-1]}"
        for what, names in (("new", self.new), ("left out", self.left_out)):
            if names:
                parts.append(f"{what}: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}")
        return "; ".join(parts)


def load_checkpoint(
    net: EfficientNet,
    file_or_state_dict: str | os.PathLike[str] | Mapping[str, Any],
    layout: str = "auto",
    transfer: bool = False,
    sha256: str | None = None,
    use_ema: bool = True,
) -> LoadReport:
    """Copy weights from a publisher's or a training's file into a network, and say which layout they had.

    Either every weight is copied or the network stays as it was. Eps, padding and preprocessing are not in
    such a file: `ee.create(name, weights=...)` sets them together with the weights, and here a warning says
    where the network's are not the publisher's. The preprocessing of a published file, known by its name,
    goes with its weights.

    The weights may lie below any keys of the file and behind one prefix (`model.` of Lightning, `module.` of
    DataParallel). Nothing in a file is run; what it holds beside the weights is named in the report.

    Args:
        net: The network that takes the weights.
        file_or_state_dict: A file (safetensors; one that torch.save or Keras wrote, a whole Keras model too;
            the index of one in several files), or names with tensors.
        layout: `"auto"` recognises it from the names; or one of `LAYOUTS`.
        transfer: Keep every weight that fits where the number of classes or of input channels differs, or
            where the file has no classifier.
        sha256: The hash that the file must have: 64 digits, or the first ones where a publisher prints no
            more. By default a file whose name is that of a published one, digits of the hash included, must
            be that file.
        use_ema: Of raw and averaged weights in one file take the averaged ones, as timm does; False takes the
            raw ones. The report says which were taken.

    Returns:
        The layout that was recognised, which weights are loaded and which are new, and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or hostile, a name is missing or unknown, a shape differs, or a value
            is not finite.
    """
    published, origin = None, "The state dict"
    found: Any = file_or_state_dict
    if not isinstance(file_or_state_dict, Mapping):
        path = as_path(file_or_state_dict)
        published, origin = find_file(path.name), path.name
        hashes = _hashes(sha256) if sha256 is not None else published.hashes if published else ()
        found = _read(
            path, hashes, max_checkpoint_bytes(sum(row.numel() for row in net.state_dict().values()))
        )
    chosen = find_weights_in(
        found, net.spec, None if layout == "auto" else find_layout(layout), use_ema, origin
    )
    report = copy_tensors(net, chosen, transfer)
    expected = published.conventions if published else None
    if expected is None and chosen.layout.conventions:
        expected = net.spec.conventions(chosen.layout.conventions)
    own = net.conventions
    if published and (published.conventions, published.activation) == (own, net.spec.activation):
        net.published = published
    net.has_foreign_weights = published is None
    if expected and (expected.padding, expected.norm_eps) != (own.padding, own.norm_eps):
        warnings.warn(
            f"These weights were trained with padding {expected.padding!r} and eps {expected.norm_eps:g}, "
            f"and the network has {own.padding!r} and {own.norm_eps:g}: its answers will be wrong. Build it "
            "with the conventions of the weights.",
            ConventionsWarning,
            stacklevel=2,
        )
    return report


def _hashes(sha256: str) -> tuple[str, ...]:
    accepted = f"sha256:{str(sha256).lower()}"
    printed = {known for row in list_weights() for known in row.hashes}
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", accepted) and accepted not in printed:
        raise ValueError(
            f"sha256 is {quoted(sha256)}; it must be a hash's 64 digits, or those that a publisher prints."
        )
    return (accepted,)


def _read(path: Path, hashes: tuple[str, ...], max_bytes: int) -> Any:
    if is_index(path):
        if hashes:
            raise ValueError(f"{path.name} is an index of several files; sha256 is the hash of one.")
        return read_shards(path, max_bytes)
    content = read_file(path, max_bytes)
    check_hash(content, hashes, path.name)
    return parse(content, path.name, max_bytes)


def load_published(net: EfficientNet, path: Path, weights: PublishedWeights) -> None:
    """Copy published weights into a network; what does not fit is new."""
    found = _read(path, weights.hashes, weights.max_bytes)
    copy_tensors(
        net, find_weights_in(found, net.spec, find_layout(weights.layout), True, path.name), transfer=True
    )


def copy_tensors(net: EfficientNet, chosen: WeightSet, transfer: bool = False) -> LoadReport:
    """Check every tensor, and copy them into a network if all are right."""
    if net.device.type == "meta":
        raise ValueError('The network is on device "meta" and has no memory for weights; build it on "cpu".')
    own, layout, tensors = net.state_dict(), chosen.layout, chosen.tensors
    heads = [key for key in own if key.startswith(_CLASSIFIER)]
    rows = [row for row in chosen.rows if row.ours in own]
    new = []
    if not set(heads) <= set(_TRANSFERABLE):  # a classifier of one's own: all of it is there, or all is new
        rows = [row for row in rows if row.ours not in heads]
        if all(key in tensors for key in heads):
            rows += [Row(key, key, "linear") for key in heads]
        else:
            new = heads
    absent = _absent_head(rows, tensors)
    new += [row.ours for row in absent]
    if new and not transfer:
        raise ValueError(
            f"There is no classifier for this {net.spec.name} in the weights ({_some(new, 'missing')}); "
            "transfer=True keeps the weights that fit."
        )
    rows = [row for row in rows if row not in absent]
    spare = {row.theirs for row in chosen.rows if row.ours not in own or row.ours in new}
    _check_names(rows, tensors, layout, net, spare)
    fitted: dict[str, Tensor] = {}
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
            f"{', '.join(new[:6])} did not fit ({net.num_classes} classes, {net.in_channels} input channels) "
            "and are new; train them before you use the network.",
            NewWeightsWarning,
            stacklevel=3,
        )
    left_out = (*chosen.left_out, *sorted(spare & tensors.keys()))
    loaded = tuple(key for key in fitted if key not in new)
    return LoadReport(layout.name, loaded, tuple(new), chosen.place, left_out)


def _absent_head(rows: list[Row], tensors: Mapping[str, Tensor]) -> list[Row]:
    """Return the rows of the classifier, and those of the head before it, where the file has none of them."""
    absent = []
    for part in (_CLASSIFIER, "head."):
        of_part = [row for row in rows if row.ours.startswith(part)]
        if any(row.theirs in tensors for row in of_part):
            break
        absent += of_part
    return absent


def _check_names(
    rows: list[Row], tensors: Mapping[str, Tensor], layout: Layout, net: EfficientNet, spare: Collection[str]
) -> None:
    wanted = {row.theirs for row in rows}
    missing = [row.theirs for row in rows if row.theirs not in tensors and not row.ours.endswith(_COUNTER)]
    unknown = sorted(
        key for key in tensors if key not in wanted and key not in spare and not layout.ignores(key)
    )
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
    if tensor.is_floating_point() and not torch.isfinite(tensor.to(target.dtype)).all():
        raise ValueError(f"{row.theirs} holds values of {tensor.dtype} that {target.dtype} cannot hold.")
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
    shown = quoted(", ".join(names[:3]) + (", ..." if len(names) > 3 else ""))[1:-1]
    return f"{len(names)} {what} ({shown})"


def export_state_dict(net: EfficientNet, layout: str) -> dict[str, Tensor]:
    """Return copies of the weights as a publisher stores them: names, order of axes, forward order.

    Without a classifier (`nn.Identity`), its names are left out. A classifier of your own that is more than
    one linear layer has names in our own layout, `"effnet_edu"`, alone.

    Args:
        net: The network.
        layout: One of `LAYOUTS`.

    Raises:
        ValueError: There is no such layout, or it has no names for this network.
    """
    chosen, own = find_layout(layout), net.state_dict()
    if "stem.norm.weight" not in own:
        raise ValueError(
            f"The batch norms of this {net.spec.name} are folded into its convolutions, and no layout has "
            "names for that; export the network that it was made from."
        )
    return {
        row.theirs: chosen.to_theirs(own[row.ours].detach(), row.kind).clone(
            memory_format=torch.contiguous_format
        )
        for row in _rows(net, own, chosen)
    }


def _rows(net: EfficientNet, own: Mapping[str, Tensor], layout: Layout) -> list[Row]:
    """Return the layout's rows for the network with the classifier that it has now."""
    heads = [key for key in own if key.startswith(_CLASSIFIER)]
    rows = [row for row in layout.rows(net.spec) if not row.ours.startswith(_CLASSIFIER)]
    if set(heads) <= set(_TRANSFERABLE):
        return rows + [row for row in layout.rows(net.spec) if row.ours in heads]
    if layout.name != EFFNET_EDU.name:
        raise ValueError(
            f"The classifier of this {net.spec.name} is of type {type(net.classifier).__name__}, and the "
            f"layout {quoted(layout.name)} has names for one linear layer; 'effnet_edu' has names for it."
        )
    return rows + [Row(key, key, "linear") for key in heads]
