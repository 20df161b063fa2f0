import effnet_edu as ee

B0 = ee.spec("efficientnet_b0")
TABLE = ee.published.read("effnet_coefficients")
RECIPE = ee.published.read("effnet_recipe")
TABLE_NAMES = [f"B{number}" for number in range(1, 8)]
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


FACTS = {
    "say why the constraint has two squares, and what 1.92 means": lambda: [ee.cost_factor()],
    "B7 costs about a hundred times as much as B0": lambda: 95 < MACS[7] / MACS[0] < 105,
    "asks for about 2 and settles on 1.2, 1.1 and 1.15": lambda: [
        2,
        *(RECIPE.row(item=name)["value"] for name in ("alpha", "beta", "gamma")),
    ],
    "The first step costs far more than the rule says, and later steps cost less": lambda: (
        _growth(0) > 2.4
        and all(_growth(phi) < _growth(0) for phi in range(1, 7))
        and sum(_growth(phi) < ee.cost_factor() for phi in range(1, 7)) >= 4
    ),
    "B1 and B2 even have the same blocks": lambda: (
        ee.spec("efficientnet_b1").layers == ee.spec("efficientnet_b2").layers
    ),
    "the phi at which 1.92 to its power": lambda: [ee.cost_factor()],
    "fewer than 1.92 times": lambda: [ee.cost_factor()],
    "B2 is phi 1: here depth, width and resolution agree": lambda: (
        _answers("B2")[2] - _answers("B2")[0] < 0.1 and abs(_answers("B2")[1] - 1) < 0.1
    ),
    "B1 lies near phi 0.5": lambda: abs(_answers("B1")[1] - 0.5) < 0.1,
    "From B4 on, depth lags behind": lambda: (
        [name for name in TABLE_NAMES if _behind(name)] == ["B4", "B5", "B6", "B7"]
    ),
    "for B7 the answers run from 6.2 to 7.3": lambda: [_answers("B7")[0], _answers("B7")[2]],
    "B7 asks for 3.1 times the blocks and gets 3.44 times": lambda: [
        TABLE.row(network="B7")["depth"],
        ee.spec("efficientnet_b7").layers / B0.layers,
    ],
    "Blocks jump from 16 to 23 at once; channels stay": lambda: [B0.layers, ee.compound(0.1).layers],
    "Move phi from 0 to 0.1 with the arrow key": lambda: (
        [stage.channels for stage in ee.compound(0.1).stages] == [stage.channels for stage in B0.stages]
    ),
    "From phi 0 to phi 2, MACs grow about five times": lambda: (
        4.5 < ee.cost(ee.compound(2)).macs / MACS[0] < 5.5
    ),
    "B4 and B5 differ by 4 to 5 percent": lambda: sorted(
        100 * (_counted_over_published(number) - 1) for number in (5, 4)
    ),
    "MACs grow by about 1.92 for each whole step": lambda: [ee.cost_factor()],
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
