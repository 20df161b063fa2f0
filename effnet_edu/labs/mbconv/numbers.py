"""What a setting of the MBConv lab is and costs, exactly: one block of three kinds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.model.cost import LayerCost, block_layers
from effnet_edu.model.specs import BlockSpec, NetworkSpec, StageSpec, resolve
from effnet_edu.model.variants import spec
from effnet_edu.profiling.names import PRECISION_BYTES

MBCONV, FUSED, PLAIN = "MBConv", "Fused-MBConv", "convolution"
KINDS = (MBCONV, FUSED, PLAIN)
#: What a role is called where there is little room.
ROLE_WORDS = {"squeeze_excite": "SE", "fused": "k x k convolution"}


@dataclass(frozen=True)
class MBConvSetting:
    """What the learner can choose."""

    kind: str
    expansion: int
    channels_in: int
    channels_out: int
    side: int
    kernel: int
    stride: int
    squeeze_ratio: float
    batch_size: int
    precision: str
    layer: str
    work: int
    device: str


@dataclass(frozen=True)
class Cost:
    """What a block, or one role of it, costs.

    Attributes:
        macs: Multiply-adds for one image.
        parameters: Trainable numbers.
        bytes_moved: Bytes read and written for a batch, if nothing stays in a cache between layers.
        intensity: Multiply-adds for each of these bytes.
    """

    macs: int
    parameters: int
    bytes_moved: int
    intensity: float


def stage(setting: MBConvSetting, kind: str) -> StageSpec:
    """Return the row of a table that makes this block.

    A plain convolution is a Fused-MBConv of expansion 1: one convolution with batch norm, activation and,
    where the shape allows it, a shortcut. Only an MBConv has squeeze-and-excitation, as released.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return StageSpec(
        operation="mbconv" if kind == MBCONV else "fused_mbconv",
        expansion=1 if kind == PLAIN else setting.expansion,
        kernel=setting.kernel,
        stride=setting.stride,
        channels=setting.channels_out,
        layers=1,
        squeeze_ratio=setting.squeeze_ratio if kind == MBCONV else 0.0,
    )


def network_around(setting: MBConvSetting, kind: str) -> NetworkSpec:
    """Return the smallest network that holds this block and gives it its input: a stem, the block, a head."""
    return replace(
        spec("efficientnet_b0"),
        name=f"one {kind}",
        stem_channels=setting.channels_in,
        stages=(stage(setting, kind),),
        head_channels=8,
        resolution=2 * setting.side,  # the stem halves it
    )


@lru_cache(maxsize=256)
def block(setting: MBConvSetting, kind: str) -> BlockSpec:
    """Return the block with all its numbers filled in."""
    return resolve(network_around(setting, kind))[0]


@lru_cache(maxsize=256)
def layers(setting: MBConvSetting, kind: str) -> tuple[LayerCost, ...]:
    """Return the cost of each layer of the block, in the order in which they run."""
    return tuple(block_layers(block(setting, kind)))


def roles(setting: MBConvSetting, kind: str) -> tuple[str, ...]:
    """Return the roles of the block, in the order in which they run."""
    return tuple(dict.fromkeys(row.role for row in layers(setting, kind)))


def cost_of(setting: MBConvSetting, kind: str, role: str | None = None) -> Cost:
    """Return what the block or one of its roles costs."""
    rows = [row for row in layers(setting, kind) if role in (None, row.role)]
    itemsize = PRECISION_BYTES[setting.precision]
    macs = sum(row.macs for row in rows)
    moved = sum(row.bytes_moved(setting.batch_size, itemsize) for row in rows)
    return Cost(macs, sum(row.parameters for row in rows), moved, setting.batch_size * macs / moved)


def role_words(role: str) -> str:
    """Return what a role is called in a picture."""
    return ROLE_WORDS.get(role, role)


def _costs(counted: Cost, of: str = "", is_detail: bool = False) -> tuple[Number, ...]:
    """Return the four numbers of a cost, their names with what they belong to."""
    rows = (
        ("MACs an image", counted.macs / 1e6, "million"),
        ("parameters", counted.parameters / 1e3, "thousand"),
        ("bytes a batch", counted.bytes_moved / 2**20, "MiB"),
        ("MACs per byte", counted.intensity, ""),
    )
    return tuple(
        Number(f"{name}, {of}" if of else name, value, unit, is_detail=is_detail)
        for name, value, unit in rows
    )


def _details(setting: MBConvSetting) -> Iterator[Number]:
    for role in roles(setting, setting.kind):
        yield from _costs(cost_of(setting, setting.kind, role), role_words(role), is_detail=True)
    for kind in KINDS:
        yield from _costs(cost_of(setting, kind), kind, is_detail=True)


def abbreviated(count: float) -> str:
    """Return a count with three significant digits, such as `544`, `16.8 M` or `1.2 G`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{digits(count / size)} {letter}"
    return f"{count:g}"


def label(setting: MBConvSetting) -> str:
    """Return the block in a few words, such as `MBConv6 k3 s1, 40 -> 40 at 28 px`."""
    shown = block(setting, setting.kind)
    name = PLAIN if setting.kind == PLAIN else f"{setting.kind}{shown.expansion}"
    return (
        f"{name} k{shown.kernel} s{shown.stride}, {shown.channels_in} -> {shown.channels_out} "
        f"at {shown.side_in} px"
    )


def numbers(setting: MBConvSetting) -> tuple[Section, ...]:
    """Return what is counted exactly: the drawn block, its roles, and all three kinds."""
    drawn, counted = block(setting, setting.kind), cost_of(setting, setting.kind)
    shape = [Number("c_mid", drawn.channels_hidden)] if "project" in roles(setting, setting.kind) else []
    if setting.kind == MBCONV:
        shape.append(Number("SE width", drawn.squeeze_channels))
    return (Section("computed", (*shape, *_costs(counted), *_details(setting)), "computed"),)
