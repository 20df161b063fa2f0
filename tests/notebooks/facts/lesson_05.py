from dataclasses import replace

import effnet_edu as ee
from effnet_edu.studies.findings import fused as findings
from effnet_edu.studies.fused import network

TABLE_2 = ee.published.read("v2_table2_train_size").where(device="V100")
TABLE_3 = ee.published.read("v2_table3_fused")
TABLE_5 = ee.published.read("v2_table5_randaugment")
TABLE_7 = ee.published.read("v2_table7_results")
TABLE_10 = ee.published.read("v2_table10_same_training")
SEARCH = ee.published.read("v2_search")
RECORDED = ee.studies.recorded_devices()["amd_epyc_2_threads"]
B4, V2_S = ee.spec("efficientnet_b4"), ee.spec("efficientnetv2_s")
PAPER, RELEASED = (ee.ProgressiveSchedule.efficientnet_v2("s", name) for name in ("paper", "released"))


def _more(column):
    return TABLE_3[1][column] / TABLE_3[0][column]


def _intensities():
    """Return MACs for each byte of the convolutions in the first three stages of B4, by role."""
    early = [row for row in ee.cost(B4).layers if row.stage in (0, 1, 2) and row.kind == "convolution"]
    found = {}
    for role in ("expand", "depthwise", "project"):
        rows = [row for row in early if row.role == role]
        found[role] = 32 * sum(row.macs for row in rows) / sum(row.bytes_moved(32) for row in rows)
    return found


def _best_magnitude(side):
    return max(TABLE_5.where(side_px=side), key=lambda row: row["top1_percent"])["randaugment"]


def _hours(table, network, column):
    return table.row(network=network)[column]


def _share():
    macs = [ee.cost(V2_S, stage.side) for stage in PAPER.stages]
    totals = [one.macs + one.backward_macs for one in macs]
    return sum(totals) / (len(totals) * totals[-1])


def _parameters(count, kernel=None):
    fused = ee.fuse_stages(B4, range(count))
    stages = tuple(
        replace(stage, kernel=kernel or stage.kernel) if index < count else stage
        for index, stage in enumerate(fused.stages)
    )
    return ee.cost(replace(fused, stages=stages)).parameters / 1e6


def _agrees(row, count, kernel=None):
    return abs(_parameters(count, kernel) / row["parameters_millions"] - 1) < 0.005


def _recorded(column):
    """Return what was recorded of B4 in training, by how many stages are fused."""
    return {row["stages_fused"]: row[column] for row in RECORDED["fused_networks"].data["rows"]}


FACTS = {
    "accelerators, fusing the early stages is quicker, although it more than doubles": lambda: (
        min(_more(f"training_images_per_second_{device}") for device in ("v100", "tpu_core")) > 1
        and ee.cost(ee.fuse_stages(B4, range(3))).macs > 2 * ee.cost(B4).macs
    ),
    "the rounds lie on both sides of 1": lambda: (
        _recorded("lowest_speed")[3] < 1 < _recorded("highest_speed")[3]
    ),
    "More of them only lose": lambda: max(_recorded("highest_speed")[count] for count in (5, 7)) < 1,
    "so it gains less and loses more": lambda: (
        _recorded("highest_speed")[3] < _more("training_images_per_second_tpu_core")
        and _recorded("highest_speed")[7]
        < TABLE_3[3]["training_images_per_second_tpu_core"]
        / TABLE_3[0]["training_images_per_second_tpu_core"]
    ),
    "Here fusing all four stages gave the fastest training, and for B4 it gave the slowest": lambda: (
        max(findings.fused_points(ee.studies.read("fused")), key=lambda point: point.speed.mean).fused_stages
        == 4
        and max(_recorded("step_ms"), key=_recorded("step_ms").get) == 7
    ),
    "B4's last stage has more than ten times the channels of this network's last one": lambda: (
        B4.stages[-1].channels > 10 * network(0).stages[-1].channels
    ),
    "Two thirds more arithmetic, and more than a third more images a second": lambda: (
        abs(_more("macs_billions") - 5 / 3) < 0.01
        and min(_more(f"training_images_per_second_{device}") for device in ("v100", "tpu_core")) > 4 / 3
    ),
    "it has the fewest MACs for each byte": lambda: (
        min(_intensities(), key=_intensities().get) == "depthwise"
    ),
    "depthwise convolutions have about a tenth of the MACs": lambda: (
        0.08 < ee.cost("efficientnet_b0").by_role()["depthwise"] / ee.cost("efficientnet_b0").macs < 0.12
    ),
    "B4 to B7 are trained at up to 600 pixels": lambda: [ee.spec("efficientnet_b7").resolution],
    "At 380 pixels the same network fits twice the batch, trains almost twice as fast": lambda: (
        [TABLE_2[-1]["train_side_px"]]
        if TABLE_2[1]["note"] and 1.7 < TABLE_2[3]["training_images_per_second"] / 29 < 1.9
        else [0]
    ),
    "comes out slightly *better*": lambda: TABLE_2[3]["top1_percent"] > TABLE_2[0]["top1_percent"],
    "fused blocks in the first three stages and MBConv after them": lambda: (
        [stage.operation == "fused_mbconv" for stage in V2_S.stages] == [True] * 3 + [False] * 3
    ),
    "only 3 x 3 kernels": lambda: {stage.kernel for stage in V2_S.stages} == {3},
    "expansion 4 instead of 6 early on": lambda: (
        {stage.expansion for stage in V2_S.stages[1:4]} == {4}
        and {stage.expansion for stage in B4.stages[1:]} == {6}
    ),
    "the largest image for inference is 480 pixels": lambda: (
        f"max inference size {480}" in SEARCH.row(item="scaling")["value"]
        and max(ee.spec(f"efficientnetv2_{size}").resolution for size in "sml") == 480
    ),
    "At 128 pixels the weakest augmentation is best, at 300 the strongest": lambda: (
        [128, 300] if (_best_magnitude(128), _best_magnitude(300)) == (5, 15) else []
    ),
    "a training at 300 pixels": lambda: [PAPER.stages[-1].side],
    "The paper's schedule starts at 128 pixels; the code takes one step before it starts": lambda: (
        [PAPER.stages[0].side] if RELEASED.stages[0].side > 128 else []
    ),
    "It saves about half of the arithmetic": lambda: 0.4 < 1 - _share() < 0.6,
    "So the architecture makes a factor of about 4": lambda: (
        3.8
        < _hours(TABLE_10, "EfficientNet-B7", "training_hours")
        / _hours(TABLE_10, "EfficientNetV2-M", "training_hours")
        < 4.3
    ),
    "B7 itself needs less than half the hours with it": lambda: (
        _hours(TABLE_10, "EfficientNet-B7", "training_hours")
        < _hours(TABLE_7, "EfficientNet-B7", "training_hours_32_tpu_cores") / 2
    ),
    "B4's third stage has 5 x 5 ones": lambda: B4.stages[2].kernel == 5,
    "The first row agrees with 3 x 3 kernels, the others with B4's own": lambda: (
        _agrees(TABLE_3[1], 3, kernel=3)
        and not _agrees(TABLE_3[1], 3)
        and all(_agrees(row, count) for row, count in ((TABLE_3[2], 5), (TABLE_3[3], 7)))
    ),
    "V2 trains for 350 epochs on ImageNet": lambda: [ee.Recipe.efficientnet_v2().epochs],
    "gives V2-L more parameters than its network has": lambda: (
        ee.published.read("v2_released").row(network="EfficientNetV2-L", training="in1k")[
            "parameters_millions"
        ]
        > ee.cost("efficientnetv2_l").parameters / 1e6 + 0.5
    ),
}
CHOICES = {
    "10": "the number of a table",
    "12": "the number of a table",
    "80": "a share to choose from before looking",
    "60": "a share to choose from before looking",
    "40": "a share to choose from before looking",
    "28": "pixels of the small training",
    "380": "a side to set in the lab, that of B4",
}
