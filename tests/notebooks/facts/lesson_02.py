from itertools import pairwise
from statistics import mean

import effnet_edu as ee
from effnet_edu.studies.search.findings import surface
from effnet_edu.studies.search.runs import search_base

POINTS = surface(ee.studies.read("search"))

B0 = ee.spec("efficientnet_b0")
TABLE = ee.published.read("effnet_coefficients")
RECIPE = ee.published.read("effnet_recipe")
TABLE_NAMES = [f"B{number}" for number in range(1, 8)]
GAMMA = RECIPE.row(item="gamma")["value"]
MACS = {number: ee.cost(f"efficientnet_b{number}").macs for number in range(8)}


def _phi(name):
    row = TABLE.row(network=name)
    return ee.fit_phi(ee.Multipliers(row["depth"], row["width"], row["resolution"] / B0.resolution))


def _answers(name):
    phi = _phi(name)
    return sorted((phi.depth, phi.width, phi.resolution))


def _growth(phi):
    return ee.cost(ee.compound(phi + 1)).macs / ee.cost(ee.compound(phi)).macs


def _behind(name):
    """Return whether depth lies well behind the other two."""
    phi = _phi(name)
    return min(phi.width, phi.resolution) - phi.depth > 0.25


def _counted_over_published(number):
    versions = ee.published.read("effnet_table2_versions")
    published = versions.row(what="Table 2", version="v5", network=f"B{number}")["macs_billions"]
    return MACS[number] / (published * 1e9)


def _depth_of_added_blocks():
    """Return MACs of an added block over those of the average one that is there, when depth doubles."""
    doubled, base = (
        sum(macs for part, macs in counted.by_stage().items() if part.startswith("stages"))
        for counted in (ee.cost(ee.scale(B0, depth=2)), ee.cost(B0))
    )
    return (doubled - base) / base


def _shallower():
    """Return the networks that have fewer blocks than the formula asks for at the middle one of their phi."""
    alpha = RECIPE.row(item="alpha")["value"]
    return [
        name
        for name in TABLE_NAMES
        if ee.spec(f"efficientnet_{name.lower()}").layers < B0.layers * alpha ** _answers(name)[1]
    ]


def _nearest_to_the_paper():
    wanted = [RECIPE.row(item=name)["value"] for name in ("alpha", "beta", "gamma")]
    return min(
        POINTS,
        key=lambda point: sum(
            abs(a - b) for a, b in zip((point.alpha, point.beta, point.gamma), wanted, strict=True)
        ),
    )


def _last_width_of(channels):
    """Return the largest width, in hundredths, at which the rule leaves channels as they are."""
    stage = next(number for number, stage in enumerate(B0.stages) if stage.channels == channels)
    kept = (
        step / 100
        for step in range(100, 200)
        if ee.scale(B0, width=step / 100).stages[stage].channels == channels
    )
    return max(kept)


def _panels():
    """Return for each alpha its points by rising gamma."""
    alphas = sorted({point.alpha for point in POINTS})
    return [
        sorted((point for point in POINTS if point.alpha == alpha), key=lambda point: point.gamma)
        for alpha in alphas
    ]


FACTS = {
    "doubled its counted MACs in 13 ways": lambda: [len(POINTS)],
    "Each of the 13 was trained ten times": lambda: (
        {point.accuracy.count for point in POINTS} == {10} and len(POINTS) == 13
    ),
    "between the best and the worst of the 13": lambda: [len(POINTS)],
    "looks for the one of the 13 that is nearest": lambda: [len(POINTS)],
    "the more goes into depth, the less is left for gamma": lambda: all(
        low[-1].gamma >= high[-1].gamma for low, high in pairwise(_panels())
    ),
    "in every panel accuracy tends to rise with gamma": lambda: all(
        mean(p.accuracy.mean for p in panel[len(panel) // 2 :])
        > mean(p.accuracy.mean for p in panel[: len(panel) // 2])
        for panel in _panels()
    ),
    "The best of the 13 spends on all three, most of it on resolution": lambda: (
        min(POINTS[0].alpha, POINTS[0].beta, POINTS[0].gamma) > 1
        and POINTS[0].gamma ** 2 > max(POINTS[0].alpha, POINTS[0].beta ** 2)
        and len(POINTS) == 13
    ),
    "Its base sees characters at 18 pixels": lambda: [search_base().resolution],
    "what is scarce at 18 pixels need not be scarce at 224": lambda: [
        search_base().resolution,
        B0.resolution,
    ],
    "Three of the other 12 cannot be told from the best even with ten seeds; all four let the side": (
        lambda: (
            sum(point.may_be_best for point in POINTS[1:]) == 3
            and len(POINTS) == 13
            and min(round(point.gamma, 2) for point in POINTS if point.may_be_best) == 1.33
        )
    ),
    "could not tell its winner from three others": lambda: sum(p.may_be_best for p in POINTS[1:]) == 3,
    "Of its 13 points": lambda: [len(POINTS)],
    "the one nearest to the paper's proportions is 4.4 points behind the best (0.5 to 8.3)": (
        lambda: [
            100 * value
            for value in (
                _nearest_to_the_paper().behind.mean,
                _nearest_to_the_paper().behind.low,
                _nearest_to_the_paper().behind.high,
            )
        ]
    ),
    "every added layer runs at the output channels of its stage": lambda: 1 < _depth_of_added_blocks() < 1.2,
    "Doubling the depth costs slightly more than twice": lambda: (
        2 < ee.cost(ee.scale(B0, depth=2)).macs / MACS[0] < 2.1
    ),
    "B5, B6 and B7 still have fewer blocks than the formula asks for, B1 to B4 have more": lambda: (
        _shallower() == ["B5", "B6", "B7"]
    ),
    "more blocks than its depth multiplier asks for": lambda: all(
        ee.spec(f"efficientnet_{name.lower()}").layers > B0.layers * TABLE.row(network=name)["depth"]
        for name in TABLE_NAMES
    ),
    "only the head grows, from 1280 to 1296": lambda: [B0.head_channels, ee.compound(0.1).head_channels],
    "say why the constraint has two squares and what 1.92 means": lambda: [ee.cost_factor()],
    "B7 costs about a hundred times as much as B0": lambda: 95 < MACS[7] / MACS[0] < 105,
    "asks for about 2 and settles on 1.2, 1.1 and 1.15": lambda: [
        2,
        *(RECIPE.row(item=name)["value"] for name in ("alpha", "beta", "gamma")),
    ],
    "It costs far more than the rule says, and most later steps cost less": lambda: (
        _growth(0) > 2.4
        and all(_growth(phi) < _growth(0) for phi in range(1, 7))
        and sum(_growth(phi) < ee.cost_factor() for phi in range(1, 7)) >= 4
    ),
    "Five layers of stride 2 leave a map of 8 x 8 of 256 pixels, and one of 9 x 9 of 258": lambda: [
        2,
        *(ee.resolve(B0, 256)[-1].side_out,) * 2,
        256,
        *(ee.resolve(B0, 258)[-1].side_out,) * 2,
        ee.compound(1).resolution,
    ],
    "for 1.6 percent more pixels, phi 1 needs 15 percent more MACs": lambda: [
        100 * ((258 / 256) ** 2 - 1),
        1,
        100 * (ee.cost(ee.compound(1), 258).macs / ee.cost(ee.compound(1), 256).macs - 1),
    ],
    "B1 and B2 even have the same blocks": lambda: (
        ee.spec("efficientnet_b1").layers == ee.spec("efficientnet_b2").layers
    ),
    "the phi for which 1.92 to the power of phi is the growth over B0": lambda: [ee.cost_factor()],
    "The rule says 1.92.": lambda: [ee.cost_factor()],
    "A stage of 24 channels does not change until width 1.11: up to there, 24 loses less than a tenth": (
        lambda: [24, _last_width_of(24), 24]
    ),
    "Then raise beta to 1.2, so that the product is back at 1.9": lambda: [
        1.2,
        ee.cost_factor(1, 1.2, GAMMA),
    ],
    "the MACs are only 82 percent of what phi 3 had: no layers are rounded up any more": lambda: [
        100 * ee.cost(ee.compound(3, alpha=1, beta=1.2)).macs / ee.cost(ee.compound(3)).macs,
        3,
    ],
    "B2 is phi 1: here depth, width and resolution agree": lambda: (
        _answers("B2")[2] - _answers("B2")[0] < 0.1 and abs(_answers("B2")[1] - 1) < 0.1
    ),
    "B1 lies near phi 0.5": lambda: abs(_answers("B1")[1] - 0.5) < 0.1,
    "From B4 on, depth lags behind": lambda: (
        [name for name in TABLE_NAMES if _behind(name)] == ["B4", "B5", "B6", "B7"]
    ),
    "for B7 the answers run from 6.2 to 7.3": lambda: [_answers("B7")[0], _answers("B7")[2]],
    "the multiplier of B7 asks for 3.1 times the blocks and the network has 3.44 times as many": lambda: [
        TABLE.row(network="B7")["depth"],
        ee.spec("efficientnet_b7").layers / B0.layers,
    ],
    "Blocks jump from 16 to 23 at once, while every stage keeps its channels": lambda: [
        B0.layers,
        ee.compound(0.1).layers,
    ],
    "Move the slider of phi from 0 to 0.1 with the right arrow key": lambda: (
        [stage.channels for stage in ee.compound(0.1).stages] == [stage.channels for stage in B0.stages]
    ),
    "From phi 0 to phi 2, MACs grow nearly five times, to 1.8 billion, which is within": lambda: (
        [0, 2, ee.cost(ee.compound(2)).macs / 1e9] if 4.5 < ee.cost(ee.compound(2)).macs / MACS[0] < 5 else []
    ),
    "B4 and B5 differ by 4 to 5 percent": lambda: sorted(
        100 * (_counted_over_published(number) - 1) for number in (5, 4)
    ),
    "MACs grow about 1.92 times for each whole step": lambda: [ee.cost_factor()],
}
CHOICES = {
    "0.05": "a step of the grid, which the lesson supposes",
    "1.2": "a multiplier to predict the rounding for",
    "16": "channels of a stage to predict the rounding for",
    "24": "channels of a stage to predict the rounding for",
    "0.1": "a phi to set in the lab",
    "0.9": "a phi to set in the lab",
    "1.0": "a phi to set in the lab",
    "1.92": "named in a heading, which a fact holds",
}
