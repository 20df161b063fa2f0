"""The squeeze-and-excitation lab for a page without a kernel: recorded gates by class, and their price."""

from dataclasses import dataclass

import traitlets

from effnet_edu.labs.drawing import Drawing, MarkedAxis, drawing, frame, line, mark, text
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.numbers import Number, Section
from effnet_edu.labs.recorded_gates import recorded_gates
from effnet_edu.labs.squeeze_pictures import (
    HEIGHT,
    WIDTH,
    contrast_bars,
    cost_bars,
    cost_numbers,
    costs_in_words,
    gate_bars,
)
from effnet_edu.labs.squeeze_widths import NETWORKS, SMALL, SQUEEZES, USUAL
from effnet_edu.labs.web import NoDevice, Page

BLOCKS = tuple(recorded_gates().by_block)
CLASSES = recorded_gates().class_names
_SHARES_SIZE = (WIDTH, 132)


@dataclass(frozen=True)
class Setting:
    """What the reader can choose; each is a setting of the lab in a notebook as well."""

    picture: str
    other: str
    block: str
    network: str
    squeeze: str
    device: str


class WebSqueezeExcite(NoDevice):
    """Mean gates of two classes in a block, as the study recorded them, and what squeezing costs.

    Args:
        device: Of no use here.
        settings: Any of the fields of `Setting`.
    """

    LAB = "SqueezeExciteLab"
    SETTING = Setting

    picture = traitlets.Enum(CLASSES, CLASSES[0], help="class: bars")
    other = traitlets.Enum(CLASSES, CLASSES[1], help="class: line")
    block = traitlets.Enum(BLOCKS, BLOCKS[-1], help="whose gates")
    network = traitlets.Enum(tuple(name for name in NETWORKS if name != SMALL), "B0", help="for the cost")
    squeeze = traitlets.Enum(SQUEEZES, USUAL, help="width, of c_in")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Squeeze-and-excitation lab"

    def label(self, setting: Setting) -> str:
        """Return `O and Q in stages.2.0; B0, SE 1/4`."""
        gates = f"{setting.picture} and {setting.other} in {setting.block}"
        return f"{gates}; {setting.network}, SE {setting.squeeze}"

    def gates(self, setting: Setting, name: str) -> tuple[float, ...]:
        """Return the mean gates of a class in the block of a setting.

        Args:
            setting: Any setting.
            name: The class.
        """
        return recorded_gates().by_block[setting.block].means[CLASSES.index(name)]

    def contrast(self, setting: Setting) -> tuple[float, ...]:
        """Return how much wider open each gate is for the one class than for the other.

        Args:
            setting: Any setting.
        """
        both = zip(self.gates(setting, setting.picture), self.gates(setting, setting.other), strict=True)
        return tuple(one - other for one, other in both)

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what the study found of the block, and what the network costs."""
        known, differences = recorded_gates(), self.contrast(setting)
        share = 100 * known.by_block[setting.block].between_class_share
        gates = (
            Number("channels", len(differences)),
            Number("decided by class", share, "%", decimals=1),
            Number("largest difference", max(map(abs, differences)), decimals=3),
        )
        costs = cost_numbers(setting.network, setting.squeeze)
        return (
            Section("recorded", gates, f"recorded, {known.tested:,} test pictures"),
            Section("computed", costs, f"computed, {setting.network}"),
        )


def _gates(logic: WebSqueezeExcite) -> Drawing:
    setting, pinned = logic.setting, logic.pinned
    gates, other = logic.gates(setting, setting.picture), logic.gates(setting, setting.other)
    title = f"{len(gates)} gates of {setting.block}: mean of {setting.picture}; line: {setting.other}"
    of_a = pinned.squeeze if pinned is not None and pinned.network == setting.network else None
    compared = f"mean of {setting.picture} less mean of {setting.other}"
    differences = logic.contrast(setting)
    widest = max(range(len(differences)), key=lambda channel: abs(differences[channel]))
    parts = [
        *gate_bars(gates, title, other),
        *contrast_bars(differences, compared),
        *cost_bars(setting.network, setting.squeeze, of_a),
    ]
    label = (
        f"{title}. Gates, {compared}: largest {differences[widest]:+.3f} in channel {widest}. "
        f"{costs_in_words(setting.network, setting.squeeze)}"
    )
    return drawing((WIDTH, HEIGHT), label, parts)


def _shares(logic: WebSqueezeExcite) -> Drawing:
    """Draw, from the first block to the last, how much of its gates the class decides."""
    known = {name: 100 * block.between_class_share for name, block in recorded_gates().by_block.items()}
    top = 10 * (int(max(known.values()) / 10) + 1)
    x = MarkedAxis(-0.5, len(known) - 0.5, 46, WIDTH - 10, marks=())
    y = MarkedAxis(0, top, 100, 24, marks=range(0, top + 1, 20))
    parts = [*frame(x, y, "block", "decided by class, %")]
    for index, (name, share) in enumerate(known.items()):
        here, hover = name == logic.setting.block, f"{name}: {share:.1f}% of the gates' variance"
        parts.append(line(x(index), y(0), x(index), y(share), "range"))
        parts.append(mark("o", x(index), y(share), 6 if here else 4, 'class="measured"', hover))
        stage = name.removeprefix("stages.")
        parts.append(text(x(index), y.start + 14, stage, "title" if here else "soft", "middle"))
    rows = ", ".join(f"{name} {share:.1f}%" for name, share in known.items())
    label = f"Share of the gates' variance that the class decides, by block: {rows}."
    return drawing(_SHARES_SIZE, label, parts)


def screen(logic: WebSqueezeExcite) -> Screen:
    """Return the gates with their price, and what the class decides from block to block.

    Args:
        logic: The lab.
    """
    note = (
        "Gates: means over test pictures of the small trained network, recorded on "
        f"{recorded_gates().label}. Grey: the network without SE. 1/4 of c_mid is a common mistake."
    )
    return Screen((_gates(logic), _shares(logic)), note if logic.pinned is None else "")


def in_words(logic: WebSqueezeExcite) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    share = recorded_gates().by_block[setting.block].between_class_share
    parameters, *_ = cost_numbers(setting.network, setting.squeeze)
    return f"{logic.label(setting)}: the class decides {share:.1%} of these gates; {parameters} parameters."


def page() -> Page[WebSqueezeExcite]:
    """Return the lab for a page."""
    return Page(WebSqueezeExcite(), screen, in_words)
