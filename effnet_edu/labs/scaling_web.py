"""The scaling problem lab for a page without a kernel."""

from effnet_edu.labs.numbers import digits
from effnet_edu.labs.scaling_logic import ScalingProblemLogic
from effnet_edu.labs.scaling_screen import screen
from effnet_edu.labs.web import NoDevice, Page


class WebScalingProblem(NoDevice, ScalingProblemLogic):
    """The scaling problem lab where nothing can be measured.

    Args:
        device: Of no use here.
        settings: Any of the lab.
    """


def in_words(logic: ScalingProblemLogic) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    bought = logic.bought(logic.setting)
    return (
        f"{logic.label(logic.setting)}: {bought.network.layers} blocks, {bought.network.resolution} px, "
        f"{digits(bought.totals.parameters / 1e6)} M parameters, {digits(bought.totals.macs / 1e9)} G MACs."
    )


def page() -> Page[WebScalingProblem]:
    """Return the lab for a page."""
    return Page(WebScalingProblem(), screen, in_words)
