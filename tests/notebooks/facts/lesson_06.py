import effnet_edu as ee
from effnet_edu.studies.device import layer_profile

PAPERS, TIMM = ee.published.results("papers"), ee.published.results("timm")
TABLE_2 = ee.published.read("effnet_table2")
MODERNIZED = ee.published.read("convnext_modernized").where(roadmap="ResNet-50 -> ConvNeXt-T")
RECORDED = ee.studies.recorded_devices()["amd_epyc_2_threads"]["layers"].data["rows"]


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


def _counted_over_printed(number):
    row = TABLE_2.row(network=f"EfficientNet-B{number}")
    counted = ee.cost(f"efficientnet_b{number}")
    return (
        counted.parameters / row["parameters_millions"] / 1e6 - 1,
        counted.macs / row["macs_billions"] / 1e9 - 1,
    )


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


FACTS = {
    "From 5 to 120 million parameters, EfficientNets of both versions hold the front alone": lambda: (
        all(key.startswith("efficientnet") for cost, _, key in _size_leaders() if 5.2 < cost <= 120)
        and _size_leaders()[-1][0] > 120
    ),
    "Does any ConvNeXt reach the front?": lambda: (
        [key for _, _, key in _macs_leaders() if "convnext" in key] == ["convnext_small"]
    ),
    "On none. Fewest MACs chose B3, and ConvNeXt-T with more than twice as many is faster": lambda: (
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
    "Those of B4 and B5 are about 4 to 5 percent above what is printed": lambda: (
        all(0.035 < _counted_over_printed(number)[1] < 0.05 for number in (4, 5))
        and all(abs(_counted_over_printed(number)[0]) < 0.0201 for number in range(8))
        and all(abs(_counted_over_printed(number)[1]) < 0.0205 for number in (0, 1, 2, 3, 6, 7))
    ),
    "One MACs ratio, of PNASNet, is not what its own columns give": lambda: (
        _unlike_their_columns() == ["PNASNet"]
    ),
    "more than two points before any layer was touched": lambda: (
        MODERNIZED[1]["top1_percent"] - MODERNIZED[0]["top1_percent"] > 2
        and MODERNIZED[1]["macs_billions"] == MODERNIZED[0]["macs_billions"]
    ),
    "depthwise convolutions took about a quarter of B0's time for 9 percent of its MACs": lambda: (
        round(sum(layer.macs for layer in _depthwise()) / _profile("efficientnet_b0").macs, 2) == 0.09
        and 0.2 < _share_of_time(_depthwise()) < 0.3
    ),
    "took another quarter for no MACs at all": lambda: (
        0.2 < _share_of_time([layer for layer in _profile("efficientnet_b0").layers if not layer.macs]) < 0.32
    ),
    "ran more than three times as many MACs a second as B0's expansions": lambda: (
        _rate("efficientnetv2_s", "fused") > 3 * _rate("efficientnet_b0", "expand")
    ),
    "more than 10 times the MACs of B0, ConvNeXt-T more than 11 times": lambda: (
        ee.peer_counts("resnet50")[1] > 10 * ee.cost("efficientnet_b0").macs
        and ee.peer_counts("convnext_tiny")[1] > 11 * ee.cost("efficientnet_b0").macs
    ),
}
CHOICES: dict[str, str] = {}
