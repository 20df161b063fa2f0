import math
import statistics

import effnet_edu as ee
from effnet_edu.studies.devices.experiments import layer_profile

PAPERS = ee.published.results("papers")
SINCE = ee.published.read("timm_since_2022")
TABLE_2 = ee.published.read("effnet_table2")
MODERNIZED = ee.published.read("convnext_modernized").where(roadmap="ResNet-50 -> ConvNeXt-T")
COUNTED = {"ResNet-50": ee.peer_counts("resnet50")} | {
    f"EfficientNet-B{number}": (counted.parameters, counted.macs)
    for number in range(8)
    for counted in [ee.cost(f"efficientnet_b{number}")]
}
LATENCY = ee.published.read("effnet_table4_latency")
HOURS = {row["network"]: row["training_hours_32_tpu_cores"] for row in ee.published.read("v2_table7_results")}
RECORDED = ee.studies.recorded_devices()["amd_epyc_2_threads"]["layers"].data["rows"]
RANDOM = ee.studies.recorded_devices()["amd_epyc_with_avx512_2_threads"]["random_networks"]


def _ratios():
    return [row["parameters_ratio"] for row in TABLE_2 if row["parameters_ratio"] != 1]


def _largest_ratio():
    return max(_ratios())


def _printed_speedup(network):
    return LATENCY.row(network=network)["speedup_printed"]


def _times_to_train():
    return HOURS["EfficientNet-B7"] / HOURS["EfficientNetV2-M"]


def _front(points):
    """Return the keys of what no other beats, given as (cost, accuracy, key)."""
    kept = []
    for cost, top1, key in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or top1 > kept[-1][1]:
            kept.append((cost, top1, key))
    return kept


def _size_leaders():
    return _front((result.parameters, result.top1, result.key) for result in PAPERS)


def _macs_leaders():
    return _front((result.macs, result.top1, result.key) for result in PAPERS if result.macs)


def _beyond_rounding():
    """Return by how many percent each count is off that rounding to two digits does not explain.

    The key is the network, and 0 for its parameters or 1 for its MACs.
    """
    found = {}
    for name, counts in COUNTED.items():
        row = TABLE_2.row(network=name)
        for index, (column, unit) in enumerate((("parameters_millions", 1e6), ("macs_billions", 1e9))):
            printed, exact = row[column], counts[index] / unit
            if abs(exact - printed) > 0.5 * 10 ** (math.floor(math.log10(printed)) - 1):
                found[name, index] = 100 * abs(exact / printed - 1)
    return found


def _profile(network):
    return layer_profile(next(row for row in RECORDED if (row["network"], row["batch_size"]) == (network, 1)))


def _depthwise():
    return [layer for layer in _profile("efficientnet_b0").layers if layer.role == "depthwise" and layer.macs]


def _share_of_time(layers):
    return sum(layer.seconds for layer in layers) / _profile("efficientnet_b0").total_seconds


def _rate(network, role):
    layers = [layer for layer in _profile(network).layers if layer.role == role and layer.macs]
    return sum(layer.macs for layer in layers) / sum(layer.seconds for layer in layers)


SAME_RECIPE = {row["network"]: row["training_hours"] for row in ee.published.read("v2_table10_same_training")}
LONG, NANO = "ra4_e3600_r224_in1k", "convnextv2_nano.fcmae_ft_in1k"


def _b0():
    return COUNTED["EfficientNet-B0"]


def _weights(weights, resolution):
    return SINCE.row(weights=weights, resolution=resolution)


def _recipes(network):
    """Return top-1 at 224 px by recipe; the authors' own weights stand under another build of the network."""
    found = (
        (row["weights"].removeprefix("tf_").partition("."), row["top1_percent"])
        for row in SINCE.where(resolution=224)
    )
    return {recipe: top1 for (name, _, recipe), top1 in found if name == network}


def _on_gpu(row):
    return 1e6 / row["images_per_second_rtx_4090_compiled"]


def _on_cpu(row):
    rate = row["images_per_second_core_i9_10940x_compiled"]
    return 1000 / rate if rate else None


def _on_phone(row):
    return row["parameters_millions"] if row["macs_billions"] <= 0.6 else None


def _parameters(row):
    return row["parameters_millions"]


def _best(price, limit, family=""):
    rows = (row for row in SINCE if row["family"].startswith(family) and price(row) and price(row) <= limit)
    return max(rows, key=lambda row: row["top1_percent"])


def _activations(weights):
    row = _weights(weights, 224)
    return row["activations_millions"] / row["macs_billions"]


def _compiled(weights):
    row = _weights(weights, 224)
    return row["images_per_second_rtx_4090_compiled"] / row["images_per_second_rtx_4090"]


def _printed_macs(key):
    return next(result.macs for result in PAPERS if result.key == key)


def _share_of_roof(layer):
    """Return what a recorded layer reached of the lower one of both ceilings."""
    limits = ee.studies.recorded_devices()["amd_epyc_2_threads"]["ceilings"].data["rows"][0]
    floor = max(
        layer.macs / limits["arithmetic"]["fp32"]["per_second"],
        layer.bytes_moved / limits["memory"]["per_second"],
    )
    return floor / layer.seconds


FACTS = {
    "it consists of EfficientNets alone from B0 (5.3 million) to V2-L (120 million)": lambda: (
        [5.3, 120]
        if all(key.startswith("efficientnet") for cost, _, key in _size_leaders() if 5.25 < cost <= 120)
        and _size_leaders()[-1][0] > 120
        else []
    ),
    "ConvNeXt-S is there by a hair": lambda: (
        [key for _, _, key in _macs_leaders() if "convnext" in key] == ["convnext_small"]
    ),
    "with 8.7 G: counted, V2-S has 8.4 G, not the 8.8 G of its paper": lambda: [
        _printed_macs("convnext_small"),
        ee.cost("efficientnetv2_s").macs / 1e9,
        _printed_macs("efficientnetv2_s"),
    ],
    "B0 still takes between 45 and 68 percent of the time": lambda: [
        100
        * pick(
            1 / row["speed_ratio_to_resnet50"]
            for row in ee.published.read("timm_speed_against_macs").where(network="efficientnet_b0")
        )
        for pick in (min, max)
    ],
    "13 of the 18 numbers lie within it": lambda: [18 - len(_beyond_rounding()), 2 * len(COUNTED)],
    "the parameters of B2 by a hair": lambda: 0.5 < _beyond_rounding()["EfficientNet-B2", 0] < 1.05,
    "the MACs of B1 and B7 by about 2 percent": lambda: (
        [2] if all(1.8 < _beyond_rounding()[f"EfficientNet-B{number}", 1] < 2.2 for number in (1, 7)) else []
    ),
    "and those of B4 and B5 by 4 to 5 percent": lambda: [
        _beyond_rounding()[f"EfficientNet-B{number}", 1] for number in (5, 4)
    ],
    "all 16 stay below a quarter of what the roof allows": lambda: (
        [len(_depthwise())] if max(_share_of_roof(layer) for layer in _depthwise()) < 1 / 4 else []
    ),
    "top-1 accuracy rises by 5.84 points": lambda: [
        MODERNIZED[-2]["top1_percent"] - MODERNIZED[0]["top1_percent"]  # the last row is Swin-T
    ],
    "depthwise convolutions took three tenths of B0's time for 9 percent of its MACs": lambda: (
        round(sum(layer.macs for layer in _depthwise()) / _profile("efficientnet_b0").macs, 2) == 0.09
        and 0.27 < _share_of_time(_depthwise()) < 0.33
    ),
    "took more than a quarter for less than one percent of the MACs": lambda: (
        0.25
        < _share_of_time([layer for layer in _profile("efficientnet_b0").layers if not layer.macs])
        < 0.32
    ),
    "ran 61 billion MACs a second, the expansions of its later stages 49, and its depthwise convolutions 6": (
        lambda: [_rate("efficientnetv2_s", role) / 1e9 for role in ("fused", "expand", "depthwise")]
    ),
    "more than 10 times the MACs of B0, ConvNeXt-T more than 11 times": lambda: (
        ee.peer_counts("resnet50")[1] > 10 * ee.cost("efficientnet_b0").macs
        and ee.peer_counts("convnext_tiny")[1] > 11 * ee.cost("efficientnet_b0").macs
    ),
    'say what "8.4x smaller, 6.1x faster, 11x faster to train" compares': lambda: [
        _largest_ratio(),
        _printed_speedup("EfficientNet-B7"),
        _times_to_train(),
    ],
    '8.4x smaller and 6.1x faster" is the claim of the first paper, "up to 11x faster" training': lambda: [
        _largest_ratio(),
        _printed_speedup("EfficientNet-B7"),
        _times_to_train(),
    ],
    'So "up to 8.4x" is the far end of a range whose middle is near 5': lambda: (
        [_largest_ratio(), 5] if 4.8 < statistics.median(_ratios()) < 5.3 else []
    ),
    "**8.4x smaller** counts parameters, and its partner is GPipe": lambda: [
        TABLE_2.row(network="GPipe")["parameters_ratio"]
    ],
    "**6.1x faster** is a wait of 3.1 seconds instead of 19, one image at a time, on one core": lambda: [
        _printed_speedup("EfficientNet-B7"),
        LATENCY.row(network="EfficientNet-B7")["latency_seconds"],
        LATENCY.row(network="GPipe")["latency_seconds"],
    ],
    "as the mean of 20 runs": lambda: (
        [20] if all("mean of 20 runs" in row["hardware"] for row in LATENCY) else []
    ),
    "Where both use the new recipe, a factor of 4.2 is left": lambda: [
        SAME_RECIPE["EfficientNet-B7"] / SAME_RECIPE["EfficientNetV2-M"]
    ],
    "these five saw only ImageNet-1k": lambda: len(_recipes("efficientnet_b0")) == 5,
    "took 3600 epochs": lambda: [3600] if "ra4_e3600_r224_in1k" in _recipes("efficientnet_b0") else [],
    "ResNet-50 moves by 4.7 points": lambda: [
        max(_recipes("resnet50").values()) - min(_recipes("resnet50").values())
    ],
    "In table 2 of the paper, B0 leads by 1.1 points": lambda: [
        2,
        TABLE_2.row(network="EfficientNet-B0")["top1_percent"]
        - TABLE_2.row(network="ResNet-50")["top1_percent"],
    ],
    "With each one's best recipe here, ResNet-50 leads by 2.3": lambda: [
        max(_recipes("resnet50").values()) - max(_recipes("efficientnet_b0").values())
    ],
    "With the same recipe, `ra`, it leads by 1.1": lambda: [
        _recipes("resnet50")["ra_in1k"] - _recipes("efficientnet_b0")["ra_in1k"]
    ],
    "ten times fewer MACs and five times fewer parameters": lambda: (
        [round(peer / ours) for peer, ours in zip(COUNTED["ResNet-50"][::-1], _b0()[::-1], strict=True)]
        == [11, 5]
    ),
    "B0 is 1.1 points ahead of ResNet-34 with about a ninth of its MACs": lambda: (
        [_recipes("efficientnet_b0")[LONG] - _recipes("resnet34")[LONG]]
        if 9 <= _weights(f"resnet34.{LONG}", 224)["macs_billions"] * 1e9 / _b0()[1] < 10
        else []
    ),
    "B0 writes 5.0 times as many activations": lambda: [
        _activations(f"efficientnet_b0.{LONG}") / _activations(NANO)
    ],
    "at 10 ms it is MobileNetV4 without attention, near 14 ms a small ViT, from 22 ms on EfficientViT": (
        lambda: (
            [10, 14, 22]
            if [_best(_on_cpu, limit)["family"] for limit in (10, 14, 21.9, 22, 40)]
            == ["MobileNetV4", "ViT small", "MobileNetV4", "EfficientViT", "EfficientViT"]
            and "conv" in _best(_on_cpu, 10)["weights"]
            else []
        )
    ),
    "and not on that GPU or that CPU": lambda: (
        not any(
            _best(price, limit)["family"].startswith("EfficientNet")
            for price, limit in ((_on_gpu, 100), (_on_cpu, 20))
        )
    ),
    "so keep the runner-up, MobileNetV3": lambda: (
        max(
            (
                row
                for row in SINCE
                if not row["family"].startswith("EfficientNet") and (_on_phone(row) or 7) <= 6
            ),
            key=lambda row: row["top1_percent"],
        )["family"]
        == "MobileNetV3"
    ),
    "`ra` is 0.6 points more accurate than `ap`": lambda: [
        _recipes("efficientnet_b0")["ra_in1k"] - _recipes("efficientnet_b0")["ap_in1k"]
    ],
    "makes ConvNeXt V2 Nano 3.3 times as fast, and B0 1.2 times": lambda: [
        _compiled(NANO),
        _compiled(f"efficientnet_b0.{LONG}"),
    ],
    "B0's lead of 0.02 points over ConvNeXt V2 Femto, below 6 million parameters": lambda: (
        [
            _best(_parameters, 6)["top1_percent"] - _best(_parameters, 6, "ConvNeXt V2")["top1_percent"],
            6,
        ]
        if "femto" in _best(_parameters, 6, "ConvNeXt V2")["weights"]
        else []
    ),
    "budget of 2 billion MACs**: B3 with 1.83 billion, and V2-B2 with 1.70": lambda: (
        [2, *(ee.cost(name).macs / 1e9 for name in ("efficientnet_b3", "efficientnetv2_b2"))]
    ),
    "we timed 300 networks, drawn at random, with one thread of a newer one": lambda: (
        [len(RANDOM.data["rows"])] if RANDOM.data["rows"][0]["threads"] == 1 else []
    ),
    "On that CPU MACs predict better than activations in all three engines": lambda: all(
        ee.profiling.fit_times(RANDOM, engine).lead("activations", "macs")[2] < 0
        for engine in ("torch", "onnxruntime", "openvino")
    ),
    "B1 against ResNet-152 gives 5.7x": lambda: [_printed_speedup("EfficientNet-B1")],
    "**11x faster to train** sets V2-M": lambda: [_times_to_train()],
    "10 W for 50 ms are half a joule, and 300 W for 5 ms are three times as much": lambda: (
        [10, 50, 300, 5] if 10 * 50 == 1000 / 2 and 300 * 5 == 3 * 10 * 50 else []
    ),
}
CHOICES = {
    "100": "a budget in the lab, a limit for the GPU, and a number of drawn pictures",
    "224": "the image size of the recipes",
    "4.5": "a budget in the lab, just above the MACs of B4",
    "4090": "the name of a device",
    "20": "a limit for the CPU, and layers that are drawn",
    "0.6": "a limit for the phone",
    "45": "runs of each candidate",
    "50,000": "photographs of ImageNet's validation set",
    "10": "the number of a table",
    "12": "the number of a table",
}
