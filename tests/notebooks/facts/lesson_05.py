from dataclasses import replace

import effnet_edu as ee
from effnet_edu.studies.block_and_gate import findings as block_and_gate
from effnet_edu.studies.block_and_gate import runs as block_and_gate_runs
from effnet_edu.studies.progressive import findings as progressive
from effnet_edu.studies.progressive import runs as progressive_runs
from effnet_edu.studies.statistics import paired_difference

TABLE_2 = ee.published.read("v2_table2_train_size").where(device="V100")
TABLE_3 = ee.published.read("v2_table3_fused")
TABLE_5 = ee.published.read("v2_table5_randaugment")
TABLE_7 = ee.published.read("v2_table7_results")
TABLE_10 = ee.published.read("v2_table10_same_training")
SEARCH = ee.published.read("v2_search")
RECORDED = ee.studies.recorded_devices()["amd_epyc_2_threads"]
NEWER = ee.studies.recorded_devices()["amd_epyc_with_avx512_2_threads"]
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


def _most_macs(kernel):
    """Return how many times the MACs of an MBConv a fused block has with very many channels."""
    c_mid = B4.stages[1].expansion * (c := 10**6)
    return round((kernel**2 * c * c_mid + c_mid * c) / (2 * c * c_mid + kernel**2 * c_mid), 3)


def _share(schedule):
    macs = [ee.cost(V2_S, stage.side) for stage in schedule.stages]
    totals = [one.macs + one.backward_macs for one in macs]
    return sum(totals) / (len(totals) * totals[-1])


def _parameters(count, kernel=None):
    fused = ee.fuse_stages(B4, range(count))
    stages = tuple(
        replace(stage, kernel=kernel or stage.kernel) if index < count else stage
        for index, stage in enumerate(fused.stages)
    )
    return ee.cost(replace(fused, stages=stages)).parameters / 1e6


def _gates_of(count):
    """Return millions of weights in the gates of B4's first stages."""
    rows = ee.cost(B4).layers
    return sum(row.parameters for row in rows if row.role == "squeeze_excite" and row.stage < count) / 1e6


def _agrees(row, count, kernel=None):
    return abs(_parameters(count, kernel) / row["parameters_millions"] - 1) < 0.005


TABLE_12 = ee.published.read("v2_table12_progressive")


def _walked(count):
    """Return B7 at 480 px with 3 x 3 kernels after some of: expansion 4, no gates, fusing."""
    stages = []
    for index, stage in enumerate(replace(ee.spec("efficientnet_b7")).stages):
        stage = replace(stage, kernel=3)
        if count > 0 and index in (1, 2, 3):
            stage = replace(stage, expansion=4)
        if count > 1 and index < 3:
            stage = replace(stage, squeeze_ratio=0)
        stages.append(stage)
    network = replace(ee.spec("efficientnet_b7"), resolution=480, stages=tuple(stages))
    return ee.cost(ee.fuse_stages(network, (0, 1, 2)) if count > 2 else network)


def _recorded(column):
    """Return what was recorded of B4 in training, by how many stages are fused."""
    rows = RECORDED["fused_networks"].data["rows"]
    return {row["stages_fused"]: row[column] for row in rows if row.get("kernel") is None}


def _newer(kernel):
    """Return how fast B4 with three fused stages trains on the newer CPU: middle, lowest, highest round."""
    (row,) = (
        row
        for row in NEWER["fused_networks"].data["rows"]
        if (row["stages_fused"], row["kernel"]) == (3, kernel)
    )
    return [row[name] for name in ("speed", "lowest_speed", "highest_speed")]


def _engines_ms(network):
    rows = NEWER["engines"].data["rows"]
    return {row["engine"]: row["median_ms"] for row in rows if row["network"] == network}


RECORDED_MS = {
    row["network"]: row["median_ms"]
    for row in RECORDED["networks"].data["rows"]
    if row["batch_size"] == 1 and row["precision"] == "fp32"
}
GATED = ee.studies.read("block_and_gate")
GROWN = ee.studies.read("progressive")


def _speed(row, device):
    """Return how many times as fast as with no stage fused a row of table 3 trains."""
    column = f"training_images_per_second_{device}"
    return TABLE_3[row][column] / TABLE_3[0][column]


def _fused_macs(kernel):
    """Return billions of MACs of B4 with three fused stages, the third with this kernel."""
    fused = ee.fuse_stages(B4, range(3))
    stages = (*fused.stages[:2], replace(fused.stages[2], kernel=kernel), *fused.stages[3:])
    return ee.cost(replace(fused, stages=stages)).macs / 1e9


def _macs(network, side=None):
    return ee.cost(network, side).macs / 1e9


def _architecture():
    """Return how many times as fast as B7 V2-M trains with the same recipe."""
    return _hours(TABLE_10, "EfficientNet-B7", "training_hours") / _hours(
        TABLE_10, "EfficientNetV2-M", "training_hours"
    )


def _recipe():
    """Return how many times as fast B7 trains with V2's recipe as with its own."""
    return _hours(TABLE_7, "EfficientNet-B7", "training_hours_32_tpu_cores") / _hours(
        TABLE_10, "EfficientNet-B7", "training_hours"
    )


def _fused_time():
    """Return the training time with fused stages over that without."""
    return block_and_gate.time_ratios(GATED.record.data["step_times"])["block"]


def _learned_less():
    """Return whether networks that began small know fewer of their training images in the last epoch."""
    ways = [{"size": size, "regularisation": "constant"} for size in ("growing", "fixed")]
    return paired_difference(
        *([run["curve"]["train_accuracy"][-1] for run in GROWN.where(**way)] for way in ways)
    )


def _on_growing_images():
    """Return what growing regularisation brings to growing images."""
    ways = [{"size": "growing", "regularisation": name} for name in ("growing", "constant")]
    return paired_difference(*(GROWN.values("accuracy", **way) for way in ways))


FACTS = {
    "three stages fused with 3 x 3 kernels trained 1.18 times as fast as none (1.03 to 1.49)": lambda: (
        [3, 3, *_newer(3)]
    ),
    "with their own 0.95 times (0.91 to 1.09)": lambda: _newer(None),
    "on our newer CPU, with two threads, V2-B0 took longer in PyTorch, ONNX Runtime and OpenVINO": lambda: (
        NEWER["engines"].provenance.device.endswith("2 threads")
        and all(
            ms > _engines_ms("efficientnet_b0")[engine]
            for engine, ms in _engines_ms("efficientnetv2_b0").items()
        )
    ),
    "The fused networks have 1.67 times the MACs but trained in about the same time": lambda: (
        [block_and_gate.arms(GATED)[0].macs / block_and_gate.arms(GATED)[2].macs]
        if _fused_time().low > 0.9 and _fused_time().high < 1.1
        else []
    ),
    "the rounds lie on both sides of 1": lambda: (
        _recorded("lowest_speed")[3] < 1 < _recorded("highest_speed")[3]
    ),
    "Five or seven make training slower": lambda: (
        max(_recorded("highest_speed")[count] for count in (5, 7)) < 1
    ),
    "The CPU does far fewer MACs a second than the accelerators": lambda: (
        _recorded("highest_speed")[3] < _more("training_images_per_second_tpu_core")
        and _recorded("highest_speed")[7]
        < TABLE_3[3]["training_images_per_second_tpu_core"]
        / TABLE_3[0]["training_images_per_second_tpu_core"]
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
    "starts at 128 pixels. The code has already added the first of its four steps": lambda: (
        [PAPER.stages[0].side] if RELEASED.stages[0].side > 128 and len(PAPER.stages) == 4 else []
    ),
    "The paper's schedule for V2-S saves 44 percent of the arithmetic, the released one about a third": (
        lambda: [100 * (1 - _share(PAPER))] if 0.3 < 1 - _share(RELEASED) < 0.37 else []
    ),
    "it tends to 5 times with a 3 x 3 kernel, and to 13 times with a 5 x 5 one": lambda: [
        *(_most_macs(3), 3, 3),
        *(_most_macs(5), 5, 5),
    ],
    "B4's third stage has 5 x 5 kernels. Count both": lambda: B4.stages[2].kernel == 5,
    "(to the digit if the fused stages keep their gates)": lambda: (
        _agrees(TABLE_3[1], 3, kernel=3)
        and not _agrees(TABLE_3[1], 3)
        and all(_agrees(row, count) for row, count in ((TABLE_3[2], 5), (TABLE_3[3], 7)))
        and round(_parameters(3, kernel=3) + _gates_of(3), 1) == TABLE_3[1]["parameters_millions"]
    ),
    "the first stage costs less than a fifth of the last": lambda: (
        5 * ee.cost(V2_S, PAPER.stages[0].side).macs < ee.cost(V2_S, PAPER.stages[-1].side).macs
    ),
    "V2 trains for 350 epochs on ImageNet": lambda: [ee.Recipe.efficientnet_v2().epochs],
    "V2-B0 has almost twice the MACs": lambda: (
        1.8 < ee.cost("efficientnetv2_b0").macs / ee.cost("efficientnet_b0").macs < 2
    ),
    "Both see images of 224 pixels": lambda: (
        [224] if {ee.spec(f"efficientnet{kind}_b0").resolution for kind in ("", "v2")} == {224} else []
    ),
    "trains more than a third faster on both accelerators, and is slightly more accurate": (
        lambda: (
            abs(_more("macs_billions") - 5 / 3) < 0.01
            and min(_speed(1, device) for device in ("v100", "tpu_core")) > 4 / 3
            and TABLE_3[1]["top1_percent"] > TABLE_3[0]["top1_percent"]
        )
    ),
    "On the V100 five fused stages are fastest, on the TPU core three": (
        lambda: (
            max(range(4), key=lambda row: _speed(row, "v100")) == 2
            and max(range(4), key=lambda row: _speed(row, "tpu_core")) == 1
            and _speed(3, "v100") > 1.3
            and _speed(3, "tpu_core") < 1
        )
    ),
    "Accuracy falls by 1.1 points when all are fused": lambda: [
        TABLE_3[0]["top1_percent"] - TABLE_3[3]["top1_percent"]
    ],
    "so its MACs are not those that the paper prints": lambda: (
        _fused_macs(5) > TABLE_3[1]["macs_billions"] + 2
    ),
    "B4's third stage has 5 x 5 kernels, and we fuse it with them": lambda: [
        B4.stages[2].kernel,
        B4.stages[2].kernel,
    ],
    "the network is 0.7 to 0.8 points more accurate": lambda: sorted(
        row["growing_top1_percent"] - row["constant_top1_percent"]
        for row in ee.published.read("v2_table13_regularisation")
    ),
    "each of ten seeds trains all four": lambda: (
        len({run["seed"] for run in GATED.runs}) == 10 and len(GATED.arms()) == 4
    ),
    "every kernel is 3 x 3": lambda: (
        {stage.kernel for stage in block_and_gate_runs.network("mbconv", True).stages} == {3}
    ),
    "it classifies 94 to 97 percent of its training images correctly": lambda: [
        100 * pick(run["curve"]["train_accuracy"][-1] for run in GATED.runs) for pick in (min, max)
    ],
    "both differences lie within the half point": lambda: (
        block_and_gate.BOUND == 0.005
        and all(block_and_gate.effects(GATED)[name].lies_within(0.005) for name in ("block", "gate"))
    ),
    "with ten seeds: images of 32 pixels throughout or from 24 upwards": lambda: (
        [progressive_runs.SIDE, progressive_runs.FIRST.side] if len(GROWN.provenance.seeds) == 10 else []
    ),
    "without any, the network classifies all its training images correctly": lambda: (
        min(run["curve"]["train_accuracy"][-1] for run in GROWN.where(regularisation="none")) > 0.999
    ),
    "constant regularisation makes it more accurate on test images": lambda: (
        progressive.regularisation_pays(GROWN).low > 0
    ),
    "Growing images need 87 percent of the arithmetic, and lose about two points": lambda: (
        [100 * progressive.arithmetic(progressive.arms(GROWN)[-1])[-1]]
        if progressive.effects(GROWN)["size"].high < 0
        and round(100 * progressive.effects(GROWN)["size"].mean) == -2
        else []
    ),
    "networks that began small classify fewer of their training images correctly": lambda: (
        _learned_less().high < 0
    ),
    "that brings 0.2 points (-0.6 to 0.9), and table 13 has 0.7 to 0.8": lambda: [
        100 * _on_growing_images().mean,
        *([100 * _on_growing_images().high] if round(100 * _on_growing_images().low, 1) == -0.6 else []),
        13,
        *sorted(
            row["growing_top1_percent"] - row["constant_top1_percent"]
            for row in ee.published.read("v2_table13_regularisation")
        ),
    ],
    "cuts B7 from 139 hours to 54, a factor of 2.6, and the architecture gives the other 4.2": lambda: [
        _hours(TABLE_7, "EfficientNet-B7", "training_hours_32_tpu_cores"),
        _hours(TABLE_10, "EfficientNet-B7", "training_hours"),
        _recipe(),
        _architecture(),
    ],
    "Where can the 4.2 come from?": lambda: [_architecture()],
    "**Smaller images, between 1 and 1.54.**": lambda: [
        1,
        _macs("efficientnet_b7") / _macs("efficientnetv2_m"),
    ],
    "Images of 480 pixels take B7 from 37.7 to 23.7 G MACs": lambda: [
        ee.spec("efficientnetv2_m").resolution,
        _macs("efficientnet_b7"),
        _macs("efficientnet_b7", 480),
    ],
    "V2-M ends at 24.6 G, 1.54 times fewer than B7": lambda: [
        _macs("efficientnetv2_m"),
        _macs("efficientnet_b7") / _macs("efficientnetv2_m"),
    ],
    "Fusing adds MACs, narrower stages save some again": lambda: (
        _walked(2).macs < _walked(3).macs > ee.cost("efficientnetv2_m").macs
    ),
    "from 2,331 to 1,263 MiB": lambda: [_walked(count).saved_bytes() / 2**20 for count in (0, 3)],
    "The 3 x 3 kernels save little here": lambda: (
        _walked(0).macs > 0.97 * ee.cost("efficientnet_b7", 480).macs
    ),
    "All five rows of table 12 then show faster training and slightly higher accuracy": lambda: (
        [12]
        if len(TABLE_12) == 5
        and all(
            row["progressive_hours"] < row["baseline_hours"]
            and 0 < row["progressive_top1_percent"] - row["baseline_top1_percent"] < 0.6
            for row in TABLE_12
        )
        else []
    ),
    "at most B3 (1.83 billion, 81.6%) or V2-B2 (1.70 billion, 80.5%)": lambda: (
        [
            number
            for name in ("efficientnet_b3", "efficientnetv2_b2")
            for number in (
                _macs(name),
                next(one.top1 for one in ee.published.results("papers") if one.key == name),
            )
        ]
        if min(_macs("efficientnet_b4"), _macs("efficientnetv2_b3")) > 2
        else []
    ),
    "one image takes 153 ms with B3 and 59 ms with V2-B2": lambda: [
        RECORDED_MS[name] for name in ("efficientnet_b3", "efficientnetv2_b2")
    ],
    "there V2-M sees 128 to 380 pixels": lambda: [
        stage.side for stage in ee.ProgressiveSchedule.efficientnet_v2("m", "paper").stages[::3]
    ],
    "**Faster MACs, between 2.7 and 4.2, are what remains.**": lambda: [
        _architecture() * _macs("efficientnetv2_m") / _macs("efficientnet_b7"),
        _architecture(),
    ],
    "fusing three stages of B4 gives a factor of 1.39": lambda: [_speed(1, "v100")],
    "S lacks it, M has one again": lambda: (
        [len(ee.spec(f"efficientnet{name}").stages) for name in ("_b7", "v2_s", "v2_m")] == [7, 6, 7]
    ),
    "Of the 4.2, Fused-MBConv explains about 1.4; about 3 remains": lambda: [
        _architecture(),
        _speed(1, "v100"),
        round(_architecture() / _speed(1, "v100")),
    ],
    "2.6 for the recipe times 4.2 for the network; of the 4.2, smaller images give at most 1.5": lambda: [
        _recipe(),
        _architecture(),
        _architecture(),
        _macs("efficientnet_b7") / _macs("efficientnetv2_m"),
    ],
    "gives V2-L more parameters than its network has": lambda: (
        ee.published.read("v2_released").row(network="EfficientNetV2-L", training="in1k")[
            "parameters_millions"
        ]
        > ee.cost("efficientnetv2_l").parameters / 1e6 + 0.5
    ),
}
CHOICES = {
    "3.2": "the number of a section of the paper",
    "11": "the number of a table",
    "13": "the number of a table",
    "10": "the number of a table",
    "12": "the number of a table",
    "380": "a side to set in the lab, that of B4",
}
