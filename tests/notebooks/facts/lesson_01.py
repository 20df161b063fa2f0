import math

import effnet_edu as ee
from effnet_edu.studies.networks import BASE_RESOLUTION, WAYS, base_network
from effnet_edu.studies.scaling import findings as scaling
from effnet_edu.studies.scaling.runs import SETS, runs

B0 = ee.spec("efficientnet_b0")
BASE = ee.cost(B0)
FIGURE_3 = ee.published.read("effnet_fig3")
FIGURE_4 = ee.published.read("effnet_fig4")
FIGURE_8 = ee.published.read("effnet_fig8")
COEFFICIENTS = ee.published.read("effnet_coefficients")
VERSIONS = ee.published.read("effnet_table2_versions").where(what="Table 2")
TABLE_3 = ee.published.read("effnet_table3_scaling")
HISTORY = ee.published.read("scaling_before_2019")
STUDY = ee.studies.read("scaling")
IMAGES = ("glyphs", "fashion_mnist")
TABLE_7 = {row["scaling"]: row for row in ee.published.read("effnet_table7").where(version="v5")}
PRINTED = {
    "depth": ee.scale(B0, depth=4),
    "width": ee.scale(B0, width=2),
    "resolution": ee.scale(B0, resolution=448),
    "compound": ee.scale(B0, depth=1.4, width=1.2, resolution=291),
}
EQUAL = (
    ee.scale(B0, depth=4.75),
    ee.scale(B0, width=2.34),
    ee.scale(B0, resolution=506),
    ee.scale(B0, width=1.24, depth=1.5, resolution=306),
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


def _costs_most(network):
    rows = TABLE_3.where(network=network)
    return rows[-1]["macs_billions"] == max(row["macs_billions"] for row in rows)


def _levels_agree():
    return all(
        abs(run["macs"] / STUDY.where(way="depth", level=level)[0]["macs"] - 1) <= 0.03
        for level in (1, 2, 3)
        for run in STUDY.where(level=level)
    )


def _advantage(over, images="glyphs"):
    return scaling.advantage(STUDY, images, "compound", over)


def _largest_side(way):
    """Return the side of the images of the study's largest network of one way."""
    return max(run.network.resolution for run in runs(quick=False) if run.labels["way"] == way)


def _in_points(found):
    return [100 * value for value in (found.mean, found.low, found.high)]


def _lines_end_flatter():
    """Return whether each published line of three marks or more ends flatter than it began."""
    for dimension in DOUBLED:
        rows = HISTORY.where(dimension=dimension)
        for network in dict.fromkeys(rows.column("network")):
            marks = [
                (math.log(row["coefficient"]), row["top1_percent"]) for row in rows.where(network=network)
            ]
            if len(marks) > 2:
                first, last = (
                    (better - top1) / (x - start) for (start, top1), (x, better) in (marks[:2], marks[-2:])
                )
                if last >= first:
                    return False
    return True


def _spent_on_resolution(budget):
    return max(macs for side in range(224, 300) if (macs := ee.cost(B0, side).macs) <= budget) / budget


def _jump(side):
    """Return how many times the MACs of B0 with one pixel less it needs."""
    return ee.cost(B0, side).macs / ee.cost(B0, side - 1).macs


def _seen(name):
    """Return how many percent of the image's side one number of stage 4 sees."""
    return 100 * ee.receptive_field(name, 4) / ee.spec(name).resolution


def _points_a_doubling_of_width(depth, resolution):
    """Return what widening buys between the dots nearest to 1.7 and to 8.5 billion MACs."""
    curve = FIGURE_4.where(depth=depth, resolution=resolution)
    thin, wide = (
        min(curve, key=lambda row: abs(math.log(row["macs_billions"] / near))) for near in (1.7, 8.5)
    )
    doublings = math.log2(wide["macs_billions"] / thin["macs_billions"])
    return (wide["top1_percent"] - thin["top1_percent"]) / doublings


def _of_version(version):
    return [VERSIONS.row(network=f"B{n}", version=version)["top1_percent"] for n in range(1, 5)]


def _compound():
    """Return the accuracies of figure 8's compound curve without its base."""
    return [row["top1_percent"] for row in FIGURE_8.where(method="compound scaling")][1:]


FACTS = {
    "by 1.4 points for MobileNetV1": lambda: [_lead_over_best_alone("MobileNetV1")],
    "no dot of a single dimension in this figure lies above 80%": lambda: [
        max(row["top1_percent"] for row in FIGURE_8 if row["method"] != "compound scaling")
    ],
    "Width reaches 80.3% in figure 3, but spends 8.25 billion MACs on it": lambda: [
        ee.published.read("effnet_fig3").where(dimension="width")[-1]["top1_percent"],
        3,
        ee.published.read("effnet_fig3").where(dimension="width")[-1]["macs_billions"],
    ],
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
    "From 50 to 152 layers, ResNet grows from 4.1 to 11 billion MACs": lambda: [
        50,
        152,
        *(ee.published.read("effnet_table2").row(network=f"ResNet-{n}")["macs_billions"] for n in (50, 152)),
    ],
    "Every line of three marks or more ends flatter than it began": _lines_end_flatter,
    "one training step of 16 images": lambda: [16] if "training_ms_batch16" in HISTORY.columns else [],
    "The wide network is slightly more accurate than the one with 152 layers": lambda: (
        [152]
        if 0
        < HISTORY.row(network="ResNet-50", coefficient=2.0)["top1_percent"] - _of_resnet(152)["top1_percent"]
        < 0.5
        else []
    ),
    "although it has more parameters, faster": lambda: (
        HISTORY.row(network="ResNet-50", coefficient=2.0)["parameters_millions"]
        > _of_resnet(152)["parameters_millions"]
        and HISTORY.row(network="ResNet-50", coefficient=2.0)["training_ms_batch16"]
        < _of_resnet(152)["training_ms_batch16"]
    ),
    "adds no parameters and makes every feature map four times as large": lambda: (
        _growth(DOUBLED["resolution"])["parameters"] == 1
        and abs(_growth(DOUBLED["resolution"])["activations"] - 4) < 0.01
    ),
    "**Depth** costs about twice as much of everything": lambda: all(
        1.8 < factor < 2.2 for factor in _growth(DOUBLED["depth"]).values()
    ),
    "just above 1, every stage gets one whole layer more, and MACs grow by nearly half": lambda: (
        [1] if 0.45 < ee.cost(ee.scale(B0, depth=1.01)).macs / BASE.macs - 1 < 0.5 else []
    ),
    "at 225 pixels every layer of stride 2 rounds its side up": lambda: [B0.resolution + 1, 2],
    "the last maps grow from 7 x 7 to 8 x 8, and MACs by 17%": lambda: [
        *(ee.resolve(B0, side)[-1].side_out for side in (224, 224, 225, 225)),
        100 * (ee.cost(B0, 225).macs / BASE.macs - 1),
    ],
    "The same happens every 32 pixels, the product of B0's strides": lambda: (
        [B0.stride] if all(_jump(side) > 1.05 > _jump(side - 1) for side in range(225, 448, 32)) else []
    ),
    "**2 billion MACs for one image**, which is about five times what B0 needs": lambda: (
        [2]
        if all(0.97 < ee.cost(network).macs / 2e9 <= 1 for network in EQUAL) and 4.9 < 2e9 / BASE.macs < 5.3
        else []
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
    "Its base has 7 blocks, reads 18 x 18 pixels and needs 0.49 million MACs": lambda: [
        base_network().layers,
        BASE_RESOLUTION,
        BASE_RESOLUTION,
        STUDY.where(way="base")[0]["macs"] / 1e6,
    ],
    "at each level the counted MACs of the four agree within 3%": _levels_agree,
    "two sets of 1,000 or 2,000 images": lambda: sorted(images.train for images, _ in SETS),
    "Resolution alone ends at 51 x 51 pixels": lambda: [_largest_side("resolution")] * 2,
    "a photograph of clothes has only 28": lambda: [28],
    "each 28 pixels wide": lambda: [28],
    "At equal MACs, depth and width cost 4.6 times the parameters of B0, and resolution": (
        lambda: (
            [4.6]
            if [round(ee.cost(one).parameters / BASE.parameters, 1) for one in EQUAL[:3]] == [4.6, 4.6, 1.0]
            else []
        )
    ),
    "Resolution and depth need the most memory in training, width the least": lambda: (
        [ee.cost(EQUAL[index]).saved_bytes() for index in (2, 0, 3, 1)]
        == sorted((ee.cost(one).saved_bytes() for one in EQUAL), reverse=True)
    ),
    "all at about 1.8 billion MACs, and compound wins by two points": lambda: (
        [1.8]
        if all(abs(TABLE_7[way]["macs_billions"] - 1.8) < 0.11 for way in PRINTED)
        and abs(TABLE_7["compound"]["top1_percent"] - TABLE_7["resolution"]["top1_percent"] - 2) < 0.05
        else []
    ),
    "The three others are 12 to 19 percent cheaper than printed": lambda: sorted(
        _cheaper(way) for way in ("depth", "width", "resolution")
    )[::2],
    "Only the compound row agrees": lambda: abs(_cheaper("compound")) < 1,
    "the first dot has 0.5 billion MACs where B0 has 0.39": lambda: [
        FIGURE_3[0]["macs_billions"],
        BASE.macs / 1e9,
    ],
    "to B0 at 224 and at 448 pixels, and at 448 pixels to a network with the": lambda: [
        B0.resolution,
        2 * B0.resolution,
        2 * B0.resolution,
    ],
    "with the depth and width of B5": lambda: (
        (COEFFICIENTS.row(network="B5")["width"], COEFFICIENTS.row(network="B5")["depth"]) == (1.6, 2.2)
    ),
    "The frame has as many pixels as before": lambda: (
        ee.receptive_field(ee.scale(B0, resolution=448), 4) == ee.receptive_field(B0, 4)
    ),
    "A photograph of 448 real pixels": lambda: [2 * B0.resolution],
    "there are still 80 slots": lambda: [B0.stages[3].channels],
    "From stage 5 on, B0's frame is wider than the image of 224 pixels": lambda: (
        [5, B0.resolution] if ee.receptive_field(B0, 4) < B0.resolution < ee.receptive_field(B0, 5) else []
    ),
    "an image of 224 pixels does not show": lambda: [B0.resolution],
    "In B0 the frame of stage 4 spans 66% of the image's side. B7 reads 600 pixels.": lambda: [
        4,
        _seen("efficientnet_b0"),
        ee.spec("efficientnet_b7").resolution,
    ],
    "From B1 to B7 the side grows from 240 to 600 pixels": lambda: [
        ee.spec(f"efficientnet_b{number}").resolution for number in (1, 7)
    ],
    "it always spans 85 to 97 percent": lambda: [
        choose(_seen(f"efficientnet_b{number}") for number in range(1, 8)) for choose in (min, max)
    ],
    "the dots nearest to 1.7 and 8.5 billion MACs": lambda: [1.7, 8.5],
    "a doubling spent on width buys about half a point": lambda: all(
        0.4 < _points_a_doubling_of_width(depth, 1) < 0.6 for depth in (1, 2)
    ),
    "with larger images it buys 0.8": lambda: (
        [_points_a_doubling_of_width(2, 1.3)] if _points_a_doubling_of_width(1, 1.3) > 0.79 else []
    ),
    "ends at 82.0% with 19.0 billion MACs, where larger images alone end at 81.7% with 22.7": lambda: [
        FIGURE_4.where(depth=depth, resolution=1.3)[-1][column]
        for depth in (2, 1)
        for column in ("top1_percent", "macs_billions")
    ],
    "With 1.8 billion MACs compound is above 81%": (
        lambda: [
            FIGURE_8.row(method="compound scaling", point=3)["macs_billions"],
            FIGURE_8.row(method="compound scaling", point=3)["top1_percent"],
        ]
    ),
    "the accuracies that the first two versions of the paper print for them": lambda: (
        _compound() == _of_version("v2") == _of_version("v1 (unstamped build)")
    ),
    "version 5, which this course quotes otherwise, prints 0.3 to 0.5 points more": lambda: [
        5,
        *(
            choose(new - old for new, old in zip(_of_version("v5"), _compound(), strict=True))
            for choose in (min, max)
        ),
    ],
    "Its base has 76.1%, which no version prints for B0": lambda: (
        [FIGURE_8[0]["top1_percent"]]
        if FIGURE_8[0]["top1_percent"] not in VERSIONS.where(network="B0").column("top1_percent")
        else []
    ),
    "every further dot of the depth curve lies above the count": lambda: all(
        row["macs_billions"] * 1e9 > ee.cost(ee.scale(B0, depth=row["coefficient"])).macs
        for row in FIGURE_3.where(dimension="depth")[1:]
    ),
    "moves only the base to 0.39": lambda: [
        ee.published.read("effnet_fig8").where(method="scale by depth")[0]["macs_billions"]
    ],
    "0.6 for MobileNetV2 and 0.7 for ResNet-50, each time at slightly more MACs": lambda: (
        [_lead_over_best_alone("MobileNetV2"), _lead_over_best_alone("ResNet-50")]
        if all(_costs_most(network) for network in ("MobileNetV1", "MobileNetV2", "ResNet-50"))
        else []
    ),
    "compound beats depth alone by 8.6 points (6.5 to 10.7)": lambda: _in_points(_advantage("depth")),
    "and width alone by 11.0 (8.7 to 13.3)": lambda: _in_points(_advantage("width")),
    "but loses to resolution alone by 12.3 (11.0 to 13.6)": lambda: _in_points(
        _advantage("resolution").scaled(-1)
    ),
    "On Fashion-MNIST it beats depth alone by 0.4 points (0.2 to 0.6)": lambda: _in_points(
        _advantage("depth", "fashion_mnist")
    ),
    "equals width alone and resolution alone to within the half point that our studies call equal": lambda: (
        scaling.BOUND == 0.005
        and all(
            _advantage(way, "fashion_mnist").lies_within(scaling.BOUND) for way in ("width", "resolution")
        )
    ),
    "long enough to learn more than nine tenths of them": lambda: all(
        scaling.at_the_end(STUDY, images, way, level).mean > 0.9
        for images in STUDY.label_values("images")
        for way, level in (("base", 0), *((way, level) for way in WAYS for level in (1, 2, 3)))
    ),
    "the base sees glyphs at 18 pixels": lambda: [BASE_RESOLUTION],
    "B0 has 16 blocks and 0.39 billion MACs. How many blocks does the deepest B0 within 0.5": lambda: (
        [B0.layers, BASE.macs / 1e9, 0.5] if ee.cost(ee.scale(B0, depth=1.01)).macs > 0.5e9 else []
    ),
    "Now choose resolution, which spends nearly all of the budget": lambda: (
        _spent_on_resolution(0.5e9) > 0.97
    ),
}

CHOICES = {
    "1.3": "the resolution of two starts of figure 4",
    "300": "pixels of the photograph",
    "0.5": "a budget in the lab",
}
