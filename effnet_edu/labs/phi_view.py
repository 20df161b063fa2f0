"""The phi lab as widgets."""

from effnet_edu.labs.controls import Choice, Slider
from effnet_edu.labs.frame import Lab
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import devices
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_numbers import giga, mega
from effnet_edu.labs.phi_screen import screen, times_in_words


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

    LOGIC = PhiLogic
    SUBJECT = "one number scales the whole network"
    LEAD = (
        "Move phi. Exact counts follow at once; when the slider rests, the real network is rebuilt and "
        "measured on this device."
    )
    CONTROLS = (
        Slider("phi", 0.1),
        Slider("alpha", 0.01),
        Slider("beta", 0.01),
        Slider("gamma", 0.01),
        Choice("variant", label="network"),
        Choice("batch_size", tuple(2**n for n in range(11)), label="batch size"),
        Choice("precision"),
        Choice("device", devices),
    )

    logic: PhiLogic

    def draw(self) -> Screen:
        """Return the network and its charts."""
        return screen(self.logic)

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        logic = self.logic
        return (
            f"{logic.title} at {logic.label(logic.setting)}: {logic.spec.layers} blocks, "
            f"{logic.spec.resolution} x {logic.spec.resolution} pixels, "
            f"{mega(logic.cost.parameters)} parameters, {giga(logic.cost.macs)} MACs; {times_in_words(logic)}"
        )
