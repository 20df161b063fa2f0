"""The MBConv lab for a page without a kernel: the ceilings are those of a recorded run."""

from effnet_edu.labs.layout import Screen
from effnet_edu.labs.mbconv_logic import MBConvLogic, cost_of
from effnet_edu.labs.mbconv_screen import Roof, block_drawing, in_millions, roofline_drawing
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.web import NoDevice, Page, recorded_run


class WebMBConv(NoDevice, MBConvLogic):
    """The MBConv lab where nothing can be measured.

    Args:
        device: Of no use here.
        settings: Any of the lab.
    """


def recorded_roof(precision: str) -> tuple[str, Roof]:
    """Return a recorded device and its ceilings.

    Args:
        precision: Type of the numbers.
    """
    device, (row,) = recorded_run("ceilings")
    rates = (row["arithmetic"][precision], row["memory"], row["cache"])
    return device, Roof(*(rate and rate["per_second"] / 1e9 for rate in rates))


def screen(logic: MBConvLogic) -> Screen:
    """Return the block with its shares, and the recorded roofline with the three kinds.

    Args:
        logic: The lab.
    """
    device, roof = recorded_roof(logic.setting.precision)
    note = (
        "Slabs: maps, as wide as their channels and as high as their side (square roots). Lines, and the "
        f"marks on the axis: computed. The roof: recorded on {device}; dashed, its last cache."
    )
    drawings = (block_drawing(logic), roofline_drawing(logic, roof))
    return Screen(drawings, note if logic.pinned is None else "")


def in_words(logic: MBConvLogic) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    counted = cost_of(logic.setting, logic.setting.kind)
    return (
        f"{logic.label(logic.setting)}: {in_millions(counted.macs)} MACs an image, "
        f"{digits(counted.parameters / 1e3)} thousand parameters, {digits(counted.intensity)} MACs per byte."
    )


def page() -> Page[WebMBConv]:
    """Return the lab for a page."""
    return Page(WebMBConv(), screen, in_words)
