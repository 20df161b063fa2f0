import effnet_edu as ee

B0 = ee.spec("efficientnet_b0")
BLOCKS = ee.resolve(B0)
COST = ee.cost(B0)
PRINTED = ee.published.read("se_ablations")
(SMALL,) = ee.studies.read("small_network").runs


def _share(count):
    by_role = COST.by_role(count)
    return by_role["squeeze_excite"] / sum(by_role.values())


def _with_the_mistake():
    extra = ((2 * b.channels_hidden + 1) * (b.channels_hidden // 4 - b.squeeze_channels) for b in BLOCKS)
    return COST.parameters + sum(extra)


def _error(part, setting):
    return PRINTED.row(part=part, setting=setting)["top1_error_percent"]


def _class_shares():
    return [row["between_class_share"] for row in SMALL["gates"]]


def _largest_difference(block, one, other):
    means = SMALL["gates"][block]["class_means"]
    first, second = (means[SMALL["class_names"].index(name)] for name in (one, other))
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


FACTS = {
    "this takes every eighth parameter and next to no arithmetic": lambda: (
        7.5 < 1 / _share(lambda row: row.parameters) < 8.5 and _share(lambda row: row.macs) < 0.005
    ),
    "The paper prints 5.3 million": lambda: [
        ee.published.read("effnet_table2").row(network="EfficientNet-B0")["parameters_millions"]
    ],
    "Its last block has two hundred hidden channels": lambda: SMALL["gates"][-1]["channels"] == 200,
    'The line "squeeze none"': lambda: (
        PRINTED.row(part="squeeze", setting="none")["macs_billions"]
        > PRINTED.row(part="where", setting="all")["macs_billions"]
    ),
    "It costs more and helps less": lambda: _error("squeeze", "mean") < _error("squeeze", "none"),
    "The first block of B0 reads 32 channels and does not expand them. The next one reads 16 and expands "
    "them to 96.": lambda: [BLOCKS[0].channels_in, BLOCKS[1].channels_in, BLOCKS[1].channels_hidden],
    "no rounding to multiples of 8 takes place: widths such as 4, 6 and 10 are right": lambda: (
        {4, 6, 10} <= {block.squeeze_channels for block in BLOCKS}
    ),
    "Squeeze-and-excitation holds every eighth parameter of B0": lambda: (
        7.5 < 1 / _share(lambda row: row.parameters) < 8.5
    ),
    "Early gates hardly depend on the class": lambda: _class_shares()[0] < 0.1,
    "early gates serve all classes, late ones tell them apart": lambda: (
        _class_shares()[-1] > 5 * _class_shares()[0]
    ),
    "where the two classes have nearly the same gates": lambda: _largest_difference(0, "O", "Q") < 0.05,
    "the width hardly matters over a wide range": lambda: (
        max(_error("reduction", setting) for setting in (2, 4, 8, 16))
        - min(_error("reduction", setting) for setting in (2, 4, 8, 16))
        < 0.05
    ),
    "A reduction of 16 means a middle of one sixteenth of the channels": lambda: (
        16 in PRINTED.where(part="reduction").column("setting")
    ),
    "a quarter of c_in behind an expansion of 6 is a reduction of 24": lambda: [
        max(stage.expansion for stage in B0.stages),
        max(stage.expansion for stage in B0.stages) / B0.stages[1].squeeze_ratio,
    ],
    "8.4 instead of 5.3 million parameters": lambda: [_with_the_mistake() / 1e6, COST.parameters / 1e6],
}
CHOICES: dict[str, str] = {}
