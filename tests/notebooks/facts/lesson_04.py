from dataclasses import replace

import effnet_edu as ee
from effnet_edu.labs.squeeze_excite.answers import answer, focus
from effnet_edu.labs.squeeze_excite.measured import MeasuredSqueezeExcite
from effnet_edu.labs.squeeze_excite.numbers import ALL, OTHER
from effnet_edu.labs.squeeze_excite.widths import MISTAKE, squeeze_cost
from effnet_edu.studies.networks import small_network
from effnet_edu.studies.squeeze_excitation.runs import network as studied
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


def _reductions():
    return [block.channels_hidden / block.squeeze_channels for block in BLOCKS]


def _glyphs_gain():
    """Return by how many points accuracy differs with a quarter, seed by seed, on average."""
    with_gates, without = (STUDY.values("accuracy", images="glyphs", ratio=ratio) for ratio in (1 / 4, 0.0))
    return 100 * (sum(with_gates) - sum(without)) / len(without)


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


def _shares(images, block):
    return [run["gates"][block]["between_class_share"] for run in STUDY.where(images=images, ratio=1 / 4)]


def _after(epoch, ratio):
    """Return the mean test accuracy on glyphs after an epoch, from 0."""
    runs = STUDY.where(images="glyphs", ratio=ratio)
    return sum(run["curve"]["test_accuracy"][epoch] for run in runs) / len(runs)


def _apart():
    """Return how far apart the classes' mean gates lie in each channel of the last block."""
    return [max(means) - min(means) for means in zip(*GATES[-1]["class_means"], strict=True)]


def _gate_by_class(channel):
    """Return the mean gate of one channel of the last block by class."""
    names = SMALL.runs[0]["class_names"]
    return dict(zip(names, (means[channel] for means in GATES[-1]["class_means"]), strict=True))


FACTS = {
    "of its 200 gates": lambda: [ee.resolve(small_network())[-1].channels_hidden],
    "A 5x5 convolution sees five pixels across": lambda: BLOCKS[4].kernel == 5,
    "Squeeze-and-excitation itself is given c_mid channels, up to six times as many": lambda: (
        max(block.expansion for block in BLOCKS) == 6
    ),
    "B0 has 5.3 million parameters.": lambda: [COST.parameters / 1e6],
    "Nothing is rounded to multiples of 8 here: widths such as 4, 6 and 10 are as they should be": lambda: (
        [8, 4, 6, 10] if {4, 6, 10} <= {block.squeeze_channels for block in BLOCKS} else []
    ),
    "here they stay about half open": lambda: all(0.4 < row["mean"] < 0.6 for row in GATES),
    "How many does it have with this mistake: 5.4, 6.5 or 8.4 million?": lambda: [
        *(5.4, 6.5),
        squeeze_cost("B0", MISTAKE).parameters / 1e6,
    ],
    "In B0 it is 24 in every block except the first; with the mistake it is 4": lambda: (
        [_reductions()[1], 4] if _reductions() == [4, *15 * [24]] else []
    ),
    "From 2 to 16 the error stays the same to a tenth of a point, while the parameters fall by 39 percent": (
        lambda: [2, 16, 100 * (1 - PARAMETERS[16] / PARAMETERS[2])] if _wide_is_no_better() else []
    ),
    "At 32 it begins to rise": lambda: (
        [32] if ERRORS["reduction", 32] > ERRORS["reduction", 16] + 0.4 else []
    ),
    "Why EfficientNet can afford 24": lambda: [_reductions()[1]],
    "six operations per block, ninety-six in B0": lambda: (
        sum(row.role == "squeeze_excite" for row in COST.layers) == 96 == 6 * len(BLOCKS)
    ),
    "Both were recorded over 2,000 test pictures": lambda: [
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
    "All gain, by half a point to three points. Small networks gain most here": lambda: (
        0.45 < min(GAINS.values()) < 0.55
        and 2.9 < max(GAINS.values()) < 3.2
        and sorted(GAINS, key=GAINS.get)[-2:] == ["ShuffleNet", "MobileNet"]
    ),
    "with ReLU in place of the sigmoid, the network is worse than without any gates": lambda: (
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
    "does as well as at the end of the branch. After the addition (POST) is worse": lambda: (
        max(ERRORS["place", "SE-PRE"], ERRORS["place", "SE-Identity"])
        <= ERRORS["where", "all"]
        < ERRORS["place", "SE-POST"] - 0.4
    ),
    "The last stage gains most, and all stages together gain more": lambda: (
        ERRORS["where", "all"]
        < ERRORS["where", "stage 4"]
        < min(ERRORS["where", "stage 2"], ERRORS["where", "stage 3"])
    ),
    "R opens this channel most and P least": lambda: (
        max(_gate_by_class(5), key=_gate_by_class(5).get) == "R"
        and min(_gate_by_class(5), key=_gate_by_class(5).get) == "P"
        and len(_gate_by_class(5)) == 10
    ),
    "most gates move by a hundredth or two, and those of the last block by 0.05 on average over its 200": (
        lambda: (
            [GATES[-1]["deviation"], GATES[-1]["channels"]]
            if all(row["deviation"] < 0.025 for row in GATES[:-1])
            else []
        )
    ),
    "the channel whose classes lie farthest apart, by 0.52; for the middle channel it is 0.14": (
        lambda: [_apart()[5], sorted(_apart())[100]] if max(_apart()) == _apart()[5] else []
    ),
    "here 23.30% is the error *without* gates, while above 23.3% is the error with them": lambda: [
        ERRORS["reduction", "without"],
        ee.published.read("se_networks").row(network="ResNet-50")["se_top1_error_percent"],
    ],
    "The gap is 11.6 points after the first epoch and 9.1 after the second": lambda: [
        100 * (_after(epoch, 0.0) - _after(epoch, 1 / 4)) for epoch in (0, 1)
    ],
    "both networks still gain 18 points or more from one to the next": lambda: (
        [18] if min(_after(1, ratio) - _after(0, ratio) for ratio in (0.0, 1 / 4)) > 0.18 else []
    ),
    "by about 9 points, and the interval excludes zero": lambda: (
        [-_glyphs_gain()] if "with it is less accurate than without" in STUDY.summary[0] else []
    ),
    "On Fashion-MNIST nothing is decided": lambda: "the study does not decide" in STUDY.summary[3],
    "On Fashion-MNIST the gates of the first block know as much of the class as those of the last": lambda: (
        abs(sum(_shares("fashion_mnist", 0)) - sum(_shares("fashion_mnist", -1))) < 0.05 * 4
    ),
    "the late gates help to hold it there": _surer_with_the_gates_of_another_class,
    "to give the right class 91% and no more": lambda: [
        100 * (1 - RECIPE.label_smoothing + RECIPE.label_smoothing / len(SMALL.runs[0]["class_names"]))
    ],
    "The first has a shortcut, and the answer hardly changes. The second has none": lambda: (
        [block.has_shortcut for block in ee.resolve(small_network()) if block.stage == 2] == [False, True]
        and abs(_shut("stages.2.1") - _probability(block="stages.2.1", channel=0)) < 0.02
        and _shut("stages.2.0") < 0.1
    ),
    "Two epochs, about a hundred thousand parameters, ten classes, four seeds": lambda: (
        RECIPE.epochs == 2
        and 85_000 < ee.cost(studied(1 / 4), num_classes=10).parameters < 125_000
        and len(STUDY.provenance.seeds) == 4
    ),
    "about an eighth of B0's parameters": lambda: (
        0.115 < COST.by_role(lambda row: row.parameters)["squeeze_excite"] / COST.parameters < 0.13
    ),
}
CHOICES = {
    "10": "what one pixel is made larger by",
    "0.5": "a gate that is set by hand",
    "500": "pictures on which gates are replaced",
}
