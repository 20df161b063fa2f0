"""The words and controls of the MBConv lab."""

from effnet_edu.labs.frame.controls import Choice, Pair, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices
from effnet_edu.labs.mbconv.measured import MeasuredMBConv


class MBConvLab(Lab):
    """An interactive picture of one block: MBConv, Fused-MBConv or a plain convolution of the same shape.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of kind (`"MBConv"`, `"Fused-MBConv"`, `"convolution"`), expansion (1 to 8),
            channels_in and channels_out (8 to 320), side (4 to 128 px), kernel (3, 5 or 7), stride (1 or 2),
            squeeze_ratio (0 is off), batch_size, precision, layer (`"expand"`, `"depthwise"`,
            `"squeeze_excite"`, `"fused"` or `"project"`, whose work is shown) and work (0 to 100, % of it).

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = MeasuredMBConv
    SUBJECT = "one block, and who spends what in it"
    CONTROLS = (
        Choice("kind"),
        Choice("layer"),
        Slider("expansion", 1, label="expand"),
        Slider("channels_in", 8, label="c_in"),
        Slider("channels_out", 8, label="c_out"),
        Slider("side", 1, unit="px"),
        Slider("work", 1, unit="%"),
        Pair(Choice("kernel", label="kernel"), Choice("stride", label="stride")),
        Pair(
            Choice("squeeze_ratio", (0.0, 0.0625, 0.125, 0.25, 0.5, 1.0), label="SE"),
            Choice("batch_size", tuple(2**n for n in range(9)), label="batch"),
        ),
        Pair(Choice("precision", label="type"), Choice("device", devices, label="on")),
    )
