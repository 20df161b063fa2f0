"""The words and controls of the scaling problem lab."""

from effnet_edu.labs.frame.controls import Choice, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices
from effnet_edu.labs.scaling_problem.measured import MeasuredScalingProblem


class ScalingProblemLab(Lab):
    """An interactive budget of MACs, spent on depth, width or resolution of EfficientNet-B0.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of budget (0.4 to 10 billion MACs), way (`"depth"`, `"width"`, `"resolution"`,
            `"compound"` or `"own mix"`), depth_weight, width_weight and resolution_weight (what each
            weighs in a mix), paper (`"EfficientNet-B0"`, `"MobileNetV1"`, `"MobileNetV2"` or
            `"ResNet-50"`), images (`"glyphs"` or `"Fashion-MNIST"`) and batch_size.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MeasuredScalingProblem
    SUBJECT = "one budget, three things to buy"
    CONTROLS = (
        Slider("budget", 0.2, unit="billion MACs"),
        Choice("way"),
        Slider("depth_weight", 1, label="depth", help="weight", dimension="depth"),
        Slider("width_weight", 1, label="width", help="weight", dimension="width"),
        Slider("resolution_weight", 1, label="resolution", help="weight", dimension="resolution"),
        Choice("paper"),
        Choice("images"),
        Choice("batch_size", tuple(2**n for n in range(9)), label="batch size"),
        Choice("device", devices),
    )
