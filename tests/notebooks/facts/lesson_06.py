import math

import effnet_edu as ee
from effnet_edu.studies.devices.experiments import layer_profile

PAPERS, TIMM = ee.published.results("papers"), ee.published.results("timm")
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


def _largest_ratio():
    return max(row["parameters_ratio"] for row in TABLE_2)


def _printed_speedup(network):
    return LATENCY.row(network=network)["speedup_printed"]


def _times_to_train():
    return HOURS["EfficientNet-B7"] / HOURS["EfficientNetV2-M"]


def _recorded_batches():
    rows = ee.studies.recorded_devices()["amd_epyc_2_threads"]["batch_sizes"].data["rows"]
    batches = [row["batch_size"] for row in rows]
    return [min(batches), max(batches)]


def _front(points):
    """Return the keys of what no other beats, given as (cost, accuracy, key)."""
    kept = []
    for cost, top1, key in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or top1 > kept[-1][1]:
            kept.append((cost, top1, key))
    return kept


def _fastest(device):
    good = [result for result in TIMM if result.top1 >= 82]
    return max(good, key=lambda result: ee.published.speed_of(result, device).images_per_second)


def _lightest():
    return min((result for result in TIMM if result.top1 >= 82), key=lambda result: result.macs)


def _size_leaders():
    return _front((result.parameters, result.top1, result.key) for result in PAPERS)


def _macs_leaders():
    return _front((result.macs, result.top1, result.key) for result in PAPERS if result.macs)


def _leaders_in_throughput():
    rate = {result: ee.published.speed_of(result, "RTX 4090").images_per_second for result in TIMM}
    return [key for _, _, key in _front((-found, result.top1, result.key) for result, found in rate.items())]


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


def _unlike_their_columns():
    groups = {row["comparison_group"]: row for row in TABLE_2 if row["parameters_ratio"] == 1}
    again = {
        row["network"]: row["macs_billions"] / groups[row["comparison_group"]]["macs_billions"]
        for row in TABLE_2
        if row["macs_ratio"] is not None
    }
    return [
        row["network"]
        for row in TABLE_2
        if row["macs_ratio"] is not None and abs(row["macs_ratio"] / again[row["network"]] - 1) > 0.05
    ]


def _profile(network):
    return layer_profile(next(row for row in RECORDED if (row["network"], row["batch_size"]) == (network, 1)))


def _depthwise():
    return [layer for layer in _profile("efficientnet_b0").layers if layer.role == "depthwise" and layer.macs]


def _share_of_time(layers):
    return sum(layer.seconds for layer in layers) / _profile("efficientnet_b0").total_seconds


def _rate(network, role):
    layers = [layer for layer in _profile(network).layers if layer.role == role and layer.macs]
    return sum(layer.macs for layer in layers) / sum(layer.seconds for layer in layers)


RESNET_50 = [
    row["top1_percent"] for row in ee.published.read("torchvision_weights").where(network="resnet50")
]


_LONG_B0 = (
    ee.published.read("timm_accuracy")
    .row(weights="efficientnet_b0.ra4_e3600_r224_in1k", resolution=224)
    .number("top1_percent")
)


def _printed_macs(key):
    return next(result.macs for result in PAPERS if result.key == key)


def _newer(key):
    return max(result.top1 for result in TIMM if result.key == key and "newer recipe" in result.family)


def _older(key):
    return max(result.top1 for result in TIMM if result.key == key and "newer recipe" not in result.family)


def _share_of_roof(layer):
    """Return what a recorded layer reached of the lower one of both ceilings."""
    limits = ee.studies.recorded_devices()["amd_epyc_2_threads"]["ceilings"].data["rows"][0]
    floor = max(
        layer.macs / limits["arithmetic"]["fp32"]["per_second"],
        layer.bytes_moved / limits["memory"]["per_second"],
    )
    return floor / layer.seconds


FACTS = {
    "From 5 to 120 million parameters, EfficientNets of both versions hold the front alone": lambda: (
        all(key.startswith("efficientnet") for cost, _, key in _size_leaders() if 5.2 < cost <= 120)
        and _size_leaders()[-1][0] > 120
    ),
    "ConvNeXt-S is on the front": lambda: (
        [key for _, _, key in _macs_leaders() if "convnext" in key] == ["convnext_small"]
    ),
    "8.7 G lie just below the 8.8 G that the paper of V2 prints for V2-S. Counted, V2-S has 8.4 G": lambda: [
        *(_printed_macs(key) for key in ("convnext_small", "efficientnetv2_s")),
        ee.cost("efficientnetv2_s").macs / 1e9,
    ],
    "about half to two thirds of the time was not": lambda: all(
        0.45 < 1 / row["speed_ratio_to_resnet50"] < 0.69
        for row in ee.published.read("timm_speed_against_macs").where(network="efficientnet_b0")
    ),
    "Fewest MACs chose B3. ConvNeXt-T, with more than twice as many, is faster": lambda: (
        _lightest().key == "efficientnet_b3"
        and all(
            _fastest(device).key == "convnext_tiny" and _fastest(device).macs > 2 * _lightest().macs
            for device in ("Core i9-10940X", "RTX 3090", "RTX 4090", "RTX 5090")
        )
    ),
    "Over throughput on this GPU none of its eight networks is on the front": lambda: (
        not any(key.startswith("efficientnet_b") for key in _leaders_in_throughput())
        and {
            key.split("_")[0]
            for key in _leaders_in_throughput()[_leaders_in_throughput().index("resnet50") + 1 :]
        }
        == {"convnext", "efficientnetv2"}
    ),
    "13 of the 18 numbers lie within it": lambda: [18 - len(_beyond_rounding()), 2 * len(COUNTED)],
    "the parameters of B2 by a hair": lambda: 0.5 < _beyond_rounding()["EfficientNet-B2", 0] < 1.05,
    "the MACs of B1 and B7 by about 2 percent": lambda: (
        [2] if all(1.8 < _beyond_rounding()[f"EfficientNet-B{number}", 1] < 2.2 for number in (1, 7)) else []
    ),
    "and those of B4 and B5 by 4 to 5 percent": lambda: [
        _beyond_rounding()[f"EfficientNet-B{number}", 1] for number in (5, 4)
    ],
    "One MACs ratio, of PNASNet, is not what its own columns give": lambda: (
        _unlike_their_columns() == ["PNASNet"]
    ),
    "all 16 stay below a quarter of their roof": lambda: (
        [len(_depthwise())] if max(_share_of_roof(layer) for layer in _depthwise()) < 1 / 4 else []
    ),
    "top-1 accuracy rises by 5.84 points": lambda: [
        MODERNIZED[-2]["top1_percent"] - MODERNIZED[0]["top1_percent"]  # the last row is Swin-T
    ],
    "newer recipes add at most 0.8 points to B0 to B4": lambda: [
        max(_newer(f"efficientnet_b{n}") - _older(f"efficientnet_b{n}") for n in range(5))
    ],
    "and the figure leaves out, adds 1.7 to B0": lambda: [_LONG_B0 - _older("efficientnet_b0")],
    "The two recipes of ResNet-50 above differ by 4.7": lambda: [RESNET_50[-1] - RESNET_50[0]],
    "the lead of one point that B0 had over ResNet-50": lambda: (
        round(
            TABLE_2.row(network="EfficientNet-B0")["top1_percent"]
            - TABLE_2.row(network="ResNet-50")["top1_percent"]
        )
        == 1
    ),
    "with newer ones for both, ResNet-50 is two to three points ahead": lambda: (
        [round(RESNET_50[-1] - b0) for b0 in (_LONG_B0, _newer("efficientnet_b0"))] == [2, 3]
    ),
    "more than two points before any layer was touched": lambda: (
        MODERNIZED[1]["top1_percent"] - MODERNIZED[0]["top1_percent"] > 2
        and MODERNIZED[1]["macs_billions"] == MODERNIZED[0]["macs_billions"]
    ),
    "depthwise convolutions took three tenths of B0's time for 9 percent of its MACs": lambda: (
        round(sum(layer.macs for layer in _depthwise()) / _profile("efficientnet_b0").macs, 2) == 0.09
        and 0.27 < _share_of_time(_depthwise()) < 0.33
    ),
    "took more than a quarter for no MACs at all": lambda: (
        0.25
        < _share_of_time([layer for layer in _profile("efficientnet_b0").layers if not layer.macs])
        < 0.32
    ),
    "ran more than three times as many MACs per second as B0's expansions": lambda: (
        _rate("efficientnetv2_s", "fused") > 3 * _rate("efficientnet_b0", "expand")
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
    '"up to 8.4x" is its far end': lambda: [_largest_ratio()],
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
    "B1 against ResNet-152 gives 5.7x": lambda: [_printed_speedup("EfficientNet-B1")],
    "**11x faster to train** sets V2-M": lambda: [_times_to_train()],
    "10 W for 50 ms spends half a joule, one that draws 300 W for 5 ms spends three times as much": lambda: (
        [10, 50, 300, 5] if 10 * 50 == 1000 / 2 and 300 * 5 == 3 * 10 * 50 else []
    ),
    "from batch 1 to 32 on a device": _recorded_batches,
}
CHOICES = {
    "100": "a budget in the lab",
    "82": "a top-1 to ask for",
    "4090": "the name of a device",
    "50,000": "photographs of ImageNet's validation set",
    "10": "the number of a table",
    "12": "the number of a table",
}
