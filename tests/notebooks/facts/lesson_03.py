from dataclasses import replace
from math import prod

import effnet_edu as ee
from effnet_edu.labs.mbconv_logic import FUSED, KINDS, MBCONV, PLAIN, MBConvLogic, cost_of

BLOCKS = ee.resolve(ee.spec("efficientnet_b0"))
ABLATION = {row["variant"]: row["top1_percent"] for row in ee.published.read("mobilenetv2_ablation")}


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


FACTS = {
    "nine tenths of the MACs are in the pointwise part": lambda: 0.88 < 80 / (80 + 9) < 0.92,
    "The next cell checks both on a map of 40 channels": lambda: [40],
    "here six times as many": lambda: BLOCKS[4].expansion == 6,
    "two pixels of padding keep the side": lambda: BLOCKS[4].kernel == 5,
    "B0 has 16 blocks in seven stages. How many of them have a shortcut?": lambda: [len(BLOCKS)],
    "A first block changes the channels, and in four stages it also has stride 2": lambda: (
        _first_blocks_have_no_shortcut()
        and sum(block.stride == 2 for block in BLOCKS) == 4
        and all(block.index == 0 for block in BLOCKS if block.stride == 2)
    ),
    "The last block of B0 is the 16th, and the rate is set to 0.2. Is 0.2 the rate of the last block?": (
        lambda: [len(BLOCKS), *2 * [ee.spec("efficientnet_b0").drop_path_rate]]
    ),
    "B0 ends with a map of 7 x 7": lambda: [BLOCKS[-1].side_out] * 2,
    "The depthwise convolution does fewer MACs for each byte than its neighbours": lambda: (
        _intensity("depthwise") < min(_intensity("expand"), _intensity("project")) / 2
    ),
    "a Fused-MBConv has about four and a half times the MACs of an MBConv": lambda: (
        4.4 < _macs(FUSED) / _macs(MBCONV) < 4.6
    ),
    "The MACs of MBConv grow by less than half, those of the other two about fivefold": lambda: (
        1 < _grows(MBCONV) < 1.5 and all(4.9 < _grows(kind) < 5.5 for kind in (FUSED, PLAIN))
    ),
    "The linear end gains about half a point, the shortcut more than one": lambda: (
        0.4 < ABLATION["Linear bottleneck"] - ABLATION["ReLU6 in bottleneck"] < 0.75
        and ABLATION["Shortcut between bottlenecks"] - ABLATION["No residual"] > 1
    ),
    "Survival 0.8 means rate 0.2": lambda: [
        ee.published.read("effnet_recipe").row(item="stochastic_depth_survival")["value"],
        ee.spec("efficientnet_b0").drop_path_rate,
    ],
    "Which has fewer MACs?": lambda: _macs(PLAIN, kernel=5) > _macs(MBCONV, kernel=5, squeeze_ratio=0.0),
    "One block, three ways to build it": lambda: len(KINDS) == 3,
    "Twice, 8 times, 40 times?": lambda: [round(prod((9, 80)) / (9 + 80)), 40],
}
CHOICES = {
    "15": "channels of the experiment with the spiral",
    "30": "channels of the experiment with the spiral",
    "28": "a side of the lab",
    "40": "channels of the lab",
    "16": "channels of the lab",
    "112": "a side of the lab",
    "192": "channels of the lab",
}
