import effnet_edu as ee

TABLE = ee.published.read("effnet_table2")


def _times(column: str) -> float:
    return TABLE.row(network="ResNet-50")[column] / TABLE.row(network="EfficientNet-B0")[column]


def _share(*stages: int) -> float:
    counted = ee.cost("efficientnet_b0")
    return sum(counted.by_stage()[f"stages.{stage}"] for stage in stages) / counted.macs


FACTS = {
    "press the right arrow key ten times. Blocks, channels and pixels all grow": lambda: (
        ee.compound(1).layers > ee.spec("efficientnet_b0").layers
        and ee.compound(1).resolution > ee.spec("efficientnet_b0").resolution
        and [s.channels for s in ee.compound(1).stages]
        != [s.channels for s in ee.spec("efficientnet_b0").stages]
    ),
    "both on a square-root scale, so that 7 pixels can still be seen beside 112": lambda: (
        [7, 112]
        if [stage.side_out for stage in ee.resolve(ee.spec("efficientnet_b0"))][::15] == [112, 7]
        else []
    ),
    "The middle has the most, because": lambda: _share(2, 3, 4) > _share(5, 6) > _share(0, 1),
    "the middle has more blocks than the left and more pixels than the right": lambda: (
        [
            sum(ee.spec("efficientnet_b0").stages[stage].layers for stage in part)
            for part in ((0, 1), (2, 3, 4))
        ]
        == [3, 8]
    ),
    "on the right they have many channels but only 7 x 7 pixels": lambda: [7, 7],
    "B0 needs about a tenth of the arithmetic and is slightly more accurate": lambda: (
        9 < _times("macs_billions") < 11 and 0.9 < _times("top1_percent") < 1
    ),
    "**2 billion MACs for one image on your machine**, about five times what B0 needs": lambda: (
        [2] if 4.9 < 2e9 / ee.cost("efficientnet_b0").macs < 5.3 else []
    ),
    "the largest of 1000 numbers that add up to one": lambda: [
        ee.create("efficientnet_lite0", device="meta").num_classes
    ],
}
CHOICES = {
    "50": "an end of a guess, as an example",
    "10": "an order of magnitude to choose from",
    "100": "an order of magnitude to choose from",
    "1000": "an order of magnitude to choose from",
    "255": "the largest value of a pixel",
}
