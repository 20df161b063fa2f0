"""The words and controls of the V2 lab."""

from effnet_edu.labs.frame.controls import Choice, OnlyWhile, Several, Slider, Toggle
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices
from effnet_edu.labs.v2.measured import MeasuredV2
from effnet_edu.labs.v2.numbers import FUSING, MOST_STAGES, PROGRESSIVE


class V2Lab(Lab):
    """What made EfficientNetV2 quick to train, on real networks: fused stages, and images that grow.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of part (`"fused stages"` or `"progressive learning"`), network (`"B0"` to `"B4"`,
            `"V2-B0"`, `"V2-S"`, `"V2-M"`), fused (stages counted from 1, such as `(1, 2, 3)`), side,
            schedule, stages, first_side, randaugment, mixup, dropout, growing and batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MeasuredV2
    SUBJECT = "fused stages, and images that grow"
    CONTROLS = (
        OnlyWhile("part", FUSING, Several("fused", range(1, MOST_STAGES + 1), "stage {}")),
        OnlyWhile("part", PROGRESSIVE, Slider("stages", 1)),
        OnlyWhile("part", PROGRESSIVE, Slider("first_side", 4, label="first side", unit="px")),
        Slider("side", 4, label="side", unit="px", dimension="resolution"),
        OnlyWhile("part", PROGRESSIVE, Slider("randaugment", 1, label="RandAug.")),
        OnlyWhile("part", PROGRESSIVE, Slider("mixup", 0.1)),
        OnlyWhile("part", PROGRESSIVE, Slider("dropout", 0.05)),
        OnlyWhile("part", PROGRESSIVE, Toggle("growing")),
        Choice("part", label_width=28),
        Choice("network"),
        OnlyWhile("part", PROGRESSIVE, Choice("schedule")),
        Choice("batch_size", tuple(2**n for n in range(9)), label="batch"),
        Choice("device", devices),
    )
