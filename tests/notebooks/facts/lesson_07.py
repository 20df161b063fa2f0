from functools import cache
from statistics import median

import effnet_edu as ee

LITE0 = ee.spec("efficientnet_lite0")


@cache
def _mismatches():
    return ee.images.measure_mismatches(
        {name: ee.images.photograph(name) for name in ("chelsea", "coffee", "astronaut")}
    )


def _cost_of(change):
    """Return the median error of the logits with one thing wrong."""
    return median(one.logit_error for one in _mismatches() if one.change == change)


FACTS = {
    "about -2 to 2.6, while 0 to 1 stays inside the -1 to 1": lambda: [
        (1 - 0.406) / 0.225,
        0,
        1,
        1,
    ],
    "Here is one block of sixteen": lambda: LITE0.layers == 16,
    "How many of the 16 blocks of Lite0 have a shortcut": lambda: [LITE0.layers],
    "B0 has it in every block": lambda: all(
        block.squeeze_channels for block in ee.resolve(ee.spec("efficientnet_b0"))
    ),
    "Lite0 has no gates, but the small network of lesson 04 has them": lambda: (
        not any(block.squeeze_channels for block in ee.resolve(LITE0))
        and all(block.squeeze_channels for block in ee.resolve(ee.studies.trained_network()[0].spec))
    ),
    "Set phi to 2.2, the slider's largest step within the course's budget of 2 billion MACs": lambda: (
        [2.2, 2] if ee.cost(ee.compound(2.2)).macs <= 2e9 < ee.cost(ee.compound(2.3)).macs else []
    ),
    "it has 26 blocks": lambda: [ee.compound(2.2).layers],
    "It tells ten glyphs apart": lambda: len(ee.studies.trained_network()[1]) == 10,
    "Lite0 has no squeeze-and-excitation": lambda: (
        not any(block.squeeze_channels for block in ee.resolve(LITE0))
    ),
    "the file has 20 MiB": lambda: [
        next(
            row.mebibytes
            for row in ee.list_weights("efficientnet_b0")
            if row.name == "torchvision/IMAGENET1K_V1"
        )
    ],
    "There are as many blocks as in B0, and fewer parameters than with the usual alpha": lambda: (
        ee.compound(1, alpha=1).layers == ee.spec("efficientnet_b0").layers
        and ee.cost(ee.compound(1, alpha=1)).parameters < ee.cost(ee.compound(1)).parameters
    ),
    "The number of parameters stays the same, because resolution needs none": lambda: (
        ee.cost(ee.compound(1, gamma=1)).parameters == ee.cost(ee.compound(1)).parameters
    ),
}
CHOICES = {
    "1000": "the classes of ImageNet-1k",
    "56": "a side of the prediction",
    "112": "a side of the prediction",
    "500": "glyphs that the network reads",
}
