"""How each publisher names the weights, as tables of roles.

One role may carry the same foreign name as another (timm's `conv_pw` is the expansion in one kind of
block and the projection in the other), so a table has one column for each kind of block.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from effnet_edu.checkpoints.roles import BlockKind, Part, PartKind, block_kind, parts
from effnet_edu.model.checks import choice
from effnet_edu.model.specs import NetworkSpec

Names = Mapping[str, str]

_TORCH_NORM = {
    "weight": "weight",
    "bias": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
    "num_batches_tracked": "num_batches_tracked",
}
#: What torch calls the tensors of each kind of part: our name and the file's, which are the same.
TORCH_TENSORS: Mapping[PartKind, Names] = {
    "convolution": {"weight": "weight"},
    "depthwise": {"weight": "weight"},
    "biased_convolution": {"weight": "weight", "bias": "bias"},
    "norm": _TORCH_NORM,
    "linear": {"weight": "weight", "bias": "bias"},
}


@dataclass(frozen=True)
class Layout:
    """The names that one publisher gives to the weights.

    Attributes:
        name: How `load_checkpoint` and `export_state_dict` call it.
        block: Prefix of a block's parts. Fields: stage (from 0), stage_from_1, index (in the stage, from 0),
            number (in the network, from 0).
        ends: Names of stem, head and classifier. Field: last, the number of stages plus one.
        blocks: For each kind of block, the publisher's name of each role.
        tensors: For each kind of part, our name and the publisher's for each of its tensors.
        needs_squeeze: True where names are numbered and the number counts the squeeze-and-excitation.
    """

    name: str
    block: str
    ends: Names
    blocks: Mapping[BlockKind, Names]
    tensors: Mapping[PartKind, Names] = field(default_factory=lambda: TORCH_TENSORS)
    needs_squeeze: bool = False

    def keys(self, spec: NetworkSpec) -> dict[str, str]:
        """Return the publisher's key for each of our state-dict keys, in forward order.

        Args:
            spec: The network.

        Raises:
            ValueError: The publisher's names cannot express this network.
        """
        return {
            f"{part.path}.{ours}": f"{name}.{theirs}"
            for part in parts(spec)
            for name in (self._name(part, spec),)
            for ours, theirs in self.tensors[part.kind].items()
        }

    def _name(self, part: Part, spec: NetworkSpec) -> str:
        if part.block is None:
            return self.ends[part.role].format(last=len(spec.stages) + 1)
        block = part.block
        names = self.blocks.get(block_kind(block), {})
        lacks_squeeze = self.needs_squeeze and block.operation == "mbconv" and not block.squeeze_channels
        if part.role not in names or lacks_squeeze:
            raise ValueError(
                f"The layout {self.name!r} has no name for {part.role} in the block {block}; "
                f"{spec.name} does not exist in it."
            )
        prefix = self.block.format(
            stage=block.stage,
            stage_from_1=block.stage + 1,
            index=block.index,
            number=part.block_number,
        )
        return prefix + names[part.role]


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
)

#: Every layout by name.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout for layout in (EFFNET_EDU, TORCHVISION, TIMM, EFFICIENTNET_PYTORCH)
}
#: Publishers that use another publisher's names.
ALIASES = {"geffnet": "timm", "efficientnet_lite_pytorch": "efficientnet_pytorch"}


def find_layout(name: str) -> Layout:
    """Return the layout of this name.

    Args:
        name: One of `LAYOUTS` or `ALIASES`.

    Raises:
        ValueError: There is none of this name.
    """
    choice("layout", name, (*LAYOUTS, *ALIASES))
    return LAYOUTS[ALIASES.get(name, name)]


def recognise(keys: Collection[str], spec: NetworkSpec) -> Layout:
    """Return the layout whose names for this network occur most often among the keys.

    Args:
        keys: The keys of a state dict.
        spec: The network that is to take it.

    Raises:
        ValueError: No layout's names make up at least half of the network's keys.
    """
    present = set(keys)
    best, best_share = None, 0.0
    for layout in LAYOUTS.values():
        try:
            wanted = layout.keys(spec).values()
        except ValueError:
            continue
        share = sum(key in present for key in wanted) / len(wanted)
        if share > best_share:
            best, best_share = layout, share
    if best is None or best_share < 0.5:
        shown = ", ".join(repr(key) for key in sorted(present)[:3]) or "none at all"
        raise ValueError(
            f"The names in the file (such as {shown}) are not those of {spec.name} in any known layout "
            f"({', '.join(LAYOUTS)}); is it a file for another network?"
        )
    return best
