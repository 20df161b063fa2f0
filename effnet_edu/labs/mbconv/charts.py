"""The charts of the MBConv lab: the roofline, and the three kinds of one shape."""

from effnet_edu.labs.frame.layout import ROOMY
from effnet_edu.labs.mbconv.kinds import kinds_chart, kinds_in_words
from effnet_edu.labs.mbconv.roofline import roofline, roofline_words
from effnet_edu.labs.mbconv.shares import MBConv, shown
from effnet_edu.pictures.chart import panels
from effnet_edu.pictures.scene import Scene


def charts(logic: MBConv) -> Scene:
    """Draw the roofline and the three kinds, side by side or below each other."""
    height = 112.0 if logic.room < ROOMY else 220.0
    (first, second) = panels(logic.room, 2, 320)
    record, is_stale = shown(logic, logic.setting)
    below = second[2] * (height + 8)
    marks = (
        *roofline(logic, record, first[:2], height, is_stale=is_stale),
        *kinds_chart(logic, record, second[:2], below, height, is_stale=is_stale),
    )
    words = (
        f"{roofline_words(record, logic.setting, is_stale=is_stale)} "
        f"{kinds_in_words(record, logic.setting, is_stale=is_stale)}"
    )
    return Scene(logic.room, below + height, "Roofline, and three kinds of one shape", words, marks)
