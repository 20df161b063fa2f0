"""The scaling problem lab as widgets."""

from effnet_edu.labs.controls import Choice, Slider
from effnet_edu.labs.frame import Lab
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import devices
from effnet_edu.labs.scaling_logic import ScalingProblemLogic
from effnet_edu.labs.scaling_screen import screen


class ScalingProblemLab(Lab):
    """An interactive budget of MACs, spent on depth, width or resolution of EfficientNet-B0.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of budget (0.4 to 10 billion MACs), way (`"depth"`, `"width"`, `"resolution"`,
            `"compound"` or `"own mix"`), depth_share, width_share and resolution_share (percent of the
            growth, for a mix), paper (`"EfficientNet-B0"`, `"MobileNetV1"`, `"MobileNetV2"` or
            `"ResNet-50"`), images (`"glyphs"` or `"Fashion-MNIST"`) and batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = ScalingProblemLogic
    SUBJECT = "one budget, three things to buy"
    LEAD = "Choose a budget and where it goes: exact at once, and measured on this device when it rests."
    CONTROLS = (
        Slider("budget", 0.2, unit="G MACs"),
        Choice("way"),
        Slider("depth_share", 1, label="depth", unit="%"),
        Slider("width_share", 1, label="width", unit="%"),
        Slider("resolution_share", 1, label="resol.", unit="%"),
        Choice("paper"),
        Choice("images"),
        Choice("batch_size", tuple(2**n for n in range(9)), label="batch size"),
        Choice("device", devices),
    )

    logic: ScalingProblemLogic

    def draw(self) -> Screen:
        """Return the network, its charts and the price of each way."""
        return screen(self.logic)
