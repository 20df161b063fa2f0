"""The words and controls of the phi lab."""

from effnet_edu.labs.frame.controls import Choice, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices
from effnet_edu.labs.phi.measured import MeasuredPhi


class PhiLab(Lab):
    """An interactive picture of compound scaling on the real network.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of phi (0 to 7), alpha, beta, gamma, variant (`"B0"` to `"B7"`), batch_size and
            precision.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MeasuredPhi
    SUBJECT = "one number scales the whole network"
    CONTROLS = (
        Slider("phi", 0.1, dimension="compound"),
        Slider("alpha", 0.01, dimension="depth"),
        Slider("beta", 0.01, dimension="width"),
        Slider("gamma", 0.01, dimension="resolution"),
        Choice("variant", label="network"),
        Choice("batch_size", tuple(2**n for n in range(11)), label="batch size"),
        Choice("precision"),
        Choice("device", devices),
    )
