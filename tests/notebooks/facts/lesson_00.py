import effnet_edu as ee

TABLE = ee.published.read("effnet_table2")


def _times(column: str) -> float:
    return TABLE.row(network="ResNet-50")[column] / TABLE.row(network="EfficientNet-B0")[column]


FACTS = {
    "About a tenth of the arithmetic, and slightly better": lambda: (
        9 < _times("macs_billions") < 11 and 0.9 < _times("top1_percent") < 1
    ),
    "The bars are a softmax: 1000 numbers that add up to one": lambda: [
        ee.create("efficientnet_lite0", device="meta").num_classes
    ],
}
CHOICES = {
    "10": "an order of magnitude to choose from",
    "100": "an order of magnitude to choose from",
    "1000": "an order of magnitude to choose from",
    "255": "the largest value of a pixel",
}
