"""What a setting of the V2 lab means: its network, its schedule, and their exact costs."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache

from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.fusing import fuse_stages
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import spec
from effnet_edu.published import IMAGENET_IMAGES, Row, read
from effnet_edu.training.progressive import ProgressiveSchedule, Stage

FUSING, PROGRESSIVE = "fused stages", "progressive learning"
#: What the lab calls a network, and the library's name of it.
NETWORKS = {
    **{f"B{n}": f"efficientnet_b{n}" for n in range(5)},
    "V2-B0": "efficientnetv2_b0",
    "V2-S": "efficientnetv2_s",
    "V2-M": "efficientnetv2_m",
}
#: No network of the lab has more stages.
MOST_STAGES = 7
#: Schedules of the paper and of its authors' code, by name: size and variant.
SCHEDULES = {
    f"{variant} {size.upper()}": (size, variant) for variant in ("paper", "released") for size in "sml"
}
OWN = "own"
#: Squeeze-and-excitation of every MBConv stage, in V1 and V2 alike.
SQUEEZE_RATIO = 0.25
#: The variants of B4 in the paper's table 3, by the stages that are fused.
TABLE_3 = {
    (): "No fused",
    (1, 2, 3): "Fused stage1-3",
    (1, 2, 3, 4, 5): "Fused stage1-5",
    (1, 2, 3, 4, 5, 6, 7): "Fused stage1-7",
}


@dataclass(frozen=True)
class Setting:
    """What the learner can choose."""

    part: str
    network: str
    fused: tuple[int, ...]
    side: int
    schedule: str
    stages: int
    first_side: int
    randaugment: float
    mixup: float
    dropout: float
    growing: bool
    batch_size: int
    device: str


@cache
def own_fused(network: str) -> tuple[int, ...]:
    """Return the stages that are fused in a network as it was released, counted from 1.

    Args:
        network: One of `NETWORKS`.
    """
    stages = spec(NETWORKS[network]).stages
    return tuple(n for n, stage in enumerate(stages, 1) if stage.operation == "fused_mbconv")


@lru_cache(maxsize=64)
def fused_network(network: str, fused: tuple[int, ...]) -> NetworkSpec:
    """Return a network with Fused-MBConv in these stages and MBConv in all others.

    A fused stage has no squeeze-and-excitation and every other stage has it, as in the released V2.

    Args:
        network: One of `NETWORKS`.
        fused: Stages counted from 1, as in the paper's table 3.
    """
    released = spec(NETWORKS[network])
    if fused == own_fused(network):
        return released
    plain = tuple(replace(row, operation="mbconv", squeeze_ratio=SQUEEZE_RATIO) for row in released.stages)
    return fuse_stages(replace(released, stages=plain), [n - 1 for n in fused])


@dataclass(frozen=True)
class Counted:
    """Exact costs of one network for one image.

    Attributes:
        cost: Layer by layer.
        parameters: Trainable numbers.
        macs: Multiply-adds, forward.
        training_macs: Multiply-adds, forward and backward.
        saved_bytes: What is kept from the forward for the backward pass, in fp32.
    """

    cost: NetworkCost
    parameters: int
    macs: int
    training_macs: int
    saved_bytes: int


@lru_cache(maxsize=256)
def counted(network: str, fused: tuple[int, ...], side: int) -> Counted:
    """Return the exact costs of a network with fused stages.

    Args:
        network: One of `NETWORKS`.
        fused: Stages counted from 1.
        side: Side of the input in pixels.
    """
    found = cost(fused_network(network, fused), side)
    return Counted(found, found.parameters, found.macs, found.macs + found.backward_macs, found.saved_bytes())


def counted_at(setting: Setting, fused: tuple[int, ...] | None = None) -> Counted:
    """Return the exact costs of the network of a setting, at its side.

    Args:
        setting: Any setting.
        fused: Other stages than those of the setting, counted from 1.
    """
    return counted(setting.network, setting.fused if fused is None else fused, setting.side)


def table_3_row(setting: Setting) -> Row | None:
    """Return what the paper prints for the network of a setting, or None where it prints nothing.

    Args:
        setting: Any setting.
    """
    name = TABLE_3.get(setting.fused) if setting.network == "B4" else None
    return None if name is None else read("v2_table3_fused").row(variant=name)


def published_step(row: Row, device: str) -> float:
    """Return the time of a training step over that of no fused stage, as table 3 implies it.

    Args:
        row: One of the table.
        device: `"v100"` or `"tpu_core"`.
    """
    column = f"training_images_per_second_{device}"
    return read("v2_table3_fused").row(variant=TABLE_3[()]).number(column) / row.number(column)


def published_macs(row: Row) -> float:
    """Return MACs over those of no fused stage, as table 3 prints them.

    Args:
        row: One of the table.
    """
    plain = read("v2_table3_fused").row(variant=TABLE_3[()])
    return row.number("macs_billions") / plain.number("macs_billions")


@cache
def published_schedule(name: str) -> ProgressiveSchedule:
    """Return a schedule of V2.

    Args:
        name: One of `SCHEDULES`.
    """
    return ProgressiveSchedule.efficientnet_v2(*SCHEDULES[name])


@cache
def _paper_start(quantity: str) -> float:
    """Return with what the paper's schedules start; it is the same for S, M and L."""
    rows = read("v2_progressive").where(variant="paper", network="efficientnetv2_s")
    return rows.row(setting=quantity).number("first_stage")


@lru_cache(maxsize=256)
def schedule_of(setting: Setting) -> ProgressiveSchedule:
    """Return the stages of a training: as published, or in equal steps between the chosen ends.

    RandAugment and dropout start where the paper's start, unless their end is lower; mixup starts at 0.

    Args:
        setting: Any setting.
    """
    if setting.schedule != OWN:
        return published_schedule(setting.schedule)
    last = Stage(setting.side, setting.randaugment, setting.mixup, 0.0, setting.dropout)
    if setting.stages == 1:
        return ProgressiveSchedule((last,), "one stage")
    first = Stage(
        setting.first_side,
        min(_paper_start("randaugment"), setting.randaugment),
        0.0,
        0.0,
        min(_paper_start("dropout"), setting.dropout),
    )
    grown = ProgressiveSchedule.linear(first, last, setting.stages)
    return grown if setting.growing else grown.without_adaptive_regularisation()


def epoch_macs(setting: Setting) -> tuple[int, ...]:
    """Return the MACs of one epoch of ImageNet at each stage of a schedule, forward and backward.

    Args:
        setting: Any setting.
    """
    return tuple(
        IMAGENET_IMAGES * counted(setting.network, setting.fused, stage.side).training_macs
        for stage in schedule_of(setting).stages
    )


def listed(stages: tuple[int, ...]) -> str:
    """Return stage numbers in few characters, such as `1-3` or `1, 3, 4`; `none` where there are none.

    Args:
        stages: Ascending numbers.
    """
    if len(stages) > 2 and stages == tuple(range(stages[0], stages[-1] + 1)):
        return f"{stages[0]}-{stages[-1]}"
    return ", ".join(map(str, stages)) or "none"
