"""What a setting of the V2 lab means: its network, its schedule, and their exact costs."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache

from effnet_edu.labs.frame.numbers import Number, Section
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
class V2Setting:
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
    """Return the stages that are fused in a network as it was released, counted from 1."""
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
    """Return the exact costs of a network with fused stages."""
    found = cost(fused_network(network, fused), side)
    return Counted(found, found.parameters, found.macs, found.macs + found.backward_macs, found.saved_bytes())


def counted_at(setting: V2Setting, fused: tuple[int, ...] | None = None) -> Counted:
    """Return the exact costs of the network of a setting, at its side."""
    return counted(setting.network, setting.fused if fused is None else fused, setting.side)


@dataclass(frozen=True)
class StageCost:
    """What one stage of a network costs for one image, as it is and with the other operation.

    Attributes:
        number: Counted from 1.
        is_fused: Whether it has Fused-MBConv.
        parameters: Trainable numbers.
        macs: Multiply-adds, forward.
        other_parameters: Trainable numbers with the other operation.
        other_macs: Multiply-adds with the other operation.
    """

    number: int
    is_fused: bool
    parameters: int
    macs: int
    other_parameters: int
    other_macs: int


@lru_cache(maxsize=256)
def _stage_costs(network: str, fused: tuple[int, ...], side: int) -> tuple[StageCost, ...]:
    last = len(spec(NETWORKS[network]).stages)
    # What a stage costs does not depend on the others: two networks know both operations of all.
    ways = [counted(network, chosen, side).cost for chosen in ((), tuple(range(1, last + 1)))]
    sums = [(way.by_stage(lambda row: row.parameters), way.by_stage()) for way in ways]
    found = []
    for number in range(1, last + 1):
        here = number in fused
        (parameters, macs), (others, other_macs) = sums[here], sums[not here]
        key = f"stages.{number - 1}"
        found.append(StageCost(number, here, parameters[key], macs[key], others[key], other_macs[key]))
    return tuple(found)


def stage_costs(setting: V2Setting) -> tuple[StageCost, ...]:
    """Return what each stage of a setting's network costs at its side."""
    return _stage_costs(setting.network, setting.fused, setting.side)


def toggled(fused: tuple[int, ...], stage: int) -> tuple[int, ...]:
    """Return the fused stages after one of them, counted from 1, is changed."""
    return tuple(sorted({*fused} ^ {stage}))


def table_3_row(setting: V2Setting) -> Row | None:
    """Return what the paper prints for the network of a setting, or None where it prints nothing."""
    name = TABLE_3.get(setting.fused) if setting.network == "B4" else None
    return None if name is None else read("v2_table3_fused").row(variant=name)


def published_step(row: Row, device: str) -> float:
    """Return the time of a training step over that of no fused stage, as table 3 implies it."""
    column = f"training_images_per_second_{device}"
    return read("v2_table3_fused").row(variant=TABLE_3[()]).number(column) / row.number(column)


def published_macs(row: Row) -> float:
    """Return MACs over those of no fused stage, as table 3 prints them."""
    plain = read("v2_table3_fused").row(variant=TABLE_3[()])
    return row.number("macs_billions") / plain.number("macs_billions")


@cache
def published_schedule(name: str) -> ProgressiveSchedule:
    """Return a schedule of V2."""
    return ProgressiveSchedule.efficientnet_v2(*SCHEDULES[name])


@cache
def _paper_start(quantity: str) -> float:
    """Return with what the paper's schedules start; it is the same for S, M and L."""
    rows = read("v2_progressive").where(variant="paper", network="efficientnetv2_s")
    return rows.row(setting=quantity).number("first_stage")


@lru_cache(maxsize=256)
def schedule_of(setting: V2Setting) -> ProgressiveSchedule:
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


def epoch_macs(setting: V2Setting) -> tuple[int, ...]:
    """Return the MACs of one epoch of ImageNet at each stage of a schedule, forward and backward."""
    return tuple(
        IMAGENET_IMAGES * counted(setting.network, setting.fused, stage.side).training_macs
        for stage in schedule_of(setting).stages
    )


def listed(stages: tuple[int, ...]) -> str:
    """Return stage numbers in few characters, such as `1-3` or `1, 3, 4`; `none` where there are none."""
    if len(stages) > 2 and stages == tuple(range(stages[0], stages[-1] + 1)):
        return f"{stages[0]}-{stages[-1]}"
    return ", ".join(map(str, stages)) or "none"


def numbers(setting: V2Setting) -> tuple[Section, ...]:
    """Return what is counted exactly, and what the paper prints for the same network."""
    return _fusing_numbers(setting) if setting.part == FUSING else _schedule_numbers(setting)


def label(setting: V2Setting) -> str:
    """Return `B4, fused 1-3, 224 px`, with the sides of all stages in a schedule."""
    named = f"{setting.network}, fused {listed(setting.fused)}"
    sides = [stage.side for stage in schedule_of(setting).stages]
    if setting.part == FUSING or len(sides) == 1:
        return f"{named}, {setting.side} px"
    return f"{named}, {sides[0]} to {sides[-1]} px in {len(sides)} stages"


def _fusing_numbers(setting: V2Setting) -> tuple[Section, ...]:
    now, none = counted_at(setting), counted_at(setting, fused=())
    computed = (
        Number("parameters", now.parameters / 1e6, "million"),
        Number("MACs", now.macs / 1e9, "billion"),
        Number("MACs to train", now.training_macs / 1e9, "billion"),
        Number("kept to train", now.saved_bytes / 2**20, "MiB", decimals=0),
        Number("parameters / none fused", now.parameters / none.parameters, "×", decimals=2),
        Number("MACs / none fused", now.macs / none.macs, "×", decimals=2),
        Number("kept / none fused", now.saved_bytes / none.saved_bytes, "×", decimals=2),
    )
    section = Section("computed", computed, "computed, for one image")
    row = table_3_row(setting)
    if row is None:
        return (section,)
    printed = (
        Number("parameters, paper", row.number("parameters_millions"), "million"),
        Number("MACs, paper", row.number("macs_billions"), "billion"),
        Number("top-1, paper", row.number("top1_percent"), "%", decimals=1),
        Number("step / none fused, V100", published_step(row, "v100"), "×", decimals=2),
        Number("step / none fused, TPUv3", published_step(row, "tpu_core"), "×", decimals=2),
    )
    return (section, Section("published", printed, "published, table 3"))


def _schedule_numbers(setting: V2Setting) -> tuple[Section, ...]:
    macs = epoch_macs(setting)
    by_stage = (
        Number(f"MACs, stage {n}", one / 1e15, "peta", is_detail=True) for n, one in enumerate(macs, 1)
    )
    mean = sum(macs) / len(macs)
    total = (
        Number("MACs an epoch", mean / 1e15, "peta"),
        Number("MACs / full size", mean / macs[-1], "×", decimals=2),
    )
    return (Section("computed", (*by_stage, *total), "computed, ImageNet epoch"),)
