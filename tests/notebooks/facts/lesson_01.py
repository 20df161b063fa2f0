import effnet_edu as ee

B0 = ee.spec("efficientnet_b0")
BASE = ee.cost(B0)
FIGURE_3 = ee.published.read("effnet_fig3")
TABLE_3 = ee.published.read("effnet_table3_scaling")
HISTORY = ee.published.read("scaling_before_2019")
TABLE_7 = {row["scaling"]: row for row in ee.published.read("effnet_table7").where(version="v5")}
PRINTED = {
    "depth": ee.scale(B0, depth=4),
    "width": ee.scale(B0, width=2),
    "resolution": ee.scale(B0, resolution=448),
    "compound": ee.scale(B0, depth=1.4, width=1.2, resolution=291),
}
EQUAL = (
    ee.scale(B0, depth=4),
    ee.scale(B0, width=2.1),
    ee.scale(B0, resolution=448),
    ee.scale(B0, width=1.19, depth=1.5, resolution=288),
)
DOUBLED = {
    "depth": ee.cost(ee.scale(B0, depth=2)),
    "width": ee.cost(ee.scale(B0, width=2)),
    "resolution": ee.cost(ee.scale(B0, resolution=448)),
}


def _layers(dimension, network):
    return [int(row["coefficient"]) for row in HISTORY.where(dimension=dimension, network=network)]


def _last(dimension):
    return FIGURE_3.where(dimension=dimension)[-1]


def _cheaper(way):
    """Return by how many percent the counted MACs lie below those of table 7."""
    return 100 * (1 - ee.cost(PRINTED[way]).macs / 1e9 / TABLE_7[way]["macs_billions"])


def _of_resnet(layers):
    return HISTORY.row(dimension="depth", network="ResNet", coefficient=layers)


def _growth(counted):
    return {
        "parameters": counted.parameters / BASE.parameters,
        "activations": counted.activations / BASE.activations,
    }


def _lead_over_best_alone(network):
    rows = TABLE_3.where(network=network)[1:]
    alone = max(row["top1_percent"] for row in rows if row["scaling"] != "compound")
    return rows[-1]["top1_percent"] - alone


def _levels_agree():
    study = ee.studies.read("scaling")
    return all(
        abs(run["macs"] / study.where(way="depth", level=level)[0]["macs"] - 1) <= 0.03
        for level in (1, 2, 3)
        for run in study.where(level=level)
    )


FACTS = {
    "A third more arithmetic for every image": lambda: (
        abs(_last("depth")["macs_billions"] / FIGURE_3.where(dimension="depth")[-2]["macs_billions"] - 4 / 3)
        < 0.01
        and _last("depth")["top1_percent"] == FIGURE_3.where(dimension="depth")[-2]["top1_percent"]
    ),
    "one base network at six depths": lambda: len(FIGURE_3.where(dimension="depth")) == 6,
    "ResNet came with 18 to 152 layers": lambda: (
        [18, 152] if {18, 152} <= set(_layers("depth", "ResNet")) else []
    ),
    "NASNet moved on to 331 pixels and GPipe to 480": lambda: [
        HISTORY.row(network="NASNet-A")["resolution_px"],
        HISTORY.row(network="GPipe")["resolution_px"],
    ],
    "The wide network is a little more accurate than the one with 152 layers": lambda: (
        [152]
        if 0
        < HISTORY.row(network="ResNet-50", coefficient=2.0)["top1_percent"] - _of_resnet(152)["top1_percent"]
        < 0.5
        else []
    ),
    "although it has more parameters, and it takes less time": lambda: (
        HISTORY.row(network="ResNet-50", coefficient=2.0)["parameters_millions"]
        > _of_resnet(152)["parameters_millions"]
        and HISTORY.row(network="ResNet-50", coefficient=2.0)["training_ms_batch16"]
        < _of_resnet(152)["training_ms_batch16"]
    ),
    "no new parameter, and four times every feature map": lambda: (
        _growth(DOUBLED["resolution"])["parameters"] == 1
        and abs(_growth(DOUBLED["resolution"])["activations"] - 4) < 0.01
    ),
    "**Depth** pays about twice for everything": lambda: all(
        1.8 < factor < 2.2 for factor in _growth(DOUBLED["depth"]).values()
    ),
    "spend the same 1.6 billion MACs": lambda: (
        [1.6] if all(abs(ee.cost(network).macs / 1.6e9 - 1) < 0.045 for network in EQUAL) else [0]
    ),
    "then flatten near 80%": lambda: (
        [80] if all(abs(_last(name)["top1_percent"] - 80) < 0.4 for name in DOUBLED) else [0]
    ),
    "spends about four times the MACs in each way": lambda: all(
        3.4
        < row["macs_billions"] / TABLE_3.row(network=row["network"], scaling="baseline")["macs_billions"]
        < 4.5
        for row in TABLE_3
        if row["scaling"] != "baseline"
    ),
    "the counted MACs of each level agree within 3%": _levels_agree,
    "Fashion-MNIST has 28 pixels and no more": lambda: [28],
    "all at about 1.8 billion MACs, and compound wins by two points": lambda: (
        [1.8]
        if all(abs(TABLE_7[way]["macs_billions"] - 1.8) < 0.11 for way in PRINTED)
        and abs(TABLE_7["compound"]["top1_percent"] - TABLE_7["resolution"]["top1_percent"] - 2) < 0.05
        else []
    ),
    "The three others are 13 to 20 percent cheaper than printed": lambda: sorted(
        _cheaper(way) for way in ("depth", "width", "resolution")
    )[::2],
    "Only the compound row agrees": lambda: abs(_cheaper("compound")) < 1,
    "Its base has 0.5 billion MACs where B0 has 0.39": lambda: [
        FIGURE_3[0]["macs_billions"],
        BASE.macs / 1e9,
    ],
    "every further dot lies above the count": lambda: all(
        row["macs_billions"] * 1e9 > ee.cost(ee.scale(B0, depth=row["coefficient"])).macs
        for row in FIGURE_3.where(dimension="depth")[1:]
    ),
    "moves only the base to 0.39": lambda: [
        ee.published.read("effnet_fig8").where(method="scale by depth")[0]["macs_billions"]
    ],
    "by a point or less over the best single dimension where both are printed": lambda: all(
        0 < _lead_over_best_alone(network) <= 1.05 for network in ("MobileNetV2", "ResNet-50")
    ),
    "Choose depth and set the budget to 0.5. Nothing happens: the smallest step costs more": lambda: (
        [0.5] if ee.cost(ee.scale(B0, depth=1.01)).macs > 0.5e9 else []
    ),
}

CHOICES = {
    "50": "layers of ResNet in a prediction",
    "152": "layers of ResNet in a prediction",
    "0.5": "a budget in the lab",
}
