"""Which parameterised parts a network has, in the order in which an image meets them. No torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from effnet_edu.model.specs import BlockSpec, NetworkSpec, resolve

PartKind = Literal["convolution", "depthwise", "biased_convolution", "norm", "linear"]
BlockKind = Literal["mbconv", "mbconv_e1", "fused_mbconv", "fused_mbconv_e1"]

#: Roles of each kind of block in forward order; `_e1` is expansion 1, which has one convolution fewer.
BLOCK_ROLES: dict[BlockKind, tuple[str, ...]] = {
    "mbconv": ("expand", "depthwise", "squeeze_excite", "project"),
    "mbconv_e1": ("depthwise", "squeeze_excite", "project"),
    "fused_mbconv": ("fused", "squeeze_excite", "project"),
    "fused_mbconv_e1": ("fused", "squeeze_excite"),
}


@dataclass(frozen=True)
class Part:
    """One module that holds weights.

    Attributes:
        path: Where it is in our network, as in `stages.2.0.depthwise.conv`.
        role: Its role, as in `depthwise.conv`; the key of a layout's table.
        kind: What tensors it holds.
        block: The block it belongs to, or None for stem, head and classifier.
        block_number: How many blocks stand before that one in the whole network.
    """

    path: str
    role: str
    kind: PartKind
    block: BlockSpec | None = None
    block_number: int = 0


def block_kind(block: BlockSpec) -> BlockKind:
    """Return which row of a layout's table this block is read with."""
    if block.operation == "mbconv":
        return "mbconv" if block.expansion > 1 else "mbconv_e1"
    return "fused_mbconv" if block.expansion > 1 else "fused_mbconv_e1"


def parts(spec: NetworkSpec) -> Iterator[Part]:
    """Yield every part that holds weights, in forward order."""
    yield Part("stem.conv", "stem.conv", "convolution")
    yield Part("stem.norm", "stem.norm", "norm")
    for number, block in enumerate(resolve(spec)):
        prefix = f"stages.{block.stage}.{block.index}."
        for role in BLOCK_ROLES[block_kind(block)]:
            kinds: tuple[tuple[str, PartKind], ...]
            if role == "squeeze_excite":
                if not block.squeeze_channels:
                    continue
                kinds = (("reduce", "biased_convolution"), ("restore", "biased_convolution"))
            else:
                kinds = (("conv", "depthwise" if role == "depthwise" else "convolution"), ("norm", "norm"))
            for leaf, kind in kinds:
                yield Part(f"{prefix}{role}.{leaf}", f"{role}.{leaf}", kind, block, number)
    yield Part("head.conv", "head.conv", "convolution")
    yield Part("head.norm", "head.norm", "norm")
    yield Part("classifier", "classifier", "linear")
