"""What the squeeze-and-excitation lab shows without a network: recorded gates by class, and their price."""

from typing import Any

from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.squeeze_excite.charts import (
    blocks_chart,
    blocks_in_words,
    chart_places,
    contrast_chart,
    cost_chart,
    costs_in_words,
    skyline,
    steps,
)
from effnet_edu.labs.squeeze_excite.numbers import (
    CHANNELS,
    SqueezeExciteSetting,
    between_class_share,
    class_contrast,
    class_gates,
)
from effnet_edu.labs.squeeze_excite.recorded_gates import recorded_gates
from effnet_edu.pictures.axis import MarkedAxis
from effnet_edu.pictures.chart import axes
from effnet_edu.pictures.scene import Mark, Scene, text

SqueezeExcite = LabLogic[SqueezeExciteSetting, Any]

_HEIGHT = 200.0


def finding(setting: SqueezeExciteSetting) -> str:
    """Return how much of its gates the class decides, beside the first block or the last."""
    first, *_, last = CHANNELS
    other = first if setting.block == last else last
    there = recorded_gates().by_block[other].between_class_share
    return (
        f"In {setting.block} the class decides {between_class_share(setting):.0%} of how the gates vary; in "
        f"{other}, {there:.0%}."
    )


def gates(logic: SqueezeExcite) -> Scene:
    """Draw the mean gates of one class as bars, and those of the other as a line."""
    setting, width = logic.setting, float(logic.room)
    values, other = class_gates(setting.block, setting.picture), class_gates(setting.block, setting.other)
    x = MarkedAxis(0, len(values), 34, width - 8)
    y = MarkedAxis(0, 1, _HEIGHT - 42, 26, marks=(0, 0.5, 1))
    classes = f"mean of {setting.picture}; line: {setting.other}"
    title = f"{len(values)} gates of {setting.block}: {classes}"
    marks = (
        *axes(x, y, "channel", title if 7 * len(title) < width else classes),
        Mark("gates/bars", "area", skyline(values, x, y), "compound-filled"),
        Mark("gates/behind", "line", steps(other, x, y), "outline"),
        text("tick first", x.start, y.start + 16, "0", style="words soft"),
        text("tick last", x.end, y.start + 16, f"{len(values) - 1}", style="words soft end"),
    )
    words = f"{title}. From {min(values):.2f} to {max(values):.2f}."
    return Scene(width, _HEIGHT, f"Gates of {setting.block}", words, marks)


def charts(logic: SqueezeExcite) -> Scene:
    """Draw how the gates differ, what the class decides in each block, and the price."""
    setting, pinned = logic.setting, logic.pinned
    rooms = chart_places(logic.room)
    of_a = pinned.squeeze if pinned is not None and pinned.network == setting.network else None
    compared, differences = f"mean of {setting.picture} less mean of {setting.other}", class_contrast(setting)
    widest = max(range(len(differences)), key=lambda channel: abs(differences[channel]))
    marks = (
        *contrast_chart(differences, compared, rooms[0]),
        *blocks_chart(setting.block, rooms[1]),
        *cost_chart(setting.network, setting.squeeze, rooms[2], of_a),
    )
    words = (
        f"Gates, {compared}: largest {differences[widest]:+.3f} in channel {widest}. {blocks_in_words()} "
        f"{costs_in_words(setting.network, setting.squeeze)}"
    )
    return Scene(logic.room, rooms[-1].bottom, "Gates by class, and their price", words, marks)


def recorded_screen(logic: SqueezeExcite) -> LiveScreen:
    """Return all of it."""
    aside = (
        f"Means over {recorded_gates().tested:,} test pictures of the small trained network, recorded on "
        f"{recorded_gates().label}. In JupyterLab the network answers, and gates are closed by hand."
    )
    return LiveScreen(finding(logic.setting), gates(logic), lambda: charts(logic), aside)
