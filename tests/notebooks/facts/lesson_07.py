import effnet_edu as ee

LITE0 = ee.spec("efficientnet_lite0")

FACTS = {
    "Here is one block of sixteen": lambda: LITE0.layers == 16,
    "How many of the 16 blocks of Lite0 have a shortcut": lambda: [LITE0.layers],
    "B0 has one in each block": lambda: all(
        block.squeeze_channels for block in ee.resolve(ee.spec("efficientnet_b0"))
    ),
    "Lite0 has no gates, but the small network of lesson 04 has them": lambda: (
        not any(block.squeeze_channels for block in ee.resolve(LITE0))
        and all(block.squeeze_channels for block in ee.resolve(ee.studies.trained_network()[0].spec))
    ),
    "It reads ten glyphs": lambda: len(ee.studies.trained_network()[1]) == 10,
    "Lite0 has none": lambda: not any(block.squeeze_channels for block in ee.resolve(LITE0)),
    "the file has 20 MiB": lambda: [
        next(
            row.mebibytes
            for row in ee.list_weights("efficientnet_b0")
            if row.name == "torchvision/IMAGENET1K_V1"
        )
    ],
    "There are as many blocks as in B0, and fewer parameters than before": lambda: (
        ee.compound(1, alpha=1).layers == ee.spec("efficientnet_b0").layers
        and ee.cost(ee.compound(1, alpha=1)).parameters < ee.cost(ee.compound(1)).parameters
    ),
    "The number of parameters stays: resolution needs none": lambda: (
        ee.cost(ee.compound(1, gamma=1)).parameters == ee.cost(ee.compound(1)).parameters
    ),
}
CHOICES = {"500": "glyphs that the network reads"}
