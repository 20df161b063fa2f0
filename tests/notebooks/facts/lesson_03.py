from dataclasses import replace
from math import prod
from statistics import median
from typing import NamedTuple

import effnet_edu as ee
from effnet_edu.labs.mbconv.exact import MBConvLogic
from effnet_edu.labs.mbconv.numbers import FUSED, KINDS, MBCONV, PLAIN, cost_of

BLOCKS = ee.resolve(ee.spec("efficientnet_b0"))
MOBILE = {row["network"]: row for row in ee.published.read("mobile_networks")}
ABLATION = {row["variant"]: row["top1_percent"] for row in ee.published.read("mobilenetv2_ablation")}
EARLY = {"side": 56, "channels_in": 24, "channels_out": 24}
LATE = {"side": 7, "channels_in": 192, "channels_out": 192}


def _macs(kind: str, **settings: int) -> int:
    setting = MBConvLogic(device="cpu", side=28, channels_in=40, channels_out=40).setting
    return cost_of(replace(setting, **settings), kind).macs


def _grows(kind: str) -> float:
    return _macs(kind, kernel=7) / _macs(kind, kernel=3)


def _first_blocks_have_no_shortcut() -> bool:
    return all(block.has_shortcut == (block.index > 0) for block in BLOCKS)


def _intensity(role: str) -> float:
    rows = ee.cost("efficientnet_b0").layers
    row = next(row for row in rows if (row.stage, row.block, row.role) == (2, 1, role) and row.macs)
    return row.macs / row.bytes_moved()


class Milliseconds(NamedTuple):
    """What the convolutions of one role need for their MACs and their bytes, and what they took."""

    macs: float
    bytes: float
    recorded: float


def _milliseconds(role: str) -> Milliseconds:
    records = ee.studies.recorded_devices()["amd_epyc_2_threads"]
    limits = records["ceilings"].data["rows"][0]
    times = records["layers"].data["rows"][0]["layers"]
    rows = [
        row for row in ee.cost("efficientnet_b0").layers if row.role == role and row.kind == "convolution"
    ]
    return Milliseconds(
        1000 * sum(row.macs for row in rows) / limits["arithmetic"]["fp32"]["per_second"],
        1000 * sum(row.bytes_moved() for row in rows) / limits["memory"]["per_second"],
        sum(median(times[row.name]) for row in rows) / 1e6,
    )


def _fastest_depthwise() -> float:
    """Return the milliseconds of B0's depthwise layers by the fastest recorded run of each."""
    times = ee.studies.recorded_devices()["amd_epyc_2_threads"]["layers"].data["rows"][0]["layers"]
    rows = ee.cost("efficientnet_b0").layers
    return sum(min(times[row.name]) for row in rows if row.role == "depthwise" and row.macs) / 1e6


def _lowest_over_floor() -> float:
    """Return by how much the fastest recorded run of a depthwise layer exceeds its floor, at the least."""
    records = ee.studies.recorded_devices()["amd_epyc_2_threads"]
    limits = records["ceilings"].data["rows"][0]
    times = records["layers"].data["rows"][0]["layers"]
    return min(
        min(times[row.name])
        / 1e9
        / max(
            row.macs / limits["arithmetic"]["fp32"]["per_second"],
            row.bytes_moved() / limits["memory"]["per_second"],
        )
        for row in ee.cost("efficientnet_b0").layers
        if row.role == "depthwise" and row.kind == "convolution"
    )


def _widening() -> list[float]:
    """Return how many times the channels that it hands on each block computes inside."""
    return [block.channels_hidden / block.channels_out for block in BLOCKS]


def _of_b0(which: str) -> int:
    """Return the MACs of B0's blocks as built, or of plain convolutions of their shapes."""
    if which == "built":
        return sum(row.macs for row in ee.cost("efficientnet_b0").layers if row.block is not None)
    return sum(
        (3 if which == "three" else block.kernel) ** 2
        * block.channels_in
        * block.channels_out
        * block.side_out**2
        for block in BLOCKS
    )


def _depthwise_share(expansion: int) -> float:
    """Return the depthwise share of the MACs in the lab's block of 40 channels."""
    depthwise = 9 * 40 * expansion * 28 * 28
    return depthwise / _macs(MBCONV, expansion=expansion, squeeze_ratio=0.0)


FACTS = {
    "which is a rate of 0.2, as in the released code": lambda: [
        1 - ee.published.read("effnet_recipe").row(item="stochastic_depth_survival")["value"]
    ],
    "and 14 even if only the fastest run of each layer is counted": lambda: [_fastest_depthwise()],
    "squeeze-and-excitation of width 10, from side 28 to side 28": lambda: [
        BLOCKS[4].squeeze_channels,
        BLOCKS[4].side_in,
        BLOCKS[4].side_out,
    ],
    "nine tenths of the MACs are in the pointwise part": lambda: 0.88 < 80 / (80 + 9) < 0.92,
    "The next cell counts both on a map of 40 channels": lambda: [40],
    "here six times as many": lambda: BLOCKS[4].expansion == 6,
    "two pixels of padding keep the side": lambda: BLOCKS[4].kernel == 5,
    "B0 has 16 blocks in seven stages. How many of them have a shortcut?": lambda: [len(BLOCKS)],
    "The first block of a stage changes the channels, and in four stages it also has stride 2": lambda: (
        _first_blocks_have_no_shortcut()
        and sum(block.stride == 2 for block in BLOCKS) == 4
        and all(block.index == 0 for block in BLOCKS if block.stride == 2)
    ),
    "block i of 16 gets the rate 0.2 * i / 16, from i = 0": lambda: (
        [len(BLOCKS), ee.spec("efficientnet_b0").drop_path_rate, len(BLOCKS), 0]
        if all(abs(block.drop_path_rate - 0.2 * i / 16) < 1e-9 for i, block in enumerate(BLOCKS))
        else []
    ),
    "B0 ends with a map of 7 x 7": lambda: [BLOCKS[-1].side_out] * 2,
    "section 4 does about three MACs, and the 1x1 convolutions beside it about eight": lambda: (
        round(_intensity("depthwise")) == 3
        and round(_intensity("expand")) == round(_intensity("project")) == 8
    ),
    "need less than half a millisecond and their bytes less than two thirds of one": lambda: (
        _milliseconds("depthwise").macs < 1 / 2 and _milliseconds("depthwise").bytes < 2 / 3
    ),
    "starting 16 layers takes a millisecond at most, to judge by the 32 convolutions of squeeze": lambda: (
        [16, 32] if _milliseconds("squeeze_excite").recorded / 2 < 1 else []
    ),
    "Even those are more than five times the floor, in every layer": lambda: _lowest_over_floor() > 5,
    "They took about 25": lambda: [_milliseconds("depthwise").recorded],
    "three to six times the features that a block hands on, and twice as many in the first": lambda: (
        0.6 < _of_b0("built") / _of_b0("same") < 0.7
        and 1.2 < _of_b0("built") / _of_b0("three") < 1.35
        and _widening()[0] == 2
        and min(_widening()[1:]) == 3
        and max(_widening()) == 6
    ),
    "at 63 percent of the plain 5x5 convolution's MACs, and well above those of a plain 3x3": lambda: (
        [63]
        if round(100 * _macs(MBCONV, kernel=5) / _macs(PLAIN, kernel=5)) == 63
        and _macs(MBCONV, kernel=5) > 1.5 * _macs(PLAIN, kernel=3)
        else []
    ),
    "Each of the 240 features is its own mixture of all 40 input channels": lambda: [
        BLOCKS[4].channels_hidden,
        BLOCKS[4].channels_in,
    ],
    "combines 240 such features into the 40 numbers per pixel": lambda: [
        BLOCKS[4].channels_hidden,
        BLOCKS[4].channels_out,
    ],
    "computes 40 features and pays more than nine times as much for each, a plain 3x3 one": (
        lambda: (
            [40]
            if 9 < 6 * _macs(PLAIN, kernel=5) / _macs(MBCONV, kernel=5) < 10.5
            and 3 < 6 * _macs(PLAIN, kernel=3) / _macs(MBCONV, kernel=5) < 4
            else []
        )
    ),
    "The narrow ends of B0 have 16 to 320 channels": lambda: [
        choose(block.channels_out for block in BLOCKS) for choose in (min, max)
    ],
    "more accurate than MobileNetV1, which is made of separable pairs, at about half the MACs": lambda: (
        MOBILE["MobileNetV2 1.0"]["top1_percent"] > MOBILE["MobileNetV1 1.0"]["top1_percent"]
        and 0.45
        < MOBILE["MobileNetV2 1.0"]["macs_billions"] / MOBILE["MobileNetV1 1.0"]["macs_billions"]
        < 0.55
    ),
    "The depthwise share of the MACs grows from 10 to 18 percent": lambda: [
        100 * _depthwise_share(expansion) for expansion in (6, 1)
    ],
    "with $T$ = 400 million and": lambda: [
        ee.published.read("effnet_recipe").row(item="nas_target_flops")["value"]
    ],
    "0.3, version 2 has 0.2, and versions 3 and 5 state a survival probability of 0.8": lambda: (
        [0.3, 2, 0.2, 3, 5, ee.published.read("effnet_recipe").row(item="stochastic_depth_survival")["value"]]
        if '0.3", v2 "drop connect ratio 0.2", v3/v5'
        in ee.published.read("effnet_recipe").row(item="stochastic_depth_survival")["source"]
        else []
    ),
    "In the early block a Fused-MBConv has 4.2 times the MACs of the MBConv, in the late one 4.9 times": (
        lambda: [_macs(FUSED, **at) / _macs(MBCONV, **at) for at in (EARLY, LATE)]
    ),
    "The plain convolution alone has the fewest MACs of the three, and computes a sixth of the features": (
        lambda: all(_macs(PLAIN, **at) < min(_macs(MBCONV, **at), _macs(FUSED, **at)) for at in (EARLY, LATE))
    ),
    "The MACs of MBConv grow by less than half, those of the other two about fivefold": lambda: (
        1 < _grows(MBCONV) < 1.5 and all(4.9 < _grows(kind) < 5.5 for kind in (FUSED, PLAIN))
    ),
    "The linear end gains about two thirds of a point, the shortcut more than one": lambda: (
        0.6 < ABLATION["Linear bottleneck"] - ABLATION["ReLU6 in bottleneck"] < 0.72
        and ABLATION["Shortcut between bottlenecks"] - ABLATION["No residual"] > 1
    ),
    "the course's budget of 2 billion MACs for one image": lambda: [2],
    "had to bring 5 percent more accuracy": lambda: [
        100 * (2 ** -ee.published.read("effnet_recipe").row(item="nas_w")["value"] - 1)
    ],
    "Expand and project have nine times the MACs of the depthwise convolutions": lambda: (
        8.5
        < sum(ee.cost("efficientnet_b0").by_role()[role] for role in ("expand", "project"))
        / ee.cost("efficientnet_b0").by_role()["depthwise"]
        < 9.5
    ),
    "One block, built in three ways": lambda: len(KINDS) == 3,
    "By what factor do both together need fewer MACs": lambda: 8 < prod((9, 80)) / (9 + 80) < 9,
}
CHOICES = {
    "15": "channels of the experiment with the spiral",
    "30": "channels of the experiment with the spiral",
    "24": "channels of the lab",
    "56": "a side of the lab",
    "28": "a side of the lab",
    "40": "channels of the lab",
    "16": "channels of the lab",
    "112": "a side of the lab",
    "192": "channels of the lab",
}
