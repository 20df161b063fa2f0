"""The words and controls of the lab of your own network."""

from effnet_edu.labs.frame.controls import Choice, OnlyWhile, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices
from effnet_edu.labs.your_network.measured import MeasuredYourNetwork
from effnet_edu.labs.your_network.numbers import PICTURES, PRECISION


class YourNetworkLab(Lab):
    """What labelled pictures buy on frozen features, and what eight bits cost.

    Args:
        device: Where features are computed; the accelerator if there is one.
        settings: Any of part (`"labelled pictures"` or `"precision"`), pictures (1 to 50 of each class),
            features (`"Lite0"` or `"pixels"`) and precision (`"fp32"` or `"int8"`).

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MeasuredYourNetwork
    SUBJECT = "labelled pictures, and bits"
    CONTROLS = (
        OnlyWhile("part", PICTURES, Slider("pictures", 1)),
        Choice("part", label_width=28),
        OnlyWhile("part", PICTURES, Choice("features")),
        OnlyWhile("part", PRECISION, Choice("precision")),
        Choice("device", devices),
    )
