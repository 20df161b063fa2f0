"""How each publisher names and stores the weights, as tables of roles.

One role may carry the same foreign name as another (timm's `conv_pw` is the expansion in one kind of block
and the projection in the other), so a table has one column for each kind of block.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from torch import Tensor

from effnet_edu.checkpoints.roles import BlockKind, Part, PartKind, block_kind, parts
from effnet_edu.ground.checks import choice, quoted
from effnet_edu.model.specs import NetworkSpec

Names = Mapping[str, str]

_TORCH_NORM = {
    "weight": "weight",
    "bias": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
    "num_batches_tracked": "num_batches_tracked",
}
#: For each kind of part, our name of each of its tensors and the publisher's: here they are the same.
_TORCH_TENSORS: Mapping[PartKind, Names] = {
    "convolution": {"weight": "weight"},
    "depthwise": {"weight": "weight"},
    "biased_convolution": {"weight": "weight", "bias": "bias"},
    "norm": _TORCH_NORM,
    "linear": {"weight": "weight", "bias": "bias"},
}
_KERAS_TENSORS: Mapping[PartKind, Names] = {
    "convolution": {"weight": "kernel"},
    "depthwise": {"weight": "kernel"},
    "biased_convolution": {"weight": "kernel", "bias": "bias"},
    "norm": {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
    "linear": {"weight": "kernel", "bias": "bias"},
}
#: How the axes of a tensor stand in a channels-last file, as the permutation to ours and the one back.
_CHANNELS_LAST: Mapping[PartKind, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "convolution": ((3, 2, 0, 1), (2, 3, 1, 0)),  # (k, k, c_in, c_out) <-> (c_out, c_in, k, k)
    "biased_convolution": ((3, 2, 0, 1), (2, 3, 1, 0)),
    "depthwise": ((2, 3, 0, 1), (2, 3, 0, 1)),  # (k, k, c_mid, 1) <-> (c_mid, 1, k, k)
    "linear": ((1, 0), (1, 0)),  # (c_in, classes) <-> (classes, c_in)
}


@dataclass(frozen=True)
class Row:
    """One tensor in two worlds.

    Attributes:
        ours: Its key in our state dict.
        theirs: Its key in the publisher's file.
        kind: The kind of part it belongs to.
    """

    ours: str
    theirs: str
    kind: PartKind


@dataclass(frozen=True)
class Layout:
    """The names that one publisher gives to the weights, and the order of their axes.

    Attributes:
        name: How `load_checkpoint` and `export_state_dict` call it.
        block: Prefix of a block's parts. Fields: stage (from 0), stage_from_1, index (in the stage, from 0),
            letter (the index as a, b, c), number (in the network, from 0).
        ends: Names of stem, head and classifier. Field: last, the number of stages plus one.
        blocks: For each kind of block, the publisher's name of each role. Field: v2, which is 2 in networks
            with fused blocks and empty in others.
        tensors: For each kind of part, our name and the publisher's for each of its tensors.
        conventions: Those of the publisher's networks, or None where the publisher has both.
        separator: Stands between the name of a part and of its tensor.
        channels_last: Whether kernels are stored as (height, width, in, out).
        needs_squeeze: True where names are numbered and the number counts the squeeze-and-excitation.
        ignored: Patterns of keys that a file may hold beside the weights.
        body: What the names of all but the classifier begin with, and lack in a file of the body alone.
    """

    name: str
    block: str
    ends: Names
    blocks: Mapping[BlockKind, Names]
    tensors: Mapping[PartKind, Names]
    conventions: Literal["tensorflow", "torchvision"] | None
    separator: str = "."
    channels_last: bool = False
    needs_squeeze: bool = False
    ignored: tuple[str, ...] = ()
    body: str = ""

    def rows(self, spec: NetworkSpec) -> list[Row]:
        """Return every tensor of a network under our key and the publisher's, in forward order."""
        names = self._names(spec)
        return [
            Row(f"{part.path}.{ours}", f"{name}{self.separator}{theirs}", part.kind)
            for part, name in names
            for ours, theirs in self.tensors[part.kind].items()
        ]

    def _names(self, spec: NetworkSpec) -> list[tuple[Part, str]]:
        fused = any(stage.operation == "fused_mbconv" for stage in spec.stages)
        return [(part, self._name(part, spec, fused)) for part in parts(spec)]

    def _name(self, part: Part, spec: NetworkSpec, fused: bool) -> str:
        if part.block is None:
            return self.ends[part.role].format(last=len(spec.stages) + 1)
        block = part.block
        names = self.blocks.get(block_kind(block), {})
        lacks_squeeze = self.needs_squeeze and block.operation == "mbconv" and not block.squeeze_channels
        if part.role not in names or lacks_squeeze:
            raise ValueError(
                f"The layout {quoted(self.name)} has no name for {part.role} in the block {block}; "
                f"{spec.name} does not exist in it."
            )
        return (self.block + names[part.role]).format(
            stage=block.stage,
            stage_from_1=block.stage + 1,
            index=block.index,
            letter=chr(ord("a") + block.index),
            number=part.block_number,
            v2="2" if fused else "",
        )

    def to_ours(self, tensor: Tensor, kind: PartKind) -> Tensor:
        """Return a tensor of the publisher's with its axes in our order."""
        return self._permuted(tensor, kind, 0)

    def to_theirs(self, tensor: Tensor, kind: PartKind) -> Tensor:
        """Return a tensor of ours with its axes in the publisher's order."""
        return self._permuted(tensor, kind, 1)

    def _permuted(self, tensor: Tensor, kind: PartKind, direction: Literal[0, 1]) -> Tensor:
        if not self.channels_last or kind not in _CHANNELS_LAST:
            return tensor
        order = _CHANNELS_LAST[kind][direction]
        return tensor.permute(order).contiguous() if tensor.ndim == len(order) else tensor

    def ignores(self, key: str) -> bool:
        """Whether a key of a file is known to be no weight of the network."""
        return any(fnmatchcase(key, pattern) for pattern in self.ignored)


@dataclass(frozen=True)
class CountedLayout(Layout):
    """A layout that names a part by its class and how many of that class stand before it.

    Attributes:
        classes: The publisher's name of each kind of part.
    """

    classes: Mapping[PartKind, str] | None = None

    def _names(self, spec: NetworkSpec) -> list[tuple[Part, str]]:
        seen: Counter[str] = Counter()
        names = []
        for part, _ in super()._names(spec):
            kind = (self.classes or {})[part.kind]
            count = f"_{seen[kind]}" if seen[kind] else ""
            names.append((part, f"layers/{kind}{count}/vars"))
            seen[kind] += 1
        return names


def _roles(**names: str) -> Names:
    """Expand `depthwise="a b"` to the two parts of a role: conv and norm, or reduce and restore."""
    table = {}
    for role, pair in names.items():
        leaves = ("reduce", "restore") if role == "squeeze_excite" else ("conv", "norm")
        table.update({f"{role}.{leaf}": name for leaf, name in zip(leaves, pair.split(), strict=True)})
    return table


def _ends(stem: str, head: str, classifier: str) -> Names:
    return {**_roles(stem=stem, head=head), "classifier": classifier}


_OWN_BLOCK = _roles(
    expand="expand.conv expand.norm",
    depthwise="depthwise.conv depthwise.norm",
    fused="fused.conv fused.norm",
    squeeze_excite="squeeze_excite.reduce squeeze_excite.restore",
    project="project.conv project.norm",
)
EFFNET_EDU = Layout(
    name="effnet_edu",
    block="stages.{stage}.{index}.",
    ends=_ends("stem.conv stem.norm", "head.conv head.norm", "classifier"),
    blocks=dict.fromkeys(("mbconv", "mbconv_e1", "fused_mbconv", "fused_mbconv_e1"), _OWN_BLOCK),
    tensors=_TORCH_TENSORS,
    conventions=None,
)

TORCHVISION = Layout(
    name="torchvision",
    block="features.{stage_from_1}.{index}.block.",
    ends=_ends("features.0.0 features.0.1", "features.{last}.0 features.{last}.1", "classifier.1"),
    blocks={
        "mbconv": _roles(
            expand="0.0 0.1", depthwise="1.0 1.1", squeeze_excite="2.fc1 2.fc2", project="3.0 3.1"
        ),
        "mbconv_e1": _roles(depthwise="0.0 0.1", squeeze_excite="1.fc1 1.fc2", project="2.0 2.1"),
        "fused_mbconv": _roles(fused="0.0 0.1", project="1.0 1.1"),
        "fused_mbconv_e1": _roles(fused="0.0 0.1"),
    },
    tensors=_TORCH_TENSORS,
    conventions="torchvision",
    needs_squeeze=True,
)

_TIMM_SQUEEZE = "se.conv_reduce se.conv_expand"
TIMM = Layout(
    name="timm",
    block="blocks.{stage}.{index}.",
    ends=_ends("conv_stem bn1", "conv_head bn2", "classifier"),
    blocks={
        "mbconv": _roles(
            expand="conv_pw bn1",
            depthwise="conv_dw bn2",
            squeeze_excite=_TIMM_SQUEEZE,
            project="conv_pwl bn3",
        ),
        "mbconv_e1": _roles(depthwise="conv_dw bn1", squeeze_excite=_TIMM_SQUEEZE, project="conv_pw bn2"),
        "fused_mbconv": _roles(fused="conv_exp bn1", project="conv_pwl bn2"),
        "fused_mbconv_e1": _roles(fused="conv bn1"),
    },
    tensors=_TORCH_TENSORS,
    conventions=None,
)

_LUKEMELAS_BLOCK = _roles(
    expand="_expand_conv _bn0",
    depthwise="_depthwise_conv _bn1",
    squeeze_excite="_se_reduce _se_expand",
    project="_project_conv _bn2",
)
EFFICIENTNET_PYTORCH = Layout(
    name="efficientnet_pytorch",
    block="_blocks.{number}.",
    ends=_ends("_conv_stem _bn0", "_conv_head _bn1", "_fc"),
    blocks={"mbconv": _LUKEMELAS_BLOCK, "mbconv_e1": _LUKEMELAS_BLOCK},
    tensors=_TORCH_TENSORS,
    conventions="tensorflow",
)

_HUGGINGFACE_BLOCK = _roles(
    expand="expansion.expand_conv expansion.expand_bn",
    depthwise="depthwise_conv.depthwise_conv depthwise_conv.depthwise_norm",
    squeeze_excite="squeeze_excite.reduce squeeze_excite.expand",
    project="projection.project_conv projection.project_bn",
)
#: Source: transformers, models/efficientnet/modeling_efficientnet.py; it has B0 to B7.
HUGGINGFACE = Layout(
    name="huggingface",
    block="efficientnet.encoder.blocks.{number}.",
    ends=_ends(
        "efficientnet.embeddings.convolution efficientnet.embeddings.batchnorm",
        "efficientnet.encoder.top_conv efficientnet.encoder.top_bn",
        "classifier",
    ),
    blocks={"mbconv": _HUGGINGFACE_BLOCK, "mbconv_e1": _HUGGINGFACE_BLOCK},
    tensors=_TORCH_TENSORS,
    conventions="tensorflow",
    needs_squeeze=True,
    body="efficientnet.",
)

_KERAS_BLOCK = _roles(
    expand="expand_conv expand_bn",
    depthwise="dwconv{v2} bn",
    squeeze_excite="se_reduce se_expand",
    project="project_conv project_bn",
)
_KERAS_BLOCKS: Mapping[BlockKind, Names] = {
    "mbconv": _KERAS_BLOCK,
    "mbconv_e1": _KERAS_BLOCK,
    "fused_mbconv": _roles(fused="expand_conv expand_bn", project="project_conv project_bn"),
    "fused_mbconv_e1": _roles(fused="project_conv project_bn"),
}
_KERAS_ENDS = _ends("stem_conv stem_bn", "top_conv top_bn", "predictions")
KERAS_H5 = Layout(
    name="keras_h5",
    block="block{stage_from_1}{letter}_",
    ends=_KERAS_ENDS,
    blocks=_KERAS_BLOCKS,
    tensors=_KERAS_TENSORS,
    conventions="tensorflow",
    separator="/",
    channels_last=True,
    ignored=("normalization*", "*seed_generator*", "*optimizer*", "*iteration*"),
)
KERAS_WEIGHTS_H5 = CountedLayout(
    name="keras_weights_h5",
    block=KERAS_H5.block,
    ends=_KERAS_ENDS,
    blocks=_KERAS_BLOCKS,
    tensors={
        "convolution": {"weight": "0"},
        "depthwise": {"weight": "0"},
        "biased_convolution": {"weight": "0", "bias": "1"},
        "norm": {"weight": "0", "bias": "1", "running_mean": "2", "running_var": "3"},
        "linear": {"weight": "0", "bias": "1"},
    },
    conventions="tensorflow",
    separator="/",
    channels_last=True,
    ignored=("layers/normalization*", "*seed_generator*", "*optimizer*", "metrics/*"),
    classes={
        "convolution": "conv2d",
        "biased_convolution": "conv2d",
        "depthwise": "depthwise_conv2d",
        "norm": "batch_normalization",
        "linear": "dense",
    },
)

#: Every layout by name.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        EFFNET_EDU,
        TORCHVISION,
        TIMM,
        EFFICIENTNET_PYTORCH,
        HUGGINGFACE,
        KERAS_H5,
        KERAS_WEIGHTS_H5,
    )
}
#: Publishers that use another publisher's names.
ALIASES = {"geffnet": "timm", "efficientnet_lite_pytorch": "efficientnet_pytorch"}


def find_layout(name: str) -> Layout:
    """Return the layout of this name."""
    choice("layout", name, (*LAYOUTS, *ALIASES))
    return LAYOUTS[ALIASES.get(name, name)]
